/** The parts of a storm that need no socket: timers in order, counts by client, what a threshold makes of them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { TimerHeap } from '#dist/engine/load/timer-heap.js';
import { parseAbort, parseThreshold } from '#dist/plan/expressions/rules.js';
import type { Storm } from '#dist/result/storm.js';
import { LatencyHistogram } from '#dist/tally/histogram.js';
import { BIN_MS, type EncodedStorm, StormTally } from '#dist/tally/storm-tally.js';
import { judgeStorm } from '#dist/tally/storm-validity.js';
import { Tally, untimed } from '#dist/tally/tally.js';
import { judge } from '#dist/tally/thresholds.js';

test('timers come out in the order of their times, whatever was set, moved and cleared before', () => {
  const change = fc.record({ slot: fc.nat(19), at: fc.option(fc.nat(1000), { nil: null }) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), fc.nat(1000), (changes, now) => {
      const heap = new TimerHeap(20);
      const model = new Map<number, number>();
      for (const { slot, at } of changes) {
        if (at === null) {
          heap.clear(slot);
          model.delete(slot);
        } else {
          heap.set(slot, at);
          model.set(slot, at);
        }
        assert.equal(heap.nextAt, Math.min(Number.POSITIVE_INFINITY, ...model.values()));
      }
      const due: number[] = [];
      for (let slot = heap.take(now); slot >= 0; slot = heap.take(now)) {
        assert.equal(heap.atOf(slot), model.get(slot));
        due.push(heap.atOf(slot));
      }
      const expected = [...model.values()].filter((at) => at <= now).sort((a, b) => a - b);
      assert.deepEqual(due, expected);
      assert.equal(heap.nextAt, Math.min(Number.POSITIVE_INFINITY, ...[...model.values()].filter((at) => at > now)));
      heap.clearAll();
      assert.equal(heap.nextAt, Number.POSITIVE_INFINITY);
    }),
  );
});

const OPEN_STILL = { readyMs: 5, heldMs: Number.NaN, silentMs: Number.NaN, livedMs: Number.NaN };

/** A worker's part: clients dropped and back at these times, some of them never. */
function part(drops: readonly number[], returns: readonly number[], more: Partial<EncodedStorm> = {}): EncodedStorm {
  const tally = new Tally();
  for (const _ of returns) tally.add({ ...untimed(), outcome: 101, handshakeMs: 5 });
  for (const _ of returns) tally.addSession(0, OPEN_STILL);
  return {
    fleet: drops.length,
    dropsMs: drops,
    returnsMs: returns,
    never: { gaveUp: 0, stopped: 0, stillTrying: drops.length - returns.length },
    drops: { total: drops.length, max: Math.min(1, drops.length) },
    attempts: { total: returns.length, max: Math.min(1, returns.length) },
    tally: tally.encode(),
    abandoned: 0,
    ends: {},
    attemptBins: [],
    openBins: [],
    times: {},
    ...more,
  };
}

const HEADING = { clients: 10, policy: 'x', isOwnDrop: true, beganAt: Date.UTC(2026, 0, 1) };

function stormOf(parts: readonly EncodedStorm[], heading: Partial<typeof HEADING> = {}) {
  const tally = new StormTally();
  for (const one of parts) tally.add(one);
  return tally.storm({ ...HEADING, ...heading });
}

test('percentiles are over all that were dropped: those that never came back are part of them', () => {
  const drops = new Array<number>(10).fill(0);
  const nine = stormOf([part(drops, [1, 2, 3, 4, 5, 6, 7, 8, 9])]);
  assert.deepEqual([nine.t50Ms, nine.t95Ms, nine.t99Ms, nine.t100Ms], [5, null, null, null]);
  assert.deepEqual([nine.dropped, nine.never.stillTrying], [10, 1]);
  const all = stormOf([part(drops.slice(5), [1, 3, 5, 7, 9]), part(drops.slice(5), [10, 8, 6, 4, 2])]);
  assert.deepEqual([all.t50Ms, all.t95Ms, all.t99Ms, all.t100Ms], [5, 10, 10, 10]);
  assert.equal(all.fleet, 10);
});

test('t0 is the own drop, else the first client’s; the order of the parts does not matter', () => {
  const parts = [part([40, 20], [100, 70]), part([30], [50])];
  const own = stormOf(parts);
  const waited = stormOf(parts.toReversed(), { isOwnDrop: false });
  assert.deepEqual([own.t100Ms, waited.t100Ms], [100, 80]);
  assert.deepEqual([own.dropSpreadMs, waited.dropSpreadMs], [20, 20]);
  assert.equal(own.droppedAt, '2026-01-01T00:00:00.000000Z');
  assert.equal(waited.droppedAt, '2026-01-01T00:00:00.020000Z');
});

test('the peak is of any second, wherever it begins; bins of 1 s and 100 ms hold every attempt', () => {
  const bins = new Array<number>(250).fill(0);
  // Ten attempts around the border of the first and the second second: in no whole second, and in one sliding one.
  for (let i = 95; i < 105; i++) bins[i] = 1;
  const storm = stormOf([part([0], [0], { attemptBins: bins, openBins: bins.slice(0, 105) })]);
  assert.equal(BIN_MS, 10);
  assert.equal(storm.peakPerSecond, 10);
  assert.deepEqual(storm.perSecond, { attempts: [5, 5, 0], opens: [5, 5, 0] });
  assert.equal(storm.per100ms.attempts.length, 25);
  assert.equal(storm.per100ms.attempts[9], 5);
});

test('clients that do not add up are a bug, and no result is made of them', () => {
  assert.throws(() => stormOf([part([0, 0], [1], { never: { gaveUp: 0, stopped: 0, stillTrying: 0 } })]), /adds up/);
});

test('no client dropped: nothing to say, and no number is made up', () => {
  const none = stormOf([part([], [], { fleet: 10 })], { isOwnDrop: false });
  assert.deepEqual([none.dropped, none.t50Ms, none.droppedAt, none.attemptsPerClient], [0, null, null, null]);
});

const WELL = { verdict: 'valid', reasons: [] } as const;

function judged(expression: string, storms: readonly ReturnType<typeof stormOf>[]) {
  const whole: Storm[] = storms.map((storm) => ({ ...storm, bound: null, validity: WELL }));
  const [one] = judge([parseThreshold(expression)], new Tally().counted(), {
    rate: null,
    dropOff: null,
    calibrations: [],
    storms: whole,
  });
  return [one.result.actual, one.result.ok];
}

test('thresholds on storms are judged by the storm that fits them least', () => {
  const ten = new Array<number>(10).fill(0);
  const nine = stormOf([part(ten, [1, 2, 3, 4, 5, 6, 7, 8, 9])]);
  const all = stormOf([part(ten, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])]);
  assert.deepEqual(judged('share(back) >= 90%', [nine, all]), [0.9, true]);
  assert.deepEqual(judged('share(back) == 100%', [all, nine]), [0.9, false]);
  assert.deepEqual(judged('count(never) == 0', [all]), [0, true]);
  assert.deepEqual(judged('count(never) == 0', [all, nine]), [1, false]);
  assert.deepEqual(judged('p95(back) < 1s', [all]), [10, true]);
  assert.deepEqual(judged('max(back) < 9ms', [all]), [10, false]);
  // Not reached is not met, however long one waits.
  assert.deepEqual(judged('p95(back) < 1h', [all, nine]), [null, false]);
  assert.deepEqual(judged('peak(attempts) < 1/s', [all]), [0, true]);
  assert.deepEqual(judged('share(back) >= 0%', []), [null, false]);
});

test('what a storm is asked for is read with its units, and what it can not be asked for is refused', () => {
  assert.equal(parseThreshold('peak(attempts) < 1500/s').parsed.limit, 1500);
  assert.equal(parseThreshold('p99(back) <= 2m').parsed.limit, 120_000);
  assert.throws(() => parseThreshold('p75(back) < 1s'), /one of p50 p95 p99 max/);
  assert.throws(() => parseThreshold('peak(back) < 1/s'), /expected attempts/);
  assert.throws(() => parseAbort('share(back) < 90%'), /known when its watch is over/);
});

function verdictOf(lateMs: number, startMs: number, handshakeMs: number) {
  const times = Object.fromEntries(
    (
      [
        ['late', lateMs],
        ['started', startMs],
      ] as const
    ).map(([name, ms]) => {
      const histogram = new LatencyHistogram();
      histogram.record(ms);
      return [name, { hdr: histogram.encode(), clamped: 0 }];
    }),
  );
  const tally = new Tally();
  tally.add({ ...untimed(), outcome: 101, handshakeMs });
  tally.addSession(0, OPEN_STILL);
  const storm = stormOf([part([0], [9], { times, tally: tally.encode() })], { clients: 1 });
  return judgeStorm({ storm, problem: null, lostWorkers: [], isStopped: false }).verdict;
}

test('a generator that wakes late is suspect, then invalid, by the rule of arrivals; a queue of starts by its own', () => {
  assert.equal(verdictOf(1, 1, 10), 'valid');
  assert.equal(verdictOf(3, 3, 10), 'suspect');
  assert.equal(verdictOf(21, 21, 10), 'invalid');
  // Handshakes that take a second hide a few ms.
  assert.equal(verdictOf(90, 90, 1000), 'valid');
  assert.equal(verdictOf(200, 200, 1000), 'suspect');
  // Thousands that are due in one instant take a while to start: that is no late timer.
  assert.equal(verdictOf(1, 200, 10), 'valid');
  assert.equal(verdictOf(1, 400, 10), 'suspect');
  assert.equal(verdictOf(1, 1200, 10), 'invalid');
});

test('without a drop, with a failed command, or with failures of this machine a storm says nothing', () => {
  const evidence = { problem: null, lostWorkers: [], isStopped: false };
  const none = judgeStorm({ ...evidence, storm: stormOf([part([], [], { fleet: 10 })], { isOwnDrop: false }) });
  assert.match(none.reasons[0], /no client was dropped/);
  const empty = judgeStorm({ ...evidence, storm: stormOf([part([], [])]) });
  assert.match(empty.reasons[0], /no client was ready/);
  const all = stormOf([part(new Array<number>(10).fill(0), new Array<number>(10).fill(5))]);
  const failed = judgeStorm({ ...evidence, storm: all, problem: 'the drop command ended with exit code 3' });
  assert.deepEqual([failed.verdict, failed.reasons], ['invalid', ['the drop command ended with exit code 3']]);
  const local = judgeStorm({ ...evidence, storm: { ...all, attempts: { 'local-ports': 3 } } });
  assert.equal(local.verdict, 'invalid');
  const few = judgeStorm({ ...evidence, storm: { ...all, clients: 11 } });
  assert.deepEqual([few.verdict, /only 10 of 11/.test(few.reasons[0])], ['suspect', true]);
});

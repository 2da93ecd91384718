/**
 * Causes whose every size is tried: the formula of a cause with random numbers and the jitter of a busy machine. The cause
 * comes first with its numbers, and no other is held for certain.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { CauseId } from '#dist/diagnose/causes.js';
import { diagnose } from '#dist/diagnose/diagnose.js';
import { parseDurationMs } from '#dist/plan/units.js';
import type { Diagnosis } from '#dist/result/result.js';
import { burst, haproxy, nginx } from './diagnose-answers.js';
import { around, failed, ok, oneByOne, resultOf, seeded, type Told } from './diagnose-results.js';

/** From here on a cause must not be wrong. */
const CERTAIN = 0.8;
const RUNS = { numRuns: 80, seed: 4 };

function firstOf(told: Told, cause: CauseId): Diagnosis {
  const found = diagnose(resultOf(told));
  const said = found.map((one) => `${one.cause} ${one.confidence}: ${one.evidence}`).join('\n');
  assert.equal(found[0]?.cause, cause, said);
  for (const one of found) assert.ok(one.cause === cause || one.confidence < CERTAIN, said);
  return found[0];
}

/** The remedy names a time over which `clients` come back no faster than `perSecond`, in whole seconds. */
function assertSpread(remedy: string, clients: number, perSecond: number): void {
  const [, written] = /spread them over (\S+) or more \(jitter\)/.exec(remedy) ?? [];
  assert.ok(written !== undefined, remedy);
  const seconds = parseDurationMs(written) / 1000;
  assert.ok(Math.abs(seconds - clients / perSecond) <= 1 + (0.1 * clients) / perSecond, remedy);
}

function assertNear(measured: number, truth: number, share: number, what: string): void {
  assert.ok(Math.abs(measured / truth - 1) <= share, `${what} = ${measured}, not ${truth}`);
}

const seed = fc.integer({ min: 1, max: 1e9 });
const between = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });

/** Who gives up, and how that reads. */
const givers = fc.constantFrom('nginx', 'haproxy', 'client');
function givenUp(giver: string, count: number, timeoutMs: number, spreadMs: number): Told['bursts'][0]['groups'][0] {
  const times = around(count, timeoutMs + 1, spreadMs);
  if (giver === 'client') return failed('timeout-upgrade', times);
  return failed('504', times, giver === 'nginx' ? nginx(504) : haproxy(504));
}

describe('serial upgrades of every speed', () => {
  it('are told from everything else, with T and S', () => {
    const sizes = fc.record({
      timeoutMs: fc.constantFrom(500, 1000, 2000, 3000, 10_000, 60_000),
      fits: fc.integer({ min: 12, max: 800 }),
      more: between(0.3, 4),
      jitter: between(0, 0.3),
      giver: givers,
      seed,
    });
    const property = fc.property(sizes, ({ timeoutMs, fits, more, jitter, giver, seed: from }) => {
      const random = seeded(from);
      const stepMs = timeoutMs / fits;
      const times: number[] = [];
      for (let at = 0; ; ) {
        at += stepMs * (1 + jitter * (2 * random() - 1));
        if (at >= timeoutMs) break;
        times.push(at);
      }
      const late = Math.max(5, Math.ceil(fits * more));
      const told: Told = {
        ...burst(ok(times), givenUp(giver, late, timeoutMs, Math.min(20, 0.01 * timeoutMs))),
        ...(giver === 'client' && { timeoutMs }),
        alone: oneByOne(['101', '101', '101'], stepMs),
      };
      const { figures, remedy } = firstOf(told, 'slow-serial-upgrade');
      assertSpread(remedy, times.length + late, 1000 / stepMs);
      assertNear(figures.timeoutMs, timeoutMs, 0.1, 'T');
      assertNear(figures.serviceMs, stepMs, 0.1, 'S');
      assertNear(figures.limit, fits, 0.15, 'T/S');
    });
    fc.assert(property, RUNS);
  });
});

describe('stairs of every size', () => {
  it('are told from everything else, with C and D', () => {
    const sizes = fc.record({
      together: fc.integer({ min: 3, max: 60 }),
      steps: fc.integer({ min: 4, max: 25 }),
      stepMs: between(40, 500),
      jitter: between(0, 0.1),
      giver: givers,
      seed,
    });
    const property = fc.property(sizes, ({ together, steps, stepMs, jitter, giver, seed: from }) => {
      const random = seeded(from);
      const timeoutMs = stepMs * (steps + 0.6);
      // Nobody gives up sooner than that on purpose.
      fc.pre(timeoutMs >= 500);
      const times = Array.from(
        { length: together * steps },
        (_, i) => stepMs * (Math.floor(i / together) + 1 + jitter * random()),
      );
      const told: Told = {
        ...burst(ok(times), givenUp(giver, together * 3, timeoutMs, 10)),
        ...(giver === 'client' && { timeoutMs }),
        alone: oneByOne(['101', '101', '101'], stepMs),
      };
      const { figures, remedy } = firstOf(told, 'slow-concurrent-upgrade');
      assertSpread(remedy, together * (steps + 3), (1000 * together) / stepMs);
      assert.equal(figures.concurrency, together);
      assertNear(figures.stepMs, stepMs, 0.07, 'D');
      assertNear(figures.timeoutMs, timeoutMs, 0.1, 'T');
    });
    fc.assert(property, RUNS);
  });
});

describe('limits of every size', () => {
  it('are told from everything else, with their count', () => {
    const sizes = fc.record({
      limit: fc.integer({ min: 3, max: 3000 }),
      more: fc.integer({ min: 10, max: 1000 }),
      spreadMs: between(5, 250),
      how: fc.constantFrom('closed' as const, 'reset' as const, '503' as const),
      seed,
    });
    const property = fc.property(sizes, ({ limit, more, spreadMs, how, seed: from }) => {
      const random = seeded(from);
      const crowd = (n: number): number[] => Array.from({ length: n }, () => 2 + spreadMs * random());
      const told = burst(ok(crowd(limit)), failed(how, crowd(more), how === '503' ? nginx(503) : undefined));
      assert.equal(firstOf(told, 'connection-limit').figures.limit, limit);
    });
    fc.assert(property, RUNS);
  });
});

describe('listen queues of every length', () => {
  it('are told from everything else, with their length', () => {
    const sizes = fc.record({
      backlog: fc.constantFrom(8, 16, 100, 128, 511),
      waves: fc.integer({ min: 1, max: 4 }),
      lateMs: between(5, 40),
      isOld: fc.boolean(),
      seed,
    });
    const property = fc.property(sizes, ({ backlog, waves, lateMs, isOld, seed: from }) => {
      const random = seeded(from);
      const schedule = [0, ...(isOld ? [1000, 3000, 7000, 15_000] : [1000, 2000, 3000, 4000])].slice(0, waves + 1);
      const connect = schedule.flatMap((ms) =>
        Array.from({ length: backlog + 1 }, () => ms * 1.01 + lateMs * random() + 0.2),
      );
      const told = burst(ok(connect, { connectMs: (i) => connect[i], upgradeMs: () => 1.5 }));
      assert.equal(firstOf(told, 'listen-queue-full').figures.backlog, backlog);
    });
    fc.assert(property, RUNS);
  });
});

describe('health of every kind', () => {
  it('has no diagnosis', () => {
    const shapes: Readonly<Record<string, (n: number, spanMs: number, random: () => number) => number[]>> = {
      'as they come': (n, spanMs, random) => Array.from({ length: n }, () => 1 + spanMs * random()),
      'one by one': (n, spanMs) => around(n, 1, spanMs),
      'together and late': (n, spanMs, random) => Array.from({ length: n }, () => spanMs * (1 + 0.05 * random())),
      'most quick, some late': (n, spanMs, random) =>
        Array.from({ length: n }, () => 1 - spanMs * Math.log(1 - random())),
      'in stairs': (n, spanMs) => Array.from({ length: n }, (_, i) => (spanMs * (1 + Math.floor(i / 10))) / (n / 10)),
    };
    const sizes = fc.record({
      shape: fc.constantFrom(...Object.keys(shapes)),
      n: fc.integer({ min: 1, max: 2000 }),
      spanMs: between(1, 20_000),
      stopped: fc.nat(50),
      bursts: fc.integer({ min: 1, max: 3 }),
      seed,
    });
    const property = fc.property(sizes, ({ shape, n, spanMs, stopped, bursts, seed: from }) => {
      const random = seeded(from);
      const groups = () => [
        ok(shapes[shape](n, spanMs, random)),
        ...(stopped > 0 ? [failed('aborted', around(stopped, spanMs))] : []),
      ];
      const told: Told = { bursts: Array.from({ length: bursts }, () => ({ groups: groups() })) };
      assert.deepEqual(diagnose(resultOf(told)), []);
    });
    fc.assert(property, RUNS);
  });
});

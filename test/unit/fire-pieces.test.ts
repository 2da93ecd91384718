import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { Columns, STATE } from '#dist/engine/attempt/columns.js';
import { Deadlines } from '#dist/engine/attempt/deadlines.js';
import { LIVE, type LiveTotals, liveOutcome } from '#dist/engine/attempt/live-counts.js';
import type { ShardOrder } from '#dist/engine/load/shard.js';
import { now } from '#dist/engine/machine/clock.js';
import { Live, type Progress } from '#dist/engine/run/live.js';
import { Control, ORDER } from '#dist/engine/threads/shared-memory.js';
import { PortChooser } from '#dist/engine/transport/ports.js';
import { outcomeCode } from '#dist/names/outcomes.js';
import { splitShares } from '#dist/tally/split.js';
import { pause } from './fire-raw.js';

describe('control', () => {
  test('stop and orders can not hide each other, whichever comes first and however late they are seen', async () => {
    for (const steps of [['stop', 'order'], ['order', 'stop'], ['order'], ['stop']] as const) {
      for (const startSeen of [true, false]) {
        const control = new Control(1);
        let seq = 0;
        if (startSeen) {
          control.order(0, ORDER.arm);
          seq = (await control.next(0, seq)).seq;
        }
        for (const step of steps) {
          if (step === 'stop') control.stop([0]);
          else control.order(0, ORDER.close);
        }
        const woken = await control.next(0, seq);
        const hasOrder = (steps as readonly string[]).includes('order');
        assert.equal(woken.order, hasOrder ? ORDER.close : null, steps.join());
        assert.equal(control.stopped, (steps as readonly string[]).includes('stop'));
        control.order(0, ORDER.quit);
        assert.equal((await control.next(0, woken.seq)).order, ORDER.quit);
      }
    }
  });

  test('a stop between two looks at the sequence is no order, and the next order is still seen', async () => {
    const control = new Control(2);
    control.order(1, ORDER.arm);
    const armed = await control.next(1, 0);
    control.stop([0, 1]);
    control.stop([0, 1]);
    const stopped = await control.next(1, armed.seq);
    assert.deepEqual([armed.order, stopped.order], [ORDER.arm, null]);
    control.order(1, ORDER.quit);
    assert.equal((await control.next(1, stopped.seq)).order, ORDER.quit);
  });

  test('any mix of orders, each seen before the next, and one stop: every order arrives once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(1, 2, 3, 4), { maxLength: 12 }), fc.nat(12), async (orders, stopAt) => {
        const control = new Control(3);
        const seen: number[] = [];
        let seq = 0;
        for (const [i, order] of orders.entries()) {
          if (i === stopAt) control.stop([0, 1, 2]);
          control.order(2, order as 1);
          const woken = await control.next(2, seq);
          seq = woken.seq;
          if (woken.order !== null) seen.push(woken.order);
        }
        assert.deepEqual(seen, orders);
      }),
      { numRuns: 200 },
    );
  });

  test('a thread waiting elsewhere is woken by a stop, and by an order', async () => {
    const control = new Control(1);
    const source = `const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.module).then(async ({ Control }) => {
        const control = new Control(1, workerData.memory);
        // Waiting for memory alone keeps no thread alive.
        parentPort.on('message', () => {});
        let seq = 0;
        for (let i = 0; i < 2; i++) {
          parentPort.postMessage('waiting');
          const woken = await control.next(0, seq);
          seq = woken.seq;
          parentPort.postMessage([woken.order, control.stopped]);
        }
      });`;
    const module = new URL('../../../dist/engine/threads/shared-memory.js', import.meta.url).href;
    const worker = new Worker(source, { eval: true, workerData: { memory: control.memory, module } });
    const messages: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('message', (message) => {
        messages.push(message);
        if (messages.length === 1) setTimeout(() => control.stop([0]), 20);
        if (messages.length === 3) setTimeout(() => control.order(0, ORDER.quit), 20);
        if (messages.length === 4) resolve();
      });
    });
    await worker.terminate();
    assert.deepEqual(messages, ['waiting', [null, true], 'waiting', [ORDER.quit, true]]);
  });

  test('what is written for one worker is read by it and by no other; totals add up over workers', () => {
    const shard = fc.record<ShardOrder>(
      {
        target: fc.nat(1),
        stage: fc.nat(9),
        place: fc.nat(9),
        burst: fc.nat(99),
        count: fc.nat(100_000),
        open: fc.nat(5000),
        first: fc.nat(63),
        stride: fc.integer({ min: 1, max: 64 }),
        base: fc.maxSafeNat(),
        clientBase: fc.maxSafeNat(),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(shard, { minLength: 1, maxLength: 8 }), (shards) => {
        const control = new Control(shards.length);
        const codes = [outcomeCode('101'), outcomeCode('504'), outcomeCode('aborted')];
        shards.forEach((one, worker) => {
          control.brief(worker, one);
          control.live(worker)[LIVE.opened] = worker + 1;
          for (const code of codes) control.live(worker)[liveOutcome(code)] = 10;
        });
        const again = new Control(shards.length, control.memory);
        for (const [worker, one] of shards.entries()) assert.deepEqual(again.shardOf(worker), one);
        assert.equal(again.total(LIVE.opened), (shards.length * (shards.length + 1)) / 2);
        for (const code of codes) assert.equal(again.total(liveOutcome(code)), 10 * shards.length);
        assert.equal(again.stopped, false);
        control.resetLive();
        assert.equal(again.total(LIVE.opened), 0);
      }),
    );
  });
});

describe('splitting', () => {
  test('a burst over W workers deals every attempt number exactly once', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.integer({ min: 1, max: 64 }), (size, workers) => {
        const dealt = new Uint8Array(size);
        // As the coordinator briefs them: worker w begins at w and goes on in steps of W.
        splitShares(size, workers).forEach((count, worker) => {
          for (let slot = 0; slot < count; slot++) dealt[worker + slot * workers]++;
        });
        assert.ok(dealt.every((times) => times === 1));
        assert.equal(dealt.length, size, 'none beyond the burst');
      }),
    );
  });
});

describe('ports', () => {
  test('threads never meet, all stay inside the range, and each uses the whole of its part before it repeats', () => {
    const cases = fc.record({
      low: fc.integer({ min: 1024, max: 60_000 }),
      size: fc.integer({ min: 64, max: 400 }),
      workers: fc.integer({ min: 1, max: 16 }),
    });
    fc.assert(
      fc.property(
        cases,
        fc.array(fc.nat(30_000), { minLength: 16, maxLength: 16 }),
        ({ low, size, workers }, starts) => {
          const owner = new Map<number, number>();
          for (let worker = 0; worker < workers; worker++) {
            const chooser = new PortChooser(low, low + size - 1, worker, workers, starts[worker] ?? 0);
            const mine = new Set<number>();
            const share = Math.floor(size / workers);
            for (let i = 0; i < share; i++) {
              const port = chooser.next('127.0.0.1', '127.0.0.9');
              assert.ok(port >= low && port < low + size, `${port}`);
              assert.ok(!mine.has(port), 'no port twice in a round');
              mine.add(port);
              assert.equal(owner.get(port) ?? worker, worker, 'no port of another thread');
              owner.set(port, worker);
            }
            assert.ok(mine.has(chooser.next('127.0.0.1', '127.0.0.9')), 'then it begins again');
          }
        },
      ),
    );
  });

  test('each source address has its own row of ports to each destination', () => {
    const chooser = new PortChooser(2000, 2999, 1, 4, 0);
    const [a, b] = [chooser.next('127.0.0.2', '127.0.0.9'), chooser.next('127.0.0.3', '127.0.0.9')];
    assert.equal(a, b);
    assert.equal(chooser.next('127.0.0.2', '127.0.0.8'), a);
    assert.notEqual(chooser.next('127.0.0.2', '127.0.0.9'), a);
  });

  test('destinations that take turns get every port once each', () => {
    const chooser = new PortChooser(2000, 2099, 0, 1, 17);
    const pairs = Array.from({ length: 200 }, (_, i) => `${i % 2}:${chooser.next('127.0.0.2', `127.0.0.${i % 2}`)}`);
    assert.equal(new Set(pairs).size, 200);
  });
});

describe('deadlines', () => {
  test('expirations in any order of slots and times: each once, never early, at most 100 ms late', async () => {
    // Looks are at least 5 ms apart; the rest is for a busy machine, where a timer is late by tens of ms.
    const size = 200;
    const columns = new Columns(size);
    const expired = new Map<number, number>();
    const deadlines = new Deadlines(columns, 1000, (slot, at) => {
      assert.ok(!expired.has(slot), `slot ${slot} twice`);
      expired.set(slot, at);
    });
    const start = now();
    const due = Array.from({ length: size }, (_, slot) => start + 20 + ((slot * 7919) % 200));
    for (const [slot, at] of due.entries()) deadlines.set(slot, at);
    for (let slot = 0; slot < size; slot += 10) deadlines.clear(slot);
    await pause(400);
    deadlines.stop();
    assert.equal(expired.size, size - size / 10);
    for (const [slot, at] of expired) {
      const late = at - (due[slot] ?? 0);
      assert.ok(late >= 0 && late < 100, `slot ${slot}: ${late} ms`);
    }
  });

  test('an earlier deadline set later is met first; one set by an expiration is met too', async () => {
    const columns = new Columns(3);
    const order: number[] = [];
    const deadlines: Deadlines = new Deadlines(columns, 1000, (slot) => {
      order.push(slot);
      if (slot === 1 && order.length === 1) deadlines.set(0, now() + 10);
    });
    deadlines.set(2, now() + 120);
    deadlines.set(1, now() + 20);
    await pause(300);
    deadlines.stop();
    assert.deepEqual(order, [1, 0, 2]);
  });

  test('after stop nothing expires any more', async () => {
    const deadlines = new Deadlines(new Columns(1), 1000, () => assert.fail('expired'));
    deadlines.set(0, now() + 10);
    deadlines.stop();
    await pause(40);
  });
});

test('what is shown as ended has its outcome beside it, however the workers go on meanwhile', () => {
  const code = outcomeCode('101');
  const live = { ended: 0, outcomes: 0 };
  // Between any two looks one attempt ends.
  const control = {
    total: (index: number) => {
      const value = index === LIVE.ended ? live.ended : index === liveOutcome(code) ? live.outcomes : 0;
      live.outcomes++;
      live.ended++;
      return value;
    },
  } satisfies LiveTotals;
  const shown: Progress[] = [];
  new Live(control, { index: 0, of: 1, size: 64 }, (progress) => shown.push(progress)).enter('released');
  assert.equal(shown.length, 1);
  assert.ok((shown[0].byOutcome['101'] ?? 0) >= shown[0].ended, JSON.stringify(shown[0]));
});

test('a column that is cleared has no trace of the attempt before', () => {
  const columns = new Columns(2);
  const fresh = JSON.stringify(columns);
  columns.state[1] = STATE.inSession;
  columns.outcome[1] = 101;
  columns.localPort[1] = 4242;
  columns.deadline[1] = 5;
  for (const value of Object.values(columns)) if (value instanceof Float64Array) value[1] = 7;
  columns.clear(1);
  assert.equal(JSON.stringify(columns), fresh);
});

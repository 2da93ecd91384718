/** The hands of a search, with a director and a ground of the test's own: what is done, in which order, and what is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Director,
  type FindAction,
  type FindEvent,
  runSearch,
  type SearchGround,
} from '#dist/engine/run/search-hands.js';
import type { Burst, Calibration } from '#dist/result/result.js';

const fire = (size: number, index = 0): FindAction => ({ do: 'fire', index, size, why: 'ramp' });
const STOP: FindAction = { do: 'stop' };

/** Plays `script`, and remembers what it was told. */
class Script implements Director {
  readonly max = 1000;
  readonly min = 10;
  readonly heard: FindEvent[] = [];
  readonly dropOff = {} as never;
  readonly state = {};
  readonly #actions: FindAction[];
  readonly #log: string[];
  readonly #goodUpTo: number;

  constructor(actions: readonly FindAction[], log: string[], goodUpTo = Number.POSITIVE_INFINITY) {
    this.#actions = [...actions];
    this.#log = log;
    this.#goodUpTo = goodUpTo;
  }

  begin(): FindAction {
    return this.#actions.shift() ?? STOP;
  }

  next(event: FindEvent): FindAction {
    this.heard.push(event);
    return this.#actions.shift() ?? STOP;
  }

  firing(): void {
    this.#log.push('firing');
  }

  floorProblem({ size }: Calibration): string | null {
    return size <= this.#goodUpTo ? null : 'too slow';
  }

  news(): never {
    throw new Error('nobody asked');
  }
}

function groundOf(log: string[], over: Partial<SearchGround> = {}): SearchGround {
  let numbered = 0;
  return {
    stopped: () => false,
    fire: async (size, index, floor, base) => {
      log.push(`fire ${index}: ${size} from ${base}, floor ${floor?.size ?? null}`);
      return { size, index, outcomes: { 101: size } } as unknown as Burst;
    },
    calibrate: async (size) => {
      log.push(`calibrate ${size}`);
      return { size } as Calibration;
    },
    endCalibration: async () => {
      log.push('mirror gone');
    },
    shortage: () => null,
    alone: () => {
      throw new Error('no single handshakes here');
    },
    number: (handshakes) => {
      numbered += handshakes;
      return numbered - handshakes;
    },
    save: async (burst) => {
      log.push(burst === null ? 'save' : `save burst ${burst.index}`);
    },
    note: (text) => log.push(`note ${text}`),
    show: () => {},
    refuse: (reason) => log.push(`refuse ${reason}`),
    ...over,
  };
}

test('a floor for each new size, the mirror gone and everything saved before a burst, and again after it', async () => {
  const log: string[] = [];
  await runSearch(groundOf(log), new Script([fire(64), fire(128, 1), fire(100, 2)], log));
  assert.deepEqual(log, [
    ...['calibrate 64', 'mirror gone', 'firing', 'save', 'fire 0: 64 from 0, floor 64', 'save burst 0'],
    ...['calibrate 128', 'mirror gone', 'firing', 'save', 'fire 1: 128 from 64, floor 128', 'save burst 1'],
    ...['mirror gone', 'firing', 'save', 'fire 2: 100 from 192, floor 128', 'save burst 2'],
    'save',
  ]);
});

test('without calibration there is no floor, and none is missed', async () => {
  const log: string[] = [];
  await runSearch(groundOf(log, { calibrate: async () => null }), new Script([fire(64)], log));
  assert.ok(log.includes('fire 0: 64 from 0, floor null'));
});

test('a floor that is too high: tried again, then the largest good size is told, and no burst is fired', async () => {
  const log: string[] = [];
  const director = new Script([fire(64), fire(512, 1)], log, 300);
  await runSearch(groundOf(log), director);
  const [, limit] = director.heard;
  assert.equal(limit.is, 'limit');
  assert.ok(limit.is === 'limit' && limit.max <= 300 && limit.max * 1.1 >= 300, JSON.stringify(limit));
  assert.equal(log.filter((line) => line === 'calibrate 512').length, 3);
  assert.ok(!log.some((line) => line.startsWith('fire 1')));
});

test('less than was asked for is said at once; where nothing fits nothing is fired', async () => {
  const log: string[] = [];
  const director = new Script([{ do: 'rest', untilMs: 0, why: 'cool' }, STOP], log);
  const shortage = (size: number) => (size > 500 ? { fit: 500, reason: 'few files', passes: false } : null);
  await runSearch(groundOf(log, { shortage }), director);
  assert.deepEqual(log[0], 'note the search goes up to 500 instead of 1,000: few files');
  assert.deepEqual(
    director.heard.map((event) => (event.is === 'limit' ? event.max : event.is)),
    [500],
  );

  const late = new Script([fire(400)], log);
  let asked = 0;
  await runSearch(
    groundOf([], { shortage: (size) => (asked++ > 0 ? { fit: size - 1, reason: 'full', passes: false } : null) }),
    late,
  );
  assert.deepEqual(
    late.heard.map((event) => (event.is === 'limit' ? event.max : event.is)),
    [399],
  );
});

test('ports that come back are waited for', async () => {
  const log: string[] = [];
  let asked = 0;
  const shortage = () => (asked++ === 1 ? { fit: 1, reason: 'TIME_WAIT', passes: true } : null);
  await runSearch(groundOf(log, { shortage }), new Script([fire(64)], log));
  assert.ok(log.includes('fire 0: 64 from 0, floor 64'));
});

test('a stop: no burst after it, and a burst that it broke off is not told as one', async () => {
  for (const when of ['calibrate', 'fire'] as const) {
    const log: string[] = [];
    let isStopped = false;
    const director = new Script([fire(64), fire(128, 1)], log);
    const ground = groundOf(log, { stopped: () => isStopped });
    const broken = async (size: number, index: number) => {
      isStopped = true;
      return { size, index, outcomes: { 101: 60, aborted: 4 } } as unknown as Burst;
    };
    const slow = async (size: number) => {
      isStopped = true;
      return { size } as Calibration;
    };
    await runSearch(when === 'fire' ? { ...ground, fire: broken } : { ...ground, calibrate: slow }, director);
    assert.deepEqual(director.heard, [], when);
    assert.equal(log.at(-1), 'save');
    assert.equal(log.includes('firing'), when === 'fire');
  }
});

test('a rest ends when it is over, early when stopped', async () => {
  const log: string[] = [];
  const director = new Script([{ do: 'rest', untilMs: Date.now() + 120, why: 'cool' }, STOP], log);
  const from = Date.now();
  await runSearch(groundOf(log), director);
  assert.ok(Date.now() - from >= 110);
  assert.equal(director.heard[0]?.is, 'rested');

  let isStopped = false;
  const endless = new Script([{ do: 'rest', untilMs: Date.now() + 3_600_000, why: 'fresh' }], log);
  setTimeout(() => {
    isStopped = true;
  }, 50);
  await runSearch(groundOf(log, { stopped: () => isStopped }), endless);
  assert.deepEqual(endless.heard, []);
});

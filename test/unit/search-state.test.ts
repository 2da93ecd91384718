import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';

fc.configureGlobal({ seed: 20261121, includeErrorInReport: true });

import { dropOffOf } from '#dist/search/findings/conclusion.js';
import { forecast } from '#dist/search/forecast.js';
import { type SearchOptions, searchOptions } from '#dist/search/search-options.js';
import type { SearchState, Step } from '#dist/search/state.js';
import { beginSearch, resumeSearch, step } from '#dist/search/state-machine.js';
import { worstCase } from '#dist/search/worst-case.js';
import { Random } from '../bench/simulated-random.js';
import { factsOf, type Hooks, run, USUAL } from '../bench/simulated-search.js';
import { type Build, type SimulatedTarget, TARGETS } from '../bench/simulated-targets.js';

const SHARE = { name: 'share(101) >= 99.9%', share: 0.999, withinMs: null };
const builds: readonly Build[] = Object.values(TARGETS);

function reread(state: SearchState): SearchState {
  return JSON.parse(JSON.stringify(state)) as SearchState;
}

test('a state that was saved and read at any point goes on identically', () => {
  const cases = fc.record({
    build: fc.constantFrom(...builds),
    seed: fc.string(),
    saves: fc.array(fc.boolean(), { minLength: 1 }),
  });
  fc.assert(
    fc.property(cases, ({ build, seed, saves }) => {
      const target = () => build(new Random(seed));
      const options = searchOptions({ max: 20_000, objectives: [target().objective], downSweep: true });
      let at = 0;
      const hooks: Hooks = {
        between: (now) => {
          const saved = reread(now.state);
          assert.deepEqual(saved, now.state, 'nothing in the state that JSON loses');
          return saves[at++ % saves.length] ? { state: saved, action: now.action } : now;
        },
      };
      const whole = run(target(), options);
      const pieces = run(target(), options, USUAL, hooks);
      assert.deepEqual(pieces.state, whole.state);
      assert.deepEqual(dropOffOf(pieces.state), dropOffOf(whole.state));
      assert.deepEqual(dropOffOf(reread(whole.state)), dropOffOf(whole.state));
    }),
    { numRuns: 40 },
  );
});

/** Interruptions at random; some of them lose the burst that was in flight. */
function interrupting(random: Random, every: number): Hooks {
  return {
    between: (now, nowMs) => {
      if (random.uniform() > 1 / every) return now;
      return resumeSearch(reread(now.state), nowMs);
    },
  };
}

test('no interruption repeats an index, loses a burst that was told of, or changes what is found by much', () => {
  const target = (): SimulatedTarget => TARGETS['hard step'](new Random('resumed'));
  const truth = target().truth ?? 0;
  for (const seed of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const { state, fired } = run(target(), searchOptions({ max: 32_768 }), USUAL, interrupting(new Random(seed), 8));
    assert.deepEqual(
      state.history.map(({ index }) => index),
      state.history.map((_, i) => i),
    );
    assert.equal(new Set(fired.map(({ index }) => index)).size, fired.length, 'no index was fired twice');
    const { verdict, estimate } = dropOffOf(state);
    assert.equal(verdict, 'FOUND');
    assert.ok(estimate !== null && Math.abs(estimate / truth - 1) < 0.03);
  }
});

test('a burst that was in flight when the search was interrupted is neither repeated nor held against anyone', () => {
  let now = beginSearch(searchOptions({ max: 1000 }), 0);
  for (let i = 0; i < 3; i++) {
    now = step(now.state, { is: 'canary', nowMs: 0, facts: { attempted: 20, survived: 20, p95Ms: 1 } });
  }
  assert.deepEqual(now.action, { do: 'fire', index: 0, size: 64, fresh: false, why: 'ramp' });
  const later = 3_600_000;
  now = resumeSearch(reread(now.state), later);
  assert.equal(now.action.do, 'canary', 'health is proven anew');
  now = step(now.state, { is: 'canary', nowMs: later, facts: { attempted: 20, survived: 20, p95Ms: 1 } });
  assert.deepEqual(now.action, { do: 'fire', index: 1, size: 64, fresh: false, why: 'ramp' });
  assert.equal(now.state.history[0].verdict, 'invalid');
  assert.equal(now.state.limits.invalidFrom, null);
  assert.equal(now.state.pausedMs, later);
  assert.equal(dropOffOf(now.state).verdict, 'INTERRUPTED');
});

test('the pause counts as rest, and not against the deadline', () => {
  const options = searchOptions({ max: 20_000, deadlineMs: 600_000 });
  let paused = false;
  const hooks: Hooks = {
    between: (now, nowMs): Step => {
      if (paused || now.action.do !== 'rest' || now.action.why !== 'fresh') return now;
      paused = true;
      const resumed = resumeSearch(reread(now.state), nowMs + 10_000_000);
      assert.equal(resumed.action.do, 'canary');
      return resumed;
    },
  };
  const { state } = run(TARGETS['hard step'](new Random('pause')), options, USUAL, hooks);
  assert.ok(paused);
  assert.equal(state.ended?.verdict, 'FOUND');
});

test('a clock that is set back shortens no rest; an early answer gets the same action again', () => {
  let now = beginSearch(searchOptions({ max: 1000 }), 50_000);
  for (let i = 0; i < 3; i++) {
    now = step(now.state, { is: 'canary', nowMs: 50_000, facts: { attempted: 20, survived: 20, p95Ms: 1 } });
  }
  now = step(now.state, { is: 'burst', nowMs: 10, facts: factsOf(64, 64) });
  assert.deepEqual(now.action, { do: 'rest', untilMs: 60_000, why: 'cool' });
  assert.deepEqual(step(now.state, { is: 'rested', nowMs: 20 }).action, now.action);
});

/** Bursts, canaries and generator of any behaviour at all. */
function anything(random: Random): { target: SimulatedTarget; hooks: Hooks } {
  const [bad, invalid, deaf] = [random.uniform(), random.uniform() * 0.4, random.uniform() * 0.3];
  const target: SimulatedTarget = {
    truth: null,
    objective: SHARE,
    burst: (size) => (random.uniform() < bad ? Math.floor(size * random.uniform()) : size),
    canaryFailures: (handshakes) => (random.uniform() < deaf ? handshakes : 0),
  };
  const facts: Hooks['facts'] = (told) => (random.uniform() < invalid ? { ...told, invalid: 'any reason' } : told);
  const resumes = interrupting(random, 30).between;
  const between: Hooks['between'] = (now, nowMs) => {
    const next =
      random.uniform() < 0.01
        ? step(now.state, { is: 'limit', nowMs, max: now.state.limits.max - 1, reason: 'less' })
        : now;
    return next.action.do === 'stop' ? next : (resumes?.(next, nowMs) ?? next);
  };
  return { target, hooks: { facts, between } };
}

test('whatever a target and a generator do: never over max at once, never over the worst case, always an end', () => {
  const cases = fc.record({
    seed: fc.string(),
    max: fc.integer({ min: 1, max: 30_000 }),
    preset: fc.constantFrom('quick' as const, 'standard' as const, 'thorough' as const),
    quantile: fc.constantFrom(0.5, 0.9),
    downSweep: fc.boolean(),
    budget: fc.integer({ min: 1, max: 90 }),
    harmPart: fc.double({ min: 0.1, max: 20, noNaN: true }),
    freshWaitMs: fc.constantFrom(0, 1000, 120_000),
  });
  fc.assert(
    fc.property(cases, ({ seed, harmPart, ...wish }) => {
      const options = searchOptions({ ...wish, harm: Math.max(1, Math.round(wish.max * harmPart)) });
      const { target, hooks } = anything(new Random(seed));
      const { state, fired, handshakes, nowMs } = run(target, options, USUAL, hooks);
      assertWithin(options, state, fired, handshakes, nowMs);
    }),
    { numRuns: 300 },
  );
});

function assertWithin(
  options: SearchOptions,
  state: SearchState,
  fired: readonly { readonly size: number; readonly index: number }[],
  handshakes: number,
  nowMs: number,
): void {
  const worst = worstCase(options, USUAL.burstMs);
  const { cost, ladder, bracket, interval95 } = dropOffOf(state);
  assert.ok(fired.every(({ size }) => size >= 1 && size <= options.max));
  // A burst that an interruption took before it was sent counts as sent.
  assert.ok(fired.length <= cost.bursts && cost.bursts <= worst.bursts);
  assert.ok(handshakes + cost.canaryHandshakes <= worst.handshakes, `${handshakes} of ${worst.handshakes}`);
  assert.ok(cost.failedHandshakes <= worst.failedHandshakes, `${cost.failedHandshakes} of ${worst.failedHandshakes}`);
  assert.ok(nowMs <= worst.wallMs, `${nowMs} of ${worst.wallMs}`);
  assert.equal(
    ladder.reduce((sum, { bursts }) => sum + bursts, 0),
    cost.bursts,
  );
  assert.ok(bracket[0] === null || bracket[1] === null || bracket[0] < bracket[1]);
  assert.ok(interval95[0] === null || interval95[1] === null || interval95[0] <= interval95[1]);
}

test('a target that breaks only because the generator fails is never called broken', () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = new Random(`${seed}`);
    const hooks: Hooks = {
      facts: (facts, size) =>
        random.uniform() < 0.3
          ? { ...facts, survived: 0, failed: [[size, size]], invalid: 'a worker was late' }
          : facts,
    };
    const { state } = run(TARGETS['fine at max'](), searchOptions({ max: 20_000 }), USUAL, hooks);
    assert.ok(['AT_LEAST_MAX', 'GENERATOR_LIMITED'].includes(state.ended?.verdict ?? ''), state.ended?.verdict);
    assert.ok(state.history.every(({ verdict }) => verdict !== 'bad'));
  }
});

test('the forecast: what a hard limit really takes, the worst far above it, more when more is expected', () => {
  const options = searchOptions({ max: 20_000 });
  const durations = { usualBurstMs: 2000, longestBurstMs: 150_000 };
  const { expected, worst, dropOffs } = forecast(options, durations, 3000);
  assert.deepEqual(dropOffs, [3000]);
  assert.ok(expected.bursts >= 12 && expected.bursts <= 30, `${expected.bursts}`);
  assert.ok(expected.handshakes > 8 * 3000 && expected.handshakes < 30 * 3000, `${expected.handshakes}`);
  assert.ok(expected.failedHandshakes > 0 && expected.failedHandshakes < expected.handshakes);
  assert.ok(expected.wallMs > 200_000 && expected.wallMs < 1_200_000, `${expected.wallMs}`);
  for (const key of ['bursts', 'handshakes', 'failedHandshakes', 'wallMs'] as const) {
    assert.ok(worst[key] >= expected[key], key);
  }
  const vague = forecast(options, durations);
  assert.ok(vague.dropOffs.length > 1 && vague.dropOffs.every((size) => size > options.start && size < options.max));
});

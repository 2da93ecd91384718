import assert from 'node:assert/strict';
import test from 'node:test';
import type { SearchEvent } from '#dist/search/engine-interface.js';
import { dropOffOf } from '#dist/search/findings/conclusion.js';
import { median } from '#dist/search/judged-loads.js';
import { type SearchWish, searchOptions } from '#dist/search/search-options.js';
import type { Step } from '#dist/search/state.js';
import { beginSearch, step } from '#dist/search/state-machine.js';
import { Random } from '../bench/simulated-random.js';
import { factsOf, type Hooks, run, USUAL } from '../bench/simulated-search.js';
import type { SimulatedTarget } from '../bench/simulated-targets.js';

const SHARE = { name: 'share(101) >= 99.9%', share: 0.999, withinMs: null };
const LETTERS = { good: 'G', bad: 'B', marginal: 'M', invalid: 'I' } as const;

function targetOf(
  burst: SimulatedTarget['burst'],
  canaryFailures: SimulatedTarget['canaryFailures'] = () => 0,
): SimulatedTarget {
  return { truth: null, objective: SHARE, burst, canaryFailures };
}

function hardLimit(capacity: number): SimulatedTarget {
  return targetOf((size) => Math.min(size, capacity));
}

function found(target: SimulatedTarget, wish: Partial<SearchWish> = {}, hooks: Hooks = {}, timing = USUAL) {
  const result = run(target, searchOptions({ max: 32_768, ...wish }), timing, hooks);
  const trace = result.state.history.map(({ size, verdict, fresh }) => `${size}${LETTERS[verdict]}${fresh ? '*' : ''}`);
  return { ...result, trace, dropOff: dropOffOf(result.state), whys: result.state.history.map(({ why }) => why) };
}

test('the golden trace: a hard step at 3,000', () => {
  const { trace, whys, dropOff, handshakes, nowMs } = found(hardLimit(3000), {}, {}, { burstMs: 2000, canaryMs: 0 });
  const ramp = ['64G', '128G', '256G', '512G', '1024G', '2048G', '4096B'];
  assert.deepEqual(trace, [...ramp, '2048G', '2928G', '3074B', '2928G', '3074B*', '2928G', '3074B*']);
  assert.equal(whys[7], 'sentinel');
  assert.equal(dropOff.verdict, 'FOUND');
  assert.deepEqual([dropOff.bracket, dropOff.estimate, dropOff.interval95], [[2928, 3074], 3000, [2784, 3267]]);
  assert.equal(dropOff.confidence.toFixed(2), '0.84');
  assert.deepEqual([dropOff.cost.bursts, handshakes, dropOff.cost.handshakes], [14, 28_182, 28_182]);
  // The last two bursts rest for 120 s after the one before each, which passed.
  assert.equal(nowMs, 378_000);
  assert.deepEqual([dropOff.survivorsAtLo, dropOff.survivorsAtHi], [2928, 3000]);
  assert.deepEqual([dropOff.objective, dropOff.flags, dropOff.inversions], [SHARE.name, [], []]);
  assert.deepEqual(
    dropOff.ladder.map(({ size, good, bad, fresh, stale }) => [size, good, bad, fresh, stale]),
    [
      [64, 1, 0, 0, 1],
      [128, 1, 0, 0, 1],
      [256, 1, 0, 0, 1],
      [512, 1, 0, 0, 1],
      [1024, 1, 0, 0, 1],
      [2048, 2, 0, 1, 1],
      [2928, 3, 0, 0, 3],
      [3074, 0, 3, 2, 1],
      [4096, 0, 1, 0, 1],
    ],
  );
});

test('fine at the largest load, broken at the smallest one', () => {
  const fine = found(hardLimit(1e9), { max: 20_000 }).dropOff;
  assert.deepEqual(
    [fine.verdict, fine.estimate, fine.bracket, fine.interval95],
    ['AT_LEAST_MAX', null, [20_000, null], [20_000, null]],
  );
  const broken = found(targetOf((size) => Math.floor(0.9 * size)));
  assert.deepEqual(
    [broken.dropOff.verdict, broken.dropOff.bracket, broken.dropOff.interval95],
    ['BELOW_MIN', [null, 10], [0, 10]],
  );
  assert.ok(broken.trace.filter((one) => one === '10B*').length >= 2, 'said of a rested target');
});

test('a target that never answers again ends the search, and the bracket so far is told', () => {
  let isDead = false;
  const dying = targetOf(
    (size) => {
      isDead ||= size > 3000;
      return isDead ? 0 : size;
    },
    (handshakes) => (isDead ? handshakes : 0),
  );
  const { dropOff, nowMs } = found(dying);
  assert.deepEqual([dropOff.verdict, dropOff.bracket], ['DID_NOT_RECOVER', [2048, 4096]]);
  assert.ok(nowMs < 400_000, `${nowMs}`);
});

test('a target whose canaries pass but whose loads do not is caught by the sentinel', () => {
  let isBroken = false;
  const { dropOff } = found(
    targetOf((size) => {
      isBroken ||= size > 3000;
      return isBroken ? Math.min(size, 20) : size;
    }),
  );
  assert.deepEqual([dropOff.verdict, dropOff.bracket], ['DID_NOT_RECOVER', [2048, 4096]]);
});

test('hysteresis is named, and the number is that of a rested target', () => {
  let brokenAt = Number.NEGATIVE_INFINITY;
  const slow = targetOf((size, nowMs) => {
    const capacity = nowMs - brokenAt < 60_000 ? 1050 : 3000;
    if (size > capacity) brokenAt = nowMs;
    return Math.min(size, capacity);
  });
  const { dropOff } = found(slow);
  assert.equal(dropOff.verdict, 'FOUND');
  assert.ok(dropOff.estimate !== null && Math.abs(dropOff.estimate / 3000 - 1) < 0.03, `${dropOff.estimate}`);
  assert.equal(dropOff.flags[0]?.id, 'HYSTERESIS');
  assert.ok(dropOff.recoveredAfterMs !== null && dropOff.recoveredAfterMs >= 60_000);
});

test('a memory longer than every wait of the proof of recovery does not fool it', () => {
  let brokenAt = Number.NEGATIVE_INFINITY;
  const slow = targetOf((size, nowMs) => {
    const capacity = nowMs - brokenAt < 80_000 ? 1050 : 3000;
    if (size > capacity) brokenAt = nowMs;
    return Math.min(size, capacity);
  });
  const { dropOff, whys } = found(slow, { preset: 'quick' });
  assert.ok(whys.filter((why) => why === 'sentinel').length === 5, 'the largest load never passed, a smaller one did');
  assert.ok(dropOff.estimate !== null && Math.abs(dropOff.estimate / 3003 - 1) < 0.05, `${dropOff.estimate}`);
  assert.equal(dropOff.flags[0]?.id, 'HYSTERESIS');
});

test('a load that fails only soon after a break counts on a rested target alone', () => {
  let brokenAt = Number.NEGATIVE_INFINITY;
  const mild = targetOf((size, nowMs) => {
    const capacity = nowMs - brokenAt < 60_000 ? 2600 : 3000;
    if (size > capacity) brokenAt = nowMs;
    return Math.min(size, capacity);
  });
  const { dropOff, state } = found(mild);
  assert.ok(state.freshMode);
  assert.ok(dropOff.flags.some(({ id }) => id === 'HYSTERESIS_SUSPECTED'));
  assert.ok(dropOff.estimate !== null && Math.abs(dropOff.estimate / 3003 - 1) < 0.03, `${dropOff.estimate}`);
  assert.ok(state.history.slice(-3).every(({ fresh }) => fresh));
});

test('the down-sweep tells what a break leaves, and takes nothing back', () => {
  let brokenAt = Number.NEGATIVE_INFINITY;
  const slow = targetOf((size, nowMs) => {
    const capacity = nowMs - brokenAt < 25_000 ? 1600 : 3000;
    if (size > capacity) brokenAt = nowMs;
    return Math.min(size, capacity);
  });
  const { dropOff, whys } = found(slow, { downSweep: true });
  assert.equal(dropOff.verdict, 'FOUND');
  assert.ok(whys.includes('after-break'));
  assert.ok(
    dropOff.afterBreak !== null && dropOff.afterBreak < 1600 && dropOff.afterBreak > 1000,
    `${dropOff.afterBreak}`,
  );
  assert.equal(found(hardLimit(3000), { downSweep: true }).dropOff.afterBreak, 2928);
  assert.equal(found(hardLimit(3000)).dropOff.afterBreak, null);
});

/** This generator's bursts above `most` are invalid, and look dreadful. */
function invalidAbove(most: number): Hooks {
  return {
    facts: (facts, size) =>
      size > most ? { ...facts, survived: 0, failed: [[size, size]], invalid: 'out of descriptors' } : facts,
  };
}

test('invalid bursts end as a limit of the generator, with the largest load that was valid, and never as a drop-off', () => {
  const { dropOff, state } = found(hardLimit(1e9), {}, invalidAbove(1000));
  assert.deepEqual([dropOff.verdict, dropOff.estimate, dropOff.bracket[1]], ['GENERATOR_LIMITED', null, null]);
  assert.ok(
    dropOff.bracket[0] !== null && dropOff.bracket[0] > 950 && dropOff.bracket[0] <= 1000,
    `${dropOff.bracket[0]}`,
  );
  assert.match(dropOff.because, /out of descriptors/);
  assert.ok(state.history.every(({ verdict, size }) => verdict !== 'bad' && size > 1000 === (verdict === 'invalid')));
});

test('one invalid burst is repeated and forgotten', () => {
  let isFirst = true;
  const hooks: Hooks = {
    facts: (facts, size) => {
      if (size !== 512 || !isFirst) return facts;
      isFirst = false;
      return { ...facts, invalid: 'a worker was late' };
    },
  };
  const { dropOff, trace } = found(hardLimit(3000), {}, hooks);
  assert.deepEqual([dropOff.verdict, dropOff.bracket, dropOff.cost.invalidBursts], ['FOUND', [2928, 3074], 1]);
  assert.deepEqual(trace.slice(3, 5), ['512I', '512G']);
});

test('loads that can’t be told between valid ones leave a wider bracket, not a failure', () => {
  const hooks: Hooks = {
    facts: (facts, size) => (size > 2600 && size < 4000 ? { ...facts, failed: [[0, size]] } : facts),
  };
  const { dropOff } = found(hardLimit(3000), {}, hooks);
  assert.equal(dropOff.verdict, 'FOUND');
  assert.equal(dropOff.bracket[1], 4096);
  assert.ok(dropOff.bracket[0] !== null && dropOff.bracket[0] <= 2600);
  assert.ok(dropOff.flags.some(({ id }) => id === 'GENERATOR_LIMITED'));
});

test('a limit that is known beforehand lowers max, before and in place of a burst', () => {
  const hooks: Hooks = {
    between: (now, nowMs) =>
      now.action.do === 'fire' && now.action.size > 700
        ? step(now.state, { is: 'limit', nowMs, max: 700, reason: '768 descriptors' })
        : now,
  };
  const { dropOff, fired } = found(hardLimit(5000), {}, hooks);
  assert.deepEqual([dropOff.verdict, dropOff.bracket], ['GENERATOR_LIMITED', [700, null]]);
  assert.ok(fired.every(({ size }) => size <= 700));
  assert.equal(
    found(hardLimit(300), {}, hooks).dropOff.verdict,
    'FOUND',
    'the target breaks before the generator does',
  );
  const first = beginSearch(searchOptions({ max: 20_000 }), 0);
  const tight = step(first.state, { is: 'limit', nowMs: 0, max: 5, reason: 'no ports' });
  const [a, b, c] = [1, 2, 3].map(() => healthy());
  const last = [a, b, c].reduce((now: Step, event) => step(now.state, event), tight);
  assert.equal(last.action.do === 'stop' && last.action.verdict, 'GENERATOR_LIMITED');
});

function healthy(nowMs = 0): SearchEvent {
  return { is: 'canary', nowMs, facts: { attempted: 20, survived: 20, p95Ms: 1 } };
}

test('a floor of failures is flagged, an unlucky burst is not', () => {
  const random = new Random('a floor');
  const sick = targetOf(
    (size) => Math.min(size, 3000) - random.binomial(Math.min(size, 3000), 0.003),
    (handshakes) => random.binomial(handshakes, 0.003),
  );
  const { dropOff } = found(sick);
  assert.equal(dropOff.flags[0]?.id, 'FLOOR');
  assert.match(dropOff.flags[0]?.says ?? '', /0\.\d+% at small loads, 0\.1% is allowed/);
  let bursts = 0;
  const unlucky = targetOf((size) => (++bursts === 4 ? Math.floor(0.97 * size) : Math.min(size, 3000)));
  assert.ok(!found(unlucky).dropOff.flags.some(({ id }) => id === 'FLOOR'));
});

test('a dip far below the limit is kept conservatively, the larger load that passes is listed', () => {
  const dip = targetOf((size) => (size > 900 && size < 1100 ? Math.floor(0.9 * size) : Math.min(size, 6000)));
  const { dropOff } = found(dip);
  assert.ok(dropOff.estimate !== null && dropOff.estimate < 1100);
});

test('a good burst as fast as it was sent is flagged', () => {
  const hooks: Hooks = { facts: (facts) => ({ ...facts, paced: true, spreadMs: 480 }) };
  const [flag] = found(hardLimit(3000), {}, hooks).dropOff.flags;
  assert.deepEqual(
    [flag?.id, flag?.says],
    ['PACED', 'The target answered 2,928 as fast as they were asked: read it as 2,928 within 480 ms.'],
  );
});

test('nine of ten bursts: the drop-off is lower, by what the capacity varies', () => {
  const estimates = (quantile: number) =>
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((seed) => {
      const random = new Random(seed);
      const varying = targetOf((size) => Math.min(size, Math.floor(3000 * Math.exp(0.1 * random.normal()))));
      const { dropOff } = found(varying, { quantile });
      assert.equal(dropOff.quantile, quantile);
      return dropOff.estimate;
    });
  const [half, strict] = [0.5, 0.9].map((quantile) => median(estimates(quantile).filter((one) => one !== null)) ?? 0);
  // The tenth percentile of a normal capacity is 1.28 deviations below its middle.
  assert.ok(Math.abs(half / 3003 - 1) < 0.06, `${half}`);
  assert.ok(Math.abs(strict / 2642 - 1) < 0.08, `${strict}`);
});

test('deadline, harm and budget stop it with the best bracket', () => {
  const late = found(hardLimit(3000), { deadlineMs: 200_000 });
  assert.equal(late.dropOff.verdict, 'BUDGET');
  assert.ok(late.nowMs <= 202_000);
  assert.deepEqual(late.dropOff.bracket, [2928, 3074]);
  const harmed = found(hardLimit(3000), { harm: 1000 });
  assert.deepEqual([harmed.dropOff.verdict, harmed.dropOff.bracket], ['BUDGET', [2048, 4096]]);
  const short = found(hardLimit(3000), { budget: 5 });
  assert.deepEqual(
    [short.dropOff.verdict, short.dropOff.bracket, short.dropOff.cost.bursts],
    ['BUDGET', [1024, null], 5],
  );
});

test('a canary that fails is asked again at growing distances; a background rate of failures is not illness', () => {
  const options = searchOptions({ max: 1000 });
  let now = beginSearch(options, 0);
  for (let i = 0; i < 3; i++) now = step(now.state, healthy());
  assert.equal(now.action.do, 'fire');
  now = step(now.state, { is: 'burst', nowMs: 2000, facts: factsOf(64, 64) });
  now = step(now.state, { is: 'rested', nowMs: 12_000 });
  const waits: number[] = [];
  for (let nowMs = 12_000, i = 0; i < 3; i++) {
    now = step(now.state, { is: 'canary', nowMs, facts: { attempted: 20, survived: 20, p95Ms: 90 } });
    assert.ok(now.action.do === 'rest' && now.action.why === 'canary');
    waits.push(now.action.untilMs - nowMs);
    nowMs = now.action.untilMs;
    now = step(now.state, { is: 'rested', nowMs });
    assert.equal(now.action.do, 'canary');
  }
  assert.deepEqual(waits, [2000, 3000, 4500]);
  const flaky = { attempted: 20, survived: 19, p95Ms: 1 };
  let other = beginSearch(options, 0);
  for (let i = 0; i < 3; i++) other = step(other.state, { is: 'canary', nowMs: 0, facts: flaky });
  other = step(other.state, { is: 'burst', nowMs: 0, facts: factsOf(64, 64) });
  other = step(other.state, { is: 'rested', nowMs: 10_000 });
  assert.equal(step(other.state, { is: 'canary', nowMs: 10_000, facts: flaky }).action.do, 'fire');
});

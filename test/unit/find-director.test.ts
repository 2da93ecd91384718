/** Where the search and the engine meet: options from a plan, what is saved, what a generator's floor allows, what is believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

fc.configureGlobal({ seed: 20261121, includeErrorInReport: true });

import { directorOf, searchForecast, searchOptionsOf } from '#dist/commands/find-director.js';
import { planOf } from '#dist/index.js';
import { type FindStage, findStageOf, type Plan } from '#dist/plan/plan.js';
import type { Calibration } from '#dist/result/result.js';
import { savedSearchSchema } from '#dist/result/saved-search.js';
import { savedProblem } from '#dist/search/saved.js';
import { searchOptions } from '#dist/search/search-options.js';
import type { SearchState } from '#dist/search/state.js';
import { Random } from '../bench/simulated-random.js';
import { run } from '../bench/simulated-search.js';
import { TARGETS } from '../bench/simulated-targets.js';

function planWith(find: object): Plan {
  return planOf({ target: { url: 'ws://127.0.0.1:9/' }, stages: [{ find }] });
}

const NO_SESSION = { holdMs: null, script: null };

function stageWith(find: object): FindStage {
  const stage = findStageOf(planWith(find).stages);
  assert.ok(stage);
  return stage;
}

test("what is not said is the preset's; what is said arrives in its units", () => {
  assert.deepEqual(searchOptionsOf(stageWith({ max: '2k' }), NO_SESSION), searchOptions({ max: 2000 }));
  const all = {
    ...{ max: 5000, min: 20, expect: 1600, width: '8%', share: '99%', p99: '1s', p95: '500ms', preset: 'thorough' },
    ...{ rest: '3s', freshWait: '1m', maxWait: '2m', budget: 33, deadline: '1h', burstQuantile: '80%' },
    ...{ downSweep: true, harm: 777 },
  };
  const options = searchOptionsOf(stageWith(all), NO_SESSION);
  assert.deepEqual(
    options,
    searchOptions({
      ...{ max: 5000, min: 20, expect: 1600, width: 0.08, preset: 'thorough', coolMs: 3000, freshWaitMs: 60_000 },
      ...{ maxWaitMs: 120_000, budget: 33, deadlineMs: 3_600_000, quantile: 0.8, downSweep: true, harm: 777 },
      objectives: [
        { name: 'share(101) >= 99%', share: 0.99, withinMs: null },
        { name: 'p99(handshake) <= 1s', share: 0.99, withinMs: 1000 },
        { name: 'p95(handshake) <= 500ms', share: 0.95, withinMs: 500 },
      ],
    }),
  );
  const planned = searchForecast(planWith(all));
  assert.deepEqual(planned?.options, options);
  assert.ok((planned?.forecast.worst.handshakes ?? 0) >= (planned?.forecast.expected.handshakes ?? 0));
  assert.equal(searchForecast(planOf({ target: { url: 'ws://127.0.0.1:9/' }, stages: [{ burst: 1 }] })), null);
});

test('a burst that was asked for is in flight once it is fired, and not before', () => {
  const director = directorOf(planWith({ max: 1000 }));
  assert.ok(director);
  let action = director.begin(0);
  for (let nowMs = 0; action.do !== 'fire'; nowMs += 1000) {
    assert.equal(action.do, 'canary');
    action = director.next({ is: 'canary', nowMs, facts: { attempted: 20, survived: 20, p95Ms: 1 } });
  }
  const state = () => director.state as SearchState;
  assert.equal(state().inFlight, null);
  assert.equal(state().shot?.size, 64);
  director.firing();
  assert.notEqual(state().inFlight, null);
  const { bracket, size, why, bursts, restUntilMs } = director.news(5000);
  assert.deepEqual([bracket, size, why, bursts, restUntilMs], [[null, null], 64, 'ramp', 0, null]);
  assert.equal(director.dropOff.verdict, 'INTERRUPTED');
});

test('the floor of a generator: all of its own handshakes, and small beside the latency that is asked for', () => {
  const floor = (p99: number, p95: number, share101 = 1): Calibration => {
    const handshakeMs = { p99, p95 } as never;
    return { size: 500, share101, spreadMs: 1, handshakeMs, connectMs: null, tlsMs: null, upgradeMs: null, rate: null };
  };
  const plain = directorOf(planWith({ max: 1000 }));
  assert.equal(plain?.floorProblem(floor(5000, 5000)), null);
  assert.match(plain?.floorProblem(floor(5, 5, 0.998)) ?? '', /of 500 handshakes to its own mirror 99.8% got through/);
  const strict = directorOf(planWith({ max: 1000, p99: '1s', p95: '300ms' }));
  assert.equal(strict?.floorProblem(floor(200, 60)), null);
  assert.match(
    strict?.floorProblem(floor(201, 60)) ?? '',
    /took 201ms, over 20% of what p99\(handshake\) <= 1s asks for/,
  );
  assert.match(strict?.floorProblem(floor(200, 61)) ?? '', /p95\(handshake\) <= 300ms/);
});

/** States of real searches, at some point of each. */
function states(): SearchState[] {
  return Object.entries(TARGETS).flatMap(([name, build]) => {
    const target = build(new Random(name));
    const options = searchOptions({ max: 20_000, objectives: [target.objective], downSweep: true });
    const seen: SearchState[] = [];
    run(target, options, undefined, {
      between: (now) => {
        seen.push(now.state);
        return now;
      },
    });
    return seen.filter((_, i) => i % 7 === 0 || i === seen.length - 1);
  });
}

test('every state that a search can have is one by the schema, and adds up', () => {
  const all = states();
  assert.ok(all.length > 50);
  for (const state of all) {
    const saved = { stage: 0, firstIndex: 0, attempts: 5, state: JSON.parse(JSON.stringify(state)) as object };
    assert.ok(savedSearchSchema.safeParse(saved).success);
    assert.equal(savedProblem(state), null);
  }
});

test('a state that was changed is refused, or is one that a search can go on from without coming to harm', () => {
  const all = states();
  const paths = (value: unknown, path: readonly string[] = []): string[][] =>
    typeof value === 'object' && value !== null
      ? [[...path], ...Object.entries(value).flatMap(([key, child]) => paths(child, [...path, key]))]
      : [[...path]];
  const junk = fc.constantFrom<unknown>(null, -1, 0, 1, 1.5, 1e9, '', 'x', [], {}, [null], true, [[1, 2]]);
  fc.assert(
    fc.property(fc.nat(), fc.nat(), junk, (which, where, value) => {
      const state = JSON.parse(JSON.stringify(all[which % all.length])) as Record<string, unknown>;
      const places = paths(state).filter((path) => path.length > 0 && path[0] !== 'options');
      const path = places[where % places.length];
      let holder = state;
      for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
      holder[path[path.length - 1]] = value;
      if (!savedSearchSchema.safeParse({ stage: 0, firstIndex: 0, attempts: 0, state }).success) return;
      const changed = state as unknown as SearchState;
      if (savedProblem(changed) !== null) return;
      const { max } = changed.options;
      const director = directorOf(planWith({ max }), changed);
      assert.ok(director);
      let nowMs = changed.lastAtMs + 1000;
      let action = director.begin(nowMs);
      for (let i = 0; action.do !== 'stop'; i++) {
        assert.ok(i < 5000, 'it ends');
        nowMs = action.do === 'rest' ? Math.max(nowMs, action.untilMs) : nowMs + 1000;
        if (action.do === 'fire') {
          assert.ok(action.size >= 1 && action.size <= max, `${action.size}`);
          action = director.next({ is: 'limit', nowMs, max: action.size - 1, reason: 'none' });
        } else if (action.do === 'rest') action = director.next({ is: 'rested', nowMs });
        else action = director.next({ is: 'canary', nowMs, facts: { attempted: 20, survived: 20, p95Ms: 1 } });
      }
      assert.ok(director.dropOff);
    }),
    { numRuns: 1500 },
  );
});

/**
 * Results of searches for tests of what is written about them: the state machine runs against targets that answer by
 * formula, so every drop-off here is one that a search can really leave behind, the same on every run.
 */
import type { Stage } from '#dist/plan/plan.js';
import type { Result } from '#dist/result/result.js';
import type { BurstFacts } from '#dist/search/engine-interface.js';
import { dropOffOf } from '#dist/search/findings/conclusion.js';
import { type SearchWish, searchOptions } from '#dist/search/search-options.js';
import type { Fired, SearchState, Step } from '#dist/search/state.js';
import { step } from '#dist/search/state-machine.js';
import { run, USUAL } from '../bench/simulated-search.js';
import type { SimulatedTarget } from '../bench/simulated-targets.js';
import { type BurstSpec, type Ending, NGINX_504, type ResultSpec, result } from './report-results.js';

const SHARE = { name: 'share(101) >= 99.9%', share: 0.999, withinMs: null };
const P99 = { name: 'p99(handshake) <= 1s', share: 0.99, withinMs: 1000 };

/** ms of one upgrade; the gateway gives up after a second. */
const SERVICE_MS = 0.33;
/** Of any handshake, however few there are. */
const BASE_MS = 40;

export interface SearchSpec {
  readonly burst: SimulatedTarget['burst'];
  readonly canaryFailures?: SimulatedTarget['canaryFailures'];
  readonly wish?: Partial<SearchWish>;
  /** Size from which the generator's own limits make bursts invalid. */
  readonly invalidFrom?: number;
  /** The generator says beforehand that it can't send more. */
  readonly most?: number;
  /** Stopped after so many bursts. */
  readonly stoppedAfter?: number;
  readonly lost?: (size: number) => number;
}

/** Times as of a server that takes one handshake after another. */
function timed(facts: BurstFacts, size: number, { invalidFrom, lost }: SearchSpec, objectives: number): BurstFacts {
  const { launched } = facts;
  const gone = lost?.(size) ?? 0;
  const survived = facts.survived - gone;
  const ok = facts.survived;
  const lastMs = BASE_MS + ok * SERVICE_MS;
  const failures: Record<string, number> = ok === size ? {} : { '504': size - ok };
  return {
    ...facts,
    survived,
    failed: Array.from({ length: objectives }, () => [launched - survived, launched - survived] as const),
    outcomes: { '101': ok, ...failures },
    spreadMs: size / 50,
    makespanMs: ok === size ? lastMs : 1050,
    p50Ms: [lastMs / 2 - 1, lastMs / 2],
    p99Ms: [0.9 * lastMs, lastMs],
    invalid: invalidFrom !== undefined && size >= invalidFrom ? 'out of descriptors: `ulimit -n 20000` lifts it' : null,
  };
}

function searched(spec: SearchSpec): SearchState {
  const target: SimulatedTarget = {
    truth: null,
    objective: SHARE,
    burst: spec.burst,
    canaryFailures: spec.canaryFailures ?? (() => 0),
  };
  const options = searchOptions({ max: 32_768, ...spec.wish });
  let stopped: SearchState | null = null;
  const between = (now: Step, nowMs: number): Step => {
    if (spec.stoppedAfter !== undefined && now.state.history.length === spec.stoppedAfter) stopped ??= now.state;
    const isTooMuch = now.action.do === 'fire' && spec.most !== undefined && now.action.size > spec.most;
    if (!isTooMuch) return now;
    const reason = 'ulimit -n is 20,000; `ulimit -n 70000` lifts it';
    return step(now.state, { is: 'limit', nowMs, max: spec.most ?? 0, reason });
  };
  const facts = (one: BurstFacts, size: number) => timed(one, size, spec, options.objectives.length);
  const { state } = run(target, options, USUAL, { facts, between });
  return stopped ?? state;
}

function burstOf({ facts, size, verdict, reason }: Fired): BurstSpec {
  const ok = facts.outcomes['101'] ?? 0;
  const failed = facts.outcomes['504'] ?? 0;
  const endings: Ending[] = [
    { outcome: '101', count: ok, atMs: (i) => BASE_MS + i * SERVICE_MS },
    { outcome: '504', count: failed, atMs: (i) => 1040.2 + i / 1000 },
  ];
  return {
    size,
    endings: endings.filter(({ count }) => count > 0),
    spreadMs: facts.spreadMs ?? 0,
    lost: ok - facts.survived,
    samples: failed > 0 ? { 504: NGINX_504 } : {},
    ...(verdict === 'invalid' ? { validity: { verdict, reasons: [reason ?? ''] } } : {}),
  };
}

/** The Result that a run of one stage `find` leaves. */
export function searchResult(spec: SearchSpec, over: Partial<ResultSpec> = {}): Result {
  const state = searched(spec);
  const stage = { kind: 'find', max: 32_768 } as unknown as Stage;
  const told = result({ command: 'find', stages: [stage], bursts: state.history.map(burstOf), ...over });
  return { ...told, dropOff: dropOffOf(state) };
}

const hardLimit =
  (capacity: number): SimulatedTarget['burst'] =>
  (size) =>
    Math.min(size, capacity);

/** For a while after a break it has only `left` of its capacity, so much less that it breaks again. */
function hysteretic(capacity: number, left: number, memoryMs: number): SimulatedTarget['burst'] {
  let brokenAtMs = Number.NEGATIVE_INFINITY;
  return (size, nowMs) => {
    const now = nowMs - brokenAtMs < memoryMs ? left * capacity : capacity;
    if (size > now) brokenAtMs = nowMs;
    return Math.min(size, Math.floor(now));
  };
}

function dying(capacity: number): Pick<SearchSpec, 'burst' | 'canaryFailures'> {
  let isDead = false;
  return {
    burst: (size) => {
      const met = isDead ? Math.floor(size / 10) : Math.min(size, capacity);
      isDead ||= size > capacity;
      return met;
    },
    // Single handshakes still get through: only a crowd shows it.
    canaryFailures: () => 0,
  };
}

/** One of each verdict and of each thing that a reader has to be told beside it. Built anew each time: targets remember. */
export function searchSpecs(): Readonly<Record<string, SearchSpec>> {
  let [canaries, others] = [0, 0];
  return {
    found: { burst: hardLimit(3000) },
    'found-objectives': {
      burst: (size) => (size > 700 ? Math.floor(0.95 * size) : size),
      wish: { objectives: [SHARE, P99], preset: 'quick', quantile: 0.8, min: 20, max: 5000 },
    },
    'found-hysteresis': { burst: hysteretic(900, 0.35, 40_000), wish: { downSweep: true, max: 20_000 } },
    'found-floor': {
      burst: (size) => Math.min(Math.floor(size - size / 1000 + (size % 3) / 3), 800),
      canaryFailures: () => (++canaries % 8 === 0 ? 1 : 0),
      lost: (size) => (size > 900 ? 7 : 0),
    },
    'at-least-max': { burst: (size) => size, wish: { max: 5000 } },
    'below-min': { burst: (size) => Math.floor(0.9 * size), canaryFailures: () => 1 },
    'did-not-recover': { ...dying(3000) },
    'did-not-recover-single': { burst: hardLimit(700), canaryFailures: () => (++others > 8 ? 20 : 0) },
    'generator-limited': { burst: (size) => size, most: 3000 },
    'generator-invalid': { burst: hardLimit(3000), invalidFrom: 2500 },
    budget: { burst: hardLimit(3000), wish: { budget: 9 } },
    interrupted: { burst: hardLimit(3000), stoppedAfter: 8 },
    'interrupted-early': { burst: hardLimit(3000), stoppedAfter: 2 },
  };
}

/**
 * The final value of a search (docs/method.md, "Bracket, estimate, interval"), computed from its state at any time: for
 * an interrupted search, the best known so far. Owns bracket, estimate, interval and confidence; ladder and flags are
 * in other files. Renders nothing but the one sentence of a flag.
 */
import type {
  DropOff,
  Inversion,
  RefusedSpan,
  SearchCost,
  SearchLimit,
  SearchTerms,
  Span,
  Unrecovered,
} from '../../result/drop-off.js';
import { drainOf } from '../burst-verdict.js';
import { Loads, largest, least, median } from '../judged-loads.js';
import type { SearchState } from '../state.js';
import { failedHandshakes } from '../state-machine.js';
import { loadEvidence } from './background.js';
import { type Drift, driftOf } from './drift.js';
import { flagsOf } from './flags.js';
import { kneeOf } from './knee.js';
import { ladderOf, measuredBursts } from './ladder.js';
import { Posterior } from './posterior.js';
import { type TwoModes, twoModesOf } from './two-modes.js';

const INTERRUPTED = { verdict: 'INTERRUPTED', because: 'the search was interrupted' } as const;

export function dropOffOf(state: SearchState): DropOff {
  const loads = new Loads(state);
  const { verdict, because } = state.ended ?? INTERRUPTED;
  const [lo, hi] = bracketOf(loads);
  const { options } = state;
  const posterior = new Posterior(loadEvidence(state, loads, lo, hi), options.min, options.max, options.quantile);
  const isClosed = lo !== null && hi !== null;
  const inversions = inversionsOf(loads, hi);
  const modes = isClosed ? twoModesOf(state) : null;
  const drift = modes === null ? driftOf(state, lo, hi) : null;
  return {
    asked: termsOf(state),
    verdict,
    because,
    estimate: isClosed ? Math.round(Math.min(Math.max(posterior.quantile(0.5), lo), hi)) : null,
    bracket: [lo, hi],
    interval95: widened(intervalOf(lo, hi, posterior, options.ci), modes, drift),
    confidence: posterior.massWithin(lo, hi),
    objective: hi === null ? null : bindingAt(state, hi),
    quantile: options.quantile,
    survivorsAtLo: survivorsAt(state, lo),
    survivorsAtHi: survivorsAt(state, hi),
    flags: flagsOf(state, lo, inversions, { modes, drift }),
    inversions,
    ladder: ladderOf(state),
    knee: kneeOf(ratesBelow(state, hi)),
    afterBreak: state.sweep?.passed ?? null,
    recoveredAfterMs: state.recoveredAfterMs,
    refusedAfterBreakMs: refusedAfterBreak(state),
    unrecovered: verdict === 'DID_NOT_RECOVER' ? unrecoveredOf(state) : null,
    limit: limitOf(state),
    cost: costOf(state),
  };
}

function termsOf({ options }: SearchState): SearchTerms {
  const { min, max, objectives, freshWaitMs } = options;
  return { min, max, objectives: objectives.map(({ name }) => name), freshWaitMs };
}

/** The burst that overloaded it is the last one that was not a test of recovery. */
function unrecoveredOf({ history, startedAtMs, lastAtMs }: SearchState): Unrecovered {
  const last = history.findLastIndex(({ why, verdict }) => why !== 'sentinel' && verdict !== 'invalid');
  const missed = history.slice(last + 1).filter(({ verdict }) => verdict === 'bad');
  return {
    load: largest(missed.map(({ size }) => size)),
    waitedMs: lastAtMs - (history[last]?.endedAtMs ?? startedAtMs),
  };
}

function limitOf({ limits, history, options }: SearchState): SearchLimit | null {
  const { reason, max, invalidFrom } = limits;
  if (reason === null) return null;
  const valid = history.filter(({ verdict }) => verdict !== 'invalid').map(({ size }) => size);
  const isKnown = invalidFrom === null && max < options.max && max >= options.min;
  return { most: isKnown ? max : largest(valid), reason };
}

/** From a decided load to a decided load; if a side has none, the class of its loads is used. */
function bracketOf(loads: Loads): Span {
  const sizes = loads.all().map(({ size }) => size);
  const hi = least(sizes.filter((size) => loads.isOutvoted(size))) ?? loads.bounds().hi;
  const isBelow = (size: number) => hi === null || size < hi;
  const decided = sizes.filter((size) => loads.isDecidedGood(size) && isBelow(size));
  return [largest(decided) ?? largest(loads.sizesOf('good').filter(isBelow)), hi];
}

/** Union of bracket and posterior; an end that no burst reached stays open. */
function intervalOf(lo: number | null, hi: number | null, posterior: Posterior, ci: number): Span {
  const low = Math.round(posterior.quantile((1 - ci) / 2));
  const high = Math.round(posterior.quantile(1 - (1 - ci) / 2));
  if (hi === null) return lo === null ? [null, null] : [lo, null];
  return lo === null ? [0, hi] : [Math.min(lo, low), Math.max(hi, high)];
}

/** Covers both modes, or the start and the end of a drift: a single number would be true at one moment only. */
function widened([low, high]: Span, modes: TwoModes | null, drift: Drift | null): Span {
  const other = modes === null ? drift : { low: modes.lower, high: modes.upper };
  if (other === null || low === null || high === null) return [low, high];
  const most = other.high === null ? null : Math.max(high, Math.ceil(other.high));
  return [Math.min(low, Math.floor(other.low)), most];
}

/** Overloads that were followed by a recovery check; null if no such check failed. */
function refusedAfterBreak({ history }: SearchState): RefusedSpan | null {
  const times = history.flatMap(({ refusedMs }) => refusedMs ?? []);
  const longest = largest(times) ?? 0;
  return longest === 0 ? null : { median: median(times) ?? 0, max: longest };
}

function bindingAt(state: SearchState, size: number): string | null {
  const { objectives } = state.options;
  const votes = new Map<number, number>();
  for (const { binding, verdict, counts, size: of } of state.history) {
    if (of === size && verdict === 'bad' && counts !== null && binding !== null) {
      votes.set(binding, (votes.get(binding) ?? 0) + 1);
    }
  }
  const [first] = [...votes].sort((a, b) => b[1] - a[1]);
  return first === undefined ? null : (objectives[first[0]]?.name ?? 'drain rate');
}

function survivorsAt(state: SearchState, size: number | null): number | null {
  const survived = measuredBursts(state, size).map(({ facts }) => facts.survived);
  const middle = median(survived);
  return middle === null ? null : Math.round(middle);
}

/** A change of mode, or chance; the bracket stays at the lowest load that failed. */
function inversionsOf(loads: Loads, hi: number | null): Inversion[] {
  if (hi === null) return [];
  const bad = loads.sizesOf('bad');
  return loads
    .sizesOf('good')
    .filter((size) => size > hi)
    .sort((a, b) => a - b)
    .map((passes) => ({ passes, failsFrom: hi, failsTo: largest(bad.filter((size) => size < passes)) ?? hi }));
}

function ratesBelow(state: SearchState, hi: number | null): { size: number; rate: number }[] {
  return state.history.flatMap(({ verdict, size, facts }) => {
    const drain = drainOf(facts);
    const isFine = verdict === 'good' && (hi === null || size < hi);
    return isFine && drain !== null ? [{ size, rate: drain * 1000 }] : [];
  });
}

function costOf(state: SearchState): SearchCost {
  const { history, canary } = state;
  return {
    bursts: history.length,
    handshakes: history.reduce((sum, { facts }) => sum + facts.launched, 0),
    failedHandshakes: failedHandshakes(state),
    badBursts: history.filter(({ verdict }) => verdict === 'bad').length,
    invalidBursts: history.filter(({ verdict }) => verdict === 'invalid').length,
    canaries: canary.canaries,
    canaryHandshakes: canary.handshakes,
    canaryFailures: canary.failed,
    wallMs: state.lastAtMs - state.startedAtMs - state.pausedMs,
  };
}

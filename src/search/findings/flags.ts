/**
 * What a reader of a drop-off must know besides its number (docs/method.md, "Flags"): hysteresis, failures that no load
 * causes, a pace set by the generator, a limit of the generator, contradicting loads. A flag includes its own sentence
 * with its numbers; it changes no verdict.
 */
import type { Inversion, SearchFlag } from '../../result/drop-off.js';
import { failedAfterBreak, freshWaitOf, tiredForMs } from '../freshness.js';
import type { SearchState } from '../state.js';
import { backgroundOf } from './background.js';
import type { Drift } from './drift.js';
import type { TwoModes } from './two-modes.js';

/** Failures at one unlucky moment are not a background: they must occur in this many bursts or recovery checks. */
const FLOOR_WITNESSES = 2;

/** Signs that the target does not have one constant capacity. */
export interface Unsteady {
  readonly modes: TwoModes | null;
  readonly drift: Drift | null;
}

export function flagsOf(
  state: SearchState,
  lo: number | null,
  inversions: readonly Inversion[],
  { modes, drift }: Unsteady,
): SearchFlag[] {
  return [
    ...bimodal(modes),
    ...drifting(drift),
    ...hysteresis(state),
    ...tired(state),
    ...floor(state, lo),
    ...paced(state, lo),
    ...limited(state),
    ...inverted(inversions),
  ];
}

function hysteresis(state: SearchState): SearchFlag[] {
  const { freshMode, recoveredAfterMs } = state;
  const flags: SearchFlag[] = [];
  if (recoveredAfterMs !== null) {
    const says = `After a break it needed up to ${seconds(recoveredAfterMs)} to take a good load again; numbers are for a rested target.`;
    flags.push({ id: 'HYSTERESIS', says });
  }
  if (freshMode && failedAfterBreak(state)) {
    const says =
      'A load passed on a rested target and failed only soon after a break; only bursts on a rested target count.';
    flags.push({ id: 'HYSTERESIS_SUSPECTED', says });
  }
  return flags;
}

function tired(state: SearchState): SearchFlag[] {
  const ms = tiredForMs(state);
  if (ms === null) return [];
  const says = `Bursts that pass leave it weaker for up to ${seconds(ms)} at least; the number is that of a target rested for ${seconds(freshWaitOf(state))}.`;
  return [{ id: 'TIRED', says }];
}

function drifting(drift: Drift | null): SearchFlag[] {
  if (drift === null) return [];
  const moved = drift.change < 0 ? 'fell' : 'rose';
  const says = `Its capacity ${moved} by about ${percent(Math.abs(drift.change))} during the search; the interval covers its start and its end.`;
  return [{ id: 'DRIFT', says }];
}

function bimodal(modes: TwoModes | null): SearchFlag[] {
  if (modes === null) return [];
  const { lower, upper, lowBursts } = modes;
  const seen = `in ${lowBursts} ${lowBursts === 1 ? 'burst' : 'bursts'} only about ${counted(Math.round(lower))} got through`;
  const other =
    upper === null
      ? 'though more than that passes at other times; where the upper one ends is not known'
      : `in others about ${counted(Math.round(upper))}; the interval covers both`;
  return [{ id: 'BIMODAL', says: `A burst meets one of two capacities by chance: ${seen}, ${other}.` }];
}

/** Recovery checks and small bursts together miss the share, so failures occur at any load. */
function floor(state: SearchState, lo: number | null): SearchFlag[] {
  // Failures of a target that is down are not a background.
  if (state.ended?.verdict === 'DID_NOT_RECOVER') return [];
  const { objectives } = state.options;
  const share = Math.max(0, ...objectives.filter(({ withinMs }) => withinMs === null).map((one) => one.share));
  const { launched, failed, witnesses } = backgroundOf(state, lo);
  if (share === 0 || witnesses < FLOOR_WITNESSES || failed < launched * (1 - share)) return [];
  const says = `Background failure rate ${percent(failed / launched)} at small loads, ${percent(1 - share)} is allowed: the drop-off is relative to that floor.`;
  return [{ id: 'FLOOR', says }];
}

function paced({ history }: SearchState, lo: number | null): SearchFlag[] {
  const slow = history.filter(({ verdict, size, facts }) => verdict === 'good' && size === lo && facts.paced);
  if (slow.length === 0) return [];
  const spreadMs = Math.max(...slow.map(({ facts }) => facts.spreadMs ?? 0));
  const says = `The target answered ${counted(lo ?? 0)} as fast as they were asked: read it as ${counted(lo ?? 0)} within ${Math.round(spreadMs)} ms.`;
  return [{ id: 'PACED', says }];
}

function limited({ limits, options, history }: SearchState): SearchFlag[] {
  if (limits.reason === null) return [];
  const valid = history.filter(({ verdict }) => verdict !== 'invalid').map(({ size }) => size);
  const most = valid.length === 0 ? 'none was valid' : `${counted(Math.max(...valid))} was the largest valid burst`;
  const says = `This generator could not send all that was asked for, up to ${counted(options.max)}: ${limits.reason}; ${most}.`;
  return [{ id: 'GENERATOR_LIMITED', says }];
}

function inverted(inversions: readonly Inversion[]): SearchFlag[] {
  return inversions.map(({ passes, failsFrom, failsTo }) => {
    const fails = failsFrom === failsTo ? counted(failsFrom) : `${counted(failsFrom)}–${counted(failsTo)}`;
    return {
      id: 'INVERSION',
      says: `It fails at ${fails} but passes at ${counted(passes)}: look for a switch of mode.`,
    };
  });
}

function counted(n: number): string {
  return n.toLocaleString('en-US');
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))}%`;
}

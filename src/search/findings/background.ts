/**
 * Failures that no load causes: what recovery checks and small bursts of a rested target show. Two readers: the flag that
 * warns of a floor (flags.ts), and the evidence for the posterior. A marginal burst moves nothing as long as a background
 * rate could explain it (docs/method.md, "The posterior"). Where small loads show that there is hardly any, it has missed the objective as the
 * drop-off is defined, and leaving it out would put the estimate of a gradual decline 2 to 3 % too high.
 */
import { unbrokenBursts } from '../freshness.js';
import type { Loads } from '../loads.js';
import type { SearchState } from '../state.js';
import type { LoadEvidence } from './posterior.js';

/** Loads at most this share of the bracket's lower end are small. */
const SMALL = 0.5;
/** A background of less than this part of the allowance explains no marginal burst. */
const HARDLY_ANY = 0.5;
/** In steps of the width below the upper end of the bracket: where marginal bursts are those of the decline. */
const NEAR_STEPS = 4;

export interface Background {
  readonly launched: number;
  /** Without a 101 that lasted. */
  readonly failed: number;
  /** Of each objective. */
  readonly missed: readonly number[];
  /** Bursts and recovery checks with a failure. */
  readonly witnesses: number;
}

export function backgroundOf(state: SearchState, lo: number | null): Background {
  const { options } = state;
  const { rested } = state.canary;
  const most = SMALL * (lo ?? 0);
  const small = unbrokenBursts(state).filter(({ verdict, size }) => verdict !== 'invalid' && size <= most);
  const failures = small.map(({ facts }) => facts.launched - facts.survived);
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  return {
    launched: rested.attempted + sum(small.map(({ facts }) => facts.launched)),
    failed: rested.failed + sum(failures),
    missed: options.objectives.map((_, i) => rested.failed + sum(small.map(({ facts }) => facts.failed[i][1]))),
    witnesses: rested.withFailures + failures.filter((count) => count > 0).length,
  };
}

export function loadEvidence(state: SearchState, loads: Loads, lo: number | null, hi: number | null): LoadEvidence[] {
  if (lo === null || hi === null || !hasHardlyAny(state, backgroundOf(state, lo))) return loads.all();
  const from = Math.max(lo, hi / (1 + state.options.width) ** NEAR_STEPS);
  return loads.all().map(({ size, good, bad, marginal }) => {
    const isNear = size >= from && size <= hi;
    return { size, good, bad: isNear ? bad + marginal : bad };
  });
}

/** So many handshakes that the allowance would show, and it does not. */
function hasHardlyAny({ options }: SearchState, { launched, missed }: Background): boolean {
  return options.objectives.every(({ share }, i) => {
    const allowed = launched * (1 - share);
    return allowed >= 1 && missed[i] <= HARDLY_ANY * allowed;
  });
}

/**
 * Failures that no load causes, as seen in recovery checks and in small bursts of a rested target. Used by the flag
 * that warns of a floor of failures (flags.ts) and by the evidence for the posterior. A marginal burst decides nothing
 * as long as a background rate could explain it (docs/method.md, "The posterior"). If small loads show almost no
 * background, a marginal burst has missed the objective as the drop-off defines it; ignoring it would make the estimate
 * of a gradual decline 2 to 3 % too high.
 */
import { unbrokenBursts } from '../freshness.js';
import type { Loads } from '../judged-loads.js';
import type { SearchState } from '../state.js';
import type { LoadEvidence } from './posterior.js';

/** Loads up to this share of the bracket's lower end are small. */
const SMALL = 0.5;
/** A background below this part of the allowance explains no marginal burst. */
const HARDLY_ANY = 0.5;
/** Within this many widths below the upper end of the bracket, marginal bursts belong to the decline. */
const NEAR_STEPS = 4;

export interface Background {
  readonly launched: number;
  /** Handshakes without a lasting 101. */
  readonly failed: number;
  /** Handshakes that missed each objective. */
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

/** There were enough handshakes to show a background as large as the allowance, and they do not show one. */
function hasHardlyAny({ options }: SearchState, { launched, missed }: Background): boolean {
  return options.objectives.every(({ share }, i) => {
    const allowed = launched * (1 - share);
    return allowed >= 1 && missed[i] <= HARDLY_ANY * allowed;
  });
}

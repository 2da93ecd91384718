/**
 * Judges counted attempts by parsed thresholds and abort rules. Everything here is a function of conditions and counts;
 * which bursts are judged, and what a miss leads to, is decided elsewhere. A latency is judged by its upper bound;
 * `disagrees` tells whether its lower bound would give another answer.
 */
import { endsWithCode } from '../names/ends.js';
import { blameOf, isOutcomeId, openedOf } from '../names/outcomes.js';
import { BOUNDED_PHASES } from '../names/phases.js';
import { askedCode, type Condition, type StormSubject, type Subject } from '../plan/expressions/condition.js';
import type { AbortRule, Threshold } from '../plan/expressions/rules.js';
import type { Calibration, Counted, ThresholdResult } from '../result/result.js';
import type { Storm } from '../result/storm.js';
import { floorHides, floorOf, limitOfAbort, worstFloorOf } from './floor.js';
import { meets } from './meets.js';

/** How many bursts in a row, up to now, met the condition. */
export interface AbortState {
  readonly rule: AbortRule;
  readonly run: number;
}

/** A threshold and its result. */
export interface Judged {
  readonly condition: Condition;
  readonly result: ThresholdResult;
}

/** Values that are not in the counts; null where the run did not measure them. */
interface BesideCounts {
  /** Handshakes per second (churn). */
  readonly rate: number | null;
  /** Lower end of the drop-off interval. */
  readonly dropOff: number | null;
}

interface MeasuredBeside extends BesideCounts {
  /** All of the run; a condition about them is judged by the one that fits it least. */
  readonly storms?: readonly Storm[];
  /** Of the loads that are judged. */
  readonly calibrations: readonly (Calibration | null)[];
}

/**
 * Judges by the upper latency bound. A threshold without a value (`actual` null) is missed, because nothing proved it.
 */
export function judge(thresholds: readonly Threshold[], counted: Counted, beside: MeasuredBeside): Judged[] {
  return thresholds.map(({ expression, parsed: condition }) => {
    const { subject } = condition;
    const { actual, actualLower } =
      subject.kind === 'storm'
        ? { actual: ofStorms(subject, condition, beside.storms ?? []), actualLower: null }
        : valuesOf(condition, counted, beside);
    const ok = actual !== null && meets(condition, actual);
    const floor = worstFloorOf(condition, beside.calibrations);
    return { condition, result: { expression, actual, actualLower, floor, ok } };
  });
}

/** Whether a threshold is met at one latency bound and missed at the other: the generator was too slow to decide it. */
export function disagrees({ condition, result: { actual, actualLower } }: Judged): boolean {
  if (actual === null || actualLower === null) return false;
  return meets(condition, actual) !== meets(condition, actualLower);
}

/** Whether a threshold is missed by no more than the generator's own floor explains. */
export function isHidden({ condition, result: { actual, actualLower, floor } }: Judged): boolean {
  return floorHides(condition, floor, actualLower ?? actual);
}

/** Whether a threshold is about connections after their 101. */
export function asksOfHeld(thresholds: readonly Threshold[]): boolean {
  return thresholds.some(({ parsed: { subject } }) => {
    if (subject.kind === 'latency') return subject.phase === 'ready' || subject.phase === 'message';
    if (subject.kind !== 'share' && subject.kind !== 'count') return false;
    return subject.of === 'lost' || subject.of === 'ready' || askedCode(subject.of) !== null;
  });
}

export function startAbort(rule: AbortRule): AbortState {
  return { rule, run: 0 };
}

/**
 * The state after one more burst, and whether the run must stop now. A latency has to meet the condition at both of its
 * bounds, and by more than the generator's own floor explains: what the generator added must not end a run in the
 * target's name.
 */
export function abortStep(
  state: AbortState,
  burst: Counted,
  rate: number | null,
  calibration: Calibration | null,
): { readonly state: AbortState; readonly abort: boolean } {
  const { condition, bursts } = state.rule.parsed;
  const { actual, actualLower } = valuesOf(condition, burst, { rate, dropOff: null });
  const values = [actual, actualLower ?? actual];
  const opposite = limitOfAbort(state.rule).parsed;
  const isOwn = floorHides(opposite, floorOf(opposite, calibration), actualLower ?? actual);
  const met = !isOwn && values.every((value) => value !== null && meets(condition, value));
  const run = met ? state.run + 1 : 0;
  return { state: { rule: state.rule, run }, abort: run >= bursts };
}

interface Values {
  readonly actual: number | null;
  /** By the lower latency bound, where there is one. */
  readonly actualLower: number | null;
}

/** What a condition is judged by. */
function valuesOf({ subject }: Condition, counted: Counted, beside: BesideCounts): Values {
  return { actual: measured(subject, counted, beside), actualLower: measuredLower(subject, counted) };
}

/** null: nothing was measured that has this value. */
export function measured(subject: Subject, counted: Counted, beside: BesideCounts): number | null {
  switch (subject.kind) {
    case 'share': {
      const reached = reachedTarget(counted);
      const count = countOf(subject.of, counted);
      return reached === 0 || count === null ? null : count / reached;
    }
    case 'count':
      return countOf(subject.of, counted);
    case 'latency':
      return (
        (subject.phase === 'ready' ? counted.sessions?.readyMs : counted.latencyMs[subject.phase])?.[subject.stat] ??
        null
      );
    case 'rate':
      return beside.rate;
    case 'dropOff':
      return beside.dropOff;
    // Known when its watch is over; no burst has it.
    case 'storm':
      return null;
  }
}

/** The value that fits the condition least; null: some storm has none, so it proves nothing. */
function ofStorms(subject: StormSubject, condition: Condition, storms: readonly Storm[]): number | null {
  const values = storms.map((storm) => ofStorm(subject, storm));
  const known = values.filter((value) => value !== null);
  if (known.length === 0 || known.length < values.length) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  if (condition.operator.startsWith('>')) return low;
  return condition.operator.startsWith('<') || meets(condition, low) ? high : low;
}

function ofStorm({ stat, of }: StormSubject, storm: Storm): number | null {
  const { dropped, never, peakPerSecond } = storm;
  const gone = never.gaveUp + never.stopped + never.stillTrying;
  const count = of === 'never' ? gone : dropped - gone;
  switch (stat) {
    case 'share':
      return dropped === 0 ? null : count / dropped;
    case 'count':
      return count;
    case 'peak':
      return peakPerSecond;
    case 'p50':
      return storm.t50Ms;
    case 'p95':
      return storm.t95Ms;
    case 'p99':
      return storm.t99Ms;
    case 'max':
      return storm.t100Ms;
  }
}

function measuredLower(subject: Subject, counted: Counted): number | null {
  const phase = subject.kind === 'latency' ? BOUNDED_PHASES.find((one) => one === subject.phase) : undefined;
  if (subject.kind !== 'latency' || phase === undefined) return null;
  return counted.latencyLowerMs?.[phase]?.[subject.stat] ?? null;
}

/** Attempts that say something about the target: all but failures of this machine and aborted ones. */
export function reachedTarget(counted: Counted): number {
  return sumOf(counted, (id) => isOutcomeId(id) && blameOf(id) !== 'local' && id !== 'aborted');
}

/** null: it was not counted. */
function countOf(what: string, counted: Counted): number | null {
  if (what === 'ok') return openedOf(counted.outcomes);
  if (what === 'failed') return reachedTarget(counted) - openedOf(counted.outcomes);
  if (what === 'lost') return counted.lostWhileHeld;
  if (what === 'ready') return counted.sessions?.ready ?? null;
  const code = askedCode(what);
  if (code !== null) return closedWith(code, counted);
  if (what.endsWith('xx')) return sumOf(counted, (id) => id.length === 3 && id[0] === what[0] && /^\d+$/.test(id));
  return counted.outcomes[what] ?? 0;
}

function closedWith(code: number, { sessions }: Counted): number | null {
  return sessions === null ? null : endsWithCode(code, sessions.cut) + endsWithCode(code, sessions.notReady);
}

function sumOf(counted: Counted, counts: (id: string) => boolean): number {
  return Object.entries(counted.outcomes).reduce((sum, [id, count]) => (counts(id) ? sum + count : sum), 0);
}

/** Holds a diagnosis against the truth of its case: what was named first, what was wrong and sure of itself, T and S. Pure. */
import type { Diagnosis, Result } from '#dist/result/result.js';
import type { Case } from './diagnose-case.js';
import { type Fired, outcomesOf } from './diagnose-fire.js';

/** From here on a cause must not be wrong. */
export const SURE = 0.8;
/** Of T and of S. */
const TOLERANCE = 0.1;

export interface Stated {
  /** As the diagnosis says, ms; null where it does not. */
  readonly timeoutMs: number | null;
  readonly serviceMs: number | null;
  /** T as configured, S as the backend measured it, or as configured. */
  readonly trueTimeoutMs: number;
  readonly trueServiceMs: number;
  readonly ok: boolean;
}

export interface Judged {
  readonly isMade: boolean;
  readonly fault: string | null;
  readonly tries: number;
  readonly outcomes: string;
  /** Most likely first. */
  readonly named: readonly Diagnosis[];
  readonly isRight: boolean;
  /** Wrong, and sure of it. */
  readonly wrong: readonly string[];
  /** Of the rows that ask for it. */
  readonly stated: Stated | null;
}

export function judge(one: Case, fired: Fired): Judged {
  const { result, fault, tries } = fired;
  const named = result.diagnosis;
  const isTrue = (cause: string) => [...one.truth, ...one.also].some((id) => id === cause);
  return {
    isMade: fault === null,
    fault,
    tries,
    outcomes: outcomesText(result),
    named,
    isRight: isRight(one, named),
    wrong: named.filter(({ cause, confidence }) => confidence >= SURE && !isTrue(cause)).map(({ cause }) => cause),
    stated: statedOf(one, fired),
  };
}

function isRight({ group, truth }: Case, named: readonly Diagnosis[]): boolean {
  const causes: readonly string[] = named.map(({ cause }) => cause);
  if (truth.length === 0) return causes.length === 0;
  if (group === 'undecidable') return truth.every((cause) => causes.includes(cause));
  return truth.some((cause) => cause === causes[0]) && truth.every((cause) => causes.includes(cause));
}

function statedOf({ times }: Case, { result, measuredMs }: Fired): Stated | null {
  if (times === null) return null;
  const found = result.diagnosis.find(({ figures }) => figures.serviceMs !== undefined);
  const timeoutMs = found?.figures.timeoutMs ?? null;
  const serviceMs = found?.figures.serviceMs ?? null;
  const trueServiceMs = measuredMs ?? times.serviceMs;
  const ok = isNear(timeoutMs, times.timeoutMs) && isNear(serviceMs, trueServiceMs);
  return { timeoutMs, serviceMs, trueTimeoutMs: times.timeoutMs, trueServiceMs, ok };
}

function isNear(value: number | null, truth: number): boolean {
  return value !== null && Math.abs(value - truth) <= TOLERANCE * truth;
}

function outcomesText(result: Result): string {
  const lost = result.totals.lostWhileHeld;
  const counts = Object.entries(outcomesOf(result)).map(([id, count]) => `${count} x ${id}`);
  return [...counts, ...(lost > 0 ? [`${lost} lost`] : [])].join(', ');
}

export interface Totals {
  readonly cases: number;
  readonly unmade: number;
  readonly causes: number;
  readonly right: number;
  readonly wrong: number;
  readonly healthy: number;
  readonly diagnosed: number;
  readonly undecidable: number;
  readonly named: number;
  readonly timed: number;
  readonly stated: number;
}

export interface Row {
  readonly one: Case;
  readonly judged: Judged;
}

export function totalsOf(rows: readonly Row[]): Totals {
  const count = (which: (row: Row) => boolean) => rows.filter(which).length;
  const of = (group: Case['group']) => (row: Row) => row.one.group === group;
  const isCause = of('cause');
  const isHealthy = of('healthy');
  const isUndecidable = of('undecidable');
  return {
    cases: count((row) => !isUndecidable(row)),
    unmade: count(({ judged }) => !judged.isMade),
    causes: count(isCause),
    right: count((row) => isCause(row) && row.judged.isRight),
    wrong: count(({ judged }) => judged.wrong.length > 0),
    healthy: count(isHealthy),
    diagnosed: count((row) => isHealthy(row) && !row.judged.isRight),
    undecidable: count(isUndecidable),
    named: count((row) => isUndecidable(row) && row.judged.isRight),
    timed: count(({ judged }) => judged.stated !== null),
    stated: count(({ judged }) => judged.stated?.ok === true),
  };
}

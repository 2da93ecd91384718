/**
 * Thresholds as rows: each expression with the value that it was judged by, in the expression's own unit.
 */
import { printable } from '../../plan/printable.js';
import { formatCount } from '../../plan/units.js';
import type { ThresholdResult } from '../../result/result.js';
import { percent, tableMs } from './numbers.js';

export interface ThresholdRow {
  readonly ok: boolean;
  readonly expression: string;
  /** `is 988 ms`. */
  readonly actual: string;
  /** The lower bound of the actual value, if it is written differently. */
  readonly lower: string | null;
  /** The same of the generator alone, where the threshold was missed. */
  readonly floor: string | null;
}

export function thresholdRows(thresholds: readonly ThresholdResult[]): ThresholdRow[] {
  return thresholds.map(({ expression, actual, actualLower, floor, ok }) => {
    const text = actual === null ? null : inOwnUnit(expression, actual);
    const lower = actualLower === null || text === null ? null : inOwnUnit(expression, actualLower);
    return {
      ok,
      expression: printable(expression),
      actual: text === null ? 'nothing to judge' : `is ${text}`,
      lower: lower === text ? null : lower,
      floor: ok || floor === null ? null : inOwnUnit(expression, floor),
    };
  });
}

function inOwnUnit(expression: string, value: number): string {
  if (/^\s*share\b/.test(expression)) return percent(value, 1);
  if (/^\s*(count|dropOff)\b/.test(expression)) return formatCount(value);
  return /^\s*(rate|peak)\b/.test(expression) ? `${formatCount(Math.round(value))}/s` : `${tableMs(value)} ms`;
}

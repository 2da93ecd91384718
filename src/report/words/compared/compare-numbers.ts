/** How a comparison writes its values, changes and intervals. */

import type { ComparedMetric, Extended } from '../../../compare/comparison.js';
import { numberOf } from '../../../compare/extended.js';
import type { ChangeScale } from '../../../plan/expressions/fail-on.js';
import { formatCount } from '../../../plan/units.js';
import { percent, spokenMs } from '../numbers.js';

/** `812 ms`, `99.98%`, `1,200/s`; `never`: fewer handshakes than that got there. */
export function valueText(value: Extended | null, unit: ComparedMetric['unit']): string {
  if (value === null) return '–';
  if (typeof value !== 'number') return unit === 'handshakes' ? 'over the maximum' : 'never';
  switch (unit) {
    case 'ms':
      return value === 0 ? '0 s' : spokenMs(value);
    case 'share':
      return percent(value, 1);
    case 'handshakes':
      return formatCount(Math.round(value));
    case 'handshakes/s':
      return `${formatCount(Math.round(value))}/s`;
  }
}

/** `+24%`, `-0.02 pp`, `+2.00 s`, `0`. */
export function changeText(change: Extended, scale: ChangeScale): string {
  const value = numberOf(change);
  if (value === 0) return '0';
  const sign = value > 0 ? '+' : '-';
  return Number.isFinite(value) ? `${sign}${amountText(Math.abs(value), scale)}` : `${sign}inf`;
}

/** Of a tolerance or a scatter, without a sign. */
export function amountText(amount: number, scale: ChangeScale): string {
  switch (scale) {
    case 'ratio':
      return `${significant(100 * amount, 9.95)}%`;
    case 'share':
      return `${Number((100 * amount).toFixed(2))} pp`;
    case 'time':
      return amount === 0 ? '0 s' : spokenMs(amount);
  }
}

/** Whole from `whole` on, one decimal below. */
function significant(value: number, whole: number): string {
  return value >= whole ? formatCount(Math.round(value)) : String(Number(value.toFixed(1)));
}

/** `-2 … +15%`; null: there is none. */
export function intervalText(interval: ComparedMetric['interval'], scale: ChangeScale): string | null {
  if (interval === null) return null;
  const [low, high] = interval.map((end) => changeText(end, scale));
  const unit = scale === 'ratio' ? '%' : ' pp';
  const isOnce = low.endsWith(unit) && high.endsWith(unit);
  return `${isOnce ? low.slice(0, -unit.length) : low} … ${high}`;
}

/** `95%`, `97.5%`. */
export function confidenceText(confidence: number): string {
  return `${Number((100 * confidence).toFixed(1))}%`;
}

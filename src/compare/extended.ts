/** Numbers without an end as a document holds them. Apart from the schema, so that a renderer does not load it. */
import type { Extended } from './comparison.js';

export function extendedOf(value: number): Extended {
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  return value === Number.NEGATIVE_INFINITY ? '-inf' : value;
}

export function numberOf(value: Extended): number {
  if (typeof value === 'number') return value;
  return value === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

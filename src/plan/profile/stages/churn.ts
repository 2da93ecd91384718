/** The churn stage in a profile: `churn: { total: 10k, inFlight: 100 }`. */
import type { ChurnStage } from '../../stages/churn.js';
import { count, duration, map } from '../field.js';
import { DAY_MS, DEFAULT_REST_MS, EVEN_BESIDE_OTHERS, MOST_ATTEMPTS, MOST_OPEN, rest } from './bounds.js';

const written = map(
  {
    total: count(1, MOST_ATTEMPTS, 'Handshakes in total; either this or for, or both').optional(),
    inFlight: count(1, MOST_OPEN, 'Handshakes in flight at any time'),
    for: duration(1, DAY_MS, 'No launches after this long').optional(),
  },
  'churn',
).superRefine((value, context) => {
  if (typeof value === 'object' && value !== null && value.total === undefined && value.for === undefined) {
    context.addIssue({ code: 'custom', message: 'expected total or for, found neither' });
  }
}, EVEN_BESIDE_OTHERS);

export const churn = map({ churn: written, rest }, 'a churn stage').transform(
  ({ churn: { total = null, inFlight, for: forMs = null }, rest: restMs = DEFAULT_REST_MS }): ChurnStage => ({
    kind: 'churn',
    total,
    inFlight,
    forMs,
    restMs,
  }),
);

/** The burst stage in a profile: `burst: 500, times: 3, rest: 10s`. */
import type { BurstStage } from '../../stages/burst.js';
import { count, map } from '../field.js';
import { DEFAULT_REST_MS, MOST_OPEN, MOST_TIMES, rest } from './bounds.js';

export const burst = map(
  {
    burst: count(1, MOST_OPEN, 'Handshakes released together'),
    times: count(1, MOST_TIMES, 'How many such bursts; default 1').optional(),
    rest,
  },
  'a burst stage',
).transform(
  (s): BurstStage => ({ kind: 'burst', size: s.burst, times: s.times ?? 1, restMs: s.rest ?? DEFAULT_REST_MS }),
);

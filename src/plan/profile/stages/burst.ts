/** The burst stage in a profile: `burst: 500, times: 3, rest: 10s`; with `spread: 60s` it becomes arrivals. */
import type { ArriveStage } from '../../stages/arrive.js';
import type { BurstStage } from '../../stages/burst.js';
import { count, duration, map } from '../field.js';
import { spacing } from './arrive.js';
import { DAY_MS, DEFAULT_REST_MS, EVEN_BESIDE_OTHERS, MOST_OPEN, MOST_TIMES, rest } from './bounds.js';

const written = map(
  {
    burst: count(1, MOST_OPEN, 'Handshakes released together'),
    times: count(1, MOST_TIMES, 'How many such bursts; default 1').optional(),
    spread: duration(1, DAY_MS, 'Start them over this time, with seeded jitter, instead of together').optional(),
    spacing,
    rest,
  },
  'a burst stage',
).superRefine((value, context) => {
  if (typeof value !== 'object' || value === null || value.spacing === undefined || value.spread !== undefined) return;
  const message = 'there is no distance between handshakes that are released together: give spread too';
  context.addIssue({ code: 'custom', message, path: ['spacing'] });
}, EVEN_BESIDE_OTHERS);

export const burst = written.transform(
  ({
    burst: size,
    times = 1,
    spread,
    spacing: how = 'even',
    rest: restMs = DEFAULT_REST_MS,
  }): BurstStage | ArriveStage =>
    spread === undefined
      ? { kind: 'burst', size, times, restMs }
      : { kind: 'arrive', rate: null, size, forMs: spread, spacing: how, maxOpen: null, holdMs: null, times, restMs },
);

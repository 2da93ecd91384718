/** The arrive stage in a profile: `arrive: { rate: 200/s, for: 60s }`. */
import { countOf } from '../../arrivals.js';
import type { ArriveStage } from '../../stages/arrive.js';
import { count, duration, map, rates, word } from '../field.js';
import { DAY_MS, DEFAULT_REST_MS, MOST_OPEN, rest } from './bounds.js';

const MOST_PER_SECOND = 1_000_000;

export const spacing = word(
  ['even', 'poisson'],
  'even: in equal distances; poisson: as independent users come; default even',
).optional();

const written = map(
  {
    rate: rates(MOST_PER_SECOND, 'Handshakes started a second, whatever the target does'),
    for: duration(1, DAY_MS, 'For how long'),
    spacing,
    maxOpen: count(
      1,
      MOST_OPEN,
      'Handshakes in flight at most: a start beyond it is skipped and counted; default what this machine allows',
    ).optional(),
    hold: duration(
      0,
      DAY_MS,
      'Hold each connection for so long once it is ready; default session.hold, otherwise it is closed at once',
    ).optional(),
  },
  'arrive',
);

export const arrive = map({ arrive: written, rest }, 'an arrive stage').transform(
  ({ arrive: { rate, for: forMs, spacing: how, maxOpen, hold }, rest: restMs }): ArriveStage => ({
    kind: 'arrive',
    rate,
    size: countOf(rate, forMs),
    forMs,
    spacing: how ?? 'even',
    maxOpen: maxOpen ?? null,
    holdMs: hold ?? null,
    times: 1,
    restMs: restMs ?? DEFAULT_REST_MS,
  }),
);

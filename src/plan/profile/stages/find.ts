/** The find stage in a profile, `find: { max: 2k }`, with the options of its search. */
import type { z } from 'zod';
import type { FindStage } from '../../stages/find.js';
import { count, duration, flag, map, share, word } from '../field.js';
import { DAY_MS, EVEN_BESIDE_OTHERS, HOUR_MS, isSize, MOST_ATTEMPTS, MOST_OPEN, MOST_TIMES } from './bounds.js';

/** With a share of 0, every burst would pass. */
const LEAST_SHARE = 0.01;

/** No defaults here: the search's preset decides what is not written. */
const shape = {
  max: count(1, MOST_OPEN, 'Never more handshakes than this at once'),
  min: count(1, MOST_OPEN, 'Smallest burst; default 10').optional(),
  expect: count(1, MOST_OPEN, 'The drop-off that you expect: the search begins at a 16th of it').optional(),
  width: share(0.005, 0.5, 'Relative width of the bracket at which it ends; default 5%, quick 10%').optional(),
  share: share(LEAST_SHARE, 1, 'Objective: so many get their 101; default 99.9% when there is no objective').optional(),
  p99: duration(1, HOUR_MS, 'Objective: 99% get their 101 within this time').optional(),
  p95: duration(1, HOUR_MS, 'Objective: 95% get their 101 within this time').optional(),
  preset: word(['quick', 'standard', 'thorough'], 'How sure to be; default standard').optional(),
  rest: duration(0, DAY_MS, 'Cool-down after each burst; default 10s').optional(),
  freshWait: duration(
    0,
    DAY_MS,
    'Rest after which the target counts as rested; default 120s, quick 30s, thorough 300s',
  ).optional(),
  maxWait: duration(0, DAY_MS, 'Longest wait for a target to recover; default 1.5 times freshWait').optional(),
  budget: count(1, MOST_TIMES, 'Bursts at most; default 60').optional(),
  deadline: duration(1, 7 * DAY_MS, 'No burst begins after this long; default 2h, quick 1h, thorough 6h').optional(),
  burstQuantile: share(0.5, 0.99, 'Share of bursts that must meet the objectives; default 50%').optional(),
  downSweep: flag('Once found: what does the target take right after a break? Default false').optional(),
  harm: count(1, MOST_ATTEMPTS, 'Stop once so many handshakes have failed; default 20 times max').optional(),
};

const written = map(shape, 'find').superRefine((value, context) => {
  // A key with a problem of its own may hold anything.
  if (typeof value !== 'object' || value === null) return;
  const { max, min, expect } = value;
  if (!isSize(max)) return;
  const above = (path: string, size: unknown): void => {
    if (!isSize(size) || size <= max) return;
    context.addIssue({
      code: 'custom',
      message: `expected a size of at most max (${max}), found ${size}`,
      path: [path],
    });
  };
  above('min', min);
  above('expect', expect);
}, EVEN_BESIDE_OTHERS);

function findStage(value: z.output<typeof written>): FindStage {
  const { max, min, expect, width, share, p99, p95, preset, rest, freshWait, maxWait } = value;
  const { budget, deadline, burstQuantile, downSweep, harm } = value;
  return {
    kind: 'find',
    max,
    min: min ?? null,
    expect: expect ?? null,
    width: width ?? null,
    share: share ?? null,
    p99Ms: p99 ?? null,
    p95Ms: p95 ?? null,
    preset: preset ?? null,
    restMs: rest ?? null,
    freshWaitMs: freshWait ?? null,
    maxWaitMs: maxWait ?? null,
    budget: budget ?? null,
    deadlineMs: deadline ?? null,
    burstQuantile: burstQuantile ?? null,
    downSweep: downSweep ?? false,
    harm: harm ?? null,
  };
}

export const find = map({ find: written }, 'a find stage').transform((s): FindStage => findStage(s.find));

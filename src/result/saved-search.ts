/**
 * The state of a search, so that a stopped search can be resumed: the same data as the search ring's SearchState, as a
 * schema. It is checked before anything in it is used; rules over two keys are checked by the search itself
 * (search/saved.ts).
 */
import { z } from 'zod';
import { outcomesSchema } from './counted.js';
import { searchVerdictSchema } from './drop-off.js';
import { bounds, count, flag, ms, notNegative, type Of, share, size, text } from './terms.js';

const options = z.object({
  min: size,
  max: size,
  start: size,
  growth: notNegative,
  width: notNegative,
  lead: size,
  cap: size,
  budget: size,
  coolMs: notNegative,
  freshWaitMs: notNegative,
  maxWaitMs: notNegative,
  deadlineMs: notNegative,
  harm: size,
  quantile: share,
  ci: share,
  objectives: z.array(z.object({ name: text, share, withinMs: notNegative.nullable() })),
  drain: flag,
  downSweep: flag,
});

const facts = z.object({
  launched: count,
  survived: count,
  failed: z.array(z.tuple([count, count])),
  outcomes: outcomesSchema,
  spreadMs: ms.nullable(),
  makespanMs: ms.nullable(),
  p50Ms: bounds.nullable(),
  p99Ms: bounds.nullable(),
  paced: flag,
  invalid: text.nullable(),
});

const why = z.enum([
  'ramp',
  'descend',
  'repeat',
  'hint',
  'gallop',
  'bisect',
  'confirm-low',
  'confirm-high',
  'sentinel',
  'break',
  'after-break',
]);

const fired = z.object({
  index: count,
  size,
  why,
  fresh: flag,
  counts: z.enum(['fresh', 'stale']).nullable(),
  verdict: z.enum(['good', 'bad', 'marginal', 'invalid']),
  binding: count.nullable(),
  reason: text.nullable(),
  startedAtMs: ms,
  endedAtMs: ms,
  facts,
  refusedMs: notNegative.optional(),
});

const canary = z.object({ attempted: count, survived: count, p95Ms: notNegative.nullable() });

const ended = z.object({ verdict: searchVerdictSchema, because: text });

const state = z.object({
  version: z.literal(1),
  options,
  startedAtMs: ms,
  lastAtMs: ms,
  pausedMs: notNegative,
  history: z.array(fired).describe('Every burst that was fired'),
  baseline: z.array(canary).max(3),
  canary: z.object({
    canaries: count,
    handshakes: count,
    failed: count,
    rested: z.object({ attempted: count, failed: count, withFailures: count }),
  }),
  health: z.object({ isProven: flag, failingSinceMs: ms.nullable(), pollMs: notNegative }),
  checkedAtMs: ms.optional(),
  lastBadEndMs: ms.nullable(),
  badCoolMs: notNegative,
  restUntilMs: ms,
  whyRest: z.enum(['cool', 'fresh', 'recover', 'canary']),
  freshMode: flag,
  restored: flag,
  restore: z
    .object({ loads: z.array(size), at: count, attempt: count, waitMs: notNegative, missed: count.nullable() })
    .nullable(),
  recoveredAfterMs: notNegative.nullable(),
  cursor: z.object({
    plan: z.enum(['none', 'below-hint', 'above-hint', 'gallop']),
    gallops: count,
    hint: notNegative.nullable(),
    lastWasBad: flag,
    lowAt: notNegative.nullable(),
    highAt: notNegative.nullable(),
  }),
  shot: z.object({ size, fresh: flag, why, invalid: count }).nullable(),
  inFlight: z.object({ sinceMs: ms, fresh: flag }).nullable(),
  limits: z.object({
    max: count,
    invalidFrom: count.nullable(),
    blocked: z.array(count),
    reason: text.nullable(),
  }),
  sweep: z.object({ sizes: z.array(size), at: count, passed: count.nullable(), found: ended }).nullable(),
  ended: ended.nullable(),
  // The engine stores it without reading it.
}) as z.ZodType<object>;

export const savedSearchSchema = z.object({
  stage: count.describe('Its stage in the plan'),
  firstIndex: count.describe('Index of its first burst'),
  attempts: count.describe('Handshakes of the run that had a number so far: {{ index }} of the next one'),
  state: state.describe('Where it stands: find --resume goes on from here'),
});
export type SavedSearch = Of<typeof savedSearchSchema>;

/**
 * What a search for the drop-off point writes into a result. Sizes are handshakes released together; times are in ms.
 * "k of n bursts" is the evidence, the interval is the inference. Neither pools handshakes of different bursts, because
 * the outcomes of handshakes in one burst depend on each other.
 */
import { z } from 'zod';
import { outcomesSchema } from './counted.js';
import { bounds, count, ms, notNegative, number, type Of, share, size, text } from './terms.js';

export const searchVerdictSchema = z.enum([
  'FOUND',
  'AT_LEAST_MAX',
  'BELOW_MIN',
  'DID_NOT_RECOVER',
  'GENERATOR_LIMITED',
  'BUDGET',
  'INTERRUPTED',
]);
export type SearchVerdict = Of<typeof searchVerdictSchema>;

const searchFlagSchema = z.object({
  id: z.enum([
    'HYSTERESIS',
    'HYSTERESIS_SUSPECTED',
    'TIRED',
    'DRIFT',
    'BIMODAL',
    'FLOOR',
    'PACED',
    'GENERATOR_LIMITED',
    'INVERSION',
  ]),
  says: text.describe('One sentence with its numbers'),
});
export type SearchFlag = Of<typeof searchFlagSchema>;
export type SearchFlagId = SearchFlag['id'];

const inversionSchema = z.object({ passes: size, failsFrom: size, failsTo: size });
/** A load that passes although a smaller one fails. */
export type Inversion = Of<typeof inversionSchema>;

const spanSchema = z.tuple([count.nullable(), count.nullable()]);
/** An interval; null: that end is open. */
export type Span = Of<typeof spanSchema>;

/**
 * good, bad and marginal do not include bursts that do not count (invalid, or excluded because the target was not
 * rested).
 */
const rungSchema = z.object({
  size,
  bursts: count,
  good: count,
  bad: count,
  marginal: count,
  invalid: count,
  fresh: count.describe('Counted bursts on a rested target'),
  stale: count.describe('Counted bursts on a target that was not rested'),
  share: share.nullable().describe('101s that were not lost, of those launched in valid bursts; null without one'),
  shareInterval: bounds
    .nullable()
    .describe('Burst-level (quasi-binomial), never of pooled handshakes; null with fewer than two bursts'),
  p50Ms: bounds.nullable().describe('Lower and upper bound of the handshake, median burst'),
  p99Ms: bounds.nullable(),
  spreadMs: ms.nullable().describe('First to last release, median burst'),
  outcomes: outcomesSchema,
  met: share.nullable().optional().describe('Of those launched, that met every objective'),
});
/** All bursts of one size. */
export type Rung = Of<typeof rungSchema>;

const kneeSchema = z.object({
  model: z
    .enum(['usl', 'two-segment'])
    .describe('The one that fitted better: the universal scalability law, or two straight lines on log axes'),
  size: notNegative,
  misfit: number.describe('Root mean square of the relative misfit'),
  otherMisfit: number,
  peak: number.nullable().describe('USL: load at which the rate itself turns down; null when it does not'),
});
/** Informational: the load from which more load brought no more handshakes per second. */
export type Knee = Of<typeof kneeSchema>;

const costSchema = z.object({
  bursts: count.describe('Of every kind, also the invalid ones and those that only proved recovery'),
  handshakes: count,
  failedHandshakes: count,
  badBursts: count,
  invalidBursts: count,
  canaries: count,
  canaryHandshakes: count,
  canaryFailures: count,
  wallMs: notNegative.describe('Without the pauses between an interruption and its resumption'),
});
export type SearchCost = Of<typeof costSchema>;

const termsSchema = z.object({
  min: size,
  max: size,
  objectives: z.array(text).describe('By name, in the order in which they were asked for'),
  freshWaitMs: notNegative.describe('Rest that makes the target count as rested'),
});
/** The search's options, as far as a reader of the answer needs them. */
export type SearchTerms = Of<typeof termsSchema>;

const limitSchema = z.object({
  most: count.nullable().describe('Largest load that it was able to send; null when none was'),
  reason: text,
});
/** A limit of this generator that the search met. */
export type SearchLimit = Of<typeof limitSchema>;

const unrecoveredSchema = z.object({
  load: size
    .nullable()
    .describe('Largest load that it did not take again; null: it did not even answer single handshakes as before'),
  waitedMs: notNegative.describe('From the end of the burst that broke it to the end of the search'),
});
/** How the target failed to recover from an overload. */
export type Unrecovered = Of<typeof unrecoveredSchema>;

const refusedSchema = z.object({ median: notNegative, max: notNegative });
/** Over all overloads of a search, ms. */
export type RefusedSpan = Of<typeof refusedSchema>;

export const dropOffSchema = z.object({
  asked: termsSchema,
  verdict: searchVerdictSchema,
  because: text.describe('One sentence: why the search ended so'),
  estimate: count
    .nullable()
    .describe('Burst size at which half of the bursts miss the objective; null when an end of the bracket is open'),
  bracket: spanSchema.describe('Largest size decided to be good, smallest decided to be bad; an open end is null'),
  interval95: spanSchema.describe('Union of the bracket and the 95 % interval of the posterior'),
  confidence: share.describe('Posterior mass inside of the bracket'),
  objective: text.nullable().describe('The one that broke first; null when none did'),
  quantile: share.describe('Share of bursts that must meet the objectives'),
  survivorsAtLo: count.nullable().describe('101s that were not lost, median burst at the lower end of the bracket'),
  survivorsAtHi: count.nullable().describe('The same at its upper end'),
  flags: z.array(searchFlagSchema),
  inversions: z.array(inversionSchema),
  ladder: z.array(rungSchema).describe('By size'),
  knee: kneeSchema.nullable().describe('Informational: where more load stopped bringing more handshakes a second'),
  afterBreak: count
    .nullable()
    .describe('Largest size that still passed right after a break; 0: none that was tried; null: not tried'),
  recoveredAfterMs: notNegative
    .nullable()
    .describe('Rest after which the target took a good load again once it had broken; null: at once, or never'),
  unrecovered: unrecoveredSchema.nullable().describe('Of DID_NOT_RECOVER'),
  limit: limitSchema.nullable().describe('What this generator could not do; null: it sent all that was asked of it'),
  cost: costSchema,
  refusedAfterBreakMs: refusedSchema
    .nullable()
    .optional()
    .describe('How long single handshakes went on failing after a break; null: they never did'),
});
export type DropOff = Of<typeof dropOffSchema>;

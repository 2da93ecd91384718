/**
 * The document that `compare` writes: two sides, what every metric did between them, and how sure that is. A schema of its
 * own beside the result's, published as profiles/compare.schema.json (published-comparison.ts). Times are in ms, shares and
 * changes in fractions; a failure counts as a latency without an end, which JSON can't hold as a number: "inf".
 */
import { z } from 'zod';
import { count, flag, notNegative, number, type Of, share, text } from '../result/terms.js';
import { CHANGE_VERDICTS } from './verdict.js';

const extended = z.union([number, z.literal('inf'), z.literal('-inf')]).meta({
  id: 'extended',
  description: 'A number; inf: at least this share failed, which is a latency without an end',
});
export type Extended = Of<typeof extended>;

const interval = z.tuple([extended, extended]);

const loadNameSchema = z
  .object({
    kind: text.describe('burst, churn, arrive, storm'),
    size: count.describe('Attempts; of a storm its clients'),
    gate: text.describe('Of a storm its policy'),
    order: count.describe('Among the stages of the run with this kind, size and gate, from 0'),
  })
  .meta({ id: 'load' });
/** What a stage fired; stages of two runs are the same load when all of this is equal. */
export type LoadName = Of<typeof loadNameSchema>;

const metricSideSchema = z.object({
  typical: extended.nullable().describe('Median of the values (shares: their mean); null: nothing was measured'),
  values: z.array(extended).describe('One of each unit, in the order of files and bursts; none for a search'),
});

const metricVerdict = z.enum([...CHANGE_VERDICTS, 'not judged']);
export type MetricVerdict = Of<typeof metricVerdict>;

const comparedMetricSchema = z
  .object({
    metric: text.describe('As a threshold names it: p99(handshake)'),
    load: loadNameSchema.nullable().describe('null: of the whole run (the drop-off)'),
    unit: z.enum(['ms', 'share', 'handshakes/s', 'handshakes']).describe('Of the values'),
    scale: z
      .enum(['ratio', 'share', 'time'])
      .describe(
        'Of change, interval, tolerance and scatter: 0.1 is 10 % (ratio) or 10 percentage points (share); time: ms',
      ),
    bad: z.enum(['up', 'down']).describe('The direction of a change for the worse'),
    gate: text.nullable().describe('The --fail-on that names it; null: it is only shown'),
    tolerance: notNegative,
    of: z.enum(['burst', 'run', 'search']).describe('What gives one value: the unit of replication'),
    base: metricSideSchema,
    new: metricSideSchema,
    change: extended.nullable(),
    interval: interval.nullable().describe('null: with these counts none of that confidence exists'),
    lowerInterval: interval
      .nullable()
      .describe('The same by the lower latency bounds, where the generator has two; a verdict needs both to agree'),
    confidence: share.describe('Of the intervals: 1 - 5 % / the number of named metrics'),
    scatter: notNegative.nullable().describe('Standard deviation of the values within their side; null: unknown'),
    scatterInRun: notNegative.nullable().describe('The same of bursts within their run; null: unknown'),
    verdict: metricVerdict,
    moved: flag.describe('The interval excludes that nothing changed'),
    because: text
      .nullable()
      .describe('Why it was not judged, or not decided by these values; null: the interval says it'),
    notes: z.array(text),
    smallest: z
      .object({ perSide: count, change: notNegative })
      .nullable()
      .describe('The change that so many values a side would show 4 times of 5, about; null: the scatter is unknown'),
    needed: count
      .nullable()
      .describe('Values a side that would decide it, about; null: decided, or no number up to 200'),
  })
  .meta({ id: 'metric' });
export type ComparedMetric = Of<typeof comparedMetricSchema>;

const leftOutSchema = z.object({
  file: text,
  burst: count.nullable().describe('Its index; null: the whole result'),
  why: text,
});
/** What was not compared, of one side. */
export type LeftOut = Of<typeof leftOutSchema>;

const comparedSideSchema = z
  .object({
    files: z.array(text),
    from: text.nullable().describe('Start of its first run; null: no result'),
    to: text.nullable().describe('End of its last run'),
    runs: count.describe('Those that are compared'),
    bursts: count.describe('Those that are compared'),
    leftOut: z.array(leftOutSchema),
  })
  .meta({ id: 'side' });
export type ComparedSide = Of<typeof comparedSideSchema>;

export const comparisonSchema = z
  .object({
    schemaVersion: z.literal(1),
    document: z.literal('comparison'),
    tool: z.object({ name: z.literal('wstampede'), version: text }),
    command: text.nullable().describe('Of the compared results; null: they are of several'),
    base: comparedSideSchema,
    new: comparedSideSchema,
    refused: z.array(text).describe('Why the sides can’t be compared; empty: they can'),
    warnings: z.array(text).describe('What differs between the sides besides the target'),
    same: z.array(text).describe('What the sides have in common'),
    metrics: z.array(comparedMetricSchema),
    failOn: z.array(text).describe('As written'),
    verdict: z
      .enum([...CHANGE_VERDICTS, 'not comparable'])
      .describe('The worst of the named metrics, or of all that are shown where none is named'),
    exitCode: count,
  })
  .meta({ title: 'Comparison of wstampede results' });
export type Comparison = Of<typeof comparisonSchema>;

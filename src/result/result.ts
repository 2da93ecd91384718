/**
 * The Result: what a run leaves behind, as JSON. A leaf: the engine fills it and reports read it, without knowing each
 * other. One schema gives its type, the published JSON Schema (published-schema.ts) and the check of documents
 * (document.ts). Times are in ms with µs precision unless a name says otherwise; missing values are null. Keys may be
 * added; a change of meaning needs a new schemaVersion. Import only types from here (`import type`): nothing may load a
 * schema before the first burst (test/unit/result-loading.test.ts).
 */
import { z } from 'zod';
import { burstSchema } from './burst.js';
import { checkSchema } from './check-facts.js';
import { countedLater, countedShape, outcomesSchema, samplesSchema, summaryOrNull, validitySchema } from './counted.js';
import { dropOffSchema } from './drop-off.js';
import { savedPlanSchema } from './saved-plan.js';
import { savedSearchSchema } from './saved-search.js';
import { stormSchema } from './storm.js';
import { count, flag, mapOf, number, type Of, share, text, timestamp } from './terms.js';

export type { After, AfterProbe, Arrivals, Burst, Calibration, Release } from './burst.js';
export type {
  Counted,
  CutEnd,
  KernelCounts,
  LatencyLowerMs,
  LatencyMs,
  Outcomes,
  Sample,
  Sessions,
  Summary,
  Validity,
  Verdict,
} from './counted.js';
export type { SavedSearch } from './saved-search.js';

export const SCHEMA_VERSION = 1;

const totalsSchema = z.object({
  ...countedShape,
  validity: validitySchema,
  launched: count,
  rate: number.nullable(),
  ...countedLater,
});
export type Totals = Of<typeof totalsSchema>;

const preflightSchema = z.object({
  attempted: count,
  outcomes: outcomesSchema,
  latencyMs: summaryOrNull.describe('handshake of the answered ones'),
  samples: samplesSchema,
  tls: text
    .nullable()
    .describe('TLS as negotiated, e.g. TLSv1.3 TLS_AES_256_GCM_SHA384; null over ws or when it failed'),
});
export type Preflight = Of<typeof preflightSchema>;

const generatorSchema = z.object({
  id: text,
  host: text,
  cpus: count,
  node: text,
  platform: text,
  transport: text.describe('The one that was used: epoll or node'),
  workers: count,
  limits: z.object({ fds: count.nullable(), ports: count.nullable() }),
  transportNote: text
    .nullable()
    .default(null)
    .describe('Why the transport is not epoll; null: it is, or node was asked for'),
});
export type Generator = Of<typeof generatorSchema>;

const thresholdSchema = z.object({
  expression: text,
  actual: number.nullable().describe('ms, a share, a count or a rate; null: there was nothing to judge'),
  actualLower: number.nullable().describe('The same by the lower latency bound; null where it does not apply'),
  floor: number
    .nullable()
    .default(null)
    .describe('The same of this generator alone, against the local test server; null where it was not measured'),
  ok: flag,
});
export type ThresholdResult = Of<typeof thresholdSchema>;

const diagnosisSchema = z.object({
  cause: text.describe('Stable id'),
  evidence: text.describe('Sentences with the numbers that speak for it'),
  remedy: text.describe('What to change, with the directive of the recognised gateway'),
  confidence: share,
  outcomes: z.array(text).default([]).describe('Those that it explains'),
  gateway: text
    .nullable()
    .default(null)
    .describe('The hop that answered, as its answers betray it; null when they don’t'),
  apart: text
    .nullable()
    .default(null)
    .describe('What would tell it from another cause that fits as well; null when there is none'),
  figures: mapOf(number)
    .default({})
    .describe('The numbers of the evidence, units last in their names: timeoutMs, serviceMs, limit'),
});
/** A likely cause of the failures of a run; the ids are in src/diagnose/causes.ts. */
export type Diagnosis = Of<typeof diagnosisSchema>;

/** Keys in document order; `check` and `search` were added later. */
export const resultSchema = z
  .object({
    schemaVersion: z.literal(SCHEMA_VERSION),
    tool: z.object({ name: z.literal('wstampede'), version: text }),
    command: text,
    startedAt: timestamp,
    endedAt: timestamp,
    plan: savedPlanSchema.describe('What was run; secrets are masked'),
    generators: z.array(generatorSchema),
    addresses: z.array(text).describe('Of the target’s name, the dialled ones first; empty when the look-up failed'),
    bursts: z.array(burstSchema),
    preflight: preflightSchema.nullable(),
    totals: totalsSchema.describe('All bursts, merged'),
    dropOff: dropOffSchema.nullable().describe('Of a search'),
    storm: z.array(stormSchema).nullable().describe('One entry for each policy, in the order in which they ran'),
    thresholds: z.array(thresholdSchema),
    diagnosis: z.array(diagnosisSchema).describe('Likely causes, the most likely first'),
    validity: validitySchema,
    stopped: text.nullable().describe('Why the run ended before its plan did; null when it did not'),
    exitCode: count,
    check: checkSchema.nullable().default(null).describe('Of the command check: one handshake, step by step'),
    search: savedSearchSchema.nullable().default(null).describe('Where a search stands, so that it can go on'),
    finished: z.literal(false).optional().describe('false: written while the run went on; absent: it has ended'),
  })
  .meta({ title: 'Result of a wstampede run' });
export type Result = Of<typeof resultSchema>;

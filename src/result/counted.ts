/**
 * What bursts, totals and the preflight have in common: counts of outcomes, summaries of latency histograms, samples of
 * failures, the kernel's counters, and the verdict on the generator. Times are in ms unless a name says otherwise.
 */
import { z } from 'zod';
import { NAMED_OUTCOMES } from '../names/outcomes.js';
import { BOUNDED_PHASES, PHASES } from '../names/phases.js';
import { count, eachOf, mapOf, ms, type Of, text } from './terms.js';

const verdictSchema = z.enum(['valid', 'suspect', 'invalid']);
export type Verdict = Of<typeof verdictSchema>;

export const validitySchema = z
  .object({
    verdict: verdictSchema,
    reasons: z.array(text).describe('One sentence each, the gravest first'),
    weights: z
      .array(verdictSchema)
      .optional()
      .describe(
        'What each of the reasons would make of it by itself; absent where that is the verdict for all of them',
      ),
  })
  .meta({ id: 'validity' });
export type Validity = Of<typeof validitySchema>;

export const outcomesSchema = mapOf(count).meta({
  id: 'outcomes',
  description: `How many attempts ended as what: a status (101 is success) or one of ${NAMED_OUTCOMES.map(({ id }) => id).join(', ')}`,
});
export type Outcomes = Of<typeof outcomesSchema>;

const summarySchema = z
  .object({
    count,
    min: ms,
    mean: ms,
    p50: ms,
    p75: ms,
    p90: ms,
    p95: ms,
    p99: ms,
    p999: ms,
    max: ms,
    hdr: text.describe('HdrHistogram V2, compressed, base64; µs'),
  })
  .meta({ id: 'summary' });
/** Summary of one histogram. */
export type Summary = Of<typeof summarySchema>;

/** null: nothing was measured. */
export const summaryOrNull = summarySchema.nullable();

/** Every text in it is masked and safe to print. */
export const sampleSchema = z
  .object({
    statusLine: text.nullable(),
    headers: z.array(z.tuple([text, text])),
    body: text.nullable().describe('At most 1 KiB'),
    detail: text.nullable(),
    atMs: ms.describe('After the instant at which the attempt was due'),
  })
  .meta({ id: 'sample' });
/** The first attempt that ended as a given failure. */
export type Sample = Of<typeof sampleSchema>;

export const samplesSchema = mapOf(sampleSchema);

const kernelSchema = z
  .object({
    asked: count.describe('Attempts whose TCP_INFO is known'),
    synRetransmitted: count.describe('Of these, with a SYN that was sent again'),
    synRetransmits: count.describe('SYNs sent again'),
    retransmitted: count.describe('Of these, with data that was sent again'),
    retransmits: count.describe('Segments sent again once connected'),
  })
  .meta({ id: 'kernel', description: 'What the kernel said of the connections (TCP_INFO)' });
/** The kernel's counters of the connections (TCP_INFO), as numbers of attempts and of retransmissions. */
export type KernelCounts = Of<typeof kernelSchema>;

const cutEndSchema = z
  .object({
    minMs: ms.describe('The shortest from ready (one that was not: from its 101) to this end'),
    maxMs: ms.describe('The longest'),
    reason: text
      .nullable()
      .describe('Of the first close frame with this code, or what was no frame, masked; null: there was none'),
    reasonAtMs: ms
      .nullable()
      .describe(
        'When the connection of reason, step and message ended, after the instant at which its attempt was due',
      ),
    step: text.nullable().optional().describe('The step of the session that waited, or the rule that ended it'),
    message: text
      .nullable()
      .optional()
      .describe('The message that ended it, or the last one that the step did not want, masked'),
  })
  .meta({ id: 'cutEnd' });
/** Connections that ended in one way by the target’s doing, and how long they lived. */
export type CutEnd = Of<typeof cutEndSchema>;

const endCounts = mapOf(count);

const sessionsSchema = z
  .object({
    ready: count.describe('Of the 101s, those that were ready for messages: without a session all'),
    notReady: endCounts.describe('The others, by what ended them: as in cut, or aborted: given up by this side'),
    cut: endCounts.describe(
      'Ended by the target after ready, by its close code (1005: a frame without one) or fin, rst, tls, protocol; or by its message (rejected) or silence (timeout-message), as the session says',
    ),
    closed: endCounts.describe('Ended by this side, by the code sent or rst'),
    aborted: count.describe('Still open when the run was stopped'),
    messages: z
      .object({ sent: count, received: count, skipped: count.describe('Received while a step waited for another') })
      .describe('Of the application: without pings, pongs and close frames'),
    readyMs: summaryOrNull.describe('From the instant at which the attempt was due'),
    heldMs: summaryOrNull.describe('From ready to the end'),
    cutMs: summaryOrNull.optional().describe('The same of those that the target ended'),
    silentMs: summaryOrNull
      .optional()
      .describe('Of those ended by fin, rst or tls: from the last thing that came, or ready, to the end'),
    ends: mapOf(cutEndSchema).optional().describe('By the words of cut'),
    notReadyEnds: mapOf(cutEndSchema).optional().describe('By the words of notReady'),
  })
  .meta({ id: 'sessions', description: 'What became of connections after their 101' });
/** What became of connections after their 101: ready + Σ notReady = 101s; Σ cut + Σ closed + aborted = ready. */
export type Sessions = Of<typeof sessionsSchema>;

const latencySchema = eachOf(PHASES, summaryOrNull);
export type LatencyMs = Of<typeof latencySchema>;

const latencyLowerSchema = eachOf(BOUNDED_PHASES, summaryOrNull);
export type LatencyLowerMs = Of<typeof latencyLowerSchema>;

/** Keys of a burst and of the totals, in the order in which a reader wants them. */
export const countedShape = {
  attempted: count.describe('The sum of outcomes'),
  outcomes: outcomesSchema,
  latencyMs: latencySchema,
  latencyLowerMs: latencyLowerSchema.nullable().describe('Lower bounds; null where stamps are the kernel’s'),
  failureMs: mapOf(summaryOrNull).describe(
    'By outcome, from the instant at which the attempt was due; the 40 most frequent, the rest under (other)',
  ),
  samples: samplesSchema.describe('The first attempt that ended so, by outcome'),
  details: mapOf(mapOf(count)).describe('Distinct details by outcome, capped; the rest under (other)'),
  lostWhileHeld: count.describe('101s that the target closed while they were held'),
  clamped: count.describe('Values outside of 1 µs to 10 min, recorded as the nearer end'),
};

/** Keys added after version 1 was published: they come last. */
export const countedLater = {
  kernel: kernelSchema.nullable().default(null).describe('null where the kernel was not asked'),
  sessions: sessionsSchema.nullable().default(null).describe('null where it is not known how connections ended'),
};

const countedSchema = z.object({ ...countedShape, ...countedLater });
/** What bursts and totals have in common. `attempted` is the sum of `outcomes`. */
export type Counted = Of<typeof countedSchema>;

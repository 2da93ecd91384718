/**
 * One storm of a result: clients that were dropped and came back by one policy. Everything is counted by client and over
 * all that were dropped; attempts after the drop are counted here and nowhere else. Times are ms from t0: the drop where
 * this side or its command made it, else the first client's drop.
 */
import { z } from 'zod';
import { outcomesSchema, samplesSchema, summaryOrNull, validitySchema } from './counted.js';
import { count, flag, mapOf, ms, type Of, text, timestamp } from './terms.js';

const extent = z.object({ mean: z.number(), max: count }).nullable();

const reached = ms.nullable();

const series = z.object({ attempts: z.array(count), opens: z.array(count) });

const boundSchema = z.object({
  recovers: flag.nullable().describe('null: it is not known how many handshakes a second the service completes'),
  because: text,
});

export const stormSchema = z
  .object({
    clients: count.describe('Planned'),
    fleet: count.describe('Ready at t0'),
    dropped: count.describe('Dropped at least once'),
    policy: text,
    droppedAt: timestamp.nullable().describe('t0; null: no client was dropped'),
    dropSpreadMs: ms.nullable().describe('From the first client’s drop to the last one’s'),
    bound: boundSchema.nullable().describe('Whether the policy recovers from an overload at all'),
    t50Ms: reached.describe('Until half of the clients dropped were back for good; null: they never were'),
    t95Ms: reached,
    t99Ms: reached,
    t100Ms: reached,
    backMs: summaryOrNull.describe('Of those that are back: from a client’s own first drop until it was back for good'),
    never: z.object({
      gaveUp: count.describe('The policy allows no more attempts'),
      stopped: count.describe('A close code or a status ended them'),
      stillTrying: count.describe('At the end of the watch'),
    }),
    attemptsPerClient: extent.describe('After the drop, of the clients dropped'),
    dropsPerClient: extent.describe('Of the clients dropped'),
    attempts: outcomesSchema,
    abandoned: count.describe('Attempts that the client’s own timeout ended before it was ready'),
    perSecond: series.describe('From t0'),
    per100ms: series,
    peakPerSecond: count.describe('Most attempts in one second, wherever it begins'),
    late: z
      .object({
        p99Ms: ms.describe('Timers: how late this machine began to start what was due'),
        maxMs: ms,
        startP99Ms: ms.describe(
          'Attempts: from their planned instant to their start, behind others that were due as well',
        ),
        startMaxMs: ms,
      })
      .nullable(),
    handshakeMs: summaryOrNull.describe('101s after the drop, from their planned instant'),
    ends: mapOf(count).describe('How connections were dropped, by the words of sessions.cut; closed: by this side'),
    samples: samplesSchema,
    validity: validitySchema,
  })
  .meta({ id: 'storm', description: 'Established clients were dropped and came back by a policy' });
export type Storm = Of<typeof stormSchema>;

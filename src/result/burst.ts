/**
 * One burst, or one churn stage, as a result holds it: when it was released and how close together, the outcomes of its
 * attempts, evidence about the generator, and the handshakes of other users after it.
 */
import { z } from 'zod';
import type { Gate } from '../plan/plan.js';
import { countedLater, countedShape, samplesSchema, summaryOrNull, validitySchema } from './counted.js';
import { count, ms, number, type Of, share, text, timestamp } from './terms.js';

export const gateSchema = z.enum(['connect', 'tls', 'upgrade'] satisfies Gate[]).meta({ id: 'gate' });

const releaseSchema = z.object({
  spreadMs: ms.describe('First to last attempt released'),
  firstMs: ms.describe('First release, after T0'),
  lastMs: ms.describe('Last release, after T0'),
  perWorkerMs: z.array(ms).describe('Each worker’s first release, after T0'),
});
export type Release = Of<typeof releaseSchema>;

const calibrationSchema = z
  .object({
    size: count,
    share101: share,
    spreadMs: ms,
    handshakeMs: summaryOrNull,
    connectMs: summaryOrNull.default(null),
    tlsMs: summaryOrNull.default(null),
    upgradeMs: summaryOrNull,
    rate: number.nullable().describe('Churn: handshakes a second'),
  })
  .meta({ id: 'calibration' });
/** What the generator itself costs for bursts of `size`, measured against a local test server; never subtracted. */
export type Calibration = Of<typeof calibrationSchema>;

/** Evidence about the generator during a burst. */
const generatorEvidenceSchema = z.object({
  launched: count.describe('First system call made'),
  failedToArm: count.describe('Failed before the gate'),
  longestGapMs: ms.describe('Longest time in which a worker’s loop stamped nothing'),
  gcPauses: count,
  gcMaxMs: ms,
  throttledMs: ms.nullable().describe('CPU throttling by the cgroup; null where the kernel does not say'),
  stealShare: share.nullable().describe('CPU stolen by the hypervisor, of all CPU time; null where unknown'),
  tlsResumed: count.nullable().describe('TLS sessions resumed; null over ws'),
});

const afterProbeSchema = z.object({
  atMs: ms.describe('Its start after T0'),
  outcome: text,
  tookMs: ms.describe('Its own start to its end'),
});
/** One single handshake after the burst: what other users experience afterwards. */
export type AfterProbe = Of<typeof afterProbeSchema>;

const afterSchema = z.object({
  fromMs: ms.describe('T0 to the end of the burst, its connections closed: the first probe starts here'),
  everyMs: ms.describe('From one probe’s start to the next one’s'),
  probes: z.array(afterProbeSchema),
  lastFailedMs: ms.nullable().describe('T0 to the start of the last probe that failed; null when none did'),
  stalled: count.optional().describe('Probes left out of the list, because the generator stood still meanwhile'),
  samples: samplesSchema.describe('The first sample of each failed outcome'),
});
/** How long other users were affected once a burst was over: single handshakes at a steady pace. */
export type After = Of<typeof afterSchema>;

const arrivalsSchema = z
  .object({
    planned: count.describe('Starts that were fixed beforehand'),
    started: count.describe('Of these, attempts: the burst counts them'),
    skipped: count.describe('Not started, because as many handshakes were in flight as may be'),
    lateP99Ms: ms.nullable().describe('How long after their planned instants they started'),
    lateMaxMs: ms.nullable(),
  })
  .meta({ id: 'arrivals' });
/** How the schedule of a load with planned starts was kept. */
export type Arrivals = Of<typeof arrivalsSchema>;

/** Reserved for later versions, which may put an object here; this version writes null. */
const reserved = z.object({}).nullable() as z.ZodType<null>;

/** A burst always had its place for sessions: there it may be null, and not absent. */
const { sessions, ...later } = countedLater;

export const burstSchema = z
  .object({
    stage: count,
    index: count.describe('0-based over the whole run'),
    size: count,
    kind: z.enum(['burst', 'churn', 'arrive']),
    gate: gateSchema,
    releasedAt: timestamp.nullable(),
    release: releaseSchema.nullable(),
    makespanMs: ms.nullable().describe('Release to the last end'),
    rate: number.nullable().describe('Churn and arrivals: handshakes a second'),
    perSecond: z.array(number).nullable().describe('Churn and arrivals: 101s in each second'),
    ...countedShape,
    validity: validitySchema,
    calibration: calibrationSchema.nullable().describe('The generator’s own floor, subtracted from nothing'),
    generator: generatorEvidenceSchema,
    after: afterSchema.nullable(),
    sessions: sessions.unwrap(),
    watch: reserved,
    ...later,
    arrivals: arrivalsSchema.nullable().default(null).describe('null where starts are not planned'),
  })
  .meta({ id: 'burst' });
export type Burst = Of<typeof burstSchema>;

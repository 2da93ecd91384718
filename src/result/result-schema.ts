/**
 * The published JSON Schema (2020-12) of a result, the same thing that src/tally/result.ts says to the compiler. A key
 * that is not named here is allowed, so that later versions can add some; a key added later must not become required.
 */

import { NAMED_OUTCOMES } from '../names/outcomes.js';
import { BOUNDED_PHASES, PHASES } from '../names/phases.js';
import { checkSchema } from './check-schema.js';
import { SCHEMA_VERSION } from './result.js';
import {
  count,
  define,
  described,
  flag,
  listOf,
  mapOf,
  nullable,
  number,
  objectOf,
  share,
  text,
  withLater,
} from './schema-terms.js';
import { dropOffSchema, searchSchema } from './search-schema.js';
import type { RootSchema, Schema } from './shape.js';

const ms: Schema = number;
const verdict: Schema = { enum: ['valid', 'suspect', 'invalid'] };
const timestamp: Schema = { type: 'string', description: 'ISO 8601, UTC, µs' };
const grown: Schema = nullable({ type: 'object' });

function eachOf(keys: readonly string[], schema: Schema): Schema {
  return objectOf(Object.fromEntries(keys.map((key) => [key, schema])));
}

const summary = nullable(define('summary'));

/** What bursts and totals share, in the order in which a reader wants it. */
const counted = {
  attempted: described('The sum of outcomes', count),
  outcomes: define('outcomes'),
  latencyMs: eachOf(PHASES, summary),
  latencyLowerMs: described(
    'Lower bounds; null where stamps are the kernel’s',
    nullable(eachOf(BOUNDED_PHASES, summary)),
  ),
  failureMs: described('By outcome, from the instant at which the attempt was due', mapOf(summary)),
  samples: described('The first attempt that ended so, by outcome', mapOf(define('sample'))),
  details: described('Distinct details by outcome, capped; the rest under (other)', mapOf(mapOf(count))),
  lostWhileHeld: described('101s that the target closed while they were held', count),
  clamped: described('Values outside of 1 µs to 10 min, recorded as the nearer end', count),
};

/** Keys of bursts and totals that came later. */
const countedLater = {
  kernel: described('null where the kernel was not asked', nullable(define('kernel'))),
};

const endpoint = objectOf({ host: text, port: count });

const plan = withLater(
  objectOf({
    name: nullable(text),
    about: nullable(text),
    target: objectOf({
      url: text,
      scheme: { enum: ['ws', 'wss'] },
      host: text,
      port: count,
      path: text,
      headers: listOf({ type: 'array', items: text, minItems: 2, maxItems: 2 }),
      origin: nullable(text),
      subprotocols: listOf(text),
      compression: flag,
      tls: objectOf({
        ca: nullable(text),
        cert: nullable(text),
        key: nullable(text),
        servername: nullable(text),
        insecure: flag,
        resume: flag,
      }),
      connectTo: nullable(endpoint),
      sourceIps: listOf(text),
    }),
    data: nullable(objectOf({ file: text, pick: text })),
    gate: define('gate'),
    timeoutMs: ms,
    stages: listOf(described('Its other keys depend on the kind', objectOf({ kind: text }))),
    session: objectOf({ holdMs: nullable(ms) }),
    thresholds: listOf(text),
    abort: nullable(text),
    allowHosts: listOf(text),
    close: nullable(text),
    resolve: text,
    preflight: flag,
    calibrate: flag,
    workers: nullable(count),
    transport: text,
    releaseChunk: nullable(count),
    seed: number,
  }),
  { afterMs: described('Probes for this long once a burst is over', nullable(ms)) },
);

const burst = withLater(
  objectOf({
    stage: count,
    index: described('0-based over the whole run', count),
    size: count,
    kind: { enum: ['burst', 'churn'] },
    gate: define('gate'),
    releasedAt: nullable(timestamp),
    release: nullable(objectOf({ spreadMs: ms, firstMs: ms, lastMs: ms, perWorkerMs: listOf(ms) })),
    makespanMs: described('Release to the last end', nullable(ms)),
    rate: described('Churn: handshakes a second', nullable(ms)),
    perSecond: described('Churn: 101s in each second', nullable(listOf(number))),
    ...counted,
    validity: define('validity'),
    calibration: described('The generator’s own floor, subtracted from nothing', nullable(define('calibration'))),
    generator: objectOf({
      launched: described('First system call made', count),
      failedToArm: count,
      longestGapMs: ms,
      gcPauses: count,
      gcMaxMs: ms,
      throttledMs: nullable(ms),
      stealShare: nullable(share),
      tlsResumed: nullable(count),
    }),
    after: nullable(
      objectOf({
        fromMs: described('T0 to the end of the burst', ms),
        everyMs: ms,
        probes: listOf(objectOf({ atMs: described('Its start after T0', ms), outcome: text, tookMs: ms })),
        lastFailedMs: described('T0 to the start of the last probe that failed', nullable(ms)),
        samples: mapOf(define('sample')),
      }),
    ),
    sessions: grown,
    watch: grown,
  }),
  countedLater,
);

const generator = withLater(
  objectOf({
    id: text,
    host: text,
    cpus: count,
    node: text,
    platform: text,
    transport: text,
    workers: count,
    limits: objectOf({ fds: nullable(count), ports: nullable(count) }),
  }),
  {
    transportNote: described('Why the transport is not epoll', nullable(text)),
  },
);

const preflight = objectOf({
  attempted: count,
  outcomes: define('outcomes'),
  latencyMs: summary,
  samples: mapOf(define('sample')),
  tls: nullable(text),
});

const diagnosis = withLater(objectOf({ cause: text, evidence: text, remedy: text, confidence: share }), {
  outcomes: described('Those that it explains', listOf(text)),
  gateway: described('The hop that answered, as its answers betray it', nullable(text)),
  apart: described('What would tell it from another cause that fits as well', nullable(text)),
  figures: described('The numbers of the evidence, units last in their names', mapOf(number)),
});

const result = objectOf({
  schemaVersion: { const: SCHEMA_VERSION },
  tool: objectOf({ name: { const: 'wstampede' }, version: text }),
  command: text,
  startedAt: timestamp,
  endedAt: timestamp,
  plan: described('What was run; secrets are masked', plan),
  generators: listOf(generator),
  addresses: described('Of the name, the dialled ones first', listOf(text)),
  bursts: listOf(define('burst')),
  preflight: nullable(preflight),
  totals: described(
    'All bursts, merged',
    withLater(
      objectOf({ ...counted, validity: define('validity'), launched: count, rate: nullable(ms) }),
      countedLater,
    ),
  ),
  dropOff: described('Of a search', nullable(dropOffSchema)),
  storm: grown,
  thresholds: listOf(
    objectOf({
      expression: text,
      actual: described('ms, a share, a count or a rate; null: there was nothing to judge', nullable(number)),
      actualLower: described('The same by the lower latency bound', nullable(number)),
      ok: flag,
    }),
  ),
  diagnosis: described('Likely causes, the most likely first', listOf(diagnosis)),
  validity: define('validity'),
  stopped: described('Why the run ended before its plan did', nullable(text)),
  exitCode: count,
});

const outcomeNames = NAMED_OUTCOMES.map(({ id }) => id).join(', ');

/** Times are in ms unless a name says otherwise; absent is null. */
export const resultJsonSchema: RootSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Result of a wstampede run',
  ...withLater(result, {
    check: described('Of the command check: one handshake, step by step', nullable(checkSchema)),
    search: described('Where a search stands', nullable(searchSchema)),
  }),
  $defs: {
    gate: { enum: ['connect', 'tls', 'upgrade'] },
    outcomes: described(
      `How many attempts ended as what: a status (101 is success) or one of ${outcomeNames}`,
      mapOf(count),
    ),
    summary: objectOf({
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
      hdr: described('HdrHistogram V2, compressed, base64; µs', text),
    }),
    sample: objectOf({
      statusLine: nullable(text),
      headers: listOf({ type: 'array', items: text, minItems: 2, maxItems: 2 }),
      body: described('At most 1 KiB', nullable(text)),
      detail: nullable(text),
      atMs: described('After the instant at which the attempt was due', ms),
    }),
    validity: withLater(
      objectOf({ verdict, reasons: described('One sentence each, the gravest first', listOf(text)) }),
      {
        weights: described(
          'What each of the reasons would make of it by itself; absent where that is the verdict for all of them',
          listOf(verdict),
        ),
      },
    ),
    kernel: described(
      'What the kernel said of the connections (TCP_INFO)',
      objectOf({
        asked: described('Attempts whose TCP_INFO is known', count),
        synRetransmitted: described('Of these, with a SYN that was sent again', count),
        synRetransmits: described('SYNs sent again', count),
        retransmitted: described('Of these, with data that was sent again', count),
        retransmits: described('Segments sent again once connected', count),
      }),
    ),
    calibration: objectOf({
      size: count,
      share101: share,
      spreadMs: ms,
      handshakeMs: summary,
      upgradeMs: summary,
      rate: nullable(ms),
    }),
    burst,
  },
};

/**
 * The parts of the published JSON Schema that describe a search: what it found, the same thing that drop-off.ts says to
 * the compiler, and its state, the same that the search ring's SearchState is. The state is in the document so that a
 * search that was stopped can go on; it is checked by this shape before anything is believed of it, and what a shape
 * can't say is asked by the search itself.
 */
import { SEARCH_FLAGS, SEARCH_VERDICTS } from './drop-off.js';
import type { Schema } from './shape.js';

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const size: Schema = { type: 'integer', minimum: 1 };
const number: Schema = { type: 'number' };
const positive: Schema = { type: 'number', minimum: 0 };
const share: Schema = { type: 'number', minimum: 0, maximum: 1 };
const span: Schema = { type: 'array', items: orNull(count), minItems: 2, maxItems: 2 };
const bounds: Schema = { type: 'array', items: number, minItems: 2, maxItems: 2 };
const outcomes: Schema = { $ref: '#/$defs/outcomes' };

function said(description: string, schema: Schema): Schema {
  return { description, ...schema };
}

function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

function objectOf(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: true };
}

const rung = objectOf({
  size,
  bursts: count,
  good: count,
  bad: count,
  marginal: count,
  invalid: count,
  fresh: said('Counted bursts on a rested target', count),
  stale: count,
  share: said('101s that were not lost, of those launched in valid bursts', orNull(share)),
  shareInterval: said('Burst-level, never of pooled handshakes', orNull(bounds)),
  p50Ms: said('Lower and upper bound, median burst', orNull(bounds)),
  p99Ms: orNull(bounds),
  spreadMs: orNull(number),
  outcomes,
});

export const dropOffSchema: Schema = objectOf({
  asked: objectOf({ min: size, max: size, objectives: listOf(text), freshWaitMs: positive }),
  verdict: { enum: SEARCH_VERDICTS },
  because: said('Why the search ended so', text),
  estimate: said('Burst size at which half of the bursts miss the objective', orNull(count)),
  bracket: said('Largest size decided to be good, smallest decided to be bad; an open end is null', span),
  interval95: span,
  confidence: said('Posterior mass inside of the bracket', share),
  objective: said('The one that broke first', orNull(text)),
  quantile: said('Share of bursts that must meet the objectives', share),
  survivorsAtLo: orNull(count),
  survivorsAtHi: orNull(count),
  flags: listOf(objectOf({ id: { enum: SEARCH_FLAGS }, says: text })),
  inversions: listOf(objectOf({ passes: size, failsFrom: size, failsTo: size })),
  ladder: said('By size', listOf(rung)),
  knee: said(
    'Informational: where more load stopped bringing more handshakes a second',
    orNull(
      objectOf({
        model: { enum: ['usl', 'two-segment'] },
        size: positive,
        misfit: number,
        otherMisfit: number,
        peak: orNull(number),
      }),
    ),
  ),
  afterBreak: said('Largest size that still passed right after a break; 0: none; null: not tried', orNull(count)),
  recoveredAfterMs: orNull(positive),
  unrecovered: orNull(
    objectOf({ load: said('Largest load that it did not take again', orNull(size)), waitedMs: positive }),
  ),
  limit: said('What this generator could not do', orNull(objectOf({ most: orNull(count), reason: text }))),
  cost: objectOf({
    bursts: count,
    handshakes: count,
    failedHandshakes: count,
    badBursts: count,
    invalidBursts: count,
    canaries: count,
    canaryHandshakes: count,
    canaryFailures: count,
    wallMs: positive,
  }),
});

const objective = objectOf({ name: text, share, withinMs: orNull(positive) });

const options = objectOf({
  min: size,
  max: size,
  start: size,
  growth: positive,
  width: positive,
  lead: size,
  cap: size,
  budget: size,
  coolMs: positive,
  freshWaitMs: positive,
  maxWaitMs: positive,
  deadlineMs: positive,
  harm: size,
  quantile: share,
  ci: share,
  objectives: listOf(objective),
  drain: flag,
  downSweep: flag,
});

const facts = objectOf({
  launched: count,
  survived: count,
  failed: listOf({ type: 'array', items: count, minItems: 2, maxItems: 2 }),
  outcomes,
  spreadMs: orNull(number),
  makespanMs: orNull(number),
  p50Ms: orNull(bounds),
  p99Ms: orNull(bounds),
  paced: flag,
  invalid: orNull(text),
});

const why: Schema = {
  enum: [
    ...['ramp', 'descend', 'repeat', 'hint', 'gallop', 'bisect', 'confirm-low', 'confirm-high'],
    ...['sentinel', 'break', 'after-break'],
  ],
};

const fired = objectOf({
  index: count,
  size,
  why,
  fresh: flag,
  counts: orNull({ enum: ['fresh', 'stale'] }),
  verdict: { enum: ['good', 'bad', 'marginal', 'invalid'] },
  binding: orNull(count),
  reason: orNull(text),
  startedAtMs: number,
  endedAtMs: number,
  facts,
});

const canary = objectOf({ attempted: count, survived: count, p95Ms: orNull(positive) });

const ended = objectOf({ verdict: { enum: SEARCH_VERDICTS }, because: text });

const state = objectOf({
  version: { const: 1 },
  options,
  startedAtMs: number,
  lastAtMs: number,
  pausedMs: positive,
  history: said('Every burst that was fired', listOf(fired)),
  baseline: { type: 'array', items: canary, maxItems: 3 },
  canary: objectOf({
    canaries: count,
    handshakes: count,
    failed: count,
    rested: objectOf({ attempted: count, failed: count, withFailures: count }),
  }),
  health: objectOf({ isProven: flag, failingSinceMs: orNull(number), pollMs: positive }),
  lastBadEndMs: orNull(number),
  badCoolMs: positive,
  restUntilMs: number,
  whyRest: { enum: ['cool', 'fresh', 'recover', 'canary'] },
  freshMode: flag,
  restored: flag,
  restore: orNull(
    objectOf({ loads: listOf(size), at: count, attempt: count, waitMs: positive, missed: orNull(count) }),
  ),
  recoveredAfterMs: orNull(positive),
  cursor: objectOf({
    plan: { enum: ['none', 'below-hint', 'above-hint', 'gallop'] },
    gallops: count,
    hint: orNull(positive),
    lastWasBad: flag,
    lowAt: orNull(positive),
    highAt: orNull(positive),
  }),
  shot: orNull(objectOf({ size, fresh: flag, why, invalid: count })),
  inFlight: orNull(objectOf({ sinceMs: number, fresh: flag })),
  limits: objectOf({
    max: count,
    invalidFrom: orNull(count),
    blocked: listOf(count),
    reason: orNull(text),
  }),
  sweep: orNull(objectOf({ sizes: listOf(size), at: count, passed: orNull(count), found: ended })),
  ended: orNull(ended),
});

export const searchSchema: Schema = objectOf({
  stage: count,
  firstIndex: said('Index of its first burst', count),
  attempts: said('Handshakes of the run that had a number so far', count),
  state: said('Where it stands: find --resume goes on from here', state),
});

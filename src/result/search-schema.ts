/**
 * The parts of the published JSON Schema that describe a search: what it found, the same thing that drop-off.ts says to
 * the compiler, and its state, the same that the search ring's SearchState is. The state is in the document so that a
 * search that was stopped can go on; it is checked by this shape before anything is believed of it, and what a shape
 * can't say is asked by the search itself.
 */
import { SEARCH_FLAGS, SEARCH_VERDICTS } from './drop-off.js';
import { count, define, described, flag, listOf, nullable, number, objectOf, share, text } from './schema-terms.js';
import type { Schema } from './shape.js';

const size: Schema = { type: 'integer', minimum: 1 };
const positive: Schema = { type: 'number', minimum: 0 };
const span: Schema = { type: 'array', items: nullable(count), minItems: 2, maxItems: 2 };
const bounds: Schema = { type: 'array', items: number, minItems: 2, maxItems: 2 };
const outcomes: Schema = define('outcomes');

const rung = objectOf({
  size,
  bursts: count,
  good: count,
  bad: count,
  marginal: count,
  invalid: count,
  fresh: described('Counted bursts on a rested target', count),
  stale: count,
  share: described('101s that were not lost, of those launched in valid bursts', nullable(share)),
  shareInterval: described('Burst-level, never of pooled handshakes', nullable(bounds)),
  p50Ms: described('Lower and upper bound, median burst', nullable(bounds)),
  p99Ms: nullable(bounds),
  spreadMs: nullable(number),
  outcomes,
});

export const dropOffSchema: Schema = objectOf({
  asked: objectOf({ min: size, max: size, objectives: listOf(text), freshWaitMs: positive }),
  verdict: { enum: SEARCH_VERDICTS },
  because: described('Why the search ended so', text),
  estimate: described('Burst size at which half of the bursts miss the objective', nullable(count)),
  bracket: described('Largest size decided to be good, smallest decided to be bad; an open end is null', span),
  interval95: span,
  confidence: described('Posterior mass inside of the bracket', share),
  objective: described('The one that broke first', nullable(text)),
  quantile: described('Share of bursts that must meet the objectives', share),
  survivorsAtLo: nullable(count),
  survivorsAtHi: nullable(count),
  flags: listOf(objectOf({ id: { enum: SEARCH_FLAGS }, says: text })),
  inversions: listOf(objectOf({ passes: size, failsFrom: size, failsTo: size })),
  ladder: described('By size', listOf(rung)),
  knee: described(
    'Informational: where more load stopped bringing more handshakes a second',
    nullable(
      objectOf({
        model: { enum: ['usl', 'two-segment'] },
        size: positive,
        misfit: number,
        otherMisfit: number,
        peak: nullable(number),
      }),
    ),
  ),
  afterBreak: described(
    'Largest size that still passed right after a break; 0: none; null: not tried',
    nullable(count),
  ),
  recoveredAfterMs: nullable(positive),
  unrecovered: nullable(
    objectOf({ load: described('Largest load that it did not take again', nullable(size)), waitedMs: positive }),
  ),
  limit: described('What this generator could not do', nullable(objectOf({ most: nullable(count), reason: text }))),
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

const objective = objectOf({ name: text, share, withinMs: nullable(positive) });

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
  spreadMs: nullable(number),
  makespanMs: nullable(number),
  p50Ms: nullable(bounds),
  p99Ms: nullable(bounds),
  paced: flag,
  invalid: nullable(text),
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
  counts: nullable({ enum: ['fresh', 'stale'] }),
  verdict: { enum: ['good', 'bad', 'marginal', 'invalid'] },
  binding: nullable(count),
  reason: nullable(text),
  startedAtMs: number,
  endedAtMs: number,
  facts,
});

const canary = objectOf({ attempted: count, survived: count, p95Ms: nullable(positive) });

const ended = objectOf({ verdict: { enum: SEARCH_VERDICTS }, because: text });

const state = objectOf({
  version: { const: 1 },
  options,
  startedAtMs: number,
  lastAtMs: number,
  pausedMs: positive,
  history: described('Every burst that was fired', listOf(fired)),
  baseline: { type: 'array', items: canary, maxItems: 3 },
  canary: objectOf({
    canaries: count,
    handshakes: count,
    failed: count,
    rested: objectOf({ attempted: count, failed: count, withFailures: count }),
  }),
  health: objectOf({ isProven: flag, failingSinceMs: nullable(number), pollMs: positive }),
  lastBadEndMs: nullable(number),
  badCoolMs: positive,
  restUntilMs: number,
  whyRest: { enum: ['cool', 'fresh', 'recover', 'canary'] },
  freshMode: flag,
  restored: flag,
  restore: nullable(
    objectOf({ loads: listOf(size), at: count, attempt: count, waitMs: positive, missed: nullable(count) }),
  ),
  recoveredAfterMs: nullable(positive),
  cursor: objectOf({
    plan: { enum: ['none', 'below-hint', 'above-hint', 'gallop'] },
    gallops: count,
    hint: nullable(positive),
    lastWasBad: flag,
    lowAt: nullable(positive),
    highAt: nullable(positive),
  }),
  shot: nullable(objectOf({ size, fresh: flag, why, invalid: count })),
  inFlight: nullable(objectOf({ sinceMs: number, fresh: flag })),
  limits: objectOf({
    max: count,
    invalidFrom: nullable(count),
    blocked: listOf(count),
    reason: nullable(text),
  }),
  sweep: nullable(objectOf({ sizes: listOf(size), at: count, passed: nullable(count), found: ended })),
  ended: nullable(ended),
});

export const searchSchema: Schema = objectOf({
  stage: count,
  firstIndex: described('Index of its first burst', count),
  attempts: described('Handshakes of the run that had a number so far', count),
  state: described('Where it stands: find --resume goes on from here', state),
});

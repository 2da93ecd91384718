/**
 * The stage table: one entry for each kind of stage, with what may be written and the Stage that it becomes. A new kind is
 * a new entry here and a new member of the Stage union in plan.ts; the schema, the errors and the editors follow.
 */
import { z } from 'zod';
import type { FindStage, Stage } from '../plan.js';
import { count, duration, flag, map, numberAbove, share, word } from './field.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Of a run; keeps {{ index }} and every counter far from the end of exact integers. */
export const MOST_ATTEMPTS = 100_000_000;
const MOST_OPEN = 1_000_000;
const MOST_TIMES = 10_000;

/** Between bursts, when a profile says nothing: time enough for a target to clear its queues, short enough to wait for. */
const DEFAULT_REST_MS = 5000;

/** A pause after bursts; days would be a slip of the unit. */
export const rest = duration(
  0,
  DAY_MS,
  'Pause after each burst of this stage but the last of the run; default 5s',
).optional();

/** What concerns two keys is told beside what is wrong with a third. */
const EVEN_BESIDE_OTHERS = { when: () => true };

interface Steps {
  readonly from: number;
  readonly to: number;
  readonly by?: number | undefined;
  readonly factor?: number | undefined;
}

/** From `from` upwards to `to`; `to` itself is always the last step, also where the stride would miss it. */
function stepSizes({ from, to, by, factor }: Steps): number[] {
  const sizes = new Set<number>();
  for (let i = 0, size = from; size < to && sizes.size <= MOST_TIMES; i += 1) {
    sizes.add(size);
    // Powers of the factor and not products of rounded sizes, so that 100 × 1.1^n stays 1.1^n; at least one more each time.
    size = factor === undefined ? size + (by ?? 1) : Math.max(size + 1, Math.round(from * factor ** (i + 1)));
  }
  return [...sizes, to];
}

const steps = map(
  {
    from: count(1, MOST_OPEN, 'First burst size'),
    to: count(1, MOST_OPEN, 'Last burst size; always one of the steps'),
    by: count(1, MOST_OPEN, 'Added from step to step; either this or factor').optional(),
    factor: numberAbove(1, 100, 'Multiplies from step to step; either this or by').optional(),
  },
  'steps',
).superRefine((value, context) => {
  for (const problem of stepsProblems(value)) context.addIssue({ code: 'custom', ...problem });
}, EVEN_BESIDE_OTHERS);

/** `written` may hold anything where a key has a problem of its own. */
function stepsProblems(written: Steps): { readonly message: string; readonly path: string[] }[] {
  if (typeof written !== 'object' || written === null) return [];
  const { from, to, by, factor } = written;
  const problems: { message: string; path: string[] }[] = [];
  if (isSize(from) && isSize(to) && to < from) {
    problems.push({ message: `expected a size of at least from (${from}), found ${to}`, path: ['to'] });
  }
  if (by === undefined && factor === undefined) {
    problems.push({ message: 'expected by or factor, found neither', path: [] });
  } else if (by !== undefined && factor !== undefined) {
    problems.push({ message: 'expected by or factor, found both', path: ['factor'] });
  } else if (problems.length === 0 && [from, to].every(isSize) && (isSize(by) || isStride(factor))) {
    if (stepSizes(written).length > MOST_TIMES) {
      problems.push({ message: `expected at most ${MOST_TIMES} steps`, path: [] });
    }
  }
  return problems;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isStride(value: unknown): value is number {
  return typeof value === 'number' && value > 1;
}

const churn = map(
  {
    total: count(1, MOST_ATTEMPTS, 'Handshakes in total; either this or for, or both').optional(),
    inFlight: count(1, MOST_OPEN, 'Handshakes in flight at any time'),
    for: duration(1, DAY_MS, 'No launches after this long').optional(),
  },
  'churn',
).superRefine((value, context) => {
  if (typeof value === 'object' && value !== null && value.total === undefined && value.for === undefined) {
    context.addIssue({ code: 'custom', message: 'expected total or for, found neither' });
  }
}, EVEN_BESIDE_OTHERS);

/** A share of nothing would call every burst good. */
const LEAST_SHARE = 0.01;

/** Defaults are those of the search: what is not written here is decided by its preset. */
const findShape = {
  max: count(1, MOST_OPEN, 'Never more handshakes than this at once'),
  min: count(1, MOST_OPEN, 'Smallest burst; default 10').optional(),
  expect: count(1, MOST_OPEN, 'The drop-off that you expect: the search begins at a 16th of it').optional(),
  width: share(0.005, 0.5, 'Relative width of the bracket at which it ends; default 5%, quick 10%').optional(),
  share: share(LEAST_SHARE, 1, 'Objective: so many get their 101; default 99.9% when there is no objective').optional(),
  p99: duration(1, HOUR_MS, 'Objective: 99% get their 101 within this time').optional(),
  p95: duration(1, HOUR_MS, 'Objective: 95% get their 101 within this time').optional(),
  preset: word(['quick', 'standard', 'thorough'], 'How sure to be; default standard').optional(),
  rest: duration(0, DAY_MS, 'Cool-down after each burst; default 10s').optional(),
  freshWait: duration(
    0,
    DAY_MS,
    'Rest after which a target that broke counts as rested; default 120s, quick 30s, thorough 300s',
  ).optional(),
  maxWait: duration(0, DAY_MS, 'Longest wait for a target to recover; default 1.5 times freshWait').optional(),
  budget: count(1, MOST_TIMES, 'Bursts at most; default 60').optional(),
  deadline: duration(1, 7 * DAY_MS, 'No burst begins after this long; default 2h, quick 1h, thorough 6h').optional(),
  burstQuantile: share(0.5, 0.99, 'Share of bursts that must meet the objectives; default 50%').optional(),
  downSweep: flag('Once found: what does the target take right after a break? Default false').optional(),
  harm: count(1, MOST_ATTEMPTS, 'Stop once so many handshakes have failed; default 20 times max').optional(),
};

const find = map(findShape, 'find').superRefine((written, context) => {
  // Another key may hold a problem of its own, and then anything.
  if (typeof written !== 'object' || written === null) return;
  const { max, min, expect } = written;
  if (!isSize(max)) return;
  const above = (path: string, value: unknown): void => {
    if (!isSize(value) || value <= max) return;
    context.addIssue({
      code: 'custom',
      message: `expected a size of at most max (${max}), found ${value}`,
      path: [path],
    });
  };
  above('min', min);
  above('expect', expect);
}, EVEN_BESIDE_OTHERS);

type FindWritten = z.output<typeof find>;

function findStage(written: FindWritten): FindStage {
  const { max, min, expect, width, share, p99, p95, preset, rest, freshWait, maxWait } = written;
  const { budget, deadline, burstQuantile, downSweep, harm } = written;
  return {
    kind: 'find',
    max,
    min: min ?? null,
    expect: expect ?? null,
    width: width ?? null,
    share: share ?? null,
    p99Ms: p99 ?? null,
    p95Ms: p95 ?? null,
    preset: preset ?? null,
    restMs: rest ?? null,
    freshWaitMs: freshWait ?? null,
    maxWaitMs: maxWait ?? null,
    budget: budget ?? null,
    deadlineMs: deadline ?? null,
    burstQuantile: burstQuantile ?? null,
    downSweep: downSweep ?? false,
    harm: harm ?? null,
  };
}

/** The key that names a stage in a profile is the key of its entry here. */
const STAGE_TABLE = {
  burst: map(
    {
      burst: count(1, MOST_OPEN, 'Handshakes released together'),
      times: count(1, MOST_TIMES, 'How many such bursts; default 1').optional(),
      rest,
    },
    'a burst stage',
  ).transform((s): Stage => ({ kind: 'burst', size: s.burst, times: s.times ?? 1, restMs: s.rest ?? DEFAULT_REST_MS })),
  steps: map({ steps, rest }, 'a steps stage').transform(
    (s): Stage => ({ kind: 'steps', sizes: stepSizes(s.steps), restMs: s.rest ?? DEFAULT_REST_MS }),
  ),
  churn: map({ churn, rest }, 'a churn stage').transform(
    ({ churn: { total = null, inFlight, for: forMs = null }, rest: restMs = DEFAULT_REST_MS }): Stage => ({
      kind: 'churn',
      total,
      inFlight,
      forMs,
      restMs,
    }),
  ),
  find: map({ find }, 'a find stage').transform((s): Stage => findStage(s.find)),
};

/** In the order of the union's options. */
export const STAGE_KINDS: readonly string[] = Object.keys(STAGE_TABLE);

/** Kinds that the documents name and this version does not have. */
export const LATER_STAGES: readonly string[] = ['arrive', 'storm'];

/** A stage as written becomes a Stage. */
export const stageSchema = z.union(Object.values(STAGE_TABLE));

/**
 * A reconnect policy in a profile: the name of a preset, or waits as a list or a curve with what ends them. What is
 * wrong is a problem of the key that holds it, as everywhere in a profile.
 */
import { z } from 'zod';
import { UserError } from '../../errors.js';
import { longestLastWaitMs } from '../policy/last-wait.js';
import {
  type AttemptLimit,
  CLAMPS,
  type CodeRange,
  type Growth,
  NAMED_DRAWS,
  type Policy,
  type PolicyReset,
  RESET_WORDS,
  type WaitCurve,
  type WaitList,
} from '../policy/policy.js';
import { PRESET_NAMES, presetNamed } from '../policy/presets.js';
import { parseTimeRange, type TimeRange } from '../policy/time-range.js';
import { didYouMean } from '../suggest.js';
import { parseCount, parseDurationMs } from '../units.js';
import { converted, duration, list, map, shown, text, unlike, word } from './field.js';
import { DAY_MS, HOUR_MS } from './stages/bounds.js';

const MOST_WAITS = 100;
const MOST_CODES = 100;
const MOST_POLICIES = 20;
const MOST_TRIES = 1_000_000;
const MOST_GROWTH = 100;
const MOST_JITTER = 10;
/** A client that waits less for ever is a busy loop: it would measure the generator. */
const SHORTEST_LAST_WAIT_MS = 10;

const OWN_NAME = 'own';

const TIME = '(\\d+(\\.\\d+)?(h|ms|m|s|us|µs))+';

function refuse(message: string): never {
  throw new UserError(message, { code: 'policy' });
}

/** One text or number, read by a parser whose UserError becomes the problem. */
function written<T>(about: string, pattern: string, parse: (written: string | number) => T) {
  return z
    .union([z.number(), z.string().meta({ pattern })], {
      error: unlike(about),
    })
    .transform((value, context): T => converted(context, () => parse(value)))
    .meta({ description: about });
}

export const timeRange = written(
  'a time such as 2s, or a range such as 5s..30s',
  `^\\s*(0|${TIME})(\\.\\.${TIME})?\\s*$`,
  (value) => {
    const range = parseTimeRange(value);
    return range.toMs <= DAY_MS ? range : refuse(`expected at most 24h, found ${value}`);
  },
);

const waitList = list(timeRange, 1, MOST_WAITS, 'waits').transform((waits): WaitList => ({ kind: 'list', waits }));

const growth = written(
  'a factor such as 2, or a step such as +5s',
  `^\\s*(\\+${TIME}|\\d+(\\.\\d+)?)\\s*$`,
  (value): Growth => {
    const trimmed = String(value).trim();
    if (trimmed.startsWith('+')) return { by: 'step', stepMs: parseDurationMs(trimmed.slice(1)) };
    const factor = /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : Number.NaN;
    if (factor >= 1 && factor <= MOST_GROWTH) return { by: 'factor', factor };
    return refuse(`expected a factor from 1 to ${MOST_GROWTH}, or a step such as +5s, found ${shown(value)}`);
  },
);

function factor(least: number, most: number) {
  const error = unlike(`a factor from ${least} to ${most}`);
  return z.number({ error }).min(least, { error }).max(most, { error });
}

const jitter = list(factor(0, MOST_JITTER), 2, 2, 'factors')
  .superRefine(([least = 0, most = 0], context) => {
    if (least > most) context.addIssue({ code: 'custom', message: 'expected the smaller factor first' });
  })
  .transform(([least = 1, most = 1]) => ({ least, most }))
  .meta({ description: 'Factor on each wait, drawn between the two: [0, 1] is full jitter; default [1, 1], none' });

const curveMap = map(
  {
    first: timeRange,
    grow: growth.optional(),
    max: duration(1, DAY_MS, 'Longest wait; default none').optional(),
    jitter: jitter.optional(),
    plus: timeRange.optional(),
    clamp: word(CLAMPS, 'What max limits: the base before jitter, the wait after it, or both; default base').optional(),
    per: word(['client'], 'client: first is drawn once for each client').optional(),
    draw: word(NAMED_DRAWS, 'A draw of one library that is no single uniform one').optional(),
  },
  'waits',
);
type WrittenCurve = z.output<typeof curveMap>;

const NOTHING: TimeRange = { fromMs: 0, toMs: 0 };

const waitCurve = curveMap
  .superRefine((curve, context) => {
    for (const [key, message] of curveProblems(curve)) context.addIssue({ code: 'custom', message, path: [key] });
  })
  .transform(
    ({ first, grow, max, jitter, plus, clamp, per, draw }): WaitCurve => ({
      kind: 'curve',
      first,
      isPerClient: per === 'client',
      growth: grow ?? { by: 'factor', factor: 1 },
      maxMs: max ?? null,
      jitter: jitter ?? { least: 1, most: 1 },
      plus: plus ?? NOTHING,
      clamp: clamp ?? 'base',
      draw: draw ?? null,
    }),
  );

/** What a curve says that its draw does not use, or lacks. */
function curveProblems({
  first,
  grow,
  jitter,
  plus,
  per,
  draw,
}: WrittenCurve): (readonly [key: string, message: string])[] {
  const isRange = first.fromMs !== first.toMs;
  const isAroundOne = jitter !== undefined && Math.abs(jitter.least + jitter.most - 2) < 1e-9;
  const problems: (readonly [string, string])[] = [];
  if (isRange && per === undefined && draw !== 'product')
    problems.push([
      'first',
      'a range is drawn once for each client (add per: client) or for each wait (add draw: product)',
    ]);
  if (!isRange && (per === 'client' || draw === 'product'))
    problems.push(['first', 'expected a range such as 1s..5s, because it is to be drawn']);
  if (per === 'client' && draw === 'product')
    problems.push(['per', 'draw: product draws first for each wait: keep one of them']);
  if ((draw === 'comb' || draw === 'gauss') && !isAroundOne)
    problems.push(['jitter', `draw: ${draw} needs a jitter around 1, such as [0.5, 1.5]`]);
  if (draw === 'decorrelated' && (jitter !== undefined || grow?.by !== 'factor'))
    problems.push(['draw', 'decorrelated needs grow, a factor such as 3, and takes no jitter']);
  if (plus !== undefined && draw !== undefined && draw !== 'product')
    problems.push(['plus', `draw: ${draw} adds nothing: leave plus out`]);
  return problems;
}

/** A time has a unit; everything else is read as a count, whose own message explains what is wrong. */
const attempts = written('a number of attempts such as 5, or a total time such as 15m', '^\\s*\\d.*$', (value) => {
  const isTime = typeof value === 'string' && /^\s*(\d+(\.\d+)?(h|ms|m|s|us|µs))+\s*$/.test(value);
  if (isTime) return { attempts: null, totalMs: parseDurationMs(value) };
  const count = parseCount(value);
  return count <= MOST_TRIES
    ? { attempts: count, totalMs: null }
    : refuse(`expected at most ${MOST_TRIES} attempts, found ${count}`);
});

const attemptMs = duration(1, HOUR_MS, 'Longest time for one attempt, up to ready');

const timeout = z.union(
  [
    attemptMs.transform((ms): AttemptLimit => ({ firstMs: ms, grow: 1, maxMs: ms })),
    map(
      {
        first: attemptMs,
        grow: factor(1, MOST_GROWTH).meta({ description: 'Factor from attempt to attempt' }),
        max: attemptMs,
      },
      'timeout',
    ).transform(({ first, grow, max }): AttemptLimit => ({ firstMs: first, grow, maxMs: Math.max(first, max) })),
  ],
  { error: unlike('a duration such as 20s, or a map of first, grow, max') },
);

const reset = written(
  `${RESET_WORDS.join(', ')}, or for how long a client must be up, such as 5s`,
  `^(${RESET_WORDS.join('|')}|${TIME})$`,
  (value): PolicyReset => {
    const known = RESET_WORDS.find((one) => one === value);
    if (known !== undefined) return known;
    if (/^\s*\d/.test(String(value))) return { upMs: parseDurationMs(value) };
    return refuse(
      `expected ${RESET_WORDS.join(', ')}, or a time such as 5s, found ${shown(value)}${didYouMean(String(value), RESET_WORDS)}`,
    );
  },
);

const codes = list(
  written(
    'an HTTP status, a close code, or a range of them such as 4400-4499',
    '^\\d{3,4}(-\\d{3,4})?$',
    (value): CodeRange => {
      const [, from = '', to = from] = /^(\d{3,4})(?:-(\d{3,4}))?$/.exec(String(value)) ?? [];
      const range = { from: Number(from), to: Number(to) };
      const isOneKind = kindOfCode(range.from) !== null && kindOfCode(range.from) === kindOfCode(range.to);
      if (isOneKind && range.from <= range.to) return range;
      return refuse(
        `expected HTTP statuses (100 to 599) or close codes (1000 to 4999), the lower first, found ${shown(value)}`,
      );
    },
  ),
  0,
  MOST_CODES,
  'codes',
);

function kindOfCode(code: number): 'status' | 'close' | null {
  if (code >= 100 && code <= 599) return 'status';
  return code >= 1000 && code <= 4999 ? 'close' : null;
}

const policyMap = map(
  {
    name: text(40, 'Its name in results; default own').optional(),
    waits: z.union([waitList, waitCurve], {
      error: unlike('a list of waits, or a map of first, grow, max, jitter'),
    }),
    attempts: attempts.optional(),
    timeout: timeout.optional(),
    reset: reset.optional(),
    stop: codes.optional().meta({ description: 'HTTP statuses and close codes after which a client never comes back' }),
    now: codes
      .optional()
      .meta({ description: 'HTTP statuses and close codes after which it comes back without a wait' }),
  },
  'a reconnect policy',
)
  .transform(
    ({ name = OWN_NAME, waits, attempts, timeout = null, reset = 'ready', stop = [], now = [] }): Policy => ({
      name,
      waits,
      attempts: attempts?.attempts ?? null,
      totalMs: attempts?.totalMs ?? null,
      timeout,
      reset,
      stop,
      now,
    }),
  )
  .superRefine((policy, context) => {
    for (const [key, message] of policyProblems(policy)) context.addIssue({ code: 'custom', message, path: [key] });
  })
  .meta({ id: 'policy' });

function policyProblems(policy: Policy): (readonly [key: string, message: string])[] {
  const { name, attempts, stop, now } = policy;
  const problems: (readonly [string, string])[] = [];
  if (PRESET_NAMES.includes(name)) problems.push(['name', `${name} is a preset: give your policy another name`]);
  if (attempts === null && longestLastWaitMs(policy) < SHORTEST_LAST_WAIT_MS)
    problems.push([
      'waits',
      `the last wait repeats for ever: expected at least ${SHORTEST_LAST_WAIT_MS}ms, or a number of attempts`,
    ]);
  const both = stop.find((one) => now.some((other) => one.from <= other.to && other.from <= one.to));
  if (both !== undefined) problems.push(['now', `${both.from} is in stop as well: keep one of them`]);
  return problems;
}

const presetName = z
  .string()
  .transform((name, context): Policy => {
    const preset = presetNamed(name);
    if (preset !== null) return preset.policy;
    const known = didYouMean(name, PRESET_NAMES) || `; the presets are ${PRESET_NAMES.join(', ')}`;
    context.addIssue({ code: 'custom', message: `no reconnect policy is called ${shown(name)}${known}` });
    return z.NEVER;
  })
  .meta({ enum: [...PRESET_NAMES], description: 'The policy of a client library' });

const onePolicy = z.union([presetName, policyMap], {
  error: unlike('the name of a reconnect policy such as socket.io, or a map of waits'),
});

/** One policy, or several that are compared. */
export const reconnect = z.union(
  [
    presetName.transform((policy): readonly Policy[] => [policy]),
    policyMap.transform((policy): readonly Policy[] => [policy]),
    list(onePolicy, 1, MOST_POLICIES, 'policies').superRefine((policies, context) => {
      const names = policies.map(({ name }) => name);
      names.forEach((name, i) => {
        if (names.indexOf(name) < i)
          context.addIssue({
            code: 'custom',
            message: `a second policy is called ${name}: give each its own name`,
            path: [i],
          });
      });
    }),
  ],
  { error: unlike('a reconnect policy, its name, or a list of them') },
);

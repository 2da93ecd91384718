/** A reconnect policy as a profile writes it: what it becomes, and what is said about mistakes, with their paths. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '#dist/errors.js';
import { FleetWaits } from '#dist/plan/policy/fleet-waits.js';
import type { Policy } from '#dist/plan/policy/policy.js';
import { policyWords } from '#dist/plan/policy/policy-words.js';
import { PRESET_NAMES, PRESETS } from '#dist/plan/policy/presets.js';
import { formatTimeRange, parseTimeRange } from '#dist/plan/policy/time-range.js';
import { LONGEST_WAIT_MS } from '#dist/plan/policy/waits.js';
import { reconnect } from '#dist/plan/profile/policy-schema.js';
import { problemsOf } from '#dist/plan/profile/problems.js';
import { formatDuration } from '#dist/plan/units.js';

function policies(value: unknown): readonly Policy[] {
  const parsed = reconnect.safeParse(value);
  assert.ok(parsed.success, JSON.stringify(parsed.error?.issues));
  return parsed.data;
}

function policy(value: unknown): Policy {
  const [one, ...others] = policies(value);
  assert.equal(others.length, 0);
  return one;
}

/** `path: message` of every problem. */
function problems(value: unknown): string[] {
  const parsed = reconnect.safeParse(value);
  assert.ok(!parsed.success, JSON.stringify(parsed.data));
  return problemsOf(parsed.error.issues, value).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('the whole grammar', () => {
  assert.deepEqual(
    policy({
      waits: ['0s', '2s', '10s', '20s..30s'],
      attempts: 4,
      timeout: '20s',
      reset: '5s',
      stop: ['4400-4499', 401],
      now: [1000],
    }),
    {
      name: 'own',
      waits: {
        kind: 'list',
        waits: [
          { fromMs: 0, toMs: 0 },
          { fromMs: 2000, toMs: 2000 },
          { fromMs: 10_000, toMs: 10_000 },
          { fromMs: 20_000, toMs: 30_000 },
        ],
      },
      attempts: 4,
      totalMs: null,
      timeout: { firstMs: 20_000, grow: 1, maxMs: 20_000 },
      reset: { upMs: 5000 },
      stop: [
        { from: 4400, to: 4499 },
        { from: 401, to: 401 },
      ],
      now: [{ from: 1000, to: 1000 }],
    },
  );
  assert.deepEqual(
    policy({
      name: 'mine',
      waits: { first: '1s..5s', per: 'client', grow: '+5s', max: '1m', jitter: [0, 1], plus: '1s..2s', clamp: 'both' },
      attempts: '15m',
      timeout: { first: '1s', grow: 1.2, max: '30s' },
      reset: 'never',
    }),
    {
      name: 'mine',
      waits: {
        kind: 'curve',
        first: { fromMs: 1000, toMs: 5000 },
        isPerClient: true,
        growth: { by: 'step', stepMs: 5000 },
        maxMs: 60_000,
        jitter: { least: 0, most: 1 },
        plus: { fromMs: 1000, toMs: 2000 },
        clamp: 'both',
        draw: null,
      },
      attempts: null,
      totalMs: 900_000,
      timeout: { firstMs: 1000, grow: 1.2, maxMs: 30_000 },
      reset: 'never',
      stop: [],
      now: [],
    },
  );
});

test('a preset is named; several policies are compared', () => {
  assert.equal(policy('socket.io').name, 'socket.io');
  assert.deepEqual(
    policies(['socket.io', 'phoenix', { name: 'ours', waits: ['1s'] }]).map(({ name }) => name),
    ['socket.io', 'phoenix', 'ours'],
  );
});

test('a policy in the grammar draws what the preset of its library draws', () => {
  const same = (value: unknown, name: string): void => {
    const [own, preset] = [policy(value), policy(name)].map((one) => new FleetWaits(one, 3, 5));
    for (let n = 0; n < 60; n += 1) assert.equal(own.next(n % 5, 0, null), preset.next(n % 5, 0, null), name);
  };
  same({ waits: { first: '1s', grow: 2, max: '5s', jitter: [0.5, 1.5], clamp: 'wait', draw: 'comb' } }, 'socket.io');
  same({ waits: { first: '1s..5s', grow: 1.3, max: '10s', per: 'client' } }, 'reconnecting-websocket');
  same({ waits: { first: '3s..6s', grow: 2, jitter: [0.5, 1.5], draw: 'product' } }, 'anycable');
  same({ waits: { first: '500ms', grow: 1.5, max: '60s', jitter: [0.5, 1.5] } }, 'cenkalti');
  same({ waits: { first: '5s', grow: '+5s' } }, 'slack');
  same({ waits: ['5s..30s'] }, 'iana-1012');
});

test('mistakes are told with their path, all at once', () => {
  const table: readonly (readonly [unknown, readonly (string | RegExp)[]])[] = [
    ['socketio', [/^: no reconnect policy is called "socketio"; did you mean "socket.io"\?$/]],
    ['zzz', [/the presets are socket\.io, signalr, phoenix, /]],
    [5, [': expected a reconnect policy, its name, or a list of them, found 5']],
    [['phoenix', 'phoneix'], [/^1: no reconnect policy is called "phoneix"; did you mean "phoenix"\?$/]],
    [['phoenix', 'phoenix'], ['1: a second policy is called phoenix: give each its own name']],
    [[], [/^: expected a list of 1 to 20 policies, found 0/]],
    [{}, ['waits: missing, expected a list of waits, or a map of first, grow, max, jitter']],
    [{ waits: [] }, [/^waits: expected a list of 1 to 100 waits, found 0/]],
    [{ waits: [2] }, [/^waits\.0: .*add a unit: 2s or 2ms/]],
    [{ waits: ['5s..2s'] }, [/^waits\.0: expected the shorter time first, found 5s\.\.2s; write 2s\.\.5s/]],
    [{ waits: ['1s..2s..3s'] }, [/^waits\.0: expected one range/]],
    [{ waits: ['25h'] }, [/^waits\.0: expected at most 24h/]],
    [
      { waits: ['1s', '5ms'] },
      [/^waits: the last wait repeats for ever: expected at least 10ms, or a number of attempts/],
    ],
    [
      { waits: { first: '1s', grow: 0.5 } },
      [/^waits\.grow: expected a factor from 1 to 100, or a step such as \+5s, found 0\.5/],
    ],
    [{ waits: { first: '1s', jitter: [1, 0] } }, ['waits.jitter: expected the smaller factor first']],
    [{ waits: { first: '1s..2s' } }, [/^waits\.first: a range is drawn once for each client \(add per: client\)/]],
    [{ waits: { first: '1s', per: 'client' } }, [/^waits\.first: expected a range such as 1s\.\.5s/]],
    [
      { waits: { first: '1s', draw: 'combs' } },
      [/^waits\.draw: expected comb or product .* found "combs"; did you mean "comb"\?/],
    ],
    [{ waits: { first: '1s', draw: 'comb' } }, [/^waits\.jitter: draw: comb needs a jitter around 1/]],
    [{ waits: { first: '1s', draw: 'decorrelated' } }, [/^waits\.draw: decorrelated needs grow/]],
    [{ waits: ['1s'], attempts: 'often' }, [/^attempts: expected a whole number/]],
    [
      { waits: ['1s'], reset: 'redy' },
      [/^reset: expected open, ready, never, or a time such as 5s, found "redy"; did you mean "ready"\?/],
    ],
    [{ waits: ['1s'], stop: [99, '500-1000', '4499-4400'] }, [/^stop\.0: /, /^stop\.1: /, /^stop\.2: /]],
    [{ waits: ['1s'], stop: ['4000-4999'], now: [4200] }, ['now: 4000 is in stop as well: keep one of them']],
    [{ waits: ['1s'], name: 'phoenix' }, ['name: phoenix is a preset: give your policy another name']],
    [
      { waits: ['1s'], timeout: { first: '1s' } },
      [/^timeout\.grow: missing, expected a factor from 1 to 100/, /^timeout\.max: missing, expected a duration/],
    ],
    [{ wait: ['1s'], waits: ['1s'] }, ['wait: unknown key; did you mean "waits"?']],
    [[{ waits: [1], attempts: -1 }], [/^0\.waits\.0: /, /^0\.attempts: /]],
  ];
  for (const [value, expected] of table) {
    const found = problems(value);
    assert.equal(found.length, expected.length, `${JSON.stringify(value)}: ${found.join('\n')}`);
    for (const [i, one] of expected.entries()) {
      if (typeof one === 'string') assert.equal(found[i], one);
      else assert.match(found[i], one);
    }
  }
});

/** A time as a profile writes it. */
const time = fc.integer({ min: 10, max: 100_000 }).map(formatDuration);
const timeRange = fc
  .tuple(fc.integer({ min: 10, max: 50_000 }), fc.integer({ min: 0, max: 50_000 }))
  .map(([fromMs, more]) => formatTimeRange({ fromMs, toMs: fromMs + more }));

const written = fc.record(
  {
    waits: fc.oneof(
      fc.array(timeRange, { minLength: 1, maxLength: 6 }),
      fc.record(
        {
          first: time,
          grow: fc.oneof(
            fc.double({ min: 1, max: 5, noNaN: true }),
            time.map((step) => `+${step}`),
          ),
          max: time,
          jitter: fc
            .tuple(fc.double({ min: 0.1, max: 1, noNaN: true }), fc.double({ min: 1, max: 2, noNaN: true }))
            .map(([least, most]) => [least, most]),
          plus: timeRange,
          clamp: fc.constantFrom('base', 'wait', 'both'),
        },
        { requiredKeys: ['first'] },
      ),
    ),
    attempts: fc.oneof(fc.integer({ min: 1, max: 50 }), time),
    timeout: time,
    reset: fc.oneof(fc.constantFrom('open', 'ready', 'never'), time),
    stop: fc.array(fc.integer({ min: 4000, max: 4999 }), { maxLength: 3 }),
  },
  { requiredKeys: ['waits'] },
);

test('any written policy is read, can be said in one line, and its waits stay within its bounds', () => {
  fc.assert(
    fc.property(written, fc.integer({ min: 0, max: 1e9 }), (value, seed) => {
      const parsed = reconnect.safeParse(value);
      // A jitter below 1 may bring the last wait below its least.
      fc.pre(parsed.success);
      const [one] = parsed.data;
      const words = policyWords(one);
      assert.ok(!words.includes('undefined') && !words.includes('NaN') && !words.includes('\n'), words);
      const waits = new FleetWaits({ ...one, attempts: null, totalMs: null }, seed, 2);
      for (let n = 0; n < 40; n += 1) {
        const wait = waits.next(n % 2, 0, null);
        assert.ok(typeof wait === 'number' && wait >= 0 && wait <= LONGEST_WAIT_MS, `${wait}`);
        if (one.waits.kind === 'curve' && one.waits.maxMs !== null && one.waits.clamp !== 'base')
          assert.ok(wait <= one.waits.maxMs + 1e-6);
      }
      // A plan is JSON.
      assert.deepEqual(JSON.parse(JSON.stringify(one)), one);
    }),
    { numRuns: 300 },
  );
});

test('whatever stands in the key is read or refused with a problem, and never anything else', () => {
  const anything = fc.anything({ withBigInt: false, withDate: false, withMap: false, withSet: false });
  const keys = fc.dictionary(fc.constantFrom('waits', 'attempts', 'timeout', 'reset', 'stop', 'now', 'name'), anything);
  const curve = fc.dictionary(
    fc.constantFrom('first', 'grow', 'max', 'jitter', 'plus', 'clamp', 'per', 'draw'),
    anything,
  );
  fc.assert(
    fc.property(
      fc.oneof(
        anything,
        keys,
        curve.map((waits) => ({ waits })),
      ),
      (value) => {
        const parsed = reconnect.safeParse(value);
        if (parsed.success) return;
        const found = problemsOf(parsed.error.issues, value);
        assert.ok(found.length > 0);
        for (const { message } of found)
          assert.ok(message.length > 0 && !/Invalid (input|option)/.test(message), message);
      },
    ),
    { numRuns: 2000 },
  );
});

test('time ranges are read back as they are written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 100_000 }), (fromMs, more) => {
      const range = { fromMs, toMs: fromMs + more };
      const read = parseTimeRange(formatTimeRange(range));
      assert.ok(Math.abs(read.fromMs - range.fromMs) <= 1 && Math.abs(read.toMs - range.toMs) <= 1);
    }),
  );
  for (const text of ['', '..', '1s..', '..1s', '1s...2s', '1s..2', '-1s..2s'])
    assert.throws(
      () => parseTimeRange(text),
      (error) => error instanceof UserError,
      text,
    );
});

test('every preset can be said in one line, and no two say the same', () => {
  const lines = PRESETS.map(({ policy: one, of }) => `${policyWords(one)} ${of}`);
  assert.equal(new Set(lines).size, PRESET_NAMES.length);
  assert.equal(
    policyWords(policy('socket.io')),
    'waits 1s, x2 each time, ±50%, in a comb (one number decides distance and side), at most 5s (after jitter); no end; ' +
      '20s an attempt; starts over at the 101',
  );
  assert.equal(
    policyWords(policy('signalr')),
    'waits 0s, 2s, 10s, 30s; 4 attempts; 30s an attempt; starts over when ready',
  );
  assert.equal(policyWords(policy('none')), 'never comes back');
});

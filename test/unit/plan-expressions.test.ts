import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UserError } from '#dist/errors.js';
import { NAMED_OUTCOMES } from '#dist/names/outcomes.js';
import {
  abortProblem,
  type Measurable,
  parseAbort,
  parseThreshold,
  thresholdProblem,
} from '#dist/plan/expressions/rules.js';

fc.configureGlobal({ seed: 20261121 });

test('every form of the grammar is read, spaces or not', () => {
  const cases: [string, object, string, number][] = [
    ['share(101) >= 99.9%', { kind: 'share', of: '101' }, '>=', 0.999],
    ['count(lost) == 0', { kind: 'count', of: 'lost' }, '==', 0],
    ['share(close:4401) < 1%', { kind: 'share', of: 'close:4401' }, '<', 0.01],
    ['count( close:1006 )==0', { kind: 'count', of: 'close:1006' }, '==', 0],
    ['share(504)==0', { kind: 'share', of: '504' }, '==', 0],
    [' share ( timeout-upgrade )<0.5 % ', { kind: 'share', of: 'timeout-upgrade' }, '<', 0.005],
    ['share(5xx) > 0.25', { kind: 'share', of: '5xx' }, '>', 0.25],
    ['count(failed) <= 1.5k', { kind: 'count', of: 'failed' }, '<=', 1500],
    ['p99(handshake)<500ms', { kind: 'latency', stat: 'p99', phase: 'handshake' }, '<', 500],
    ['max(upgrade) < 1m30s', { kind: 'latency', stat: 'max', phase: 'upgrade' }, '<', 90_000],
    ['p999(tls) <= 0.25s', { kind: 'latency', stat: 'p999', phase: 'tls' }, '<=', 250],
    ['rate >= 200/s', { kind: 'rate' }, '>=', 200],
    ['rate>=6k/m', { kind: 'rate' }, '>=', 100],
    ['dropOff >= 2000', { kind: 'dropOff' }, '>=', 2000],
  ];
  for (const [expression, subject, operator, limit] of cases) {
    const parsed = { subject, operator, limit };
    assert.deepEqual(parseThreshold(expression), { expression: expression.trim(), parsed });
  }
});

test('an error says where, what was expected and what was probably meant', () => {
  const cases: [string, RegExp, RegExp?][] = [
    ['', /at character 1: expected share\(X\).*found the end/],
    ['shar(101) > 1%', /at character 1: expected share/, /did you mean share\?/],
    ['avg(handshake) < 1s', /at character 1/, /did you mean mean\?/],
    ['share 101 > 1%', /at character 7: expected "\(", found "101 > 1%"/],
    ['share(timeout) > 1%', /at character 7: expected an outcome/, /did you mean timeout-upgrade\?/],
    ['count(4401) == 0', /at character 7: expected an outcome/, /did you mean close:4401\?/],
    ['count(close-1008) == 0', /at character 7/, /did you mean close:1008\?/],
    ['count(close) == 0', /at character 7/, /did you mean close:CODE, such as close:1008\?/],
    ['count(closed:1008) == 0', /at character 7/, /did you mean close:1008\?/],
    ['count(cut) == 0', /at character 7/, /did you mean lost\?/],
    ['count(close:1015) == 0', /at character 7: expected a close code: 1000 to 4999, close:1006/],
    ['count(close:0999) == 0', /at character 7: expected a close code/],
    ['share(success) > 1%', /at character 7/, /did you mean ok\?/],
    ['share(constructor) > 1%', /at character 7: expected an outcome/],
    ['share(101 > 1%', /at character 11: expected "\)"/],
    ['p99(latency) < 1s', /at character 5: expected one of dns connect/, /did you mean handshake\?/],
    ['share(101) => 99%', /at character 12: expected one of < <= > >= ==/, /did you mean >=\?/],
    ['share(101) = 99%', /at character 12/, /did you mean ==\?/],
    ['share(101) >=', /at character 14: expected a share such as 99\.9%.*found the end/],
    ['share(101) >= 101%', /at character 15: expected a share/],
    ['p99(handshake) < 500', /at character 18: expected a duration.*500ms/],
    ['count(504) < 1.5', /at character 14: expected a whole number/],
    ['rate > 200', /at character 8: expected a rate.*200\/s/],
    ['share(101) >= 99% or so', /at character 15: expected a share.*99% or so/],
    [`share(101) >= ${'9'.repeat(300)}`, /at most 200 characters/],
  ];
  for (const [expression, message, hint] of cases) {
    assert.throws(
      () => parseThreshold(expression),
      (error) => {
        assert.ok(error instanceof UserError && error.code === 'threshold', String(error));
        assert.match(error.message, message);
        if (hint === undefined) assert.equal(error.hint, null);
        else assert.match(error.hint ?? '', hint);
        return true;
      },
      expression,
    );
  }
});

test('what a run can never measure is refused before it', () => {
  const checkThreshold = (text: string, run: Measurable) => thresholdProblem(parseThreshold(text), run);
  const checkAbort = (text: string, run: Measurable) => abortProblem(parseAbort(text), run);
  const never = { rate: false, tls: false, dns: false, storm: false, message: false, search: false, onlySearch: false };
  const always = { rate: true, tls: true, dns: true, storm: true, message: true, search: true, onlySearch: false };
  const unknown = { rate: null, tls: null, dns: null, storm: null, message: null, search: null, onlySearch: null };
  for (const [condition, reason] of [
    ['rate >= 200/s', /only a churn and arrivals have a rate/],
    ['p99(tls) < 1s', /over ws:\/\/ there is no phase tls/],
    ['max(dns) < 1s', /no name is looked up/],
    ['p50(message) < 1s', /needs a session that expects one/],
  ] as const) {
    for (const check of [checkThreshold, checkAbort]) {
      assert.match(check(condition, never) ?? '', reason);
      for (const run of [always, unknown]) assert.equal(check(condition, run), null, condition);
    }
  }
  assert.equal(checkThreshold('dropOff >= 2000', always), null);
  assert.match(checkThreshold('dropOff >= 2000', never) ?? '', /no stage searches for the drop-off/);
  const onlySearch = { ...never, search: true, onlySearch: true };
  for (const beside of ['share(101) >= 99%', 'count(503) == 0', 'p99(handshake) < 1s']) {
    assert.match(checkThreshold(beside, onlySearch) ?? '', /a search overloads its target on purpose/);
    assert.equal(checkThreshold(beside, always), null, 'other stages have bursts to judge');
  }
  assert.equal(checkAbort('share(5xx) > 50% for 2 bursts', onlySearch), null);
  for (const good of [
    'share(101) >= 99%',
    'count(dns) == 0',
    'share(tls) == 0%',
    'p99(connect) < 1s',
    'max(upgrade) < 1s',
    'p99(ready) < 2s',
    'share(ready) >= 99%',
  ]) {
    assert.equal(checkThreshold(good, never), null, good);
  }
});

test('arbitrary text never throws anything but a UserError', () => {
  const piece = fc.constantFrom(
    'share',
    '(',
    ')',
    '101',
    'p99',
    'handshake',
    '>=',
    '<',
    '99%',
    '1s',
    ' ',
    'for',
    '2',
    'bursts',
    '-',
    '=',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(piece, { maxLength: 9 }).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (expression) => {
      for (const parse of [parseThreshold, parseAbort]) {
        try {
          parse(expression);
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
        }
      }
    }),
    { numRuns: 400 },
  );
});

const spaces = fc.constantFrom('', ' ', '  ', '\t');
const operatorArbitrary = fc.constantFrom('<', '<=', '>', '>=', '==');
const whatArbitrary = fc.constantFrom(
  '101',
  '504',
  '2xx',
  '5xx',
  'ok',
  'failed',
  'lost',
  ...NAMED_OUTCOMES.map(({ id }) => id),
);
interface Condition {
  readonly subject: object;
  readonly words: readonly string[];
  readonly limit: number;
  readonly value: string;
}
const conditionArbitrary: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(whatArbitrary, fc.nat(1000)).map(([of, n]) => {
    return { subject: { kind: 'share', of }, words: ['share', '(', of, ')'], limit: n / 1000, value: `${n / 10}%` };
  }),
  fc.tuple(whatArbitrary, fc.nat(9999)).map(([of, n]) => {
    return { subject: { kind: 'count', of }, words: ['count', '(', of, ')'], limit: n * 1000, value: `${n}k` };
  }),
  fc
    .tuple(
      fc.constantFrom('min', 'mean', 'p50', 'p999', 'max'),
      fc.constantFrom('dns', 'tls', 'message'),
      fc.nat(75_000),
    )
    .map(([stat, phase, ms]) => {
      return {
        subject: { kind: 'latency', stat, phase },
        words: [stat, '(', phase, ')'],
        limit: ms,
        value: `${ms / 1000}s`,
      };
    }),
  fc.nat(9999).map((n) => ({ subject: { kind: 'rate' }, words: ['rate'], limit: n, value: `${n}/s` })),
);

test('what is written by the grammar is read back, whatever the spaces', () => {
  fc.assert(
    fc.property(
      conditionArbitrary,
      operatorArbitrary,
      fc.array(spaces, { minLength: 7, maxLength: 7 }),
      (condition, operator, gaps) => {
        const { subject, words, limit, value } = condition;
        const text = [...words, operator, value].map((word, i) => gaps[i] + word).join('');
        const { parsed } = parseThreshold(text);
        assert.deepEqual(parsed.subject, subject);
        assert.deepEqual([parsed.operator, parsed.limit], [operator, limit]);
        const rule = parseAbort(`${text} for 3 bursts`).parsed;
        assert.deepEqual([rule.condition.subject, rule.condition.limit, rule.bursts], [subject, limit, 3]);
      },
    ),
  );
});

test('an abort rule is a condition and a number of bursts', () => {
  assert.equal(parseAbort('share(5xx) > 50%').parsed.bursts, 1);
  assert.equal(parseAbort(' share(5xx) > 50%  for  1 burst ').parsed.bursts, 1);
  const rule = parseAbort('p99(handshake) > 2s for 12 bursts');
  assert.deepEqual(
    [rule.parsed.bursts, rule.parsed.condition.limit, rule.expression],
    [12, 2000, 'p99(handshake) > 2s for 12 bursts'],
  );
  for (const [text, message] of [
    ['share(5xx) > 50% for', /at character 21: expected "for N bursts"/],
    ['share(5xx) > 50% for 0 bursts', /at character 22: expected "for N bursts"/],
    ['share(5xx) > 50% for 3s', /expected "bursts"/],
    ['share(5xx) > 50% for 3 bursts please', /expected "bursts" and nothing after it/],
    ['share(5xx) > for 3 bursts', /at character 14: expected a share/],
    ['dropOff > 5', /dropOff/],
    ['', /expected share\(X\)/],
  ] as const) {
    assert.throws(() => parseAbort(text), { name: 'UserError', code: 'abort', message });
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '#dist/errors.js';
import { compileTarget, renderAttempt, rowFor } from '#dist/plan/attempt-texts.js';
import type { Inputs, Plan } from '#dist/plan/plan.js';
import { checkInputs, pickEnv } from '#dist/plan/profile/inputs.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { encodeTarget, fieldValueProblem, isToken } from '#dist/plan/syntax.js';
import { compileTemplate, render } from '#dist/plan/template.js';

const noTls = { ca: null, cert: null, key: null };

function planOf(target: object, rest: object = {}): Plan {
  const value = { target: { url: 'ws://h/', ...target }, stages: [{ burst: 3 }], ...rest };
  return compilePlan(checkProfile(value, 'test'));
}

function inputsOf(rows: Record<string, string>[], env: Record<string, string> = {}): Inputs {
  return { rows, env, tls: noTls };
}

function refusal(work: () => unknown, code: string): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code);
    return error.message;
  }
  return assert.fail('expected a UserError');
}

const data = { file: 'tokens.csv' };
const context = {
  row: { x: 'X', 'user id': 'U' },
  env: { HOME_TOKEN: 'E' },
  index: 7,
  client: 3,
  uuid: 'id',
  captured: { sid: 'S' },
};

test('holes are filled, with or without blanks', () => {
  const table: [string, string][] = [
    ['plain', 'plain'],
    ['{{ row.x }}', 'X'],
    ['{{row.x}}-{{  index  }}', 'X-7'],
    ['a{{ uuid }}b{{ env.HOME_TOKEN }}', 'aidbE'],
    ['{{ client }}/{{ index }}', '3/7'],
    ['{{ row.user id }}', 'U'],
    ['}} { }', '}} { }'],
    ['', ''],
  ];
  for (const [text, expected] of table) assert.equal(render(compileTemplate(text), context), expected, text);
  const template = compileTemplate('{{ row.x }}{{ row.y }}{{ row.x }}{{ env.A }}');
  assert.deepEqual(template.rowColumns, ['x', 'y']);
  assert.deepEqual(template.envNames, ['A']);
  assert.equal(template.constant, false);
  assert.equal(compileTemplate('x').constant, true);
});

test('a wrong template says where and what was meant', () => {
  const wrong = (text: string): string => refusal(() => compileTemplate(text), 'template');
  assert.match(wrong('ab{{ row.x'), /"\{\{" at character 3 is not closed/);
  assert.match(wrong('{{ a {{ index }}'), /at character 1 is not closed/);
  assert.match(wrong('x {{ idnex }}'), /unknown template name "idnex" at character 3.*did you mean "index"\?/);
  assert.match(wrong('{{ rows.token }}'), /did you mean "row.token"\?/);
  assert.match(wrong('{{ foo }}'), /expected one of row.COLUMN, index, client, uuid, env.NAME$/);
  assert.match(wrong('{{ }}'), /empty template at character 1/);
  assert.match(wrong('{{ row. }}'), /unknown template name/);
  assert.match(wrong('{{ env.A-B }}'), /no name of an environment variable/);
  assert.match(wrong('{{ captured.sid }}'), /unknown template name "captured.sid" at character 1/);
});

test('a session has two more kinds of names', () => {
  const template = compileTemplate('{{ captured.sid }}{{ var.token }}{{captured.sid}}', 'session');
  assert.deepEqual([template.captured, template.variables], [['sid'], ['token']]);
  assert.equal(render(compileTemplate('0{{ captured.sid }}', 'session'), context), '0S');
  const wrong = (text: string): string => refusal(() => compileTemplate(text, 'session'), 'template');
  assert.match(wrong('{{ vra.token }}'), /did you mean "var.token"\?/);
  assert.match(wrong('{{ var.a-b }}'), /"var.a-b" at character 1 is no name: a name has letters, digits and _/);
  assert.match(
    wrong('{{ sid }}'),
    /expected one of row.COLUMN, index, client, uuid, env.NAME, var.NAME, captured.NAME/,
  );
});

test('literals and holes in any order render to their parts', () => {
  const literal = fc.string().filter((text) => !text.includes('{') && !text.includes('}'));
  const hole = fc.constantFrom(
    ['{{ row.x }}', 'X'],
    ['{{index}}', '7'],
    ['{{ uuid }}', 'id'],
    ['{{ env.HOME_TOKEN }}', 'E'],
  );
  const part = fc.oneof(
    literal.map((text) => [text, text]),
    hole,
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const template = compileTemplate(parts.map(([text]) => text).join(''));
      assert.equal(render(template, context), parts.map(([, value]) => value).join(''));
    }),
  );
});

test('what may stand in a request', () => {
  assert.equal(encodeTarget('/a b?x=é&y=%20[1]#z'), '/a%20b?x=%C3%A9&y=%20[1]%23z');
  assert.equal(encodeTarget('/\r\n\0"<>'), '/%0D%0A%00%22%3C%3E');
  assert.equal(encodeTarget('/\ud800'), '/%EF%BF%BD');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const encoded = encodeTarget(text);
      assert.match(encoded, /^[\x21-\x7e]*$/);
      assert.equal(encodeTarget(encoded), encoded);
    }),
  );
  assert.equal(fieldValueProblem('a\tb ~'), null);
  assert.match(fieldValueProblem('a\rb') ?? '', /CR \(header injection\)/);
  assert.match(fieldValueProblem('a\0b') ?? '', /NUL/);
  assert.match(fieldValueProblem('\u010a') ?? '', /U\+010A is not/);
  assert.ok(isToken('chat.v1') && !isToken('a b') && !isToken(''));
});

test('a target without templates is rendered once', () => {
  const plan = planOf({ url: 'ws://h/a b', headers: { Authorization: 'Bearer s3cret' }, subprotocols: ['v1'] });
  const compiled = compileTarget(plan);
  const inputs = inputsOf([]);
  const first = renderAttempt(compiled, inputs, 0);
  assert.equal(renderAttempt(compiled, inputs, 1), first);
  assert.ok(Object.isFrozen(first));
  assert.deepEqual(first, {
    path: '/a%20b',
    headers: [['Authorization', 'Bearer s3cret']],
    origin: null,
    subprotocols: ['v1'],
    secrets: ['s3cret'],
  });
});

test('each attempt has its own texts; the same index always the same', () => {
  const plan = planOf(
    {
      url: 'ws://h/{{ index }}?u={{ row.user }}',
      headers: { Authorization: 'Bearer {{ row.token }}', 'X-Id': '{{ uuid }}', 'X-Key': '{{ env.API }}' },
      origin: 'https://{{ row.user }}.example',
      subprotocols: ['v1', 't.{{ row.token }}'],
    },
    { data },
  );
  const compiled = compileTarget(plan);
  const inputs = inputsOf(
    [
      { user: 'a b', token: 'ta' },
      { user: 'b', token: 'tb' },
    ],
    { API: 'key1' },
  );
  assert.equal(compiled.constant, null);
  const second = renderAttempt(compiled, inputs, 3);
  assert.equal(second.path, '/3?u=b');
  assert.deepEqual(second.headers[0], ['Authorization', 'Bearer tb']);
  assert.deepEqual(second.headers[2], ['X-Key', 'key1']);
  assert.equal(second.origin, 'https://b.example');
  assert.deepEqual(second.subprotocols, ['v1', 't.tb']);
  assert.deepEqual([...second.secrets].sort(), ['b', 'key1', 'tb']);
  assert.equal(renderAttempt(compiled, inputs, 2).path, '/2?u=a%20b');
  assert.deepEqual(renderAttempt(compiled, inputs, 3), second);
  assert.notEqual(renderAttempt(compiled, inputs, 4).headers[1]?.[1], second.headers[1]?.[1]);
});

test('rows: in turn, by the seed, or once', () => {
  const rows = Array.from({ length: 10 }, (_, i) => ({ x: String(i) }));
  const take = (pick: 'cycle' | 'random' | 'once', seed: number, n: number): string[] =>
    Array.from({ length: n }, (_, i) => rowFor({ file: 'f', pick }, seed, rows, i).x ?? '');
  assert.deepEqual(take('cycle', 1, 12).join(''), '012345678901');
  assert.deepEqual(take('once', 1, 10).join(''), '0123456789');
  assert.throws(() => take('once', 1, 11), /no row for attempt 10/);
  assert.deepEqual(take('random', 1, 50), take('random', 1, 50));
  assert.notDeepEqual(take('random', 1, 50), take('random', 2, 50));
  assert.equal(new Set(take('random', 1, 200)).size, 10);
});

test('unknown columns and unset variables are errors by name, all at once', () => {
  const plan = planOf(
    { url: 'ws://h/?a={{ row.tokn }}', headers: { A: '{{ row.zzz }} {{ env.MISSING }}', B: '{{ env.THERE }}' } },
    { data },
  );
  assert.deepEqual(pickEnv(plan, { THERE: '1', OTHER: '2', MISSING: undefined }), { THERE: '1' });
  assert.equal(
    refusal(() => checkInputs(plan, inputsOf([{ token: 't', id: '1' }], { THERE: '1' }), ['token', 'id']), 'inputs'),
    `3 problems in the data of the plan:
  target.url: no column "tokn" in tokens.csv; did you mean "token"?
  target.headers.A: no column "zzz" in tokens.csv; it has "token", "id"
  target.headers.A: the environment variable MISSING is not set`,
  );
});

test('no rows, too few rows for once', () => {
  const target = { headers: { A: '{{ row.a }}' } };
  assert.match(
    refusal(() => checkInputs(planOf(target, { data }), inputsOf([]), ['a']), 'inputs'),
    /tokens\.csv: expected at least one row/,
  );
  const once = { data: { ...data, pick: 'once' } };
  const rows = (n: number) => inputsOf(Array.from({ length: n }, () => ({ a: 'x' })));
  assert.match(
    refusal(() => checkInputs(planOf(target, once), rows(7), ['a']), 'inputs'),
    /once needs 8 rows \(3 in the stages and 5 in the preflight\), tokens\.csv has 7/,
  );
  checkInputs(planOf(target, once), rows(8), ['a']);
  checkInputs(planOf(target, { ...once, preflight: false }), rows(3), ['a']);
  assert.throws(() => checkInputs(planOf(target, { ...once, preflight: false }), rows(2), ['a']), /needs 3 rows, /);
  const probed = planOf(target, { ...once, after: '15s' });
  assert.throws(
    () => checkInputs(probed, rows(8), ['a']),
    /once needs 38 rows \(3 in the stages and 5 in the preflight and 30 in the probes after the bursts\)/,
  );
  checkInputs(probed, rows(38), ['a']);
});

test('values from data or environment that would break the request are refused, unseen', () => {
  const plan = planOf(
    { url: 'ws://h/{{ row.a }}', headers: { A: 'x {{ row.a }}' }, subprotocols: ['{{ row.p }}'] },
    { data },
  );
  const rows = [
    { a: 'fine', p: 'v1' },
    { a: 'hunter2\r\nX-Evil: 1', p: 'v1' },
    { a: 'fine', p: 'a,b' },
    { a: 'fine', p: '' },
  ];
  const message = refusal(() => checkInputs(plan, inputsOf(rows), ['a', 'p']), 'inputs');
  assert.match(message, /target\.headers\.A: row 2 of tokens\.csv, column "a": .*CR \(header injection\)/);
  assert.match(message, /row 3 of tokens\.csv, column "p".*token/);
  assert.match(message, /row 4 of tokens\.csv, column "p"/);
  assert.doesNotMatch(message, /hunter2/);
  const env = planOf({ headers: { A: '{{ env.K }}' } });
  assert.match(
    refusal(() => checkInputs(env, inputsOf([], { K: 'a\nb' }), []), 'inputs'),
    /^target\.headers\.A: environment variable K: .*LF/,
  );
  const twice = planOf({ subprotocols: ['v1', '{{ row.p }}'] }, { data });
  assert.match(
    refusal(() => checkInputs(twice, inputsOf(rows.slice(0, 1)), ['a', 'p']), 'inputs'),
    /gives one subprotocol twice/,
  );
  checkInputs(planOf({ url: 'ws://h/{{ row.a }}' }, { data }), inputsOf(rows), ['a', 'p']);
});

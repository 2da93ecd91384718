import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Plan } from '#dist/plan/plan.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { type CompiledScript, type CompiledStep, compileScript } from '#dist/plan/session/compiled-script.js';
import { ReceivedMessage } from '#dist/plan/session/received-message.js';

const CLIENT = { index: 7, client: 3, captured: { sid: 'S"1' } };
const rows = [{ token: 'tok"0' }, { token: 'tok-1' }, { token: 'tok-2' }, { token: 'tok-3' }];

function planOf(session: readonly object[], rest: object = {}): Plan {
  const value = { target: { url: 'ws://h/' }, stages: [{ burst: 3 }], session, data: { file: 'x.csv' }, ...rest };
  return compilePlan(checkProfile(value, 'test'));
}

function compiled(session: readonly object[], rest: object = {}): CompiledScript {
  const plan = planOf(session, rest);
  assert.ok(plan.session.script !== null);
  return compileScript(plan.session.script, plan, {
    rows,
    env: { KEY: 'k3y' },
    tls: { ca: null, cert: null, key: null },
  });
}

function only<K extends CompiledStep['kind']>(script: CompiledScript, kind: K) {
  const step = script.steps.find((one): one is Extract<CompiledStep, { kind: K }> => one.kind === kind);
  assert.ok(step !== undefined);
  return step;
}

const textMessage = (text: string, isWhole = true) => new ReceivedMessage(Buffer.from(text), true, isWhole);
const binaryMessage = (bytes: Buffer) => new ReceivedMessage(bytes, false, true);

function takes(expect: unknown, message: ReceivedMessage): boolean {
  return only(compiled([{ expect }]), 'expect').match.test(message, CLIENT);
}

function sent(send: unknown, rest: object = {}): string {
  const captured = { expect: { $starts: '' }, capture: { sid: '/sid' } };
  const bytes = only(compiled([captured, { send }], rest), 'send').payload.bytes(CLIENT);
  return bytes.toString();
}

test('a map takes a message with its keys, a list one that begins with its entries', () => {
  const table: [expect: unknown, text: string, isTaken: boolean][] = [
    [{ type: 'ack' }, '{"type":"ack","more":1}', true],
    [{ type: 'ack' }, '{"type":"ping"}', false],
    [{ type: 'ack' }, '[{"type":"ack"}]', false],
    [{ a: { b: 1 } }, '{"a":{"b":1,"c":2}}', true],
    [{ a: { b: 1 } }, '{"a":[1]}', false],
    [{ a: null }, '{"a":null}', true],
    [{ a: null }, '{}', false],
    [{ connect: {} }, '{"id":1,"connect":{"client":"x"}}', true],
    [[1, '2'], '[1,"2",3]', true],
    [[1, '2'], '[1]', false],
    [[], '[1]', true],
    [[null, 'h'], '[null,"h","phoenix"]', true],
    [{ toString: {} }, '{}', false],
    [{ a: 1 }, '{"a":1', false],
    [{ a: 1 }, ' {"a":1} ', true],
    ['2', '2', true],
    ['2', '2 ', false],
    ['', '', true],
    [{ $starts: '0{' }, '0{"sid":1}', true],
    [{ $starts: '0{' }, ' 0{', false],
    [{ $regex: '^4[24].*"x"$' }, '42["x"', true],
    [{ $regex: '^4[24].*"x"' }, '43["x"]', false],
  ];
  for (const [expect, text, isTaken] of table) {
    assert.equal(takes(expect, textMessage(text)), isTaken, `${JSON.stringify(expect)} ${text}`);
  }
});

test('a batch is taken when one of its documents is wanted, whatever the others are', () => {
  assert.ok(takes({ type: 6 }, textMessage('{}\u001e{"type":6}\u001e')));
  assert.ok(takes({ id: 2 }, textMessage('{"id":1}\n{"id":2}')));
  assert.ok(takes({ id: 2 }, textMessage('{"id":1}\nnot json\n{"id":2}')));
  assert.ok(!takes({ id: 2 }, textMessage('{"id":1} {"id":2}')));
});

test('text and binary frames are told apart; the beginning of a message equals nothing', () => {
  const connack = Buffer.from('20020000', 'hex');
  assert.ok(takes({ $binary: 'IAIAAA==' }, binaryMessage(Buffer.concat([connack, Buffer.from('d000', 'hex')]))));
  assert.ok(!takes({ $binary: 'IAIAAA==' }, binaryMessage(connack.subarray(0, 3))));
  assert.ok(!takes({ $binary: 'IAIAAA==' }, new ReceivedMessage(connack, true, true)));
  assert.ok(!takes('2', binaryMessage(Buffer.from('2'))));
  assert.ok(!takes({ $starts: '' }, binaryMessage(Buffer.from('2'))));
  assert.ok(takes({ $starts: '2' }, textMessage('2', false)));
  assert.ok(!takes('2', textMessage('2', false)));
  assert.ok(!takes({ a: 1 }, textMessage('{"a":1}', false)));
});

test('a binary message may be the beginning of the wanted one', () => {
  const begins = (bytes: string, isText = false) => {
    const { match } = only(compiled([{ expect: { $binary: 'IAIAAA==' } }]), 'expect');
    return match.isBegunBy(new ReceivedMessage(Buffer.from(bytes, 'hex'), isText, true));
  };
  assert.deepEqual(
    ['20', '2002', '200200'].map((bytes) => begins(bytes)),
    [true, true, true],
  );
  assert.deepEqual(
    ['20020000', '2003', '00'].map((bytes) => begins(bytes)),
    [false, false, false],
  );
  assert.equal(begins('20', true), false);
  const { match } = only(compiled([{ expect: { $starts: '0{' } }]), 'expect');
  assert.equal(match.isBegunBy(textMessage('0')), false);
});

const jsonValue = fc.jsonValue({ maxDepth: 4 });

/** A part of a JSON value: maps lose keys, lists lose their ends. */
function partOf(value: unknown, choose: () => number): unknown {
  if (Array.isArray(value)) return value.slice(0, value.length - (choose() % 2)).map((one) => partOf(one, choose));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(() => choose() % 3 > 0);
  return Object.fromEntries(kept.map(([key, one]) => [key, partOf(one, choose)]));
}

/** What a session may hold: operators and templates have a meaning of their own, and long integers are refused. */
function isPlain(value: unknown): boolean {
  const text = JSON.stringify(value);
  return typeof value === 'object' && value !== null && !/\{\{|"\$|__proto__|\d{16}|e\+/.test(text);
}

test('every JSON message is taken by itself and by each of its parts, and by none that it differs from', () => {
  const container = jsonValue.filter(isPlain);
  fc.assert(
    fc.property(container, fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }), (value, choices) => {
      let at = 0;
      const choose = () => choices[at++ % choices.length] ?? 0;
      const message = textMessage(JSON.stringify(value));
      assert.ok(takes(value, message));
      assert.ok(takes(partOf(value, choose), message));
      assert.ok(!takes({ anything: [value] }, message) || 'anything' in (value as object));
    }),
    { numRuns: 200 },
  );
});

test('no message makes a matcher throw, and a pattern is linear in it', () => {
  const scripts = [{ a: [1, { b: 'x' }] }, 'x', { $starts: 'x' }, { $regex: '(x+x+)+y' }, { $binary: 'AAEC' }];
  const matches = scripts.map((expect) => only(compiled([{ expect, capture: { v: '/a' } }]), 'expect'));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((one) => Buffer.from(one)),
    fc
      .constantFrom('[[[[', '{"a":', '\u001e\n\u001e', 'null', '"', '0{', '{"a":[1,{"b":"x"}]}')
      .map((one) => Buffer.from(one)),
    jsonValue.map((one) => Buffer.from(JSON.stringify(one))),
  );
  fc.assert(
    fc.property(bytes, fc.boolean(), fc.boolean(), (one, isText, isWhole) => {
      for (const { match, capture } of matches) {
        const message = new ReceivedMessage(one, isText, isWhole);
        if (match.test(message, CLIENT)) assert.equal(typeof capture?.(message, CLIENT).v, 'string');
      }
    }),
    { numRuns: 500 },
  );
  // Doubling the text of the worst case doubles the time; a backtracking engine would need 2^n steps.
  const hostile = only(compiled([{ expect: { $regex: '(x+x+)+y' } }]), 'expect').match;
  assert.equal(hostile.test(textMessage('x'.repeat(60_000)), CLIENT), false);
  const nested = textMessage('['.repeat(100_000) + ']'.repeat(100_000));
  assert.equal(takes([[[]]], nested), true);
});

test('captured values: by pointer, from the document that matched, from behind a prefix, or the message is not taken', () => {
  const captured = (expect: unknown, capture: object, text: string): unknown => {
    const step = only(compiled([{ expect, capture }]), 'expect');
    const message = textMessage(text);
    return step.match.test(message, CLIENT) ? step.capture?.(message, CLIENT) : null;
  };
  assert.deepEqual(captured({ $starts: '0{' }, { sid: '/sid' }, '0{"sid":"abc","upgrades":[]}'), { sid: 'abc' });
  assert.deepEqual(captured({ a: 1 }, { x: '/b/1', y: '/c~1d', z: '/e~0f' }, '{"a":1,"b":[0,5],"c/d":true,"e~f":""}'), {
    x: '5',
    y: 'true',
    z: '',
  });
  assert.deepEqual(captured({ id: 2 }, { v: '/v' }, '{"id":1,"v":"one"}\n{"id":2,"v":"two"}'), { v: 'two' });
  assert.equal(captured({ a: 1 }, { x: '/b' }, '{"a":1}'), null);
  assert.equal(captured({ a: 1 }, { x: '/b' }, '{"a":1,"b":{"c":1}}'), null);
  assert.equal(captured({ a: 1 }, { x: '/b' }, '{"a":1,"b":null}'), null);
  assert.equal(captured({ a: 1 }, { x: '/b' }, JSON.stringify({ a: 1, b: 'x'.repeat(8193) })), null);
  assert.equal(captured({ a: 1 }, { x: '/length' }, '{"a":1}'), null);
  assert.equal(captured({ $starts: 'x' }, { x: '/b' }, 'x no json'), null);
});

test('what is sent: templates are filled in, inside JSON with escapes; constants are made once', () => {
  assert.equal(sent('{{ row.token }} {{ index }} {{ client }} {{ captured.sid }} {{ env.KEY }}'), 'tok-3 7 3 S"1 k3y');
  assert.equal(
    sent({ t: '{{ captured.sid }}', n: [1, null, true, '\n{{ index }}'] }),
    '{"t":"S\\"1","n":[1,null,true,"\\n7"]}',
  );
  const sessionVars = { token: 'Bearer {{ row.token }}' };
  assert.equal(sent({ auth: '{{ var.token }}' }, { sessionVars }), '{"auth":"Bearer tok-3"}');
  assert.equal(sent({ $binary: 'AAEC' }), '\u0000\u0001\u0002');
  assert.equal(sent({ $ping: '' }), '');
  const constant = only(compiled([{ send: { type: 'init' } }]), 'send').payload;
  assert.ok(constant.isConstant);
  assert.equal(constant.bytes(CLIENT), constant.bytes({ ...CLIENT, index: 8 }));
  assert.equal(sent('{{ uuid }}'), sent('{{ uuid }}'));
  assert.match(sent('{{ uuid }}'), /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
});

test('any JSON without templates is sent as JSON.stringify writes it', () => {
  fc.assert(
    fc.property(jsonValue.filter(isPlain), (value) => {
      assert.equal(sent(value), JSON.stringify(value));
    }),
    { numRuns: 200 },
  );
});

test('a script tells the secrets of data and environment that a client sends', () => {
  const script = compiled([{ send: '{{ row.token }}{{ env.KEY }}' }]);
  assert.deepEqual(script.secrets(CLIENT), ['tok-3', 'k3y']);
  assert.deepEqual(compiled([{ send: 'x' }]).secrets(CLIENT), []);
});

test('standing rules know from which step on they hold; times are ms', () => {
  const script = compiled(
    [
      { every: '20s', send: { $ping: '' } },
      { send: 'a' },
      { expect: 'b' },
      { when: { type: 'error' }, close: 4000 },
      { hold: '1m' },
      { close: 'abort' },
    ],
    { messageTimeout: '3s' },
  );
  assert.deepEqual(
    script.standing.map(({ kind, from }) => [kind, from]),
    [
      ['every', 0],
      ['when', 2],
    ],
  );
  assert.deepEqual(
    script.steps.map(({ kind }) => kind),
    ['send', 'expect', 'hold', 'close'],
  );
  assert.equal(only(script, 'hold').holdMs, 60_000);
  assert.equal(only(script, 'close').close, 'abort');
  assert.equal(script.messageTimeoutMs, 3000);
});

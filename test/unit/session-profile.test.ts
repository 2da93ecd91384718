import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { profiles } from '#dist/commands/profiles.js';
import { UserError } from '#dist/errors.js';
import type { Host } from '#dist/host.js';
import { planNeeds } from '#dist/plan/needs.js';
import type { Inputs, Plan } from '#dist/plan/plan.js';
import { maskPlan, seenSecrets } from '#dist/plan/plan-record.js';
import { draftOfFlags, layered, profileOf, supplied } from '#dist/plan/profile/draft.js';
import { profileJsonSchema } from '#dist/plan/profile/json-schema.js';
import { compilePlan } from '#dist/plan/profile/profile.js';
import { sessionText } from '#dist/plan/profile/session/session-text.js';
import { draftOfSession, draftOfText } from '#dist/plan/profile/written.js';
import { compileScript } from '#dist/plan/session/compiled-script.js';
import { heldMs } from '#dist/plan/session/session-script.js';
import { SHIPPED_SESSIONS } from '#dist/plan/session/shipped.js';
import { sessionLines } from '#dist/report/words/session-words.js';

const HEAD = 'target: { url: ws://h }\nstages: [{ burst: 1 }]\n';
const NO_INPUTS: Inputs = { rows: [], env: {}, tls: { ca: null, cert: null, key: null } };

function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.exitCode, 2);
    return error.message;
  }
  return assert.fail('expected a UserError');
}

const planOf = (text: string): Plan => compilePlan(profileOf(draftOfText(`${HEAD}${text}`, 'p.yaml')));
const problemOf = (text: string): string => problem(() => planOf(text));

/** A profile of flags: a session of a file or by name, and what goes with it. */
function flagged(flags: object, file: string | null = null, url = 'ws://h'): Plan {
  const draft = draftOfFlags({ target: { url }, stages: [{ burst: 1 }], ...flags }, { session: '--session' });
  return compilePlan(profileOf(file === null ? draft : layered(draftOfSession(file, 's.yaml'), draft)));
}

function scriptOf({ session: { script } }: Plan) {
  assert.ok(script !== null);
  return script;
}

const MISTAKES = `sessionVars: { token: "abc{{ env.T }}", 1a: b, num: 5, hole: "{{ captured.x }}" }
messageTimeout: 0.5
session:
  - {when: 2, send: "3"}
  - {every: 1ms, send: {$ping: ""}}
  - {expect: {$starts: "0{"}, capture: {sid: "sid", "a b": "/x"}}
  - {expect: {$regex: "(a"}, within: 5s}
  - {expect: {$regex: "(?=a)"}}
  - {expect: {$strats: "0{"}}
  - {expect: {$starts: 0, a: 1}}
  - {send: {$binary: "abc"}}
  - {send: {$starts: "abc"}}
  - {send: "{{ foo }}", expect: "b"}
  - {send: {a: ["{{ idnex }}", 12345678901234567890], b: .inf, "{{ x }}": 1}}
  - {sned: "a"}
  - 5
  - {}
  - {every: 20s}
  - {hold: 30}
  - {hold: 30s}
  - {when: "a"}
  - {when: "a", close: 1000}
  - {hold: 10s}
  - {close: 1006}
  - {close: 2000}
  - {close: abrot}
  - {close: 4001}
  - {send: "x"}
`;

test('every problem of a session is reported at once, each with its place', () => {
  assert.equal(
    problemOf(MISTAKES),
    `33 problems in p.yaml:
  p.yaml:3:45  sessionVars.1a: a name begins with a letter and has letters, digits and _
  p.yaml:3:53  sessionVars.num: expected a text: put it in quotes
  p.yaml:3:62  sessionVars.hole: unknown template name "captured.x" at character 1, expected one of row.COLUMN, index, client, uuid, env.NAME
  p.yaml:4:17  messageTimeout: expected a duration such as 500ms, 30s, 5m or 1m30s, found 0.5; add a unit: 0.5s or 0.5ms
  p.yaml:6:12  session[0].when: expected a text, a map or a list (sent as JSON), or {$starts: …} or {$regex: …} or {$binary: …}, found 2; a text stands in quotes: "2"
  p.yaml:7:13  session[1].every: expected a duration such as 500ms, 30s, 5m or 1m30s, from 10ms to 24h, found "1ms"
  p.yaml:8:46  session[2].capture.sid: expected a JSON pointer (RFC 6901) such as "/data/sid", found "sid"
  p.yaml:8:60  session[2].capture["a b"]: a name begins with a letter and has letters, digits and _
  p.yaml:9:23  session[3].expect.$regex: not a regular expression (RE2 syntax): missing closing ): \`(a\`
  p.yaml:9:30  session[3].within: unknown key, expected one of expect, capture
  p.yaml:10:23  session[4].expect.$regex: not a regular expression (RE2 syntax): invalid or unsupported Perl syntax: \`(?=\`
  p.yaml:11:24  session[5].expect.$strats: unknown key; did you mean "$starts"?
  p.yaml:12:14  session[6].expect: $starts stands alone; JSON with a key that starts with $ is written as a text
  p.yaml:12:24  session[6].expect.$starts: expected a text in quotes, found 0
  p.yaml:13:22  session[7].send.$binary: not Base64 (RFC 4648 section 4): A-Z, a-z, 0-9, + and /, filled up with = to a multiple of 4 characters
  p.yaml:14:22  session[8].send.$starts: unknown key, expected one of $binary, $ping
  p.yaml:15:5  session[9]: expected one step, found expect and send: make them two lines
  p.yaml:16:17  session[10].send.a[0]: unknown template name "idnex" at character 1, expected one of row.COLUMN, index, client, uuid, env.NAME, var.NAME, captured.NAME; did you mean "index"?
  p.yaml:16:32  session[10].send.a[1]: a number this large loses digits: write the whole message as a text
  p.yaml:16:58  session[10].send.b: JSON has no such number
  p.yaml:16:75  session[10].send["{{ x }}"]: a key can hold no template: write the whole message as a text
  p.yaml:17:5  session[11]: expected a step, a map with one of send, expect, when, every, hold, close; found sned; did you mean "send"?
  p.yaml:18:5  session[12]: expected a step, a map with one of send, expect, when, every, hold, close; found 5
  p.yaml:19:5  session[13]: expected a step, a map with one of send, expect, when, every, hold, close; found an empty map
  p.yaml:20:5  session[14].send: missing, expected a text, a map or a list (sent as JSON), or {$binary: …} or {$ping: …}
  p.yaml:21:12  session[15].hold: expected a duration such as 500ms, 30s, 5m or 1m30s, found 30; add a unit: 30s or 30ms
  p.yaml:23:5  session[17]: missing, expected send or close: what to do when it comes
  p.yaml:24:5  session[18]: put when above the hold: it applies from its line on
  p.yaml:25:12  session[19].hold: a session has one hold, this is a second one
  p.yaml:26:13  session[20].close: the close code 1006 is never sent: it stands for a connection that ended without a close frame; for that, write abort (RFC 6455 section 7.4.1)
  p.yaml:27:13  session[21].close: expected a close code (1000 to 1014, 3000 to 4999) or abort, found 2000 (RFC 6455 section 7.4.2)
  p.yaml:28:13  session[22].close: expected a close code (1000 to 1014, 3000 to 4999) or abort, found "abrot"; did you mean "abort"?
  p.yaml:30:5  session[24]: nothing follows close: the connection has ended`,
  );
});

test('what needs the lines before it, or the variables, is told too', () => {
  assert.equal(
    problemOf(`session:
  - {send: "{{ captured.sid }}"}
  - {expect: {$starts: "{{ captured.sid }}"}, capture: {sid: /sid}}
  - {send: {a: ["{{ captured.sdi }}"]}}
`),
    `3 problems in p.yaml:
  p.yaml:4:12  session[0].send: no expect above captures {{ captured.sid }}
  p.yaml:5:24  session[1].expect.$starts: no expect above captures {{ captured.sid }}
  p.yaml:6:17  session[2].send.a[0]: no expect above captures {{ captured.sdi }}; did you mean "sid"?`,
  );
  assert.equal(
    problemOf(`sessionVars: { token: a, chanel: b }
session:
  - {send: ["{{ var.tokne }}", "{{ var.other }}"]}
  - {send: {b: "{{ row.x }}"}}
`),
    `5 problems in p.yaml:
  p.yaml:3:23  sessionVars.token: no line of the session uses {{ var.token }}; did you mean "tokne"?
  p.yaml:3:34  sessionVars.chanel: no line of the session uses {{ var.chanel }}
  p.yaml:5:13  session[0].send[0]: there is no session variable tokne; did you mean "token"?
  p.yaml:5:32  session[0].send[1]: there is no session variable other: set it (sessionVars, --session-var)
  p.yaml:6:16  session[1].send.b: {{ row.x }} needs data: name a CSV file (data.file, --data)`,
  );
  assert.equal(problemOf('session: []'), 'p.yaml:3:10  session: expected a list of 1 to 200 steps, found 0');
  assert.match(
    problemOf('session: 7'),
    /session: expected a list of 1 to 200 steps, the name of a shipped session, or \{hold: TIME\}; found 7/,
  );
  assert.match(
    problemOf('session: socket.oi'),
    /p.yaml:3:10 {2}session: no shipped session "socket.oi"; did you mean "socket.io"\?/,
  );
  assert.match(
    problemOf('session: foo'),
    /expected one of graphql-ws, socket.io, signalr, stomp, mqtt, phoenix, actioncable, centrifugo, pusher$/,
  );
  assert.match(problemOf('sessionVars: {token: a}'), /sessionVars: there is no session to use them/);
  assert.match(
    problemOf('session: mqtt\nsessionVars: {chanel: a}'),
    /sessionVars.chanel: mqtt has no variable chanel; did you mean "channel"\?/,
  );
  assert.match(
    problemOf('session: mqtt\nsessionVars: {channel: "{{ index }}"}'),
    /a packet that is made once: no template here/,
  );
  assert.match(
    problemOf('session: pusher'),
    /session: pusher needs the variable key \(the application's key.*\), or a path in the URL/,
  );
});

test('values of a shipped session that would break its text are refused, also those of data and environment', () => {
  const text = `${HEAD}session: socket.io\nsessionVars: {token: "{{ env.T }}"}\n`;
  const outside = (value: string) => ({ env: { T: value }, read: () => assert.fail('no file') });
  assert.equal(
    problem(() => supplied(draftOfText(text, 'p.yaml'), outside('a"b'))),
    'p.yaml:4:22  sessionVars.token: environment variable T: no quotes, backslashes or control characters: it stands inside a JSON text',
  );
  assert.equal(supplied(draftOfText(text, 'p.yaml'), outside('ab')).inputs.env.T, 'ab');
  assert.match(
    problem(() => supplied(draftOfText(text, 'p.yaml'), { ...outside(''), env: {} })),
    /sessionVars.token: the environment variable T is not set/,
  );
  assert.match(
    problemOf('session: stomp\nsessionVars: {login: "a\\nb"}'),
    /sessionVars.login: no line ends and no NUL/,
  );
});

test('the file of a session is its list alone, with places of its own', () => {
  const file = (text: string) => problem(() => flagged({}, text));
  assert.equal(
    file('- {send: a}\n- {sned: b}\n- {hold: 5}\n'),
    `2 problems in s.yaml:
  s.yaml:2:3  [1]: expected a step, a map with one of send, expect, when, every, hold, close; found sned; did you mean "send"?
  s.yaml:3:10  [2].hold: expected a duration such as 500ms, 30s, 5m or 1m30s, found 5; add a unit: 5s or 5ms`,
  );
  assert.equal(file('session: []'), 's.yaml:1:1  expected a list of steps as the whole document, found a map');
  assert.equal(file('[]'), 's.yaml:1:1  expected a list of 1 to 200 steps, found 0');
  assert.deepEqual(scriptOf(flagged({}, '[{"send": "a"}, {"hold": "1s"}]')).steps, [
    { send: { text: 'a' } },
    { holdMs: 1000 },
  ]);
});

test('--hold replaces the time of the hold, or adds one before the close; --ping is a standing beat', () => {
  const steps = (file: string, flags: object) => scriptOf(flagged(flags, file)).steps.slice(1);
  const hold = { hold: '30s' };
  assert.deepEqual(steps('[{send: a}, {hold: 1s}, {close: 1000}]', hold), [{ holdMs: 30_000 }, { close: 1000 }]);
  assert.deepEqual(steps('[{send: a}, {close: 1000}]', hold), [{ holdMs: 30_000 }, { close: 1000 }]);
  assert.deepEqual(steps('[{send: a}]', hold), [{ holdMs: 30_000 }]);
  assert.deepEqual(steps('[{send: a}, {when: b, close: 1000}]', hold), [{ holdMs: 30_000 }]);
  const pinged = flagged({ ping: '20s', hold: '5m' });
  assert.deepEqual(scriptOf(pinged).standing, [{ from: 0, everyMs: 20_000, send: { ping: '' } }]);
  assert.deepEqual(scriptOf(pinged).steps, [{ holdMs: 300_000 }]);
  assert.equal(heldMs(pinged.session), 300_000);
  assert.equal(planNeeds(pinged).bestMs, 300_000);
  assert.deepEqual(flagged({ hold: '5s' }).session, { holdMs: 5000, script: null });
  const over = layered(draftOfText(`${HEAD}session: {hold: 9s}`, 'p.yaml'), draftOfFlags({ ping: '1s' }, {}));
  assert.deepEqual(scriptOf(compilePlan(profileOf(over))).steps, [{ holdMs: 9000 }]);
});

test('a session from another layer drops the variables of the profile, others are merged', () => {
  const base = draftOfText(`${HEAD}session: graphql-ws\nsessionVars: {token: a}`, 'p.yaml');
  const merged = (flags: object) => compilePlan(profileOf(layered(base, draftOfFlags(flags, {}))));
  assert.deepEqual(scriptOf(merged({ sessionVars: { query: 'q' } })).variables, { token: 'a', query: 'q' });
  assert.deepEqual(scriptOf(merged({ session: 'mqtt' })).variables, {});
});

test('a shipped session adds its subprotocol, path and query where there are none', () => {
  const url = (session: string, written: string, sessionVars = {}) =>
    flagged({ session, sessionVars }, null, written).target.url;
  assert.equal(url('graphql-ws', 'ws://h:1'), 'ws://h:1/graphql');
  assert.equal(url('graphql-ws', 'ws://h/'), 'ws://h/');
  assert.equal(url('graphql-ws', 'ws://h?a=1'), 'ws://h/graphql?a=1');
  assert.equal(url('socket.io', 'ws://h/chat/'), 'ws://h/chat/?EIO=4&transport=websocket');
  assert.equal(url('socket.io', 'wss://h?x={{ uuid }}'), 'wss://h/socket.io/?x={{ uuid }}');
  assert.equal(url('phoenix', 'ws://h', { token: 't' }), 'ws://h/socket/websocket?vsn=2.0.0&token=t');
  assert.equal(url('pusher', 'ws://h', { key: 'app' }), 'ws://h/app/app?protocol=7&client=wstampede&version=1.0');
  const { target } = flagged({ session: 'socket.io' });
  assert.equal(target.path, '/socket.io/?EIO=4&transport=websocket');
  assert.deepEqual(flagged({ session: 'stomp' }).target.subprotocols, ['v12.stomp']);
  const own = { session: 'stomp', target: { url: 'ws://h', subprotocols: ['v11.stomp'] } };
  assert.deepEqual(flagged(own).target.subprotocols, ['v11.stomp']);
});

/** Every set of variables of every shipped session. */
const WAYS = SHIPPED_SESSIONS.flatMap((shipped) => {
  const names = Object.keys(shipped.variables);
  return Array.from({ length: 2 ** names.length }, (_, set) => ({
    shipped,
    given: Object.fromEntries(names.filter((_name, i) => (set >> i) % 2 === 1).map((name) => [name, `a-${name}`])),
  }));
});

test('each shipped session is a session, becomes a script with any of its variables, and comes back from its own text', () => {
  assert.equal(SHIPPED_SESSIONS.length, 9);
  const valid = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(profileJsonSchema());
  for (const { shipped, given } of WAYS) {
    const { name } = shipped;
    const url = `ws://h${shipped.path === null || name === 'pusher' ? '/x' : ''}`;
    const plan = flagged({ session: name, sessionVars: given }, null, url);
    const script = scriptOf(plan);
    assert.equal(script.name, name);
    assert.ok(compileScript(script, plan, NO_INPUTS).steps.length > 0);
    const text = sessionText(shipped, given);
    const used = Object.keys(given).filter((variable) => text.includes(`{{ var.${variable} }}`));
    const sessionVars = Object.fromEntries(used.map((variable) => [variable, given[variable]]));
    const again = scriptOf(flagged({ sessionVars }, text, url));
    assert.deepEqual([again.standing, again.steps], [script.standing, script.steps], text);
    const document = { target: { url }, stages: [{ burst: 1 }], session: shipped.lines(given) };
    assert.ok(valid(document), JSON.stringify(valid.errors));
  }
});

test('profiles --sessions lists them all and prints one, with the lines of its variables', async () => {
  const run = async (args: Parameters<typeof profiles>[0]): Promise<string> => {
    const stdout = new PassThrough();
    assert.equal(await profiles({ sessions: true, ...args }, { stdout, cwd: '/' } as unknown as Host), 0);
    return String(stdout.read());
  };
  const list = await run({});
  for (const { name } of SHIPPED_SESSIONS) assert.ok(list.includes(`  ${name} `), name);
  for (const line of list.split('\n')) assert.ok(line.length <= 80, line);
  const text = await run({ name: 'graphql-ws', sessionVars: ['token=x'] });
  assert.equal(
    text,
    `# graphql-ws: GraphQL over WebSocket (graphql-transport-ws); ready at connection_ack.
# As a file it needs what --session graphql-ws adds by itself: --subprotocol graphql-transport-ws and the URL ws://HOST/graphql
# --session-var token=…: sent as payload.token of connection_init
# --session-var query=…: a subscription to start, such as 'subscription { tick }'

- {when: {type: ping}, send: {type: pong}}
- {send: {type: connection_init, payload: {token: "{{ var.token }}"}}}
- {expect: {type: connection_ack}}
`,
  );
  await assert.rejects(
    run({ name: 'mqqt' }),
    (error) => error instanceof UserError && /did you mean "mqtt"/.test(error.message),
  );
});

test('variables, binary messages and named secrets are masked wherever the plan is shown, and known as secrets', () => {
  const plan = planOf(`sessionVars: { note: "a plain word", who: "{{ row.user }}:s3cret" }
data: { file: x.csv }
session:
  - {send: {type: auth, access_token: "t0ken-abc", user: "{{ var.who }}", note: "{{ var.note }}"}}
  - {send: "CONNECT\\nlogin:guest\\npasscode:hunter22\\n"}
  - {send: '40{"token":"in-text-1"}'}
  - {send: {$binary: "c2VjcmV0cw=="}}
  - {expect: {type: ok}}
`);
  const shown = JSON.stringify(maskPlan(plan).session);
  for (const secret of ['a plain word', 's3cret', 't0ken-abc', 'hunter22', 'in-text-1', 'c2VjcmV0cw']) {
    assert.ok(!shown.includes(secret), `${secret} in ${shown}`);
    assert.ok(
      seenSecrets(plan).some((one) => one.includes(secret)),
      secret,
    );
  }
  assert.ok(shown.includes('{{ row.user }}') && shown.includes('guest') && shown.includes('auth'), shown);
});

test('a session in words', () => {
  const plan = planOf(`session:
  - {every: 20s, send: {$ping: ""}}
  - {send: {type: init}}
  - {expect: {$starts: "0{"}, capture: {sid: /sid}}
  - {when: {type: error}, send: "bye", close: 1000}
  - {hold: 30s}
  - {close: abort}
`);
  assert.deepEqual(sessionLines(scriptOf(plan)), [
    'from now on sends a ping every 20s',
    'sends {"type":"init"}',
    'waits up to 5s for a text that starts with "0{", keeps sid',
    'from now on sends "bye" and closes with 1000 when {"type":"error"} comes',
    'ready',
    'holds the connection for 30s',
    'resets the connection',
  ]);
  assert.deepEqual(sessionLines(scriptOf(flagged({ ping: '1s' }))), ['from now on sends a ping every 1s', 'ready']);
});

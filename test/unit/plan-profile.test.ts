import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '#dist/errors.js';
import { type Draft, draftOfFlags, layered, profileOf } from '#dist/plan/profile/draft.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { draftOfText, readProfile } from '#dist/plan/profile/written.js';

const read = (text: string) => readProfile(text, 'p.yaml');

const draft = (text: string) => draftOfText(text, 'p.yaml');
const flags = (value: object) => draftOfFlags(value, { thresholds: '--threshold', rest: '--rest' });
const both = (base: Draft, over: Draft) => profileOf(layered(base, over));

function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, 'profile');
    assert.equal(error.exitCode, 2);
    return error.message;
  }
  return assert.fail('expected a UserError');
}

const SMALL = 'target: { url: ws://127.0.0.1/ }\nstages: [{ burst: 5 }]\n';

const MISTAKES = `name: simultaneous-504
about: ""
targt: 5
target:
  url: ws://user:pw@example.com/x#frag
  headres: {a: b}
  headers:
    Upgrade: foo
    X-Id: 5
    "X Y": a
    Authorization: "Bearer {{ row.token"
    X-C: "a\\nb"
    x-id: 2
  subprotocols: [chat.v1, chat.v1, "a b", "{{ rwo.x }}"]
  sourceIps: [127.0.0.300, 10.0.0.0/8]
  connectTo: 10.0.0.5
gate: upgarde
timeout: 30
stages:
  - { brust: 5 }
  - { burst: 1e9, tims: 3, rest: 5 }
  - { steps: { from: 10, to: 5, by: 1 } }
  - arrive: { rate: 200/s }
  - { steps: { from: 10, to: 500 , by: 5, factor: 2} }
  - { churn: { inFlight: 5 } }
  - 5
  - { burst: 3, churn: {} }
  - {}
session: { hold: 30s, ping: 20s, hodl: 3 }
thresholds: [ "bogus(1) > 2", 7 ]
abort: bogus
transport: epol
workers: 0
preflight: yes
data: {file: x.csv, pick: rnd}
`;

const REPORT = `36 problems in p.yaml:
  p.yaml:2:8  about: expected a text of 1 to 2,000 characters, found ""
  p.yaml:3:1  targt: unknown key; did you mean "target"?
  p.yaml:5:8  target.url: a user name or password in the URL is not sent in a WebSocket handshake; use a header: Authorization: "Basic …"
  p.yaml:6:3  target.headres: unknown key; did you mean "headers"?
  p.yaml:8:14  target.headers.Upgrade: Upgrade can't be set: it is what makes the request a WebSocket handshake
  p.yaml:10:12  target.headers["X Y"]: no header name: letters, digits and !#$%&'*+-.^_\`|~ only (RFC 9110 section 5.6.2)
  p.yaml:11:20  target.headers.Authorization: "{{" at character 8 is not closed by "}}"
  p.yaml:12:10  target.headers.X-C: a header value must not hold LF (header injection)
  p.yaml:13:11  target.headers.x-id: the same header as X-Id; write a list of values to send it twice
  p.yaml:14:27  target.subprotocols[1]: "chat.v1" is offered twice (RFC 6455 section 4.1)
  p.yaml:14:36  target.subprotocols[2]: a subprotocol is a token: letters, digits and !#$%&'*+-.^_\`|~, no spaces, no commas (RFC 6455 section 4.1)
  p.yaml:14:43  target.subprotocols[3]: unknown template name "rwo.x" at character 1, expected one of row.COLUMN, index, client, uuid, env.NAME; did you mean "row.x"?
  p.yaml:15:14  target.sourceIps: expected an IP address or a block such as 127.0.0.0/24, found "127.0.0.300"
  p.yaml:16:14  target.connectTo: expected HOST:PORT such as 10.0.0.5:443 or [::1]:443, found "10.0.0.5"
  p.yaml:17:7  gate: expected connect or tls or upgrade, found "upgarde"; did you mean "upgrade"?
  p.yaml:18:10  timeout: expected a duration such as 500ms, 30s, 5m or 1m30s, found 30; add a unit: 30s or 30ms
  p.yaml:20:7  stages[0].brust: unknown kind of stage; did you mean "burst"?
  p.yaml:21:14  stages[1].burst: expected a whole number such as 500, 10k or 1.5M, from 1 to 1,000,000, found 1000000000
  p.yaml:21:19  stages[1].tims: unknown key; did you mean "times"?
  p.yaml:21:34  stages[1].rest: expected a duration such as 500ms, 30s, 5m or 1m30s, found 5; add a unit: 5s or 5ms
  p.yaml:22:30  stages[2].steps.to: expected a size of at least from (10), found 5
  p.yaml:23:13  stages[3].arrive.for: missing, expected a duration such as 500ms, 30s, 5m or 1m30s, from 1ms to 24h
  p.yaml:24:51  stages[4].steps.factor: expected by or factor, found both
  p.yaml:25:14  stages[5].churn: expected total or for, found neither
  p.yaml:26:5  stages[6]: expected a stage, a map with one of burst, steps, churn, arrive, storm, find; found 5
  p.yaml:27:5  stages[7]: expected one kind of stage, found burst and churn: make them two stages
  p.yaml:28:5  stages[8]: expected a stage, a map with one of burst, steps, churn, arrive, storm, find; found an empty map
  p.yaml:29:23  session.ping: unknown key, expected one of hold
  p.yaml:29:34  session.hodl: unknown key; did you mean "hold"?
  p.yaml:30:15  thresholds[0]: threshold "bogus(1) > 2": at character 1: expected share(X), count(X), a latency such as p99(handshake), peak(attempts), rate or dropOff, found "bogus(1) > 2"
  p.yaml:30:31  thresholds[1]: expected a text of 1 to 500 characters, found 7
  p.yaml:31:8  abort: abort rule "bogus": at character 1: expected share(X), count(X), a latency such as p99(handshake), peak(attempts), rate or dropOff, found "bogus"
  p.yaml:32:12  transport: expected auto or epoll or node, found "epol"; did you mean "epoll"?
  p.yaml:33:10  workers: expected a whole number such as 500, 10k or 1.5M, from 1 to 256, found 0
  p.yaml:34:12  preflight: expected true or false, found "yes"
  p.yaml:35:27  data.pick: expected cycle or random or once, found "rnd"`;

test('every problem of a profile is reported at once, each with its place, path and way out', () => {
  assert.equal(
    problem(() => read(MISTAKES)),
    REPORT,
  );
});

test('what needs two keys to judge is reported beside what needs one', () => {
  const text = `gate: tls
target: { url: ws://h/, tls: { cert: c.pem }, origin: http://a, headers: { origin: b, X: "{{ row.a }}" } }
stages: [{ bust: 5 }]
`;
  assert.equal(
    problem(() => read(text)),
    `5 problems in p.yaml:
  p.yaml:1:7  gate: the gate tls needs a wss:// target: over ws:// there is no TLS to wait before
  p.yaml:2:38  target.tls.cert: a client certificate needs its key: set key too
  p.yaml:2:55  target.origin: Origin is set in headers too: keep one of them
  p.yaml:2:90  target.headers.X: {{ row.a }} needs data: name a CSV file (data.file, --data)
  p.yaml:3:12  stages[0].bust: unknown kind of stage; did you mean "burst"?`,
  );
});

test('the transport epoll takes a plain target only', () => {
  const stages = 'stages: [{ burst: 5 }]';
  assert.equal(compilePlan(read(`target: { url: ws://h/ }\ntransport: epoll\n${stages}\n`)).transport, 'epoll');
  assert.equal(compilePlan(read(`target: { url: wss://h/ }\ntransport: auto\n${stages}\n`)).transport, 'auto');
  assert.match(
    problem(() => read(`target: { url: wss://h/ }\ntransport: epoll\n${stages}\n`)),
    /^p\.yaml:2:12 {2}transport: the transport epoll speaks no TLS, and the target is wss:\/\/: use auto or node$/,
  );
});

test('the text itself: one clear message for each way in which YAML surprises', () => {
  const table: [string, RegExp][] = [
    ['name: a\nname: b\n', /^p\.yaml:2:1 {2}this key stands here for the second time$/],
    [`${SMALL}---\nname: x\n`, /^p\.yaml:3:1 {2}expected one document, found a second one/],
    ['target:\n\turl: ws://h\n', /^p\.yaml:2:1 {2}a tab is no indentation in YAML; use spaces$/],
    ['target: { headers: { X: {{ index }} } }\n', /a template must stand in quotes/],
    ['name: *nowhere\n', /no anchor &nowhere before this alias/],
    ['name: &x [*x]\n', /alias \*x holds itself/],
    ['', /^p\.yaml:1:1 {2}the profile is empty$/],
    ['# nothing\n', /the profile is empty/],
    ['- 1\n', /expected a profile: a map of target, stages.*found a list/],
    ['name: "open\n', /Missing closing "quote/],
    ['name: !!js/function foo\n', /Unresolved tag/],
    ['['.repeat(20_000), /at most 100 levels of brackets/],
    [`name: "${'x'.repeat(300_000)}"`, /expected at most 256 KiB/],
  ];
  for (const [text, message] of table)
    assert.match(
      problem(() => read(text)),
      message,
    );
  const nine = (inner: string): string => `[${Array.from({ length: 9 }, () => inner).join(',')}]`;
  const bomb = Array.from({ length: 9 }, (_, i) => `a${i}: &a${i} ${nine(i === 0 ? '1' : `*a${i - 1}`)}`).join('\n');
  assert.match(
    problem(() => read(bomb)),
    /aliases make the profile too large/,
  );
});

test('a scalar in a header is the text that was written, and no name means anything to an object', () => {
  const headersOf = (lines: string) =>
    compilePlan(read(`stages: [&b { burst: 5 }]\nname: &n "12"\ntarget:\n  url: ws://h/\n  headers:\n${lines}`)).target
      .headers;
  const table: [string, string][] = [
    ['12345678901234567890', '12345678901234567890'],
    ['1.10', '1.10'],
    ['0012345', '0012345'],
    ['0x1F', '0x1F'],
    ['1e3', '1e3'],
    ['.5', '.5'],
    ['true', 'true'],
    ['"1.10"', '1.10'],
    ['*n', '12'],
  ];
  for (const [written, sent] of table) {
    assert.deepEqual(headersOf(`    X-Id: ${written}\n`), [['X-Id', sent]]);
    assert.deepEqual(headersOf(`    X-Id: [a, ${written}]\n`), [
      ['X-Id', 'a'],
      ['X-Id', sent],
    ]);
  }
  const texts = (lines: string) =>
    compilePlan(read(`target:\n  url: ws://h/\n${lines}stages: [{ burst: 5 }]\n`)).target;
  assert.deepEqual(texts('  subprotocols: [1.10, 007, true]\n').subprotocols, ['1.10', '007', 'true']);
  const json = '{"target": {"url": "ws://h/", "headers": {"X": 1.10}}, "stages": [{"burst": 1}]}';
  assert.deepEqual(compilePlan(read(json)).target.headers, [['X', '1.10']]);
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];
  assert.deepEqual(
    headersOf(names.map((name) => `    ${name}: x\n`).join('')),
    names.map((name) => [name, 'x']),
  );
  assert.match(
    problem(() => headersOf('    X-Id:\n')),
    /found nothing/,
  );
});

test('BOM, CRLF, JSON with tabs, anchors in reason: all welcome', () => {
  assert.equal(compilePlan(read(`\ufeff${SMALL.replaceAll('\n', '\r\n')}`)).target.host, '127.0.0.1');
  assert.equal(
    compilePlan(read('{"target":\n\t{"url": "ws://h/x"},\n\t"stages": [{"burst": "10k"}]}')).stages[0]?.kind,
    'burst',
  );
  const anchored = 'target: { url: ws://h/ }\nstages: [&b { burst: 5, rest: 1s }, *b]\n';
  assert.equal(compilePlan(read(anchored)).stages.length, 2);
  const wrong = 'target: { url: ws://h/ }\nstages: [&b { burst: x }, *b]\n';
  assert.match(
    problem(() => read(wrong)),
    /p\.yaml:2:22 {2}stages\[0\]\.burst.*\n {2}p\.yaml:2:22 {2}stages\[1\]\.burst/,
  );
});

test('URLs: what is refused, and the way out', () => {
  const url = (text: string): string =>
    problem(() => checkProfile({ target: { url: text }, stages: [{ burst: 1 }] }, 'flags'));
  assert.match(url('http://h/x'), /begins with ws:\/\/ or wss:\/\/; did you mean ws:\/\/h\/x\?/);
  assert.match(url('https://h/x'), /did you mean wss:\/\/h\/x\?/);
  assert.match(url('localhost:8080/x'), /did you mean ws:\/\/localhost:8080\/x\?/);
  assert.match(url('wsss://h'), /did you mean "wss"\?/);
  assert.match(url('ws://h/#a'), /no fragment/);
  assert.match(url('ws://h/{{ row.x'), /not closed/);
  assert.match(url('ws://{{ row.x }}/'), /not allowed in host or port/);
  assert.match(url('ws://h:{{ index }}/'), /not allowed in host or port/);
  assert.match(url('ws://h:70000/'), /expected HOST or HOST:PORT/);
  assert.match(url('ws://h:0/'), /port 0/);
  assert.match(url('ws:///x'), /expected a host/);
  for (const text of ['ws://h\\x', 'ws://a b/', 'ws://h\n/', 'ws://h%41/'])
    assert.match(url(text), /unexpected character in the host/);
  for (const text of ['ws://user:hunter2@h/', 'http://user:hunter2@h/']) assert.doesNotMatch(url(text), /hunter2/);
});

test('a plan has its defaults, is frozen, and survives JSON', () => {
  const plan = compilePlan(read(SMALL));
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
  assert.ok(Object.isFrozen(plan) && Object.isFrozen(plan.target.tls) && Object.isFrozen(plan.stages[0]));
  assert.deepEqual(plan, {
    name: null,
    about: null,
    target: {
      url: 'ws://127.0.0.1/',
      scheme: 'ws',
      host: '127.0.0.1',
      port: 80,
      path: '/',
      headers: [],
      origin: null,
      subprotocols: [],
      compression: false,
      tls: { ca: null, cert: null, key: null, servername: null, insecure: false, resume: false },
      connectTo: null,
      sourceIps: [],
    },
    data: null,
    gate: 'connect',
    timeoutMs: 75_000,
    stages: [{ kind: 'burst', size: 5, times: 1, restMs: 5000 }],
    session: { holdMs: null, script: null },
    afterMs: null,
    thresholds: [],
    abort: null,
    allowHosts: [],
    close: null,
    resolve: 'first',
    preflight: true,
    calibrate: true,
    workers: null,
    transport: 'auto',
    releaseChunk: null,
    seed: 1,
  });
});

test('a full profile: units, blocks, stages, header order and repeats', () => {
  const plan = compilePlan(
    read(`
target:
  url: "wss://[::1]:9443/a b?x={{ index }}"
  headers: { X-B: 2, X-A: [one, two], User-Agent: me }
  subprotocols: [chat.v1, "t.{{ uuid }}"]
  tls: { insecure: true }
  connectTo: "[::1]:443"
  sourceIps: ["::1"]
timeout: 1m30s
stages:
  - { burst: 1.5k, times: "3", rest: 0 }
  - { steps: { from: 100, to: 350, by: 100 } }
  - { steps: { from: 1, to: 9, factor: 1.1 } }
  - { steps: { from: 25, to: 400, factor: 2 } }
  - { churn: { total: 10k, inFlight: 500, for: 1m }, rest: 1s }
session: { hold: 200ms }
`),
  );
  assert.equal(plan.target.host, '::1');
  assert.equal(plan.target.port, 9443);
  assert.equal(plan.target.path, '/a b?x={{ index }}');
  assert.deepEqual(plan.target.headers, [
    ['X-B', '2'],
    ['X-A', 'one'],
    ['X-A', 'two'],
    ['User-Agent', 'me'],
  ]);
  assert.deepEqual(plan.target.connectTo, { host: '::1', port: 443 });
  assert.equal(plan.timeoutMs, 90_000);
  assert.equal(plan.session.holdMs, 200);
  assert.deepEqual(plan.stages, [
    { kind: 'burst', size: 1500, times: 3, restMs: 0 },
    { kind: 'steps', sizes: [100, 200, 300, 350], restMs: 5000 },
    { kind: 'steps', sizes: [1, 2, 3, 4, 5, 6, 7, 8, 9], restMs: 5000 },
    { kind: 'steps', sizes: [25, 50, 100, 200, 400], restMs: 5000 },
    { kind: 'churn', total: 10_000, inFlight: 500, forMs: 60_000, restMs: 1000 },
  ]);
});

test('steps rise from first to last, each size once, whatever the stride', () => {
  const size = fc.integer({ min: 1, max: 20_000 });
  const stride = fc.oneof(
    fc.record({ by: fc.integer({ min: 1, max: 5000 }) }),
    fc.record({ factor: fc.double({ min: 1.001, max: 100, noNaN: true }) }),
  );
  fc.assert(
    fc.property(size, size, stride, (a, b, step) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      let sizes: readonly number[] = [];
      try {
        const plan = compilePlan(
          checkProfile({ target: { url: 'ws://h/' }, stages: [{ steps: { from, to, ...step } }] }, 'x'),
        );
        sizes = plan.stages[0]?.kind === 'steps' ? plan.stages[0].sizes : [];
      } catch (error) {
        assert.match((error as Error).message, /at most 10000 steps|at most 100,000,000 handshakes/);
        return;
      }
      assert.equal(sizes[0], from);
      assert.equal(sizes.at(-1), to);
      sizes.forEach((n, i) => {
        assert.ok(Number.isInteger(n) && (i === 0 || n > (sizes[i - 1] ?? 0)));
      });
    }),
    { numRuns: 60 },
  );
});

test('bounds between keys: attempts in all, rows of pick once, address families', () => {
  const many = 'target: { url: ws://h/ }\nstages: [{ burst: 1M, times: 101 }]\n';
  assert.match(
    problem(() => read(many)),
    /at most 100,000,000 handshakes in one run, found 101,000,000/,
  );
  const once =
    'target: { url: ws://h/ }\ndata: { file: a.csv, pick: once }\nstages: [{ churn: { inFlight: 5, for: 1s } }]\n';
  assert.match(
    problem(() => read(once)),
    /stages\[0\]\.churn: data\.pick once needs a total/,
  );
  const mixed = 'target: { url: "ws://[::1]/", sourceIps: [127.0.0.2] }\nstages: [{ burst: 1 }]\n';
  assert.match(
    problem(() => read(mixed)),
    /IPv4 and IPv6 do not mix/,
  );
});

test('problems of flags are named by the flag', () => {
  const labels = { 'target.url': 'URL', 'stages[0].burst': '-c' };
  const written = { target: {}, stages: [{ burst: 'x' }], timeuot: 1 };
  const message = problem(() => profileOf(draftOfFlags(written, labels)));
  assert.match(message, /\n {2}URL: missing, expected a ws:\/\/ or wss:\/\/ address/);
  assert.match(message, /\n {2}-c: expected a whole number/);
  assert.match(message, /\n {2}timeuot: unknown key; did you mean "timeout"\?/);
});

test('flags lie over a profile: scalars and lists replace, headers by name, hosts add up', () => {
  const base = draft(`
target:
  url: wss://old.example/x
  headers: { Authorization: old, X-Keep: 1, Cookie: [a=1, b=2] }
  connectTo: 10.0.0.1:443
  tls: { servername: old.example, insecure: true }
  sourceIps: [127.0.0.2]
timeout: 10s
thresholds: [share(101) == 100%]
allowHosts: [a.example]
stages: [{ burst: 5 }]
`);
  const over = flags({
    target: {
      url: 'wss://new.example/y',
      headers: { authorization: 'new', cookie: 'c=3', 'X-New': 'n' },
      tls: { resume: true },
    },
    timeout: '20s',
    thresholds: ['share(504) == 0%'],
    allowHosts: ['b.example'],
  });
  const plan = compilePlan(both(base, over));
  assert.equal(plan.target.host, 'new.example');
  assert.equal(plan.target.connectTo, null, 'the address of the old target must not be dialled');
  assert.equal(plan.target.tls.servername, null);
  assert.equal(plan.target.tls.insecure, true);
  assert.equal(plan.target.tls.resume, true);
  assert.deepEqual(plan.target.headers, [
    ['authorization', 'new'],
    ['X-Keep', '1'],
    ['cookie', 'c=3'],
    ['X-New', 'n'],
  ]);
  assert.deepEqual(plan.target.sourceIps, ['127.0.0.2']);
  assert.equal(plan.timeoutMs, 20_000);
  assert.deepEqual(plan.thresholds, [
    {
      expression: 'share(504) == 0%',
      parsed: { subject: { kind: 'share', of: '504' }, operator: '==', limit: 0 },
    },
  ]);
  assert.deepEqual(plan.allowHosts, ['a.example', 'b.example']);
  assert.deepEqual(compilePlan(both(base, flags({}))), compilePlan(profileOf(base)));
});

test('a merge that does not fit together is refused, by the layer that does not fit', () => {
  const base = draft('target: { url: wss://h/ }\ngate: tls\nstages: [{ burst: 5 }]\n');
  assert.match(
    problem(() => both(base, flags({ target: { url: 'ws://h/' } }))),
    /^p\.yaml:2:7 {2}gate: the gate tls needs a wss:\/\/ target/,
  );
  assert.match(
    problem(() => both(base, flags({ thresholds: ['bogus'] }))),
    /^--threshold: /,
  );
});

test('what one layer lacks another may have', () => {
  const base = draft('stages: [{ burst: 5 }]\n');
  assert.match(
    problem(() => profileOf(base)),
    /^p\.yaml:1:1 {2}target\.url: missing, expected a ws:\/\/ or wss:\/\/ address$/,
  );
  assert.equal(compilePlan(both(base, flags({ target: { url: 'ws://h/x' } }))).target.path, '/x');
  const headers = draft('target: { headers: { A: "{{ row.a }}" } }\nstages: [{ burst: 5 }]\n');
  const plan = compilePlan(both(headers, flags({ target: { url: 'ws://h/' }, data: { file: 'a.csv' } })));
  assert.deepEqual([plan.target.headers, plan.data?.file], [[['A', '{{ row.a }}']], 'a.csv']);
  assert.match(
    problem(() => both(headers, flags({ target: { url: 'ws://h/' }, data: { pick: 'once' } }))),
    /there is nothing to pick from: name a CSV file/,
  );
  assert.match(
    problem(() => profileOf(draft('name: x\n'))),
    /2 problems in p\.yaml:\n.*target\.url: missing.*\n.*stages: missing, expected a list/,
  );
});

test('a rest over a profile is that of every stage, within bounds', () => {
  const base = draft(
    'target: { url: ws://h/ }\nstages: [{ burst: 5 }, { steps: { from: 1, to: 2, by: 1 }, rest: 9s }]\n',
  );
  const rests = compilePlan(both(base, flags({ rest: '2s' }))).stages.map(({ restMs }) => restMs);
  assert.deepEqual(rests, [2000, 2000]);
  for (const rest of ['25h', '-1s', '5']) {
    assert.match(
      problem(() => both(base, flags({ rest }))),
      /^--rest: expected a duration/,
    );
  }
  assert.match(
    problem(() => read(`${SMALL}rest: 1s\n`)),
    /rest: unknown key/,
  );
});

test('both ends of a wrong step, and what else its stage lacks', () => {
  const text =
    'target: { url: ws://h/ }\nstages:\n  - { steps: { from: 100, to: 20, by: 0 } }\n  - { churn: { inFlight: 0 } }\n';
  const message = problem(() => read(text));
  assert.match(message, /^4 problems/);
  assert.match(message, /stages\[0\]\.steps\.to: expected a size of at least from \(100\), found 20/);
  assert.match(message, /stages\[0\]\.steps\.by: expected a whole number .*, found 0/);
  assert.match(message, /stages\[1\]\.churn: expected total or for, found neither/);
  assert.match(message, /stages\[1\]\.churn\.inFlight: expected a whole number .*, found 0/);
});

test('a churn has no gate; beside bursts the gate is theirs', () => {
  const churn = '{ churn: { total: 5, inFlight: 5 } }';
  for (const gate of ['connect', 'upgrade']) {
    assert.match(
      problem(() => read(`target: { url: ws://h/ }\ngate: ${gate}\nstages: [${churn}, ${churn}]\n`)),
      /^p\.yaml:2:7 {2}gate: a churn has no gate/,
    );
  }
  assert.equal(
    compilePlan(read(`target: { url: ws://h/ }\ngate: upgrade\nstages: [{ burst: 5 }, ${churn}]\n`)).gate,
    'upgrade',
  );
});

test('an origin is null or a scheme and a host (RFC 6454)', () => {
  const origin = (value: string) => () =>
    checkProfile({ target: { url: 'ws://h/', origin: value }, stages: [{ burst: 1 }] }, 'x');
  for (const good of [
    'null',
    'https://app.example',
    'http://127.0.0.1:8080',
    'http://[::1]:80',
    'app://x',
    '{{ env.O }}',
    'https://{{ env.O }}.example:{{ index }}',
  ]) {
    origin(good)();
  }
  for (const bad of [
    'not a url',
    'example.com',
    'https://a.example/',
    'https://a/x',
    'https://u:hunter2@a',
    '//a',
    'https://',
  ]) {
    const message = problem(origin(bad));
    assert.match(message, /expected null or SCHEME:\/\/HOST\[:PORT\]/, bad);
    assert.doesNotMatch(message, /hunter2/);
  }
});

test('an empty text is one problem, and a secret in the wrong place is not repeated', () => {
  const with_ = (over: object) => () =>
    checkProfile({ target: { url: 'ws://h/' }, stages: [{ burst: 1 }], ...over }, 'x');
  for (const over of [{ target: { url: '' } }, { thresholds: [''] }, { abort: '' }]) {
    assert.doesNotMatch(problem(with_(over)), /\n/);
  }
  const leaks: object[] = [
    { target: { url: 'http://h/?token=hunter2&x=1' } },
    { target: { url: 'h/?token=hunter2' } },
    { target: { url: '//h/?access_token=hunter2' } },
    { target: { url: `ws://h/?token=hunter2${'x'.repeat(9000)}` } },
    { target: 'ws://h/?token=hunter2' },
    { target: { url: 'ws://h/', headers: 'Authorization: hunter2' } },
    { target: { url: 'ws://h/', headers: ['Bearer hunter2'] } },
    { target: { url: 'ws://h/', connectTo: 'ws://h/?token=hunter2' } },
    { target: { url: 'ws://h/', sourceIps: ['Bearer hunter2'] } },
    { target: { url: 'ws://h/', subprotocols: ['bearer.hunter2', 'bearer.hunter2'] } },
    { target: { url: 'ws://h/', tls: 'X-Api-Key: hunter2' } },
    { timeout: 'Authorization: Basic hunter2' },
    { gate: 'Cookie: sid=hunter2' },
    { workers: 'ws://u:hunter2@h/' },
    { stages: ['ws://h/?key=hunter2'] },
  ];
  for (const over of leaks) assert.doesNotMatch(problem(with_(over)), /hunter2/, JSON.stringify(over));
  assert.match(problem(with_(leaks[0] ?? {})), /did you mean ws:\/\/h\/\?token=\*\*\*&x=1\?/);
  assert.doesNotMatch(
    problem(() => read('target: { headers: { Authorization: "Bearer" "hunter2" } }\n')),
    /hunter2/,
  );
});

test('no text makes the reader throw anything but a UserError', () => {
  const pieces = fc.constantFrom(
    'target:',
    ' ',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    'url: ',
    'ws://h',
    '"',
    "'",
    '&a',
    '*a',
    '|',
    '\t',
    ':',
    'stages',
    '5',
    '{{',
    '}}',
    '? ',
    '!!',
    '\r',
    '#',
    'burst: ',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      try {
        read(parts.join(''));
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('no value makes the checker throw anything but a UserError', () => {
  const key = fc.constantFrom(
    'target',
    'url',
    'stages',
    'burst',
    'steps',
    'churn',
    'headers',
    '__proto__',
    'timeout',
    'x',
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 4 }, fc.constantFrom(1, -1, 'a', '5s', null, true, '{{ x'), tie('list'), tie('map')),
    list: fc.array(tie('tree'), { maxLength: 3 }),
    map: fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      assert.throws(() => checkProfile(value, 'x'), UserError);
    }),
    { numRuns: 300 },
  );
});

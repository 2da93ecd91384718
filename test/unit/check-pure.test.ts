/** The parts of a check that need no socket: clauses, the SYN schedule, probes and their words, curl's line, the verdict. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { directPlan, endedAs, probesFor } from '#dist/engine/check/probe-plans.js';
import { probeSays } from '#dist/engine/check/probe-words.js';
import { isHarmed } from '#dist/engine/check/probing.js';
import { synRetries, synSchedule } from '#dist/engine/machine/syn-schedule.js';
import { judgeClauses } from '#dist/engine/protocol/clauses.js';
import { acceptFor } from '#dist/engine/protocol/request.js';
import { judgeUpgrade, readHead } from '#dist/engine/protocol/response.js';
import { NAMED_OUTCOMES, type OutcomeId } from '#dist/names/outcomes.js';
import { curlLine } from '#dist/plan/curl.js';
import type { Plan } from '#dist/plan/plan.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { type Check, PROBE_IDS } from '#dist/result/check-facts.js';
import { ailments, checkExitCode, harmOf } from '#dist/tally/check-health.js';

function planOf(target: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}): Plan {
  return compilePlan(checkProfile({ target, stages: [{ burst: 1 }], ...more }, 'test'));
}

test('the clauses and the judge of a burst never disagree', () => {
  const accept = acceptFor('dGhlIHNhbXBsZSBub25jZQ==');
  const choices = {
    version: ['HTTP/1.1', 'HTTP/1.0'],
    Upgrade: ['websocket', 'WebSocket', 'h2c', 'websocket, h2c', null],
    Connection: ['Upgrade', 'keep-alive, upgrade', 'close', null],
    'Sec-WebSocket-Accept': [accept, 'AAAA', ' ', `${accept}, ${accept}`, null],
    'Sec-WebSocket-Extensions': [null, '', 'permessage-deflate', 'x-own'],
    'Sec-WebSocket-Protocol': [null, 'chat', 'other', ''],
  };
  let judged = 0;
  let valid = 0;
  for (const version of choices.version)
    for (const upgrade of choices.Upgrade)
      for (const connection of choices.Connection)
        for (const given of choices['Sec-WebSocket-Accept'])
          for (const extensions of choices['Sec-WebSocket-Extensions'])
            for (const protocol of choices['Sec-WebSocket-Protocol'])
              for (const offer of [
                { subprotocols: ['chat'], deflate: true },
                { subprotocols: [], deflate: false },
              ]) {
                const lines = [
                  `${version} 101 Switching Protocols`,
                  ...(upgrade === null ? [] : [`Upgrade: ${upgrade}`]),
                  ...(connection === null ? [] : [`Connection: ${connection}`]),
                  ...(given === null ? [] : [`Sec-WebSocket-Accept: ${given}`]),
                  ...(extensions === null ? [] : [`Sec-WebSocket-Extensions: ${extensions}`]),
                  ...(protocol === null ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
                ];
                const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
                const reading = readHead(bytes, bytes.length);
                assert.ok(reading.kind === 'head');
                const clauses = judgeClauses(reading.head, accept, offer, (text) => text);
                const isValid = judgeUpgrade(reading.head, accept, offer) === null;
                assert.equal(
                  clauses.every(({ ok }) => ok === true),
                  isValid,
                  lines.join('\n'),
                );
                judged++;
                if (isValid) valid++;
              }
  assert.ok(valid > 0 && valid < judged);
});

test('clauses about headers are judged of a 101 only, and of nothing without an answer', () => {
  const bytes = Buffer.from('HTTP/1.1 404 Not Found\r\nUpgrade: websocket\r\n\r\n');
  const reading = readHead(bytes, bytes.length);
  assert.ok(reading.kind === 'head');
  const found = judgeClauses(reading.head, 'x', { subprotocols: [], deflate: false }, (text) => text);
  assert.deepEqual(
    found.map(({ id, ok }) => [id, ok]),
    [
      ['http', true],
      ['status', false],
      ['upgrade', null],
      ['connection', null],
      ['accept', null],
      ['extensions', null],
      ['subprotocol', null],
    ],
  );
  const none = judgeClauses(null, 'x', { subprotocols: [], deflate: false }, (text) => text);
  assert.ok(none.every(({ ok }) => ok === null));
});

test('SYN retries are told by the schedule of the kernel', () => {
  assert.deepEqual(synSchedule(4).slice(0, 8), [1000, 2000, 3000, 4000, 5000, 7000, 11_000, 19_000]);
  assert.deepEqual(synSchedule(0).slice(0, 4), [1000, 3000, 7000, 15_000]);
  for (const [ms, retries] of [
    [0.3, 0],
    [500, 0],
    [1010, 1],
    [1024, 1],
    [1500, 0],
    [2030, 2],
    [4080, 4],
    [7130, 6],
    [11_200, 7],
    [19_490, 8],
  ] as const) {
    assert.equal(synRetries(ms, true, 4), retries, `${ms} ms`);
  }
  assert.equal(synRetries(3020, true, 0), 2);
  // The deadline passed: every point before it was a SYN without an answer.
  assert.equal(synRetries(10_000, false, 4), 6);
  assert.equal(synRetries(900, false, 4), 0);
});

test('probes change one thing, and say nothing secret where nobody asked for it', () => {
  const plan = planOf({
    url: 'wss://example.test/ws?access_token=verysecret',
    headers: { Authorization: 'Bearer verysecret' },
    subprotocols: ['chat'],
  });
  const probes = probesFor(plan, '404', 'answered');
  assert.deepEqual(
    probes.map(({ id }) => id),
    ['firefox-connection', 'own-origin', 'without-subprotocol', 'without-upgrade', 'version-8', 'other-slash'],
  );
  const of = (id: string) => [...probes, ...probesFor(plan, 'tls', 'in-tls')].find((probe) => probe.id === id);
  const other = of('other-scheme')?.plan.target;
  assert.deepEqual([other?.scheme, other?.port, other?.path], ['ws', 443, '/ws']);
  assert.deepEqual([other?.headers, other?.subprotocols], [[], []], 'no credentials in the clear');
  assert.equal(of('other-slash')?.plan.target.path, '/ws/?access_token=verysecret');
  assert.equal(of('own-origin')?.plan.target.origin, 'https://example.test');
  const request =
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\nUser-Agent: u\r\n\r\n';
  assert.equal(of('without-upgrade')?.rewrite?.(request), 'GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: u\r\n\r\n');
  assert.match(
    of('firefox-connection')?.rewrite?.(request) ?? '',
    /\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key/,
  );
  assert.deepEqual(of('without-subprotocol')?.plan.target.subprotocols, []);
  assert.match(of('version-8')?.rewrite?.(request) ?? '', /Version: 8\r\nUser-Agent/);
  assert.deepEqual(
    probesFor(plan, 'tls', 'in-tls').map(({ id }) => id),
    ['other-scheme'],
  );
  assert.deepEqual(probesFor(plan, 'refused', 'nowhere'), []);
});

test('Origins that tell something: none after a 101 with the given one, else without it and with its own', () => {
  const ids = (target: Readonly<Record<string, unknown>>, outcome: OutcomeId = '403') =>
    probesFor(planOf({ url: 'ws://127.0.0.1:8080/', ...target }), outcome, endedAs(outcome, true, true))
      .map(({ id }) => id)
      .filter((id) => id.endsWith('-origin'));
  assert.deepEqual(ids({}), ['own-origin']);
  assert.deepEqual(ids({}, '101'), ['own-origin']);
  assert.deepEqual(ids({ origin: 'https://elsewhere.test' }), ['own-origin', 'without-origin']);
  assert.deepEqual(ids({ origin: 'https://elsewhere.test' }, '101'), []);
  assert.deepEqual(ids({ origin: 'http://127.0.0.1:8080' }), ['without-origin']);
  assert.deepEqual(ids({ headers: { Origin: 'null' } }), ['own-origin', 'without-origin']);
});

test('the own host is the one of the Host header, where one is sent', () => {
  const plan = planOf({ url: 'wss://10.0.0.5/ws', headers: { Host: 'app.test' } });
  const own = probesFor(plan, '101', 'opened').find(({ id }) => id === 'own-origin');
  assert.equal(own?.plan.target.origin, 'https://app.test');
});

test('after a 101 only what other clients send is asked, and what is likely to fail goes last', () => {
  const plan = planOf({ url: 'ws://127.0.0.1:8080/ws', subprotocols: ['chat'] });
  assert.deepEqual(
    probesFor(plan, '101', 'opened').map(({ id }) => id),
    ['firefox-connection', 'own-origin'],
  );
  assert.deepEqual(
    probesFor(plan, 'closed', 'unanswered')
      .map(({ id }) => id)
      .slice(-3),
    ['version-8', 'other-scheme', 'other-slash'],
  );
});

test('the plain handshake is harmed when it ends otherwise than before, and nobody is left to answer', () => {
  const harmed: [OutcomeId, OutcomeId][] = [
    ['101', 'refused'],
    ['101', '502'],
    ['101', '403'],
    ['403', 'refused'],
    ['403', 'closed'],
    ['400', '502'],
    ['closed', 'refused'],
  ];
  for (const [before, now] of harmed) assert.ok(isHarmed(before, now), `${before} ${now}`);
  const well: [OutcomeId, OutcomeId][] = [
    ['101', '101'],
    ['101', 'aborted'],
    ['101', 'local-fds'],
    ['403', '429'],
    ['502', '504'],
    ['502', '502'],
    ['closed', 'closed'],
    ['timeout-upgrade', 'timeout-upgrade'],
  ];
  for (const [before, now] of well) assert.ok(!isHarmed(before, now), `${before} ${now}`);
});

test('a query in a template is no query', () => {
  const plan = planOf({ url: 'ws://127.0.0.1/a{{ env.X }}?b=1' });
  const paths = probesFor(plan, '404', 'answered').map(({ plan: { target } }) => target.path);
  assert.equal(paths.at(-1), '/a{{ env.X }}/?b=1');
});

test('--direct without a path of its own asks for the same one', () => {
  const plan = planOf({ url: 'wss://example.test/ws', headers: { Host: 'x', 'X-A': '1' } });
  const there = (url: string) => directPlan(plan, planOf({ url }).target).target;
  assert.deepEqual(
    [there('ws://10.0.0.5:8080').path, there('ws://10.0.0.5:8080').url],
    ['/ws', 'ws://10.0.0.5:8080/ws'],
  );
  assert.equal(there('ws://10.0.0.5:8080/other').path, '/other');
  assert.deepEqual(there('ws://10.0.0.5').headers, [['X-A', '1']]);
});

test('every probe has words for every pair of outcomes, and none of them is silent on a difference', () => {
  const ids: OutcomeId[] = [
    '101',
    '200',
    '301',
    '400',
    '401',
    '403',
    '404',
    '426',
    '502',
    '504',
    ...NAMED_OUTCOMES.map(({ id }) => id),
  ];
  for (const id of PROBE_IDS.filter((one) => one !== 'with-origin'))
    for (const main of ids)
      for (const probe of ids) {
        const says = probeSays(id, {
          main,
          probe,
          mainEnd: null,
          probeEnd: null,
          versions: null,
          isSecure: false,
          sentOrigin: false,
          speaksTls: false,
          after: 'own-origin',
        });
        assert.match(says, /^[A-Zw].+\.$/, `${id} ${main} ${probe}: ${says}`);
        assert.doesNotMatch(says, /undefined|null/);
      }
});

test("curl's line holds no secret, and what it needs as variables", () => {
  const line = curlLine(
    planOf(
      {
        url: 'wss://example.test:8443/ws?access_token=topsecret1&room=7',
        headers: {
          Authorization: 'Bearer {{ env.TOKEN }}',
          Cookie: 'sid=topsecret2; theme=topsecret3',
          'X-Api-Key': '{{ row.key }}',
          'X-Echo': 'topsecret1 and more',
          'X-Quote': `it's "5" \`$HOME\``,
          'X-Empty': '',
        },
        origin: 'https://app.example.test',
        subprotocols: ['chat.v1', 'bearer.topsecret4'],
        connectTo: '10.0.0.9:9443',
        sourceIps: ['127.0.0.2'],
        tls: { insecure: true, ca: "my ca's.pem" },
      },
      { data: { file: 'tokens.csv' } },
    ),
    'wstampede/test',
    10,
  );
  assert.doesNotMatch(line, /topsecret/);
  for (const part of [
    'curl -i -N -g --path-as-is --http1.1 -m 10 ',
    `-H "Authorization: Bearer \${TOKEN}"`,
    `-H "Cookie: sid=\${SECRET_COOKIE}; theme=\${SECRET_COOKIE_2}"`,
    `-H "X-Api-Key: \${ROW_KEY}"`,
    `-H "X-Echo: \${SECRET_X_ECHO} and more"`,
    `-H 'X-Quote: it'\\''s "5" \`$HOME\`'`,
    `-H 'X-Empty;'`,
    `-H 'Origin: https://app.example.test'`,
    `bearer.\${SECRET_SUBPROTOCOL}`,
    ` -k --cacert 'my ca'\\''s.pem' --connect-to '::10.0.0.9:9443' --interface '127.0.0.2' `,
    `"https://example.test:8443/ws?access_token=\${SECRET_URL}&room=7"`,
  ]) {
    assert.ok(line.includes(part), `${part}\n${line}`);
  }
});

test('another name in TLS is asked for by the URL, and the host stays in Host', () => {
  const line = curlLine(planOf({ url: 'wss://10.0.0.5/ws', tls: { servername: 'app.test' } }), 'u', 5);
  assert.match(line, /-H 'Host: 10\.0\.0\.5' .*--connect-to '::10\.0\.0\.5:443' 'https:\/\/app\.test:443\/ws'$/);
});

test('healthy, unhealthy and silent have exit codes of their own', () => {
  const healthy: Check = {
    dns: null,
    tcp: [],
    tls: null,
    request: '',
    curl: '',
    outcome: '101',
    detail: null,
    answer: null,
    firstByteMs: 1,
    headMs: 1,
    clauses: [],
    ping: { ok: true, tookMs: 1, found: 'pong' },
    close: { ok: true, tookMs: 1, found: 'close 1000' },
    probes: [],
    idle: null,
  };
  const bad = { ok: false, tookMs: null, found: 'nothing' };
  const again = {
    id: 'open-close-open',
    asks: '',
    url: '',
    outcome: '502',
    detail: null,
    tookMs: 1,
    sample: null,
    says: '',
  } as const;
  assert.deepEqual([ailments(healthy), checkExitCode(healthy)], [[], 0]);
  assert.equal(checkExitCode({ ...healthy, ping: bad }), 3);
  assert.equal(checkExitCode({ ...healthy, close: bad }), 3);
  assert.equal(checkExitCode({ ...healthy, probes: [again] }), 3);
  const ended = { ...again, id: 'still-served', outcome: 'refused' } as const;
  const harmed = { ...healthy, probes: [{ ...again, id: 'own-origin', outcome: '403' } as const, ended] };
  assert.deepEqual(ailments(harmed), ['it stopped answering after the probe own-origin (refused)']);
  assert.equal(checkExitCode(harmed), 3);
  // Who found nobody any more did not do it.
  const late = { ...again, id: 'version-8', outcome: 'refused' } as const;
  assert.equal(harmOf([...harmed.probes.slice(0, 1), late, ended])?.after, 'own-origin');
  assert.equal(checkExitCode({ ...healthy, idle: { forMs: 9, livedMs: 5, cutBy: 'closed', pings: 0 } }), 3);
  assert.equal(checkExitCode({ ...healthy, idle: { forMs: 9, livedMs: null, cutBy: null, pings: 0 } }), 0);
  assert.equal(checkExitCode({ ...healthy, outcome: '502' }), 3);
  assert.equal(checkExitCode({ ...healthy, outcome: 'tls', firstByteMs: null }), 3);
  assert.equal(checkExitCode({ ...healthy, outcome: 'malformed' }), 3);
  for (const outcome of ['refused', 'dns', 'timeout-upgrade', 'closed', 'timeout-connect']) {
    assert.equal(checkExitCode({ ...healthy, outcome, firstByteMs: null }), 5, outcome);
  }
});

test('what a probe says is true of the Origin that was sent and of the TLS that was seen', () => {
  const ends = { mainEnd: null, probeEnd: null, after: null };
  const both = { versions: null, isSecure: true, sentOrigin: true, speaksTls: true, ...ends } as const;
  const refused = { ...both, main: '403', probe: '101' } as const;
  assert.match(probeSays('own-origin', refused), /accepted with this Origin, and refused with the one that was sent/);
  assert.match(probeSays('own-origin', { ...refused, sentOrigin: false }), /refused without one/);
  assert.match(
    probeSays('without-origin', refused),
    /accepted without an Origin, and refused with the one that was sent/,
  );
  const overPlain = { ...both, main: 'tls', probe: '400' } as const;
  assert.match(probeSays('other-scheme', overPlain), /speaks TLS/);
  assert.match(probeSays('other-scheme', { ...overPlain, speaksTls: false }), /may speak no TLS/);
});

test('an Origin that decides only after the 101 makes a difference', () => {
  const both = {
    versions: null,
    isSecure: false,
    sentOrigin: false,
    speaksTls: false,
    after: null,
    main: '101',
    probe: '101',
  } as const;
  const says = (mainEnd: string | null, probeEnd: string | null) =>
    probeSays('own-origin', { ...both, mainEnd, probeEnd });
  assert.match(
    says('close-frame 1008', null),
    /stays open with this Origin, and is ended without one \(close-frame 1008\)/,
  );
  assert.match(
    says(null, 'close-frame 1008'),
    /is ended with this Origin \(close-frame 1008\), and stays open without one/,
  );
  assert.equal(says(null, null), 'Origin makes no difference.');
  assert.equal(says('closed', 'closed'), 'Origin makes no difference.');
});

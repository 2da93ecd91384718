import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { RequestSource } from '#dist/engine/attempt/request-source.js';
import { acceptFor, newKey } from '#dist/engine/protocol/request.js';
import { type Inputs, peakOpen } from '#dist/plan/plan.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const INPUTS: Inputs = { rows: [], env: {}, tls: { ca: null, cert: null, key: null } };

/** The request of an attempt, as lines. */
function request(
  target: Record<string, unknown>,
  inputs: Partial<Inputs> = {},
  attempt = 0,
  rest = {},
  client = attempt,
): string[] {
  const plan = compilePlan(checkProfile({ target, stages: [{ burst: 3 }], ...rest }, 'test'));
  assert.equal(peakOpen(plan), 3);
  const source = new RequestSource(plan, { ...INPUTS, ...inputs }, 10, 10, 'wstampede/1.2.3');
  const text = source.text(attempt, client, KEY);
  assert.ok(text.endsWith('\r\n\r\n'));
  return text.slice(0, -4).split('\r\n');
}

const hostOf = (url: string, more: Record<string, unknown> = {}) => request({ url, ...more })[1];

test('the sample of RFC 6455 section 1.3', () => {
  assert.equal(acceptFor(KEY), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
});

test('a key is 16 random bytes in base64, new for each attempt (RFC 6455 section 4.1 point 7)', () => {
  const keys = Array.from({ length: 3000 }, newKey);
  assert.equal(new Set(keys).size, keys.length);
  for (const key of keys) assert.equal(Buffer.from(key, 'base64').toString('base64'), key);
  for (const key of keys) assert.equal(Buffer.from(key, 'base64').length, 16);
  const bits = keys.reduce((sum, key) => sum + ((Buffer.from(key, 'base64')[7] ?? 0) & 1), 0);
  // 3000 fair coins: 10 standard deviations are 274.
  assert.ok(Math.abs(bits - 1500) < 274, `${bits}`);
});

test('the Accept of any key is its SHA-1 with the GUID', () => {
  fc.assert(
    fc.property(fc.base64String(), (key) => {
      const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
      assert.equal(
        acceptFor(key),
        createHash('sha1')
          .update(key + guid)
          .digest('base64'),
      );
    }),
  );
});

test('header order is fixed: ours first, the user’s own behind, in the order written', () => {
  const lines = request({
    url: 'ws://127.0.0.1:8080/chat?x=1',
    headers: { Zeta: 'z', Authorization: 'Bearer t', Alpha: 'a' },
    origin: 'https://app.example',
    subprotocols: ['chat.v1', 'chat.v2'],
    compression: true,
  });
  assert.deepEqual(lines, [
    'GET /chat?x=1 HTTP/1.1',
    'Host: 127.0.0.1:8080',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    'Origin: https://app.example',
    'Sec-WebSocket-Protocol: chat.v1, chat.v2',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    'User-Agent: wstampede/1.2.3',
    'Zeta: z',
    'Authorization: Bearer t',
    'Alpha: a',
  ]);
});

test('what is not asked for is not sent', () => {
  assert.deepEqual(
    request({ url: 'ws://127.0.0.1:8080' }).map((line) => line.split(':')[0]),
    ['GET / HTTP/1.1', 'Host', 'Upgrade', 'Connection', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'User-Agent'],
  );
});

test('Host: default ports are left out (RFC 6455 section 4.1 point 4), IPv6 literals have brackets (RFC 3986 section 3.2.2)', () => {
  assert.equal(hostOf('ws://localhost:80/'), 'Host: localhost');
  assert.equal(hostOf('ws://localhost/'), 'Host: localhost');
  assert.equal(hostOf('wss://localhost:443/'), 'Host: localhost');
  assert.equal(hostOf('ws://localhost:443/'), 'Host: localhost:443');
  assert.equal(hostOf('wss://localhost:80/'), 'Host: localhost:80');
  assert.equal(hostOf('ws://[::1]:9000/'), 'Host: [::1]:9000');
  assert.equal(hostOf('ws://[::1]/'), 'Host: [::1]');
  assert.equal(hostOf('ws://chat.test:9000/', { connectTo: '127.0.0.1:1234' }), 'Host: chat.test:9000');
});

test('a Host or User-Agent of the user’s takes the place of ours, whatever its case, and comes once', () => {
  const lines = request({
    url: 'ws://127.0.0.1:8080/',
    headers: { 'X-A': '1', host: 'vhost.test', 'USER-AGENT': 'mine/2' },
  });
  assert.deepEqual(lines.slice(1, 2), ['Host: vhost.test']);
  assert.deepEqual(lines.slice(-2), ['User-Agent: mine/2', 'X-A: 1']);
  assert.equal(lines.filter((line) => /^(host|user-agent):/i.test(line)).length, 2);
});

test('rows and index are rendered for each attempt by its number in the run, and are its secrets', () => {
  const target = { url: 'ws://127.0.0.1:8080/{{ index }}', headers: { 'X-Row': '{{ row.token }}' } };
  const inputs = { rows: [{ token: 'alpha' }, { token: 'beta1' }] };
  const rest = { data: { file: 'rows.csv' } };
  assert.equal(request(target, inputs, 0, rest)[0], 'GET /10 HTTP/1.1');
  assert.equal(request(target, inputs, 2, rest)[0], 'GET /12 HTTP/1.1');
  assert.equal(request(target, inputs, 0, rest).at(-1), 'X-Row: alpha');
  assert.equal(request(target, inputs, 1, rest).at(-1), 'X-Row: beta1');
  // A client that comes back keeps its row; the attempt has a number of its own.
  assert.deepEqual(
    request(target, inputs, 700, rest, 1).filter((line) => /^GET|^X-Row/.test(line)),
    ['GET /710 HTTP/1.1', 'X-Row: beta1'],
  );
  const plan = compilePlan(checkProfile({ target, stages: [{ burst: 3 }], ...rest }, 'test'));
  assert.ok(new RequestSource(plan, { ...INPUTS, ...inputs }, 10, 10, 'x').secrets(1, 1).includes('beta1'));
});

test('no value can add a line: the bytes of a request are its lines and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (path, value) => {
      const target = { url: 'ws://127.0.0.1:8080/{{ env.P }}', headers: { 'X-Fixed': 'a' } };
      const lines = request(target, { env: { P: path + value } });
      assert.equal(lines.length, 8);
      assert.match(lines[0] ?? '', /^GET \/[\x21-\x7e]* HTTP\/1\.1$/);
    }),
  );
});

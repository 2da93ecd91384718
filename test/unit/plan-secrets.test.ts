import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OtherValues, otherValues } from '#dist/plan/other-values.js';
import { maskPlan, seenSecrets } from '#dist/plan/plan-record.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { maskCutText, maskHeader, maskLoose, maskText, maskUrl, maskWords } from '#dist/plan/secrets.js';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-d';

test('URLs', () => {
  const table: [string, string][] = [
    ['wss://h/x?id=1&page=2', 'wss://h/x?id=1&page=2'],
    ['wss://h/x?token=abc&x=1', 'wss://h/x?token=***&x=1'],
    ['wss://h/x?access_token={{ row.t }}&apiKey=q', 'wss://h/x?access_token={{ row.t }}&apiKey=***'],
    ['wss://h/x?sig=a{{ row.t }}b', 'wss://h/x?sig=***{{ row.t }}***'],
    ['https://u:p@h/', 'https://***@h/'],
    ['https://h/#access_token=abc', 'https://h/#access_token=***'],
    ['https://h/?X-Amz-Signature=a&X-Amz-Date=b', 'https://h/?X-Amz-Signature=***&X-Amz-Date=b'],
    [`ws://h/t/${JWT}/x`, 'ws://h/t/***/x'],
    ['ws://h/?monkey=1&author=2', 'ws://h/?monkey=1&author=2'],
  ];
  for (const [url, shown] of table) assert.equal(maskUrl(url), shown);
});

test('headers', () => {
  const table: [string, string, string][] = [
    ['Authorization', 'Bearer abc', 'Bearer ***'],
    ['authorization', 'Bearer {{ row.token }}', 'Bearer {{ row.token }}'],
    ['Authorization', 'Bearer sk-{{ row.token }}', 'Bearer ***{{ row.token }}'],
    ['Authorization', 'hunter2', '***'],
    ['Authorization', 'hunter2 rest', '***'],
    ['Proxy-Authorization', 'Basic dTpw', 'Basic ***'],
    ['Cookie', 'a=b; sid={{ row.s }}; c', 'a=***; sid={{ row.s }}; ***'],
    ['Set-Cookie', 's=abc; Path=/; HttpOnly', 's=***; Path=/; HttpOnly'],
    ['X-Api-Key', 'k', '***'],
    ['X-Auth-Token', 'k', '***'],
    ['X-CSRFToken', 'k', '***'],
    ['X-Note', `see ${JWT}`, 'see ***'],
    ['X-Forwarded-User', 'Bearer abc', 'Bearer ***'],
    ['X-Upstream', 'basic dXNlcjpwYXNz', 'basic ***'],
    ['X-Plan', 'Basic tier', 'Basic tier'],
    ['X-Upstream', 'Bearer {{ row.token }}', 'Bearer {{ row.token }}'],
    ['Sec-WebSocket-Protocol', 'acme.abcdef123456, wamp.2.json', 'acme.***, wamp.2.json'],
    ['Sec-WebSocket-Protocol', 'v1:9f8e7d6c5b4a, acme.protocol-v2', 'v1:***, acme.protocol-v2'],
    ['Sec-WebSocket-Protocol', 'v4.base64.channel.k8s.io, ocpp1.6', 'v4.base64.channel.k8s.io, ocpp1.6'],
    ['WWW-Authenticate', 'Bearer realm=x', 'Bearer realm=x'],
    ['Location', 'https://x/?token=1', 'https://x/?token=***'],
    ['Server', 'nginx', 'nginx'],
    ['CF-Ray', '7d1c2a3b4e5f6789-FRA', '7d1c2a3b4e5f6789-FRA'],
    ['Retry-After', '3', '3'],
    ['Sec-WebSocket-Protocol', 'access_token, abc', 'access_token, ***'],
    ['Sec-WebSocket-Protocol', 'chat.v1, graphql-transport-ws', 'chat.v1, graphql-transport-ws'],
    ['Sec-WebSocket-Protocol', 'bearer.abc1, graphql-ws', 'bearer.***, graphql-ws'],
    ['Sec-WebSocket-Protocol', `v12.stomp, ${JWT}`, 'v12.stomp, ***'],
    [
      'Sec-WebSocket-Protocol',
      'base64url.bearer.authorization.k8s.io.ZXlKaGJHY2lPaUpJVXpJMU5pSjk5',
      'base64url.bearer.authorization.k8s.io.***',
    ],
  ];
  for (const [name, value, shown] of table) assert.equal(maskHeader(name, value), shown, `${name}: ${value}`);
});

test('a plan is masked everywhere, knows its own secrets, and masking twice changes nothing', () => {
  const plan = compilePlan(
    checkProfile(
      {
        target: {
          url: 'wss://h/x?token=url-secret&n={{ index }}',
          headers: { Authorization: 'Bearer header-secret', Cookie: 'sid=cookie-secret; t={{ row.t }}', 'X-N': 'open' },
          subprotocols: ['access_token', 'protocol-secret'],
          origin: 'https://app.example',
        },
        data: { file: 'f.csv' },
        stages: [{ burst: 1 }],
      },
      'test',
    ),
  );
  const masked = maskPlan(plan);
  assert.doesNotMatch(JSON.stringify(masked), /-secret/);
  assert.match(JSON.stringify(masked), /\{\{ row\.t \}\}.*open/);
  assert.deepEqual(maskPlan({ ...plan, target: masked.target }), masked);
  assert.deepEqual([...seenSecrets(plan)].sort(), ['cookie-secret', 'header-secret', 'protocol-secret', 'url-secret']);
  assert.match(JSON.stringify(plan), /header-secret/, 'the plan itself must stay as it is');
});

test('what a target echoes', () => {
  assert.equal(maskText('bad token abcd1, abc', ['abc', 'abcd', 'abcd1']), 'bad token ***, abc');
  const secret = 'p&s "x" ü';
  for (const echo of [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret),
    'p&amp;s &quot;x&quot; ü',
    'p&s%20%22x%22%20%C3%BC',
  ]) {
    assert.ok(maskText(`<${echo}>`, [secret]).includes('***'), echo);
  }
  fc.assert(
    fc.property(fc.string({ minLength: 4, unit: 'binary' }), fc.string(), fc.string(), (found, before, after) => {
      fc.pre(!'***'.includes(found) && !before.includes('*') && !after.includes('*') && !found.includes('*'));
      assert.ok(!maskText(`${before}${found}${after}`, [found]).includes(found));
    }),
  );
});

test('an echo in other letter case, and a name and password decoded, are hidden too', () => {
  assert.equal(maskText('BEARER ABCDEF12 %3a', ['abcdef12']), 'BEARER *** %3a');
  assert.equal(maskText('x a%2fb%2fc x', ['a/b/c']), 'x *** x');
  assert.equal(maskCutText('no such token ABCD', ['abcdef12']), 'no such token ***');
  assert.equal(maskText('a.b+c a-b+c', ['a.b+c']), '*** a-b+c');
  const basic = Buffer.from('alice:hunter22').toString('base64');
  const plan = compilePlan(
    checkProfile(
      { target: { url: 'ws://h/', headers: { Authorization: `Basic ${basic}` } }, stages: [{ burst: 1 }] },
      'test',
    ),
  );
  for (const text of [basic, basic.toUpperCase(), 'alice:hunter22', 'wrong password hunter22 for alice', 'Hunter22']) {
    const shown = maskText(text, seenSecrets(plan));
    assert.ok(shown.includes('***') && !/hunter22/i.test(shown), shown);
  }
  assert.equal(maskText('abcdefgh', ['YWJjZGVmZ2g=']), 'abcdefgh', 'what holds no colon is no name and password');
});

test('what stood in the wrong place', () => {
  const table: [string, string][] = [
    ['Authorization: abc', 'Authorization: ***'],
    ['X-Api-Key:abc', 'X-Api-Key: ***'],
    ['Bearer abc', 'Bearer ***'],
    ['-H "Authorization: Basic abc"', '-H "Authorization: Basic ***"'],
    ['h:80/?token=abc', 'h:80/?token=***'],
    ['ws://u:p@h/', 'ws://***@h/'],
    ['30 seconds', '30 seconds'],
    ['example.com:443', 'example.com:443'],
  ];
  for (const [text, shown] of table) assert.equal(maskLoose(text), shown);
  assert.equal(maskWords('user id'), 'user id');
  assert.equal(maskWords('sk-live-4fA9Zq81LmNw02XcVb77'), '***');
});

test('values of all rows: long ones of columns with many values, the longest first, in any case, cut ones too', () => {
  const others = new OtherValues(['abcdefgh', 'abcdefgh-and-more', 'short', 'Zebra-12345']);
  assert.equal(others.mask('xabcdefgh-and-morex abcdefgh-and abcdefgh'), 'x***x ***-and ***');
  assert.equal(others.mask('ZEBRA-12345 short'), '*** short');
  assert.equal(others.mask('see abcdefgh-an'), 'see ***-an');
  assert.equal(others.mask('see zebra-12', true), 'see ***');
  assert.equal(others.mask('see zebra-12'), 'see zebra-12');

  const rows = Array.from({ length: 21 }, (_, i) => ({ id: `client-number-${i}`, kind: `region-number-${i % 20}` }));
  const used = otherValues(rows, ['id', 'kind']);
  assert.equal(used.mask('client-number-20 region-number-3'), '*** region-number-3');
  assert.equal(otherValues(rows, ['kind']).mask('client-number-20'), 'client-number-20', 'a column that is not used');
  assert.equal(otherValues(rows, ['id', 'kind']), used, 'made once for a table');
});

test('a hundred thousand rows cost little more to look through than twenty-one', () => {
  const tableOf = (size: number) =>
    Array.from({ length: size }, (_, i) => ({ token: `eyJhbGciOiJIUzI1NiJ9.row-${i}` }));
  const text = `${'eyJhbGci'.repeat(60)} ${'x'.repeat(500)} eyJhbGciOiJIUzI1NiJ9.row-17`;
  const msOf = (size: number): number => {
    const others = otherValues(tableOf(size), ['token']);
    const looks = Array.from({ length: 50 }, () => {
      const begun = performance.now();
      assert.ok(others.mask(text).endsWith(' ***'));
      return performance.now() - begun;
    });
    return Math.min(...looks);
  };
  const [few, many] = [msOf(21), msOf(100_000)];
  assert.ok(many < 20 * few, `${few} ms, then ${many} ms`);
});

test('values of other rows are found wherever they stand: what a search for each of them finds', () => {
  const word = fc.stringMatching(/^[abAB1.]{6,14}$/);
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 12 }),
      fc.array(fc.oneof(word, fc.constant(' ')), { maxLength: 8 }),
      (values, parts) => {
        const others = new OtherValues(values);
        const text = [...parts, ...values.slice(0, 3)].join('');
        const masked = others.mask(text).toLowerCase();
        for (const value of values.filter(({ length }) => length >= 8)) {
          assert.ok(!masked.includes(value.toLowerCase()), `${value} in ${masked} of ${text}`);
        }
        // Nothing but values is taken away: what is left stood there in that order.
        const rest = masked.split('***');
        let at = 0;
        for (const part of rest) {
          const found = text.toLowerCase().indexOf(part, at);
          assert.ok(found >= at);
          at = found + part.length;
        }
        const longest = Math.max(0, ...values.map(({ length }) => length));
        assert.ok(text.length - rest.join('').length <= (rest.length - 1) * longest);
        if (values.every((value) => value.length < 8 || !text.toLowerCase().includes(value.toLowerCase())))
          assert.equal(others.mask(text), text);
      },
    ),
  );
});

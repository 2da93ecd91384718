/**
 * Which hop answered: answers of real gateways (Debian's nginx 1.22.1, HAProxy 2.6.12, Apache 2.4.71, Caddy 2.6.2, Varnish
 * 7.1.1, Squid 5.7, lighttpd 1.4.69, h2o 2.2.5) as they were received once, and those of others as they are documented.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { diagnose } from '#dist/diagnose/diagnose.js';
import { isWsAnswer, recogniseHop } from '#dist/diagnose/hops.js';
import type { OutcomeId } from '#dist/names/outcomes.js';
import type { Sample } from '#dist/result/result.js';
import { always, resultOf, sampleOf } from './diagnose-results.js';

interface Answer extends Omit<Sample, 'detail'> {
  readonly gateway: string;
  readonly when: string;
  /** Who is to be recognised; null: nobody betrays himself. */
  readonly hop: string | null;
  readonly own: boolean | null;
  readonly outcome: OutcomeId;
}

/** From test/.out/unit as well as from test/unit. */
const GOLDEN = new URL(import.meta.url.includes('/.out/') ? '../../golden/' : '../golden/', import.meta.url);
const ANSWERS = JSON.parse(readFileSync(new URL('answers-of-gateways.json', GOLDEN), 'utf8')) as Answer[];

/** The one handshake that was answered so, and nothing else. */
function causes({ outcome, statusLine, headers, body, atMs }: Answer): string[] {
  const told = always(outcome, atMs, { statusLine, headers, body, atMs });
  return diagnose(resultOf(told)).map(({ cause }) => cause);
}

/** By what was wrong, and where gateways differ by the gateway: the causes of which one must come first. */
const FIRST: Readonly<Record<string, readonly string[]>> = {
  'Upgrade stripped before a ws server': ['upgrade-not-forwarded'],
  'Upgrade stripped before Express': ['upgrade-not-forwarded'],
  'backend hangs': ['backend-hangs'],
  'nothing listens behind it': ['backend-down'],
  // Taken with a timeout connect below 1 s: three pauses of that are no known time.
  'nothing listens behind it: haproxy': ['backend-down', 'backend-unreachable'],
  // nginx, Caddy, Squid and Varnish answer the same as when nothing listens.
  'backend closes without an answer': ['backend-died', 'backend-down'],
  'backend closes without an answer: haproxy': ['backend-died'],
  'backend closes without an answer: apache': ['backend-died'],
  'backend closes without an answer: h2o': ['backend-died'],
  'backend closes without an answer: lighttpd': ['backend-died'],
  'verifyClient of ws says no': ['auth-refused'],
  'ws server that was closed': ['server-closed-itself'],
  'ws server with another path': ['wrong-path'],
  'no route': ['wrong-path'],
  'no route: haproxy': ['backend-down'],
  // Its accelerator mode without a peer for the path.
  'no route: squid': ['backend-down'],
  'a rule denies': ['forbidden', 'origin-refused'],
  'a rule denies: h2o': ['wrong-path'],
  // Squid and lighttpd refuse by a page of their own.
  'a rule says 429': ['rate-limit'],
  'a redirect': ['redirected'],
  'plain HTTP to its TLS port': ['tls-port'],
  'no client certificate': ['tls-client-certificate'],
};

describe('answers of gateways', () => {
  for (const answer of ANSWERS) {
    const { gateway, when, hop, own, outcome } = answer;
    it(`${gateway}, ${when}: ${outcome} of ${hop ?? 'nobody in particular'}`, () => {
      const found = recogniseHop({ ...answer, detail: null });
      assert.equal(found?.id ?? null, hop);
      assert.equal(found?.own ?? null, own);
      const wanted = FIRST[`${when}: ${gateway}`] ?? FIRST[when];
      assert.ok(wanted?.includes(causes(answer)[0]), `${causes(answer)}, not ${wanted}`);
    });
  }

  it('are of eight gateways and of ws itself', () => {
    assert.equal(new Set(ANSWERS.map(({ gateway }) => gateway)).size, 9);
  });

  it('of ws are told from pages, through a gateway too', () => {
    for (const answer of ANSWERS) {
      const isOf =
        ['direct', 'nginx', 'haproxy', 'apache', 'caddy'].includes(answer.gateway) && / ws /.test(` ${answer.when} `);
      assert.equal(
        isWsAnswer({ ...answer, detail: null }),
        isOf && !/stripped/.test(answer.when),
        `${answer.gateway}, ${answer.when}`,
      );
    }
  });
});

/** By the documents of their makers. */
const DOCUMENTED: readonly (readonly [hop: string | null, own: boolean | null, sample: Partial<Sample>])[] = [
  [
    'cloudflare',
    true,
    {
      headers: [
        ['Server', 'cloudflare'],
        ['CF-RAY', '8f-FRA'],
      ],
      body: '<title>example.com | 522: Connection timed out</title> Cloudflare',
    },
  ],
  ['cloudflare', false, { headers: [['cf-ray', '8f-FRA']], body: 'Cannot GET' }],
  [
    'cloudfront',
    true,
    {
      headers: [
        ['Server', 'CloudFront'],
        ['X-Amz-Cf-Id', 'x'],
      ],
      body: null,
    },
  ],
  ['alb', true, { headers: [['Server', 'awselb/2.0']], body: '<center>awselb/2.0</center>' }],
  ['api-gateway', true, { headers: [['x-amzn-ErrorType', 'LimitExceededException']], body: null }],
  [
    'envoy',
    true,
    {
      headers: [['server', 'envoy']],
      body: 'upstream connect error or disconnect/reset before headers. reset reason: connection timeout',
    },
  ],
  ['envoy', true, { headers: [], body: 'no healthy upstream' }],
  ['envoy', false, { headers: [['server', 'istio-envoy']], body: 'Forbidden' }],
  ['envoy', false, { headers: [['X-Envoy-Upstream-Service-Time', '3']], body: 'x' }],
  ['google', false, { headers: [['Via', '1.1 google']], body: 'x' }],
  ['google', true, { headers: [['Server', 'Google Frontend']], body: '' }],
  ['azure', true, { headers: [['Server', 'Microsoft-Azure-Application-Gateway/v2']], body: null }],
  [
    'heroku',
    true,
    { headers: [['Server', 'Heroku']], body: '<iframe src="//www.herokucdn.com/error-pages/application-error.html">' },
  ],
  ['heroku', false, { headers: [['Via', '1.1 vegur']], body: 'x' }],
  ['traefik', true, { headers: [['Content-Type', 'text/plain; charset=utf-8']], body: '404 page not found\n' }],
  ['traefik', true, { headers: [], body: 'Bad Gateway' }],
  // Words that others say as well.
  [null, null, { headers: [['Connection', 'close']], body: 'Service Unavailable' }],
  [null, null, { headers: [['Server', 'gunicorn']], body: 'not found' }],
  [null, null, { headers: [], body: 'connection failed' }],
  [null, null, { headers: [['Server', 'my-nginx-like']], body: 'I was told of nginx' }],
  [null, null, {}],
];

describe('documented answers', () => {
  for (const [hop, own, sample] of DOCUMENTED) {
    it(`${hop ?? 'nobody'}: ${JSON.stringify(sample).slice(0, 70)}`, () => {
      const found = recogniseHop(sampleOf(sample));
      assert.deepEqual([found?.id ?? null, found?.own ?? null], [hop, own]);
    });
  }
});

describe('hostile answers', () => {
  it('never break the look at them, whatever they say', () => {
    const text = fc.string({ unit: 'binary', maxLength: 1024 });
    const name = fc.oneof(
      text,
      fc.constantFrom('__proto__', 'constructor', 'Server', 'via', 'Sec-WebSocket-Version', 'Retry-After'),
    );
    const any = fc.record({
      statusLine: fc.option(text),
      headers: fc.array(fc.tuple(name, text), { maxLength: 20 }),
      body: fc.option(text),
      detail: fc.option(text),
      atMs: fc.double({ min: 0, max: 75_000, noNaN: true }),
    });
    const outcome = fc.constantFrom(
      '200',
      '301',
      '400',
      '401',
      '403',
      '404',
      '426',
      '429',
      '500',
      '502',
      '503',
      '504',
      'malformed',
      'closed',
      'tls',
      'invalid-101',
    ) as fc.Arbitrary<OutcomeId>;
    const property = fc.property(outcome, any, (id, sample) => {
      recogniseHop(sample);
      isWsAnswer(sample);
      const found = diagnose(resultOf(always(id, Math.max(0.01, sample.atMs), sample, sample.detail ?? undefined, 3)));
      assert.ok(found.length > 0);
    });
    fc.assert(property, { numRuns: 150, seed: 4 });
  });

  it('cost no time by repetition', () => {
    const from = performance.now();
    for (const part of [
      '<html>',
      '<title>404 ',
      ' ',
      '\n',
      '(',
      '<center>',
      'I/O error',
      '<?xml version="1.0" encoding="iso-8859-1"?>',
    ]) {
      const body = part.repeat(Math.floor(65_536 / part.length));
      for (let i = 0; i < 5; i++)
        recogniseHop(
          sampleOf({
            body,
            headers: [
              ['Server', body],
              ['Via', body],
            ],
          }),
        );
    }
    assert.ok(performance.now() - from < 2000);
  });
});

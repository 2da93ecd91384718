/** Results that pages are made of in tests: one of each command, and ones that a target or a user filled with markup. */
import type { Result } from '#dist/result/result.js';
import { type BurstSpec, type Ending, floor, NGINX_504, rampAndCluster, result } from './report-results.js';
import { searchResult, searchSpecs } from './report-searches.js';

/** Every value another one, in no order: what compresses worst. */
function scattered(count: number, aroundMs: number): Ending {
  return {
    outcome: '101',
    count,
    atMs: (i) => aroundMs * (0.4 + (((i * 7919) % count) / count) ** 3 + ((i * 104_729) % 997) / 997),
    lateMs: 1.5,
  };
}

export function largeBurst(size: number): BurstSpec {
  const failed = Math.round(size / 20);
  return {
    endings: [scattered(size - failed, 300), { outcome: '504', count: failed, atMs: (i) => 1000 + (i % 97) / 3 }],
    samples: { 504: NGINX_504 },
    calibration: floor(size),
  };
}

const churn = result({
  command: 'churn',
  stages: [{ kind: 'churn', total: 3000, inFlight: 50, forMs: null, restMs: 0 }],
  bursts: [
    {
      kind: 'churn',
      endings: [scattered(3000, 20)],
      rate: 500,
      perSecond: [480, 510, 520, 495, 505, 490],
      calibration: floor(50),
    },
  ],
});

export const invalid = result({
  bursts: [
    {
      endings: [
        { outcome: '101', count: 123, atMs: (i) => 3 + i / 40 },
        { outcome: 'local-ports', count: 321, atMs: () => 1 },
      ],
      calibration: floor(444),
    },
  ],
  validity: { verdict: 'invalid', reasons: ['this machine ran out of local ports'] },
  exitCode: 4,
});

const suspect = result({
  bursts: [{ endings: [{ outcome: '101', count: 20, atMs: (i) => 4 + i }] }],
  validity: { verdict: 'suspect', reasons: ['paced by the generator: the target answered as fast as it was asked'] },
});

const nothing = result({ bursts: [], validity: { verdict: 'invalid', reasons: ['nothing answered'] }, exitCode: 5 });

/** Of every kind that this version makes. */
export function pagedResults(): Readonly<Record<string, readonly Result[]>> {
  const specs = searchSpecs();
  const found = searchResult(specs.found);
  return {
    burst: [result(rampAndCluster)],
    bursts: [result({ ...rampAndCluster, bursts: Array.from({ length: 5 }, () => rampAndCluster.bursts[0]) })],
    churn: [churn],
    find: [found],
    'find-open': [searchResult(specs['at-least-max'])],
    invalid: [invalid],
    suspect: [suspect],
    nothing: [nothing],
    several: [result(rampAndCluster), found, invalid],
    hostile: [hostile(result(rampAndCluster)), hostile(found), hostile(checked())],
    check: [checked()],
  };
}

/** A check of a target that refuses. */
export function checked(): Result {
  const base = result({ command: 'check', bursts: [], diagnosis: [], exitCode: 3 } as never);
  return {
    ...base,
    diagnosis: [
      {
        cause: 'auth-refused',
        evidence: 'The answer was 401.',
        remedy: 'Send credentials.',
        confidence: 0.9,
        outcomes: ['401'],
        gateway: null,
        apart: 'Ask without the header.',
        figures: {},
      },
    ],
    check: {
      outcome: '401',
      detail: null,
      firstByteMs: 3.2,
      headMs: 3.4,
      dns: { name: 'gateway.test', addresses: ['127.0.0.1'], tookMs: 1.2, failure: null },
      tcp: [{ address: '127.0.0.1', port: 8080, tookMs: 0.4, failure: null, synRetries: 0 }],
      tls: null,
      request: 'GET /ws HTTP/1.1\nHost: gateway.test',
      answer: { ...NGINX_504, statusLine: 'HTTP/1.1 401 Unauthorized' },
      clauses: [{ id: 'status', section: '4.1', text: 'the status is 101', ok: false, found: '401' }],
      ping: null,
      idle: null,
      close: null,
      probes: [
        {
          id: 'own-origin',
          asks: 'With an Origin of its own host.',
          url: 'ws://gateway.test/ws',
          outcome: '403',
          detail: 'refused',
          tookMs: 2,
          sample: null,
          says: 'Browsers are refused.',
        },
      ],
      curl: "curl -i 'http://gateway.test/ws'",
    },
  } as Result;
}

/** It would run if any part of a page let it: as an element, in an attribute, in a script, in a style, by closing one. */
export const ATTACK =
  '</script></style></title><script>window.fired=1</script><img src=x onerror="window.fired=2"><svg onload=window.fired=3>" onmouseover="window.fired=4" autofocus onfocus="window.fired=5" \' {{x}} `window.fired=6` <!-- ]]> javascript:window.fired=7';

/** Keys whose words are fixed, and those whose text has a form. */
const FIXED = new Set(
  'hdr kind gate verdict weights startedAt endedAt releasedAt model id is scheme pick transport cause name schemaVersion outcome outcomes failure objective'.split(
    ' ',
  ),
);

/** The result with the attack in every text that a target, a user or a file could have put there. */
export function hostile(of: Result): Result {
  const filled = filledIn('', of) as Result;
  return { ...filled, tool: of.tool, command: of.command };
}

function filledIn(key: string, value: unknown): unknown {
  if (typeof value === 'string') return FIXED.has(key) ? value : ATTACK;
  if (Array.isArray(value)) return FIXED.has(key) ? value : value.map((one) => filledIn(key, one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filledIn(name, one)]));
}

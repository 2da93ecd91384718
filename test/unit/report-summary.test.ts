import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { Terminal } from '#dist/report/terminal/style.js';
import { renderSummary } from '#dist/report/terminal/summary.js';
import { columnsOf } from '#dist/report/terminal/text-width.js';
import type { Result, Sample } from '#dist/result/result.js';
import {
  answered,
  type BurstSpec,
  type Ending,
  floor,
  NGINX_504,
  type ResultSpec,
  rampAndCluster,
  result,
} from './report-results.js';

const PLAIN: Terminal = { width: 80, color: false, unicode: true };
/** From test/.out/unit as well as from test/unit. */
const GOLDEN = new URL(import.meta.url.includes('/.out/') ? '../../golden/' : '../golden/', import.meta.url);

function ok(count: number, atMs: (i: number) => number, lateMs = 0): Ending {
  return { outcome: '101', count, atMs, lateMs };
}

/** One upgrade in 2.5 ms, a gateway that gives up after 1 s, and a few connections that it resets. */
function step(size: number): BurstSpec {
  const good = Math.min(size, 400);
  const bad = size - good;
  const endings: Ending[] = [ok(good, (i) => 2.5 * i + 2.2)];
  if (bad > 0) {
    endings.push({ outcome: '504', count: bad - 3, atMs: (i) => 1000.3 + i / 100 });
    endings.push({ outcome: 'reset', count: 3, atMs: (i) => 20 + i });
  }
  const reset: Sample = { statusLine: null, headers: [], body: null, detail: 'ECONNRESET, no bytes', atMs: 20 };
  return { endings, spreadMs: size / 50, calibration: floor(size), samples: bad > 0 ? { 504: NGINX_504, reset } : {} };
}

const healthy: ResultSpec = {
  bursts: [{ endings: [ok(2000, (i) => 2 + 8 * Math.sin(i / 1273), 1.5)], calibration: floor(2000) }],
  validity: {
    verdict: 'suspect',
    reasons: ['paced by the generator: the target answered as fast as it was asked; 2,000 were released within 6.2 ms'],
  },
};

const steps: ResultSpec = {
  command: 'run',
  stages: [{ kind: 'steps', sizes: [100, 200, 300, 400, 500, 600], restMs: 0 }],
  bursts: [100, 200, 300, 400, 500, 600].map(step),
};

const invalid: ResultSpec = {
  bursts: [
    {
      endings: [ok(280, (i) => 3 + i / 40), { outcome: 'local-fds', count: 220, atMs: () => 0.2 }],
      validity: {
        verdict: 'invalid',
        reasons: [
          '220 attempts failed on this machine, not at the target (local-fds): raise the limit with `ulimit -n`',
        ],
      },
    },
  ],
  validity: {
    verdict: 'invalid',
    reasons: ['220 attempts failed on this machine, not at the target (local-fds): raise the limit with `ulimit -n`'],
  },
  exitCode: 4,
};

/** A listen queue of 16 and a loop that is blocked for 1.5 s, seen by the kernel: the others connect 2 s later. */
const kernel: ResultSpec = {
  bursts: [
    {
      endings: [
        { outcome: '101', count: 17, atMs: (i) => 1500 + i, synRetransmits: () => 0 },
        { outcome: '101', count: 83, atMs: (i) => 2030 + i / 5, synRetransmits: () => 2 },
      ],
      calibration: floor(100),
    },
  ],
};

/** Of three bursts one is invalid, and has a lighter doubt beside; another one is suspect. */
const mixed: ResultSpec = {
  ...invalid,
  bursts: [
    { endings: [ok(500, (i) => 3 + i / 40)] },
    {
      endings: [ok(280, (i) => 3 + i / 40), { outcome: 'local-fds', count: 220, atMs: () => 0.2 }],
      validity: {
        verdict: 'invalid',
        reasons: ['220 attempts failed on this machine', 'worker 1 died', 'the loop stood still for 120ms'],
        weights: ['invalid', 'invalid', 'suspect'],
      },
    },
    { endings: [ok(500, (i) => 3 + i / 40)], validity: { verdict: 'suspect', reasons: ['paced by the generator'] } },
  ],
  validity: {
    verdict: 'invalid',
    reasons: [
      'burst 1: 220 attempts failed on this machine',
      'burst 1: worker 1 died',
      'burst 1: the loop stood still for 120ms',
      'burst 2: paced by the generator',
      'burst 2: 500 were released within 6ms, and the burst lasted only 3.1 times as long',
    ],
    weights: ['invalid', 'invalid', 'suspect', 'suspect', 'valid'],
  },
};

const churn: ResultSpec = {
  command: 'churn',
  stages: [{ kind: 'churn', total: 40_000, inFlight: 500, forMs: null, restMs: 0 }],
  bursts: [
    {
      kind: 'churn',
      rate: 4211.3,
      perSecond: [3900, 4100, 4300, 4222, 4230, 4240, 4180, 4260, 4100, 2443],
      endings: [ok(40_000, (i) => 100 + (i % 97) / 3)],
      calibration: { ...floor(20_000), rate: 9120 },
    },
  ],
};

const preflightStop: ResultSpec = {
  bursts: [],
  exitCode: 5,
  stopped: 'the target answered none of 5 preflight handshakes.',
  preflight: {
    attempted: 5,
    outcomes: { refused: 5 },
    latencyMs: null,
    samples: {
      refused: { statusLine: null, headers: [], body: null, detail: 'ECONNREFUSED 127.0.0.1:8080', atMs: 0.3 },
    },
    tls: null,
  },
};

const GOLDEN_FILES: readonly (readonly [name: string, spec: ResultSpec, terminal: Terminal])[] = [
  ['summary-ramp', rampAndCluster, PLAIN],
  ['summary-healthy', healthy, PLAIN],
  ['summary-steps', steps, PLAIN],
  ['summary-invalid', invalid, PLAIN],
  ['summary-kernel', kernel, PLAIN],
  ['summary-invalid-mixed', mixed, PLAIN],
  ['summary-churn', churn, PLAIN],
  ['summary-preflight-stop', preflightStop, PLAIN],
  ['summary-steps-120', steps, { ...PLAIN, width: 120 }],
  ['summary-ramp-color', rampAndCluster, { ...PLAIN, color: true }],
  ['summary-ramp-ascii', rampAndCluster, { ...PLAIN, unicode: false }],
];

/** Built once: the churn's is of 40,000 attempts. */
const RESULTS = new Map(GOLDEN_FILES.map(([, spec]) => [spec, result(spec)]));

function resultOf(spec: ResultSpec): Result {
  return RESULTS.get(spec) ?? result(spec);
}

function withoutColor(text: string): string {
  return text.replace(/\x1b\[\d+m/g, '');
}

function assertFits(text: string, width: number): void {
  for (const line of withoutColor(text).split('\n')) {
    assert.ok(columnsOf(line) <= width, `${columnsOf(line)} columns of ${width}: ${line}`);
  }
}

describe('the summary', () => {
  for (const [name, spec, terminal] of GOLDEN_FILES) {
    it(`reads as in golden/${name}.txt`, () => {
      const text = renderSummary(resultOf(spec), terminal);
      assertFits(text, terminal.width);
      const file = fileURLToPath(new URL(`${name}.txt`, GOLDEN));
      if (process.env.UPDATE_GOLDEN === '1') {
        mkdirSync(GOLDEN, { recursive: true });
        writeFileSync(file, text);
      }
      assert.equal(text, readFileSync(file, 'utf8'));
    });
  }

  it('fits every width, in ASCII too', () => {
    for (const [, spec] of GOLDEN_FILES) {
      for (const width of [40, 60, 79, 80, 100, 119, 120]) {
        assertFits(renderSummary(resultOf(spec), { width, color: false, unicode: true }), width);
        const ascii = renderSummary(resultOf(spec), { width, color: false, unicode: false });
        assertFits(ascii, width);
        assert.match(ascii, /^[\n -~]*$/);
      }
    }
  });

  it('names the transport on demand, with the reason why it is not the fast one', () => {
    const base = resultOf(healthy);
    const [transport, transportNote] = ['node', 'not epoll: no koffi'];
    const generator = { id: 'local', host: 'h', cpus: 2, node: 'v20', platform: 'linux-x64', workers: 2 };
    const told = { ...base, generators: [{ ...generator, transport, transportNote, limits: { fds: 1, ports: 1 } }] };
    assert.match(renderSummary(told, PLAIN, { verbose: true }), /^ {2}transport {2}node, not epoll: no koffi$/m);
    assert.doesNotMatch(renderSummary(told, PLAIN), /koffi/);
  });

  it('is the same text with and without colour', () => {
    for (const [, spec] of GOLDEN_FILES) {
      const plain = renderSummary(resultOf(spec), PLAIN);
      assert.ok(!plain.includes('\x1b'));
      assert.equal(withoutColor(renderSummary(resultOf(spec), { ...PLAIN, color: true })), plain);
    }
  });
});

describe('the verdict sentence', () => {
  const firstLines = (spec: ResultSpec): string =>
    renderSummary(resultOf(spec), PLAIN).split('\nburst ws')[0].replaceAll('\n', ' ');

  it('says a stopped run is partial', () => {
    const spec: ResultSpec = {
      bursts: [{ endings: [ok(123, () => 5), { outcome: 'aborted', count: 377, atMs: () => 80 }] }],
      stopped: 'stopped by SIGINT',
    };
    assert.equal(
      firstLines(spec),
      'PARTIAL (stopped by SIGINT): 123 of 500 simultaneous handshakes got their 101; 377 had not ended.',
    );
  });

  it('counts what was lost while held', () => {
    const spec: ResultSpec = { bursts: [{ endings: [ok(50, () => 5)], lost: 12 }] };
    assert.match(firstLines(spec), /^All 50 .*; the target then ended 12 of them while they were held\.$/);
  });

  it('sums up what is too much to name', () => {
    const failed = (['502', '503', '504', 'closed', 'reset'] as const).map(
      (outcome, i): Ending => ({ outcome, count: 10 - i, atMs: () => 7 }),
    );
    const spec: ResultSpec = { bursts: [{ endings: [ok(60, () => 5), ...failed] }] };
    assert.match(
      firstLines(spec),
      /; 10 were answered 502 after 7.\d+ ms, 9 were answered 503 after .* 21 failed in 3 other ways\.$/,
    );
  });

  it('speaks of one and of none', () => {
    const one: ResultSpec = { bursts: [{ endings: [{ outcome: 'refused', count: 1, atMs: () => 0.2 }] }] };
    assert.match(firstLines(one), /^None of 1 simultaneous handshakes got its 101; 1 was refused after 200 µs\.$/);
    assert.match(
      firstLines({ bursts: [{ endings: [ok(1, () => 5)] }] }),
      /^The one handshake got its 101 after 5.00 ms\.$/,
    );
  });

  it('puts what was measured by some valid bursts apart from the invalid ones', () => {
    const [bad] = invalid.bursts;
    const spec: ResultSpec = { ...invalid, bursts: [step(100), bad] };
    assert.match(firstLines(spec), /^INVALID: .* bursts marked invalid say nothing about the target\.$/);
  });

  it('tells bursts of one size together', () => {
    assert.match(
      firstLines({ bursts: [step(500), step(500)] }),
      /^800 of 1,000 simultaneous handshakes got their 101 in 2 bursts of 500; 194 were answered 504 after 1.00 s, 6 were reset/,
    );
  });
});

describe('what a target said', () => {
  it('never brings a control character to the terminal', () => {
    const preflight = answered();
    const base = result({
      bursts: [{ endings: [{ outcome: '504', count: 3, atMs: () => 3 }] }],
      target: { scheme: 'wss' },
    });
    const evil = fc.string({ unit: 'binary', maxLength: 300 });
    const property = fc.property(evil, evil, evil, fc.boolean(), (status, value, body, unicode) => {
      const sample: Sample = {
        statusLine: `HTTP/1.1 504 ${status}`,
        headers: [[value, `\x1b[2J${status}`]],
        body: `${body}\x1b]0;owned\x07\u202e${value}`,
        detail: `${status}\u0085\ud800`,
        atMs: 3,
      };
      const told: Result = {
        ...base,
        totals: { ...base.totals, samples: { 504: sample } },
        preflight: { ...preflight, tls: `h2${value}` },
      };
      const text = renderSummary(told, { width: 80, color: false, unicode });
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u);
      assertFits(text, 80);
    });
    fc.assert(property, { numRuns: 60, seed: 3 });
  });

  it('shows at most four samples and says so', () => {
    const outcomes = ['400', '401', '403', '404', '500', '502'] as const;
    const spec: ResultSpec = {
      bursts: [
        {
          endings: outcomes.map((outcome) => ({ outcome, count: 2, atMs: () => 3 })),
          samples: Object.fromEntries(outcomes.map((id) => [id, NGINX_504])),
        },
      ],
    };
    const text = renderSummary(resultOf(spec), PLAIN);
    assert.equal(text.match(/first \d{3}, after/g)?.length, 4);
    assert.match(text, /first samples of 2 more outcomes/);
  });
});

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { compareSides } from '#dist/compare/compare.js';
import type { ComparedMetric, Comparison } from '#dist/compare/comparison.js';
import { comparisonJsonSchema } from '#dist/compare/published-comparison.js';
import type { ComparedRun } from '#dist/compare/sides.js';
import { UserError } from '#dist/errors.js';
import { parseFailOn } from '#dist/plan/expressions/fail-on.js';
import type { Result } from '#dist/result/result.js';
import type { Storm } from '#dist/result/storm.js';
import { asMeasured, burstOf, runsOf } from './compare-results.js';
import { floor, result } from './report-results.js';
import { searchResult } from './report-searches.js';

const SCHEMA_FILE = 'profiles/compare.schema.json';
const isComparison = new Ajv2020({ strict: false }).compile<Comparison>(comparisonJsonSchema as object);

function compared(
  base: readonly ComparedRun[],
  fresh: readonly ComparedRun[],
  failOn: readonly string[] = [],
  anyTarget = false,
): Comparison {
  const comparison = compareSides(base, fresh, { failOn: failOn.map(parseFailOn), anyTarget, version: '0.1.0' });
  const read: unknown = JSON.parse(JSON.stringify(comparison));
  assert.ok(isComparison(read), JSON.stringify(isComparison.errors?.slice(0, 3)));
  assert.deepEqual(read, comparison, 'JSON holds all of it');
  return comparison;
}

function metric({ metrics }: Comparison, name: string): ComparedMetric {
  const found = metrics.find((one) => one.metric === name);
  assert.ok(found, `${name} of ${metrics.map((one) => one.metric)}`);
  return found;
}

const STEADY = [[0.98], [1], [1.01], [0.99], [1.02]];
const times = (by: number) => STEADY.map((run) => run.map((one) => one * by));
const changed = (runs: readonly ComparedRun[], change: (one: Result) => Result): ComparedRun[] =>
  runs.map(({ file, result: one }) => ({ file, result: change(one) }));

test('the JSON Schema of a comparison is published', () => {
  const text = `${JSON.stringify(comparisonJsonSchema, null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(SCHEMA_FILE, text);
  assert.equal(readFileSync(SCHEMA_FILE, 'utf8'), text, 'UPDATE_GOLDEN=1 writes it anew');
});

test('five runs a side, 30 % slower: WORSE, exit 3; the other way round: BETTER, exit 0', () => {
  const worse = compared(runsOf('base', STEADY), runsOf('new', times(1.3)), ['p99(handshake) +10%']);
  assert.deepEqual([worse.verdict, worse.exitCode], ['worse', 3]);
  const p99 = metric(worse, 'p99(handshake)');
  assert.deepEqual([p99.of, p99.base.values.length, p99.gate, p99.confidence], ['run', 5, 'p99(handshake) +10%', 0.95]);
  assert.ok(typeof p99.change === 'number' && Math.abs(p99.change - 0.3) < 0.02, `${p99.change}`);
  assert.ok(typeof p99.base.typical === 'number' && Math.abs(p99.base.typical - 990) < 5);
  const better = compared(runsOf('base', times(1.3)), runsOf('new', STEADY), ['p99(handshake) +10%']);
  assert.deepEqual([better.verdict, better.exitCode], ['better', 0]);
  const same = compared(runsOf('base', STEADY), runsOf('new', STEADY), ['p99(handshake) +10%']);
  assert.deepEqual([same.verdict, same.exitCode], ['no worse', 0]);
});

test('without --fail-on it is a look: the verdict is told and the exit code is 0', () => {
  const look = compared(runsOf('base', STEADY), runsOf('new', times(1.3)));
  assert.deepEqual([look.verdict, look.exitCode], ['worse', 0]);
});

test('undecided exits 0, with --fail-on undecided 3, and tells how many would decide', () => {
  const wide = [[0.7], [0.9], [1.1], [1.3], [1]];
  const shifted = wide.map(([one]) => [one * 0.99]);
  const open = compared(runsOf('base', wide), runsOf('new', shifted), ['p99(handshake) +10%']);
  assert.deepEqual([open.verdict, open.exitCode], ['undecided', 0]);
  const { needed, moved } = metric(open, 'p99(handshake)');
  assert.ok(needed !== null && needed > 5, `${needed}`);
  assert.equal(moved, false);
  const strict = compared(runsOf('base', wide), runsOf('new', shifted), ['p99(handshake) +10%', 'undecided']);
  assert.deepEqual([strict.verdict, strict.exitCode], ['undecided', 3]);
  assert.throws(() => compared(runsOf('base', wide), runsOf('new', shifted), ['undecided']), /no metric is named/);
});

test('one run a side: the unit is the burst; from four a side on it is the run', () => {
  const burst = compared(runsOf('base', [[1, 1.01, 0.99, 1.02]]), runsOf('new', [[1, 1.01, 0.99, 1.02]]));
  assert.equal(metric(burst, 'p99(handshake)').of, 'burst');
  const three = compared(runsOf('base', STEADY.slice(0, 3)), runsOf('new', STEADY.slice(0, 3)));
  assert.equal(metric(three, 'p99(handshake)').of, 'burst');
  const runs = [
    [0.9, 1, 1.1],
    [1.8, 2, 2.2],
    [0.9, 1, 1.1],
    [0.9, 1, 1.1],
  ];
  const four = metric(compared(runsOf('base', runs), runsOf('new', runs)), 'p99(handshake)');
  assert.deepEqual([four.of, four.base.values.length], ['run', 4]);
  assert.ok(four.scatter !== null && four.scatterInRun !== null && four.scatter > 3 * four.scatterInRun);
});

test('a named metric for which no interval can exist is not green: exit 4 with the counts that would do', () => {
  const few = compared(runsOf('base', [[1, 1]]), runsOf('new', [[1, 1, 1, 1, 1]]), ['p99(handshake) +10%']);
  assert.deepEqual([few.verdict, few.exitCode], ['not comparable', 4]);
  assert.match(
    metric(few, 'p99(handshake)').because ?? '',
    /2 and 5 bursts: no 95% interval exists; 4 and 4 is the least/,
  );
  // Two named metrics share the 5 %, and then four a side are too few.
  const four = STEADY.slice(0, 4);
  const two = compared(runsOf('base', four), runsOf('new', four), ['p99(handshake) +10%', 'p50(handshake) +10%']);
  assert.equal(two.exitCode, 4);
  assert.match(metric(two, 'p50(handshake)').because ?? '', /no 97.5% interval exists; 5 and 5 is the least/);
  assert.equal(metric(two, 'share(101)').confidence, 0.95, 'what is only shown shares nothing');
});

test('failures count as latencies without an end: a target that refuses the slow ones is no faster', () => {
  const refusing = (failed: number) =>
    [0, 1, 2, 3, 4].map((i) => ({
      file: `new-${i}.json`,
      result: asMeasured(result({ bursts: [burstOf(0.8, failed)] }), i),
    }));
  const p99 = metric(compared(runsOf('base', STEADY), refusing(20), ['p99(handshake) +10%']), 'p99(handshake)');
  assert.deepEqual([p99.verdict, p99.new.typical, p99.change], ['worse', 'inf', 'inf']);
  const few = metric(compared(runsOf('base', STEADY), refusing(1), ['p99(handshake) +10%']), 'p99(handshake)');
  assert.deepEqual([few.verdict, few.new.typical], ['better', 792.063], 'rank 99 of 100 judged is the last 101');
});

test('shares: 5 of 5 whole bursts before and 1 of 5 now is WORSE, 2 of 5 is not yet', () => {
  const gate = ['share(101) -1pp'];
  const bursts = (whole: number) =>
    runsOf('new', []).concat(
      [0, 1, 2, 3, 4].map((i) => ({
        file: `new-${i}.json`,
        result: asMeasured(result({ bursts: [burstOf(1, i < whole ? 0 : 40)] }), i),
      })),
    );
  assert.equal(compared(runsOf('base', STEADY), bursts(1), gate).exitCode, 3);
  assert.equal(compared(runsOf('base', STEADY), bursts(2), gate).verdict, 'undecided');
  const whole = metric(compared(runsOf('base', STEADY), bursts(5), gate), 'share(101)');
  assert.equal(whole.verdict, 'no worse');
  assert.match(whole.notes.join(), /up to 60% of them could still fail/);
});

test('a verdict needs both latency bounds to agree', () => {
  const late = (by: number) =>
    STEADY.map(([one], i) => ({
      file: `${by}-${i}.json`,
      result: asMeasured(
        result({
          bursts: [
            {
              endings: [{ outcome: '101', count: 100, atMs: (n) => 10 * (n + 1) * one * by, lateMs: by > 1 ? 400 : 0 }],
            },
          ],
        }),
        i,
      ),
    }));
  const both = metric(compared(late(1), late(1.3), ['p99(handshake) +10%']), 'p99(handshake)');
  assert.equal(both.verdict, 'undecided');
  assert.match(both.because ?? '', /latency bounds disagree/);
  assert.ok(both.lowerInterval !== null && both.interval !== null);
});

test('what makes sides incomparable: gate, size, transport, target, command; --any-target allows the target', () => {
  const base = runsOf('base', STEADY);
  const gate = ['p99(handshake) +10%'];
  const cases: [why: RegExp, fresh: ComparedRun[]][] = [
    [
      /^base fired no burst of 100 at gate connect$/,
      changed(runsOf('new', STEADY), (one) => ({
        ...one,
        bursts: one.bursts.map((burst) => ({ ...burst, gate: 'connect' })),
      })),
    ],
    [
      /^base fired no burst of 50/,
      changed(runsOf('new', STEADY), (one) => ({
        ...one,
        bursts: one.bursts.map((burst) => ({ ...burst, size: 50 })),
      })),
    ],
    [
      /the transport differs: base epoll; new node/,
      changed(runsOf('new', STEADY), (one) => ({
        ...one,
        generators: one.generators.map((generator) => ({ ...generator, transport: 'node' })),
      })),
    ],
    [
      /the target differs: base ws:\/\/127\.0\.0\.1:8080.*\(--any-target\)/,
      changed(runsOf('new', STEADY), (one) => ({
        ...one,
        plan: { ...one.plan, target: { ...one.plan.target, port: 8081 } },
      })),
    ],
    [/the command differs: base burst; new run/, changed(runsOf('new', STEADY), (one) => ({ ...one, command: 'run' }))],
    [
      /no result of new has ended \(new-1\.json/,
      changed(runsOf('new', STEADY), (one) => ({ ...one, finished: false as const })),
    ],
    [
      /no burst of 100 at gate upgrade of new is valid/,
      changed(runsOf('new', STEADY), (one) => ({
        ...one,
        bursts: one.bursts.map((burst) => ({
          ...burst,
          validity: { verdict: 'invalid' as const, reasons: ['out of ports'] },
        })),
      })),
    ],
    [
      /^new-2\.json fired no burst of 100 at gate upgrade$/,
      runsOf('new', STEADY).map((run, i) => (i === 1 ? { ...run, result: { ...run.result, bursts: [] } } : run)),
    ],
  ];
  for (const [why, fresh] of cases) {
    const refused = compared(base, fresh, gate);
    assert.ok(
      refused.refused.some((text) => why.test(text)),
      `${why}: ${refused.refused}`,
    );
    assert.deepEqual([refused.verdict, refused.exitCode], ['not comparable', 4], `${why}`);
    assert.equal(compared(base, fresh).exitCode, 0, 'a look never fails');
  }
  const other = changed(runsOf('new', STEADY), (one) => ({
    ...one,
    plan: { ...one.plan, target: { ...one.plan.target, port: 8081 } },
  }));
  const allowed = compared(base, other, gate, true);
  assert.deepEqual([allowed.refused, allowed.exitCode], [[], 0]);
  assert.ok(allowed.warnings.some((text) => text.startsWith('the target differs')));
});

test('an invalid burst among others is left out by its file, and an unfinished result too', () => {
  const fresh = runsOf('new', [...STEADY, [1]]).map((run, i) => {
    if (i === 5) return { ...run, result: { ...run.result, finished: false as const } };
    const invalid = { verdict: 'invalid' as const, reasons: ['out of local ports'] };
    return i > 0
      ? run
      : {
          ...run,
          result: { ...run.result, bursts: run.result.bursts.map((burst) => ({ ...burst, validity: invalid })) },
        };
  });
  const { new: side, exitCode } = compared(runsOf('base', STEADY), fresh, ['p99(handshake) +10%']);
  assert.deepEqual(side.leftOut, [
    { file: 'new-6.json', burst: null, why: 'this run has not ended' },
    { file: 'new-1.json', burst: 0, why: 'out of local ports' },
  ]);
  assert.deepEqual([side.runs, side.bursts, exitCode], [5, 4, 0]);
});

test('where the generator’s floor is a fifth of a metric, that metric is not judged', () => {
  const slow = {
    ...floor(100),
    handshakeMs: {
      ...(floor(100).handshakeMs as NonNullable<Result['bursts'][0]['latencyMs']['handshake']>),
      p99: 300,
    },
  };
  const fresh = changed(runsOf('new', STEADY), (one) => ({
    ...one,
    bursts: one.bursts.map((burst) => ({ ...burst, calibration: slow })),
  }));
  const { metrics, exitCode } = compared(runsOf('base', STEADY), fresh, ['p99(handshake) +10%']);
  const [p99] = metrics.filter(({ metric: name }) => name === 'p99(handshake)');
  assert.deepEqual([p99.verdict, exitCode], ['not judged', 4]);
  assert.match(
    p99.because ?? '',
    /the generator alone takes 300 ms against the local test server, over a fifth of the 990 ms of new/,
  );
});

test('recovery: known to one step of the probes, and a target that never recovers is worse', () => {
  const after = (lastFailedMs: number | null, last: string) => ({
    fromMs: 1000,
    everyMs: 500,
    probes: [
      { atMs: lastFailedMs ?? 1000, outcome: lastFailedMs === null ? '101' : '504', tookMs: 5 },
      { atMs: 9000, outcome: last, tookMs: 5 },
    ],
    lastFailedMs: last === '101' ? lastFailedMs : 9000,
    samples: {},
  });
  const side = (name: string, lastFailedMs: number | null, last = '101') =>
    changed(runsOf(name, STEADY), (one) => ({
      ...one,
      bursts: one.bursts.map((burst) => ({ ...burst, after: after(lastFailedMs, last) })),
    }));
  const same = metric(compared(side('base', null), side('new', null)), 'recovery');
  assert.deepEqual([same.verdict, same.interval, same.tolerance], ['no worse', [-500, 500], 500]);
  assert.equal(compared(side('base', null), side('new', 3000), ['recovery +2s']).exitCode, 3);
  assert.equal(
    compared(side('base', null), side('new', 2500), ['recovery +2s']).verdict,
    'undecided',
    'half a step is not known',
  );
  const never = metric(compared(side('base', 2000), side('new', 8000, '504'), ['recovery +2s']), 'recovery');
  assert.deepEqual([never.verdict, never.new.typical], ['worse', 'inf']);
});

test('a metric that the results do not hold is an error of the command, and so is a check', () => {
  const sides = [runsOf('base', STEADY), runsOf('new', STEADY)];
  for (const [gate, hint] of [
    ['recovery +2s', /--after/],
    ['dropOff -20%', /find/],
    ['rate -5%', /churn/],
    ['p99(tls) +10%', /wss/],
  ] as const) {
    assert.throws(
      () => compared(sides[0], sides[1], [gate]),
      (error) => error instanceof UserError && error.exitCode === 2 && hint.test(error.hint ?? ''),
    );
  }
  assert.throws(
    () =>
      compared(
        sides[0],
        changed(sides[1], (one) => ({ ...one, command: 'check' })),
      ),
    (error) => error instanceof UserError && error.exitCode === 2 && /new-1\.json: a check/.test(error.message),
  );
});

test('a churn is one value a run, however few runs there are', () => {
  const side = (name: string, rates: readonly number[]) =>
    rates.map((rate, i) => ({
      file: `${name}-${i}.json`,
      result: asMeasured(
        result({
          command: 'churn',
          bursts: [{ ...burstOf(1), kind: 'churn' as const, rate }],
          stages: [{ kind: 'churn', total: 100, inFlight: 10, forMs: null, restMs: 0 }],
        }),
        i,
      ),
    }));
  const few = metric(compared(side('base', [500, 510]), side('new', [480, 490])), 'rate');
  assert.deepEqual([few.of, few.verdict, few.bad], ['run', 'not judged', 'down']);
  const drop = compared(side('base', [500, 510, 505, 495]), side('new', [300, 310, 290, 305]), ['rate -10%']);
  assert.deepEqual([drop.exitCode, metric(drop, 'rate').unit], [3, 'handshakes/s']);
});

/** Each is searched once. */
const found = new Map<string, Result>();
const searchOf = (name: string, most: number, wish: object = {}): ComparedRun[] => {
  const key = `${most} ${JSON.stringify(wish)}`;
  const one = found.get(key) ?? searchResult({ burst: (size) => Math.min(size, most), wish });
  found.set(key, one);
  return [{ file: `${name}.json`, result: asMeasured(one, 0) }];
};

test('drop-offs: 30 % lower is seen by two standard searches, the same is not called worse', () => {
  const gate = ['dropOff -0%'];
  const lower = metric(compared(searchOf('base', 300), searchOf('new', 210), gate), 'dropOff');
  assert.deepEqual([lower.verdict, lower.of, lower.unit], ['worse', 'search', 'handshakes']);
  assert.ok(typeof lower.change === 'number' && Math.abs(lower.change + 0.3) < 0.03, `${lower.change}`);
  const same = compared(searchOf('base', 300), searchOf('new', 300), gate);
  assert.equal(same.exitCode, 0);
  assert.notEqual(same.verdict, 'better');
  assert.equal(metric(compared(searchOf('base', 210), searchOf('new', 300), gate), 'dropOff').verdict, 'better');
});

test('drop-offs with an open end: none on either side is no worse; open before and found now is worse', () => {
  const open = metric(compared(searchOf('base', 900, { max: 500 }), searchOf('new', 900, { max: 400 })), 'dropOff');
  assert.deepEqual([open.verdict, open.notes], ['no worse', ['no drop-off on either side up to 400']]);
  const found = metric(compared(searchOf('base', 900, { max: 500 }), searchOf('new', 210, { max: 500 })), 'dropOff');
  assert.deepEqual([found.verdict, found.base.typical], ['worse', 'inf']);
  assert.equal(found.interval?.[0] !== '-inf', true);
  const gone = metric(compared(searchOf('base', 300), searchOf('new', 900, { max: 500 })), 'dropOff');
  assert.equal(gone.verdict, 'better');
});

test('searches for different objectives are not comparable, and one without an answer is named', () => {
  const other = { objectives: [{ name: 'share(101) >= 99%', share: 0.99, withinMs: null }] };
  const refused = compared(searchOf('base', 300), searchOf('new', 300, other), ['dropOff -20%']);
  assert.match(refused.refused.join(), /the searches had different objectives/);
  assert.equal(refused.exitCode, 4);
  const early: ComparedRun[] = [
    {
      file: 'new.json',
      result: asMeasured(searchResult({ burst: (size) => Math.min(size, 300), stoppedAfter: 2 }), 0),
    },
  ];
  const unanswered = compared(searchOf('base', 300), early, ['dropOff -20%']);
  assert.match(unanswered.refused.join(), /no search of new gives a drop-off/);
  assert.match(unanswered.warnings.join(), /new\.json: its search ended INTERRUPTED and gives no drop-off/);
});

const STORM: Storm = {
  clients: 100,
  fleet: 100,
  dropped: 100,
  policy: 'socket.io',
  droppedAt: '2026-11-21T08:00:01.000000Z',
  dropSpreadMs: 1,
  bound: null,
  t50Ms: 1000,
  t95Ms: 4000,
  t99Ms: 4500,
  t100Ms: 5000,
  backMs: null,
  never: { gaveUp: 0, stopped: 0, stillTrying: 0 },
  attemptsPerClient: { mean: 1.5, max: 3 },
  dropsPerClient: { mean: 1, max: 1 },
  attempts: { 101: 100 },
  abandoned: 0,
  perSecond: { attempts: [], opens: [] },
  per100ms: { attempts: [], opens: [] },
  peakPerSecond: 80,
  late: null,
  handshakeMs: null,
  ends: {},
  samples: {},
  validity: { verdict: 'valid', reasons: [] },
};

/** One storm a run; `back` of 100 clients are back. */
function stormRuns(
  name: string,
  t95: readonly (number | null)[],
  back = 100,
  over: Partial<Storm> = {},
): ComparedRun[] {
  const handshake = result({ bursts: [burstOf(1)] }).bursts[0].latencyMs.handshake;
  assert.ok(handshake !== null);
  return t95.map((t95Ms, i) => ({
    file: `${name}-${i}.json`,
    result: {
      ...asMeasured(result({ command: 'storm', bursts: [] }), i),
      storm: [{ ...STORM, t95Ms, backMs: { ...handshake, count: back }, ...over }],
    },
  }));
}

test('storms: one value a run; clients that never came back count as without an end', () => {
  const before = stormRuns('base', [4000, 4100, 3900, 4050]);
  const slower = compared(before, stormRuns('new', [8000, 8100, 7900, 8200]), ['p95(back) +20%']);
  assert.deepEqual(
    [slower.exitCode, metric(slower, 'p95(back)').of, metric(slower, 'p95(back)').unit],
    [3, 'run', 'ms'],
  );
  const lost = compared(before, stormRuns('new', [null, null, null, null], 60), ['share(back) -1pp', 'p95(back) +20%']);
  // Two named metrics share the 5 %, and then four a side are too few.
  assert.equal(lost.exitCode, 4);
  const one = metric(
    compared(before, stormRuns('new', [null, null, null, null], 60), ['share(back) -1pp']),
    'share(back)',
  );
  assert.deepEqual([one.verdict, one.change], ['worse', -0.4]);
  assert.equal(
    metric(compared(before, stormRuns('new', [null, null, null, null], 60)), 'p95(back)').new.typical,
    'inf',
  );
  const few = metric(compared(before.slice(0, 3), stormRuns('new', [4000, 4000, 4000])), 'p95(back)');
  assert.deepEqual([few.verdict, few.of], ['not judged', 'run']);
});

test('storms of another policy or size are not comparable, and an invalid one is left out by name', () => {
  const before = stormRuns('base', [4000, 4100, 3900, 4050]);
  const other = compared(before, stormRuns('new', [4000, 4100, 3900, 4050], 100, { policy: 'sockjs' }), [
    'p95(back) +20%',
  ]);
  assert.match(other.refused.join(), /made no storm of 100, socket\.io/);
  assert.equal(other.exitCode, 4);
  const invalid = stormRuns('bad', [9000], 100, {
    validity: { verdict: 'invalid', reasons: ['no client was dropped'] },
  });
  const { new: side, exitCode } = compared(
    before,
    [...stormRuns('new', [4000, 4100, 3900, 4050]), ...invalid],
    ['p95(back) +20%'],
  );
  assert.deepEqual(side.leftOut, [{ file: 'bad-0.json', burst: null, why: 'storm, socket.io: no client was dropped' }]);
  assert.equal(exitCode, 0);
});

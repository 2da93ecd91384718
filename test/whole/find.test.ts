/**
 * Searches for the drop-off through the command line, against targets of the lab whose drop-off is known: each verdict
 * once, with waits as short as such targets allow. The target's own book is the second one: nobody was sent more than the
 * search owns up to.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { planOf, run } from '#dist/index.js';
import type { LabReport } from '#dist/lab/ledger.js';
import type { DropOff } from '#dist/tally/drop-off.js';
import type { Result } from '#dist/tally/result.js';
import { labFor, type Ran, type RunOptions, resultOf, wstampede } from '../cli.js';

const QUICK = ['--preset', 'quick', '--fresh-wait', '1s', '-t', '20s', '--json'];
const REST = '200ms';
const folder = mkdtempSync(join(tmpdir(), 'wst-find-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let host = 20;
function nextHost(): string {
  host += 1;
  return `127.0.0.${host}`;
}

interface Searched {
  readonly ran: Ran;
  readonly result: Result;
  readonly dropOff: DropOff;
  readonly report: LabReport;
}

type LabOptions = Readonly<Record<string, string | number | boolean>>;

async function search(
  t: TestContext,
  [name, settings]: readonly [string, LabOptions],
  flags: readonly string[],
  options: RunOptions = {},
  rest = REST,
): Promise<Searched> {
  const lab = await labFor(t, name, { ...settings, host: nextHost() });
  const ran = await wstampede(['find', lab.url, ...QUICK, '--rest', rest, ...flags], options);
  const result = resultOf(ran);
  const report = await lab.stop();
  const { dropOff } = result;
  assert.ok(dropOff, ran.stderr);
  t.diagnostic(`${dropOff.verdict} ${dropOff.estimate} [${dropOff.interval95}]: ${dropOff.because}`);
  assertOwnsUp(result, dropOff, report);
  return { ran, result, dropOff, report };
}

/** What the search says that it sent is what the target saw, and what its bursts add up to. */
function assertOwnsUp(
  { bursts, preflight, totals }: Result,
  { cost, ladder, asked }: DropOff,
  report: LabReport,
): void {
  assert.equal(report.requests, totals.attempted + cost.canaryHandshakes + (preflight?.attempted ?? 0));
  assert.equal(totals.attempted + cost.canaryHandshakes, cost.handshakes + cost.canaryHandshakes);
  assert.equal(cost.bursts, bursts.length);
  assert.equal(
    ladder.reduce((sum, rung) => sum + rung.bursts, 0),
    bursts.length,
  );
  assert.deepEqual(
    bursts.map(({ index }) => index),
    bursts.map((_, i) => i),
  );
  for (const { size } of bursts) assert.ok(size >= asked.min && size <= asked.max, `${size}`);
  assert.ok(report.openMax <= asked.max, `${report.openMax} at once`);
}

function assertHolds({ interval95, estimate }: DropOff, truth: number, within: number): void {
  assert.ok((interval95[0] ?? 0) <= truth && (interval95[1] ?? 0) >= truth, `${interval95}`);
  assert.ok(estimate !== null && Math.abs(estimate / truth - 1) <= within, `${estimate}, not ${truth}`);
}

// Most of each search is waiting for its next canary handshake.
describe('searches', { concurrency: 6 }, () => {
  test('FOUND: a hard limit, its bracket and its 503s', async (t) => {
    const { ran, result, dropOff } = await search(t, ['limit', { max: 137 }], ['--max', '1000']);
    assert.equal(dropOff.verdict, 'FOUND', dropOff.because);
    assert.equal(ran.code, 0);
    assertHolds(dropOff, 137, 0.05);
    assert.equal(dropOff.objective, 'share(101) >= 99.9%');
    assert.equal(dropOff.survivorsAtHi, 137);
    assert.notDeepEqual(result.diagnosis, []);
    assert.ok(
      result.bursts.every((burst) => (burst.calibration?.size ?? 0) >= burst.size),
      'a floor at each size',
    );
  });

  test('AT_LEAST_MAX: a healthy target; thresholds are judged by the lower end', async (t) => {
    const thresholds = ['--threshold', 'dropOff >= 150', '--threshold', 'dropOff > 150'];
    const { ran, result, dropOff } = await search(t, ['healthy', {}], ['--max', '150', ...thresholds]);
    assert.equal(dropOff.verdict, 'AT_LEAST_MAX', dropOff.because);
    assert.deepEqual(
      result.thresholds.map(({ actual, ok }) => [actual, ok]),
      [
        [150, true],
        [150, false],
      ],
    );
    assert.equal(ran.code, 3, 'the second one is missed');
  });

  test('BELOW_MIN: broken at the smallest size', async (t) => {
    const flags = ['--max', '100', '--threshold', 'dropOff >= 1'];
    const { ran, result, dropOff } = await search(t, ['limit', { max: 5 }], flags);
    assert.equal(dropOff.verdict, 'BELOW_MIN', dropOff.because);
    assert.equal(result.thresholds[0]?.actual, 0);
    assert.equal(ran.code, 3);
  });

  test('DID_NOT_RECOVER: a break that lasts; no more bursts than the proof takes', async (t) => {
    const target = ['hysteretic', { capacity: 100, for: '60m' }] as const;
    const { ran, dropOff, report } = await search(t, target, ['--max', '1000']);
    assert.equal(dropOff.verdict, 'DID_NOT_RECOVER', dropOff.because);
    assert.equal(ran.code, 3);
    assert.equal(dropOff.unrecovered?.load, 64);
    assert.ok(report.byOutcome['503'] !== undefined);
  });

  test('HYSTERESIS: what a break leaves does not pass for the limit', async (t) => {
    // Longer than a canary takes on a busy machine, so that the first proof of recovery comes too soon.
    const target = ['hysteretic', { capacity: 137, for: '4s' }] as const;
    const { dropOff } = await search(t, target, ['--max', '1000', '--max-wait', '20s', '--no-calibrate'], {}, '500ms');
    assert.equal(dropOff.verdict, 'FOUND', dropOff.because);
    assertHolds(dropOff, 137, 0.06);
    assert.ok(dropOff.flags.some(({ id }) => id === 'HYSTERESIS'));
  });

  test('BUDGET: the best bracket is still there', async (t) => {
    const flags = ['--max', '1000', '--budget', '4', '--no-calibrate'];
    const { ran, dropOff } = await search(t, ['limit', { max: 137 }], flags);
    assert.equal(dropOff.verdict, 'BUDGET', dropOff.because);
    assert.deepEqual([ran.code, dropOff.bracket], [3, [128, 256]]);
  });

  test('GENERATOR_LIMITED: too few descriptors are no limit of the target, said at once', async (t) => {
    const limited = {
      wrapper: (command: readonly string[]) => ['bash', '-c', 'ulimit -n 200 && exec "$@"', 'bash', ...command],
    };
    const { ran, result, dropOff } = await search(t, ['healthy', {}], ['--max', '5000', '-w', '1'], limited);
    assert.equal(dropOff.verdict, 'GENERATOR_LIMITED', dropOff.because);
    assert.equal(ran.code, 4);
    assert.equal(result.validity.verdict, 'invalid');
    assert.match(ran.stderr, /the search goes up to \d+ instead of 5,?000: .*ulimit -n/);
    assert.match(dropOff.because, /ulimit -n/);
    const most = dropOff.limit?.most ?? 0;
    assert.ok(most > 64 && most < 200, `${most}`);
    assert.equal(dropOff.bracket[0], most, 'fine up to there');
    assert.equal(dropOff.bracket[1], null);
  });

  test('the abort rule ends a search, too', async (t) => {
    const flags = ['--max', '1000', '--no-calibrate', '--abort', 'share(5xx) > 10%'];
    const { ran, result, dropOff } = await search(t, ['limit', { max: 100 }], flags);
    assert.equal(dropOff.verdict, 'INTERRUPTED');
    assert.deepEqual([ran.code, dropOff.bracket], [3, [64, 128]]);
    assert.match(result.stopped ?? '', /abort rule/);
  });

  test('a latency breaks first, and is named', async (t) => {
    // One by one, 10 ms each, so 100 within 1 s, and a handshake or so is allowed to be late.
    const target = ['simultaneous-504', { timeout: '10s', service: '10ms' }] as const;
    const flags = ['--max', '200', '--share', '99%', '--p99', '1s', '--no-calibrate'];
    const { dropOff } = await search(t, target, flags);
    assert.equal(dropOff.verdict, 'FOUND', dropOff.because);
    assert.equal(dropOff.objective, 'p99(handshake) <= 1s');
    // What a client felt has the release and this machine's own delay in it.
    assertHolds({ ...dropOff, interval95: [80, 120] }, 100, 0.1);
  });

  test('as a library: a plan with a search', async (t) => {
    const lab = await labFor(t, 'limit', { max: 40, host: nextHost() });
    const find = { max: 100, preset: 'quick', rest: '100ms', freshWait: '500ms' };
    const seen: string[] = [];
    const result = await run(planOf({ target: { url: lab.url }, stages: [{ find }], calibrate: false }), {
      onBurst: (_burst, soFar) => seen.push(soFar.dropOff?.verdict ?? ''),
    });
    assert.deepEqual([result.dropOff?.verdict, result.exitCode], ['FOUND', 0], result.dropOff?.because);
    assert.equal(seen.length, result.bursts.length);
    assert.equal(seen[0], 'INTERRUPTED');
  });
});

test('what does not fit together is refused before anything is sent', async () => {
  const nowhere = 'ws://127.0.0.1:9/';
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /--max: missing/],
    [['--max', '5', '--min', '10'], /--min: expected a size of at most max/],
    [['--max', '100', '--width', '60%'], /--width: expected a share/],
    [['--max', '100', '--burst-quantile', '20%'], /--burst-quantile/],
    [['--max', '100', '--threshold', 'share(101) >= 99%'], /--threshold: a search overloads its target on purpose/],
    [['--max', '100', '--preset', 'fast'], /preset/],
    [['--max', '100', '--resume', 'no-such.json'], /no file no-such.json/],
    [['--max', '100', '--resume', 'package.json'], /not a wstampede result/],
  ];
  for (const [flags, message] of wrong) {
    const ran = await wstampede(['find', nowhere, ...flags]);
    assert.equal(ran.code, 2, ran.stderr);
    assert.match(ran.stderr, message);
    assert.equal(ran.stdout, '');
  }
});

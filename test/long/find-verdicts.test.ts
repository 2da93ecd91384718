/**
 * Searches for the drop-off through the command line, against targets of the lab whose drop-off is known: each verdict
 * once, with waits as short as such targets allow. The target's own book is the second one: nobody was sent more than the
 * search owns up to.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planOf, run } from '#dist/index.js';
import { labFor, wstampede } from '../cli.js';
import { assertHolds, nextHost, search } from '../searched.js';

// Most of each search is waiting for its next canary handshake.
describe('searches', { concurrency: 8 }, () => {
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

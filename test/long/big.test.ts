/**
 * Big: many connections held together, and many handshakes one after another, with the memory of the whole process tree
 * watched from outside.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { resultOf, start, sum } from '../cli.js';
import { watchMemory } from '../gateways/memory.js';
import { startTarget } from '../gateways/target.js';
import { needs } from '../needs.js';

/** Peak memory of the generator; the mirror of a calibration is a process of its own, and gone when the burst comes. */
const BOUND_MIB = 180;
const HELD = 15_000;
const CONNECTED = 4000;
const CHURNED = 100_000;
const IN_FLIGHT = 500;
/** The last quarter of a churn may hold this much more than the second. */
const GROWTH = 1.05;

const QUIET = ['--json', '--no-progress'];

function needsProc(t: TestContext): boolean {
  return needs(t, process.platform === 'linux', 'Linux: memory is read from /proc');
}

interface Held {
  readonly host: string;
  readonly size: number;
  readonly gate: 'connect' | 'upgrade';
  readonly calibrate: boolean;
}

async function holdAll(t: TestContext, { host, size, gate, calibrate }: Held): Promise<void> {
  const target = await startTarget(host);
  try {
    const running = start([
      ...['burst', target.url, '-c', `${size}`, '--gate', gate, '--hold', '3s', '--no-preflight', ...QUIET],
      ...(calibrate ? [] : ['--no-calibrate']),
    ]);
    const memory = await watchMemory(running.pid, running.done);
    const result = resultOf(await running.done);
    const report = await target.report();
    const [burst] = result.bursts;
    t.diagnostic(
      `${size} at gate ${gate}${calibrate ? ', calibrated' : ''}: generator ${memory.own.toFixed(1)} MiB (VmHWM), ` +
        `tree of ${memory.processes}: ${memory.peakRss.toFixed(1)} MiB (highest sum of VmRSS), ` +
        `spread ${burst.release?.spreadMs.toFixed(1)} ms, ${burst.validity.verdict}`,
    );
    assert.deepEqual(burst.outcomes, { '101': size }, JSON.stringify(burst.samples));
    assert.equal(burst.lostWhileHeld, 0);
    assert.equal(report.peakOpen, size, 'open together, says the target');
    assert.notEqual(burst.validity.verdict, 'invalid', burst.validity.reasons.join('; '));
    assert.ok(memory.own <= BOUND_MIB, `the generator peaked at ${memory.own.toFixed(1)} MiB, bound ${BOUND_MIB}`);
    if (!calibrate) assert.equal(memory.processes, 1, 'the generator is the whole tree');
  } finally {
    await target.stop();
  }
}

test(`${HELD} connections of one burst at gate upgrade, held together`, async (t) => {
  if (!needsProc(t)) return;
  await holdAll(t, { host: '127.0.0.21', size: HELD, gate: 'upgrade', calibrate: false });
});

test(`${HELD} connections of one burst at gate upgrade, held together, after a calibration`, async (t) => {
  if (!needsProc(t)) return;
  await holdAll(t, { host: '127.0.0.22', size: HELD, gate: 'upgrade', calibrate: true });
});

test(`${CONNECTED} connections of one burst at gate connect, held together`, async (t) => {
  if (!needsProc(t)) return;
  await holdAll(t, { host: '127.0.0.23', size: CONNECTED, gate: 'connect', calibrate: false });
});

test(`${CHURNED} handshakes churned, ${IN_FLIGHT} in flight: nothing lost, and memory stays flat`, async (t) => {
  if (!needsProc(t)) return;
  const target = await startTarget('127.0.0.24');
  try {
    const running = start([
      ...['churn', target.url, '-n', `${CHURNED}`, '-c', `${IN_FLIGHT}`],
      ...['--no-preflight', '--no-calibrate', ...QUIET],
    ]);
    const memory = await watchMemory(running.pid, running.done);
    const result = resultOf(await running.done);
    const report = await target.report();
    const [churn] = result.bursts;
    assert.deepEqual(churn.outcomes, { '101': CHURNED }, JSON.stringify(churn.samples));
    assert.equal(sum(churn.outcomes), CHURNED);
    assert.equal(report.handshakes, CHURNED, 'handshakes, says the target');
    const from = Date.parse(churn.releasedAt ?? '');
    const quarter = (churn.makespanMs ?? 0) / 4;
    const means = [0, 1, 2, 3].map((q) => {
      const within = memory.samples.filter(({ at }) => at >= from + q * quarter && at < from + (q + 1) * quarter);
      return within.reduce((all, { rss }) => all + rss, 0) / within.length;
    });
    t.diagnostic(
      `RSS by quarter, MiB: ${means.map((mean) => mean.toFixed(1)).join(', ')}; peak ${memory.peakRss.toFixed(1)}; ` +
        `${churn.rate?.toFixed(0)} handshakes/s`,
    );
    assert.ok(means[3] <= means[1] * GROWTH, `grew from ${means[1].toFixed(1)} to ${means[3].toFixed(1)} MiB`);
  } finally {
    await target.stop();
  }
});

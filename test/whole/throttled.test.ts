/** A generator that a quota of its control group holds back says so, whatever it measured. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { labFor, resultOf, until, wstampede } from '../cli.js';

const CONTROLLERS = '/sys/fs/cgroup/cpu';
const PERIOD_US = 100_000;

/** A new control group with that share of a core; null where this system does not let one be made (version 1 only). */
function groupWith(t: TestContext, cores: number): string | null {
  const folder = `${CONTROLLERS}/wstampede-test-${process.pid}`;
  try {
    mkdirSync(folder);
  } catch {
    return null;
  }
  t.after(async () => {
    await until('the control group is empty', () => readFileSync(`${folder}/cgroup.procs`, 'utf8') === '');
    rmdirSync(folder);
  });
  try {
    writeFileSync(`${folder}/cpu.cfs_period_us`, `${PERIOD_US}`);
    writeFileSync(`${folder}/cpu.cfs_quota_us`, `${PERIOD_US * cores}`);
    return folder;
  } catch {
    return null;
  }
}

for (const transport of ['auto', 'node']) {
  test(`a quota of 0.3 core is seen and said (--transport ${transport})`, async (t) => {
    const group = groupWith(t, 0.3);
    if (group === null) {
      t.skip('needs the right to make a control group under /sys/fs/cgroup/cpu');
      return;
    }
    const lab = await labFor(t, 'healthy', { host: '127.0.0.2' });
    const into = `echo $$ > ${group}/cgroup.procs && exec "$@"`;
    const plain = ['--json', '--no-preflight', '--no-calibrate', '--transport', transport];
    const result = resultOf(
      await wstampede(['burst', lab.url, '-c', '500', ...plain], {
        wrapper: (command) => ['sh', '-c', into, 'sh', ...command],
      }),
    );
    const [{ generator, validity }] = result.bursts;
    assert.ok((generator.throttledMs ?? 0) > 0, `${generator.throttledMs}`);
    assert.notEqual(validity.verdict, 'valid');
    assert.match(validity.reasons.join('\n'), /CPU was throttled for .* \(cgroup limit\)/);
  });
}

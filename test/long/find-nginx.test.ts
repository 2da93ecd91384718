/** Limits of a real nginx, found by the command line: cases of the benchmark of searches, once each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIND_CASES } from '../bench/find-cases.js';
import { runCase } from '../bench/find-run.js';
import { faultOf, isInside } from '../bench/find-table.js';
import { needsProgram } from '../needs.js';

const NAMES = ['nginx-limit-conn', 'nginx-worker-connections'];

for (const one of FIND_CASES.filter(({ name }) => NAMES.includes(name))) {
  test(`${one.name}: ${one.story}`, async (t) => {
    if (!needsProgram(t, 'nginx')) return;
    const run = await runCase(one, 1, null);
    t.diagnostic(`${run.verdict} ${run.estimate} [${run.interval95}] for ${run.truth} (${run.by}): ${run.ladder}`);
    assert.equal(faultOf(one, run), null);
    assert.equal(isInside(run), true);
  });
}

test('the cases are there', () => {
  assert.equal(FIND_CASES.filter(({ name }) => NAMES.includes(name)).length, NAMES.length);
});

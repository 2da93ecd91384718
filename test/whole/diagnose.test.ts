/**
 * A dozen of the generated cases of `npm run bench:diagnose`, by its default seed: the right cause first, no wrong one with
 * certainty, none at all where nothing is wrong. Their ids are those of the benchmark's table.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Case } from '../bench/diagnose-case.js';
import { casesOf, DEFAULT_SEED } from '../bench/diagnose-cases.js';
import { fireCase } from '../bench/diagnose-fire.js';
import { judge } from '../bench/diagnose-judge.js';
import { askedText, namedText } from '../bench/diagnose-table.js';
import { needsProgram } from '../needs.js';

const DOZEN = ['o1', 'o7', 'o9', 'o15', 'o26', 'o33', 'o36', 'o40', 'o42', 'o43', 'o45', 'o48'];

function gatewayOf({ target }: Case): string | null {
  if (!('row' in target) || target.row.gateway === 'direct') return null;
  return target.row.gateway;
}

for (const one of casesOf('open', DEFAULT_SEED).filter(({ id }) => DOZEN.includes(id))) {
  test(`${one.id}: ${one.name}, ${askedText(one)}`, async (t) => {
    const gateway = gatewayOf(one);
    if (gateway !== null && !needsProgram(t, gateway)) return;
    const judged = judge(one, await fireCase(one));
    t.diagnostic(`${judged.outcomes}: ${namedText(judged)}`);
    assert.equal(judged.fault, null, 'it failed as it is meant to');
    assert.deepEqual(judged.wrong, [], namedText(judged));
    assert.ok(judged.isRight, `named ${namedText(judged)}, and the truth is ${one.truth.join(', ') || 'none'}`);
  });
}

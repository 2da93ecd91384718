/**
 * The demo, as `npm start` runs it: what a stack of known T and S takes at once, predicted, measured, diagnosed and searched
 * for. That it ends within a minute is the doing of the search's own deadline; no clock is held to it here.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, wstampede } from '../cli.js';

/** T/S of the demo's target, and how far off its measurements may be. */
const LIMIT = 200;
const TOLERANCE = 0.1;

function assertNear(text: string | undefined, what: string): void {
  const number = Number(text?.replaceAll(',', ''));
  assert.ok(Math.abs(number / LIMIT - 1) <= TOLERANCE, `${what}: ${text}`);
}

/** What the README shows of the demo and no run changes: its headings, the prediction, what to try next. */
function steadyLines(): string[] {
  const shown = /```\n(A gateway with a read timeout.*?)```/s.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1];
  assert.ok(shown, 'the README shows the demo');
  const [, tried = ''] = shown.split('\nTry next\n');
  const steady = shown.split('\n').filter((line) => /^(\d\. | {2}predicted|After each break)/.test(line));
  assert.ok(steady.length >= 5);
  return [...steady, ...tried.trimEnd().split('\n')];
}

test('the demo sets the searched drop-off beside prediction and measurement', async (t) => {
  const ran = await wstampede(['demo', '--no-color']);
  t.diagnostic(`${ran.ms} ms`);
  assert.equal(ran.code, 0, ran.stderr);
  const [, end = ''] = ran.stdout.split('5. Prediction and measurement\n');
  assert.match(end, /^ {2}predicted {2}T\/S = 200: 200 x 101, 300 x 504$/m);
  const [, measured] = /^ {2}measured {3}([\d,]+) x 101, [\d,]+ x 504$/m.exec(end) ?? [];
  assertNear(measured, 'measured');
  assert.match(end, /^ {2}diagnosed {2}T\/S = \d+$/m);
  const [, estimate, from, to] = /^ {2}searched {3}~([\d,]+), with 95% between (\d+) and (\d+)/m.exec(end) ?? [];
  assertNear(estimate, 'searched');
  assert.ok(Number(from) <= LIMIT && Number(to) >= LIMIT, `${from} to ${to}`);
  // A search of a real target must not be begun with the waits of this one.
  assert.match(ran.stdout, /--fresh-wait is 30s with --preset quick and 2m without/);
  assert.match(ran.stderr, /^find .*burst 1: 64/m);
  for (const line of steadyLines()) assert.ok(ran.stdout.includes(`\n${line}\n`), `the README has ${line}`);
});

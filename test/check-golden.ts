/**
 * What differs from run to run taken out of a check, so that its text can be held against a file: ports, keys, dates,
 * versions, and times, of which only whether they reached the deadline is kept.
 */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { renderCheck } from '#dist/report/terminal/check-page.js';
import type { Result } from '#dist/result/result.js';
import { checkedResult, ROOT, wstampede } from './cli.js';

/** As the program sees stdout in these tests: no terminal. */
const TERMINAL = { width: 80, color: false, unicode: true };
const SHORT_MS = 5;
const LONG_MS = 2000;
/** Between what a target does at once and what it never does, on a machine that does other things too. */
const LONG_FROM_MS = 1200;
const UNIT_MS: Readonly<Record<string, number>> = { µs: 0.001, ms: 1, s: 1000 };

/** Runs `check` and holds its text against test/golden/check-NAME.txt. @param ports those of the targets, in order */
export async function checkGolden(name: string, args: readonly string[], ports: readonly string[]): Promise<Result> {
  const env = { LANG: 'C.UTF-8', LC_ALL: undefined, LC_CTYPE: undefined };
  const folder = `${ROOT}test/.out`;
  const file = `${folder}/check-${name}-${process.pid}.json`;
  const ran = await wstampede(['check', ...args, '-q', '-o', file], { env });
  const result = checkedResult(readFileSync(file, 'utf8'));
  assert.equal(
    ran.stdout,
    renderCheck(result, TERMINAL),
    `${name}: the text says what the document says\n${ran.stderr}`,
  );
  assert.equal(ran.code, result.exitCode);
  const text = `${renderCheck(steady(result, ports), TERMINAL)}\nexit code ${result.exitCode}\n`;
  const golden = `${ROOT}test/golden/check-${name}.txt`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'), `${name}; UPDATE_GOLDEN=1 writes it anew`);
  return result;
}

function steady(result: Result, ports: readonly string[]): Result {
  return map(result, (key, value) => {
    if (key === 'port') return 8080 + Math.max(0, ports.indexOf(`${value}`));
    if (typeof value === 'number') return key.endsWith('Ms') && key !== 'timeoutMs' ? steadyMs(value) : value;
    return typeof value === 'string' ? steadyText(value, ports) : value;
  }) as Result;
}

function map(value: unknown, change: (key: string, value: unknown) => unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => map(one, change, key));
  if (typeof value !== 'object' || value === null) return change(key, value);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, map(one, change, name)]));
}

function steadyMs(ms: number): number {
  return ms < LONG_FROM_MS ? SHORT_MS : LONG_MS;
}

function steadyText(text: string, ports: readonly string[]): string {
  const ported = ports.reduce((out, port, i) => out.replaceAll(`:${port}`, `:${8080 + i}`), text);
  return ported
    .replace(/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{22}==/g, 'KEYKEYKEYKEYKEYKEYKEYK==')
    .replace(/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{27}=(?!=)/g, 'ACCEPTACCEPTACCEPTACCEPTACC=')
    .replace(/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g, 'Sun, 01 Jan 2006 00:00:00 GMT')
    .replace(/\b(nginx|Apache)\/[\d.]+/g, '$1/1.0')
    .replace(/\b(\d+|\d+\.\d+)(?: (µs|ms)|(?<=\.\d+) (s))\b/g, (_, digits: string, small: string | undefined) =>
      steadyMs(Number(digits) * (UNIT_MS[small ?? 's'] ?? 1)) === SHORT_MS ? '5.00 ms' : '2.00 s',
    );
}

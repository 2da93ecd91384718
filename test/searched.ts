/**
 * Searches for the drop-off through the command line, against targets of the lab, whose own book is the second one: nobody
 * was sent more than the search owns up to.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { LabReport } from '#dist/lab/server/ledger.js';
import type { DropOff } from '#dist/result/drop-off.js';
import type { Result } from '#dist/result/result.js';
import { labFor, type Ran, type RunOptions, resultOf, wstampede } from './cli.js';

const QUICK = ['--preset', 'quick', '--fresh-wait', '1s', '-t', '20s', '--json'];
const REST = '200ms';
let host = 20;
/** TIME_WAIT pairs of one search must not stand in the way of another. */
export function nextHost(): string {
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

/** A search with waits as short as targets of the lab allow, checked against the target's own book. */
export async function search(
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

/** The truth is inside of the interval, and the estimate near it. */
export function assertHolds({ interval95, estimate }: DropOff, truth: number, within: number): void {
  assert.ok((interval95[0] ?? 0) <= truth && (interval95[1] ?? 0) >= truth, `${interval95}`);
  assert.ok(estimate !== null && Math.abs(estimate / truth - 1) <= within, `${estimate}, not ${truth}`);
}

/**
 * The sentence to be quoted, with all that keeps it from being misread: how many bursts it rests on, how close together they
 * started, at which gate, and whether it can be believed. A run that says nothing about the target has none.
 */
import { openedOf } from '../../../names/outcomes.js';
import { startsTogether } from '../../../plan/stages/loads.js';
import { formatCount } from '../../../plan/units.js';
import type { Burst, Result } from '../../../result/result.js';
import { bare } from '../fact.js';
import { hasDropOff } from '../headline.js';
import { burstsText, spokenMs } from '../numbers.js';
import { titleOf } from '../title.js';

/** null: there is nothing to quote. */
export function quoteOf(result: Result): string | null {
  const { bursts, validity, check } = result;
  if (validity.verdict === 'invalid' || result.finished === false) return null;
  if (check !== null) return titleOf(result).text;
  if (bursts.length === 0) return null;
  const verdict = { valid: 'valid', suspect: 'SUSPECT, see its reasons' }[validity.verdict];
  const sizes = new Set(bursts.map(({ size }) => size));
  const isPlain = !hasDropOff(result) && sizes.size === 1 && bursts.every(({ kind }) => startsTogether(kind));
  const said = isPlain ? sameSize(result, bursts) : bare(titleOf(result).text);
  return `${said}; ${burstsText(bursts.length)}; ${verdict}.`;
}

/** `200 of 500 handshakes that started within 30.7 ms (gate upgrade) got their 101`. */
function sameSize({ totals: { attempted, outcomes } }: Result, bursts: readonly Burst[]): string {
  const [{ gate, size }] = bursts;
  const spreads = bursts.flatMap(({ release }) => (release === null ? [] : [release.spreadMs]));
  const each = bursts.length === 1 ? 'that' : `in bursts of ${formatCount(size)} that each`;
  const within = spreads.length === 0 ? 'started together' : `started within ${spokenMs(Math.max(...spreads))}`;
  return `${formatCount(openedOf(outcomes))} of ${formatCount(attempted)} handshakes ${each} ${within} (gate ${gate}) got their 101`;
}

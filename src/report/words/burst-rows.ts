/**
 * Bursts as rows of a table: size, 101s, latencies, how close together they started, validity, failures. `index` is the
 * same as in the result and in the attempts' CSV.
 */
import { openedOf } from '../../names/outcomes.js';
import { LOADS } from '../../plan/stages/loads.js';
import { formatCount } from '../../plan/units.js';
import type { Burst, Verdict } from '../../result/result.js';
import { tableMs } from './numbers.js';
import { failuresText, share101 } from './outcome-words.js';

export interface BurstRow {
  /** In the order of the columns; null: not known. */
  readonly numbers: readonly (string | null)[];
  readonly verdict: Verdict;
  readonly failures: string;
}

export interface BurstRows {
  /** Headings of the numbers. */
  readonly columns: readonly string[];
  readonly rows: readonly BurstRow[];
}

export function burstRows(bursts: readonly Burst[]): BurstRows {
  // If some rows show a rate in this column, the spreads in other rows need a unit.
  const hasRates = bursts.some(({ kind }) => LOADS[kind].hasRate);
  const columns = ['index', 'size', '101', 'share', 'p50 ms', 'p99 ms', hasRates ? 'spread' : 'spread ms'];
  return { columns, rows: bursts.map((burst) => rowOf(burst, hasRates)) };
}

function rowOf(burst: Burst, hasRates: boolean): BurstRow {
  const { handshake } = burst.latencyMs;
  const numbers = [
    `${burst.index}`,
    formatCount(burst.size),
    formatCount(openedOf(burst.outcomes)),
    share101(burst),
    handshake === null ? null : tableMs(handshake.p50),
    handshake === null ? null : tableMs(handshake.p99),
    paceText(burst, hasRates),
  ];
  return { numbers, verdict: burst.validity.verdict, failures: failuresText(burst) };
}

function paceText({ kind, rate, release }: Burst, hasRates: boolean): string | null {
  if (LOADS[kind].hasRate) return rate === null ? null : `${formatCount(Math.round(rate))}/s`;
  return release === null ? null : `${tableMs(release.spreadMs)}${hasRates ? ' ms' : ''}`;
}

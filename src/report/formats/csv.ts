/**
 * One row per burst and phase (RFC 4180). Units stand in the column names; an empty field is not known: a percentile
 * beyond the data, or a phase that a burst did not have. A burst without any 101 keeps its row for `handshake`.
 */
import { openedOf } from '../../names/outcomes.js';
import { PHASES, type Phase } from '../../names/phases.js';
import type { Burst, Result, Summary } from '../../result/result.js';
import { csvText } from '../../tally/attempt-row.js';
import { isBeyondData } from '../words/numbers.js';
import { failedOutcomes } from '../words/outcome-words.js';

type Field = string | number | null;

/** The columns and what they hold, in order. */
const COLUMNS: readonly (readonly [name: string, value: (row: CsvRow) => Field])[] = [
  ['run_started_at', ({ result }) => result.startedAt],
  ['command', ({ result }) => result.command],
  ['target', ({ result }) => result.plan.target.url],
  ['run_validity', ({ result }) => result.validity.verdict],
  ['stage', ({ burst }) => burst.stage],
  ['burst', ({ burst }) => burst.index],
  ['kind', ({ burst }) => burst.kind],
  ['gate', ({ burst }) => burst.gate],
  ['released_at', ({ burst }) => burst.releasedAt],
  ['size', ({ burst }) => burst.size],
  ['validity', ({ burst }) => burst.validity.verdict],
  ['attempted', ({ burst }) => burst.attempted],
  ['opened', ({ burst }) => openedOf(burst.outcomes)],
  ['lost', ({ burst }) => burst.lostWhileHeld],
  ['failed', ({ burst }) => failedOutcomes(burst.outcomes).reduce((sum, [, count]) => sum + count, 0)],
  ['outcomes', ({ burst }) => outcomesText(burst)],
  ['spread_ms', ({ burst }) => burst.release?.spreadMs ?? null],
  ['makespan_ms', ({ burst }) => burst.makespanMs],
  ['rate_per_s', ({ burst }) => burst.rate],
  ['phase', ({ phase }) => phase],
  ['count', ({ summary }) => summary?.count ?? 0],
  ['min_ms', ({ summary }) => summary?.min ?? null],
  ['mean_ms', ({ summary }) => summary?.mean ?? null],
  ...(['p50', 'p75', 'p90', 'p95', 'p99', 'p999'] as const).map(
    (name) => [`${name}_ms`, ({ summary }: CsvRow) => known(summary, name)] as const,
  ),
  ['max_ms', ({ summary }) => summary?.max ?? null],
  ['p50_lower_ms', ({ lower }) => known(lower, 'p50')],
  ['p99_lower_ms', ({ lower }) => known(lower, 'p99')],
];

interface CsvRow {
  readonly result: Result;
  readonly burst: Burst;
  readonly phase: Phase;
  readonly summary: Summary | null;
  /** Its lower bound; null where the kernel timed it. */
  readonly lower: Summary | null;
}

export function renderCsv(results: readonly Result[]): string {
  const rows = results.flatMap((result) => result.bursts.flatMap((burst) => rowsOf(result, burst)));
  const lines = rows.map((row) => COLUMNS.map(([, value]) => fieldText(value(row))).join(','));
  return [COLUMNS.map(([name]) => name).join(','), ...lines, ''].join('\n');
}

function rowsOf(result: Result, burst: Burst): CsvRow[] {
  return PHASES.flatMap((phase): CsvRow[] => {
    const summary = burst.latencyMs[phase];
    if (summary === null && phase !== 'handshake') return [];
    const lower: Readonly<Partial<Record<Phase, Summary | null>>> = burst.latencyLowerMs ?? {};
    return [{ result, burst, phase, summary, lower: lower[phase] ?? null }];
  });
}

function known(summary: Summary | null, name: 'p50' | 'p75' | 'p90' | 'p95' | 'p99' | 'p999'): number | null {
  return summary === null || isBeyondData(name, summary.count) ? null : summary[name];
}

/** `101:200 504:300`. */
function outcomesText({ outcomes }: Burst): string {
  return Object.entries(outcomes)
    .map(([id, count]) => `${id}:${count}`)
    .join(' ');
}

/** Words that no spreadsheet reads as anything else. */
const PLAIN = /^[A-Za-z0-9][\w.:-]*$/;

function fieldText(value: Field): string {
  if (typeof value === 'number') return `${value}`;
  return value !== null && PLAIN.test(value) ? value : csvText(value);
}

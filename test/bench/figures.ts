/**
 * What a benchmark says: tables of medians with their spread, and goals that are met or missed. Knows how a table looks
 * on a terminal and on a page, and nothing of what was measured.
 */

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

/** A number to reach; met where `value` is at most `limit`, or at least where that is asked. */
export interface Goal {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly isAtLeast?: boolean;
}

export interface Section {
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
}

/** Stands where there is no value, never a zero. */
export const NONE = '–';

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** The smallest value that this share of all does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** `median (min–max)`, or the one value where there is only one. */
export function show(values: readonly number[], digits = 1): string {
  if (values.length === 0) return NONE;
  const text = (n: number) => n.toFixed(digits);
  if (values.length === 1) return text(values[0]);
  return `${text(median(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`;
}

/** NaN, from something that could not be measured, is a miss. */
export function isMet({ value, limit, isAtLeast = false }: Goal): boolean {
  return isAtLeast ? value >= limit : value <= limit;
}

export function goalText(goal: Goal): string {
  return `${isMet(goal) ? 'met' : 'MISSED'} (${goal.isAtLeast ? '≥' : '≤'} ${goal.limit})`;
}

export function missText(goal: Goal): string {
  return `${goal.what}: ${goal.value.toFixed(3)}, goal ${goal.isAtLeast ? '≥' : '≤'} ${goal.limit}`;
}

export function plainText({ title, head, rows, notes }: Table): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const lines = all.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd());
  return ['', title, ...lines, ...notes.map((note) => `  ${note}`)].join('\n');
}

export function markdown({ title, head, rows, notes }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const table = [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  return [`## ${title}`, table, ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')])].join(
    '\n\n',
  );
}

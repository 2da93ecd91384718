/** The benchmark of searches, judged and as a table for people. Pure: from runs to goals and Markdown. */
import type { Span } from '#dist/result/drop-off.js';
import type { FindCase, FindRun } from './find-case.js';

/** Share of all intervals that must hold their truth. */
const COVERAGE = 0.95;

export interface Line {
  readonly one: FindCase;
  readonly runs: readonly FindRun[];
}

export interface Goal {
  readonly what: string;
  readonly text: string;
  readonly ok: boolean;
}

export function errorOf({ estimate, truth }: FindRun): number | null {
  return estimate === null || truth === null ? null : Math.abs(estimate / truth - 1);
}

/** null: there is no truth to hold. */
export function isInside({ interval95, truth }: FindRun): boolean | null {
  if (truth === null) return null;
  const [low, high] = interval95;
  return (low ?? 0) <= truth && truth <= (high ?? Number.POSITIVE_INFINITY);
}

/** What is wrong with a run, in words; null: nothing. The interval is judged over all runs, not here. */
export function faultOf(one: FindCase, run: FindRun): string | null {
  if (run.fault !== null) return run.fault;
  if (run.verdict === null || !one.verdicts.includes(run.verdict)) return `${run.verdict}: ${run.because}`;
  if (one.exitCode !== undefined && run.exitCode !== one.exitCode) return `exit ${run.exitCode}`;
  if (one.flag !== undefined && !run.flags.includes(one.flag)) return `no flag ${one.flag}`;
  if (one.within === undefined) return null;
  const error = errorOf(run);
  if (error === null) return 'no estimate, or no truth';
  return error <= one.within ? null : `${percent(error)} off`;
}

/** @param times runs that were asked for of each case */
export function goals(lines: readonly Line[], times: number): Goal[] {
  const own = lines.map(({ one, runs }): Goal => {
    const wanted = times * (one.runs ?? 1);
    const faults = runs.flatMap((run) => {
      const fault = faultOf(one, run);
      return fault === null ? [] : [`run ${run.run}: ${fault}`];
    });
    const text = `${runs.length - faults.length} of ${wanted} right${faults.length > 0 ? `: ${faults.join('; ')}` : ''}`;
    return { what: `${one.name} (goal: ${goalText(one)})`, text, ok: runs.length >= wanted && faults.length === 0 };
  });
  const judged = lines.flatMap(({ runs }) => runs.map(isInside)).filter((inside) => inside !== null);
  if (judged.length === 0) return own;
  const held = judged.filter(Boolean).length;
  const text = `${held} of ${judged.length} (${percent(held / judged.length)})`;
  const what = `intervals that hold the truth (goal: ${COVERAGE * 100} %)`;
  return [...own, { what, text, ok: held >= COVERAGE * judged.length }];
}

function goalText({ verdicts, within, flag, exitCode }: FindCase): string {
  const parts = [verdicts.join(' or ')];
  if (within !== undefined) parts.push(`each within ${percent(within)}`);
  if (flag !== undefined) parts.push(`flag ${flag}`);
  if (exitCode !== undefined) parts.push(`exit ${exitCode}`);
  return parts.join(', ');
}

/** @param where the machine, the versions and the day, as one line */
export function document(lines: readonly Line[], times: number, where: string): string {
  const all = goals(lines, times);
  const missed = all.filter(({ ok }) => !ok);
  const seconds = lines.flatMap(({ runs }) => runs).reduce((sum, run) => sum + run.seconds, 0);
  return `# Is the drop-off right?

${where}. Written by \`npm run bench:find -- --write\`.

\`wstampede find\` as a process of its own, \`--preset quick\`, against live targets whose drop-off is known: of the lab, and real
nginx. Waits (\`--fresh-wait\`, \`--max-wait\`, \`--rest\`) are as short as what the target remembers of a break allows. The truth is the
largest burst that a rested target takes within the objective (by default 99.9 % of the handshakes); of the slow backend behind
nginx T/S', with the S' that the backend measured of itself in that very run. Errors are those of the estimate; **inside** is how
many 95 % intervals hold the truth. O1, O12 and O13 are predictions of [the method](../../docs/method.md#predictions).

${table(lines)}

## Goals

| goal | came | |
| --- | --- | --- |
${all.map(({ what, text, ok }) => `| ${cell(what)} | ${cell(text)} | ${ok ? 'met' : '**MISSED**'} |`).join('\n')}

${missed.length === 0 ? 'All goals are met' : `${missed.length} of ${all.length} goals are missed`}; ${Math.round(seconds / 60)} minutes of searching.

## How each case was asked

| case | target | flags |
| --- | --- | --- |
${lines.map(({ one }) => `| ${one.name} | ${cell(one.story)} | \`${askedText(one)}\` |`).join('\n')}
`;
}

export function table(lines: readonly Line[]): string {
  return `| case | truth | estimates | error %: median, worst | 95 % intervals | inside | verdicts | bursts | s |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${lines.map(row).join('\n')}`;
}

function row({ one, runs }: Line): string {
  const errors = runs.map(errorOf).filter((error) => error !== null);
  const inside = runs.map(isInside).filter((held) => held !== null);
  const isJudged = one.within !== undefined;
  const cells = [
    one.name,
    truthText(runs),
    isJudged ? runs.map(({ estimate }) => sizeText(estimate)).join(', ') : '–',
    errors.length === 0 ? '–' : `${percentNumber(median(errors))}, ${percentNumber(Math.max(...errors))}`,
    isJudged ? runs.map(({ interval95 }) => spanText(interval95)).join(', ') : '–',
    inside.length === 0 ? '–' : `${inside.filter(Boolean).length}/${inside.length}`,
    verdictsText(one, runs),
    rangeText(runs.map(({ bursts }) => bursts)),
    rangeText(runs.map(({ seconds }) => Math.round(seconds))),
  ];
  return `| ${cells.map(cell).join(' | ')} |`;
}

function truthText(runs: readonly FindRun[]): string {
  const known = runs.filter(({ truth }) => truth !== null);
  if (known.length === 0) return 'none';
  const sizes = rangeText(known.map(({ truth }) => Math.round(truth ?? 0)));
  const ways = [...new Set(known.map(({ by }) => by))];
  return `${sizes} (${ways[0]}${ways.length > 1 ? ' and so on' : ''})`;
}

function verdictsText(one: FindCase, runs: readonly FindRun[]): string {
  const counts = new Map<string, number>();
  for (const run of runs) {
    const verdict = run.verdict ?? 'no result';
    const text = run.verdict !== null && one.verdicts.includes(run.verdict) ? verdict : `**${verdict}**`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([verdict, count]) => `${count} × ${verdict}`).join(', ') || 'not run';
}

function askedText({ flags, descriptors }: FindCase): string {
  const limit = descriptors === undefined ? '' : `ulimit -n ${descriptors}; `;
  return `${limit}find URL --preset quick ${flags.join(' ')}`;
}

function spanText([low, high]: Span): string {
  return `${sizeText(low)}–${sizeText(high)}`;
}

function sizeText(size: number | null): string {
  return size === null ? 'open' : `${Math.round(size)}`;
}

function rangeText(values: readonly number[]): string {
  if (values.length === 0) return '–';
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? `${low}` : `${low}–${high}`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function percentNumber(share: number): string {
  return (share * 100).toFixed(1);
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

/** A pipe would end the cell, a line break the row. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}

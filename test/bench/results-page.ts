/** test/bench/RESULTS.md: the tables of one whole run, and what a reader must know to judge them. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { ROOT } from '../cli.js';
import type { Contenders } from './contenders.js';
import { isMet, markdown, missText, type Section } from './figures.js';
import { isInstalled, PEERS, versionOf } from './peers.js';

/** Load of the machine before the first measurement: what else it had to do. */
export interface Surroundings {
  readonly startedAt: Date;
  readonly loadAverage: number;
  readonly reference: string | null;
}

export interface Run {
  readonly contenders: Contenders;
  readonly sections: readonly Section[];
}

export function surroundings(reference: string | null): Surroundings {
  return { startedAt: new Date(), loadAverage: os.loadavg()[0], reference };
}

/** Compilers leave their name in the program. */
function compilerOf(program: string): string {
  const found = /(GCC: \([^)]*\) [\d.]+|clang version [\d.]+)/.exec(readFileSync(program, 'latin1'));
  return found?.[1].replace('GCC: ', 'gcc ') ?? 'an unknown compiler';
}

function facts({ startedAt, loadAverage, reference }: Surroundings, { missing }: Contenders, times: number): string[] {
  const own = (JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string }).version;
  const peers = PEERS.filter(isInstalled).map(versionOf);
  return [
    `Date: ${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC; load average before the run ${loadAverage.toFixed(2)}`,
    `Machine: ${os.cpus().length} × ${os.cpus()[0]?.model ?? os.machine()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB; ${os.type()} ${os.release()} ${os.arch()}`,
    `wstampede ${own}, Node ${process.versions.node}; reference: ${reference === null ? 'none' : `C, built by ${compilerOf(reference)}`}`,
    `Peers: ${peers.length === 0 ? 'none installed' : peers.join(', ')}`,
    ...missing.map(([transport, reason]) => `Transport ${transport}: not available: ${reason}`),
    `Values: ${times === 1 ? 'one round' : `medians of ${times} rounds (min–max)`}; all contenders take turns in every round, destinations change over 127.0.0.K`,
  ];
}

export function document(run: Run, around: Surroundings, times: number): string {
  const { sections, contenders } = run;
  const goals = sections.flatMap((section) => section.goals);
  const missed = goals.filter((goal) => !isMet(goal));
  const verdict = `**${goals.length - missed.length} of ${goals.length} goals met.**`;
  return [
    '# Benchmark results',
    'Written by `npm run bench -- --write`. Client and target share one machine over loopback: ratios taken in one run tell more than times.',
    facts(around, contenders, times)
      .map((fact) => `- ${fact}`)
      .join('\n'),
    missed.length === 0 ? verdict : `${verdict} Missed:\n\n${missed.map((goal) => `- ${missText(goal)}`).join('\n')}`,
    ...sections.flatMap(({ tables }) => tables.map(markdown)),
  ]
    .join('\n\n')
    .concat('\n');
}

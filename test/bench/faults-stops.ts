/**
 * Runs that are stopped, many times over: 50 by Ctrl-C (a search goes on with what each left) and 30 by each other signal,
 * spread over burst, hold, churn and find and over both transports. Prints a line for each and a table at the end; ends with an
 * error when one of them left what it must not. `npm run bench:faults stops [SEED]`; a quarter of an hour.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { troubleOf } from '../long/heavy.js';
import { STOP_KINDS, STOP_LOADS, type StopKind, StopSeries, stopRound } from '../long/stop-rounds.js';
import { Random } from './simulated-random.js';

const ROUNDS: Readonly<Record<StopKind, number>> = {
  'Ctrl-C': 50,
  'second Ctrl-C': 30,
  SIGTERM: 30,
  SIGHUP: 30,
  SIGKILL: 30,
};

interface Line {
  rounds: number;
  over: number;
  early: number;
  failed: number;
  slowestMs: number;
}

/** @returns how many rounds failed */
export async function stopCampaign(seed: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'wst-faults-stops-'));
  const hasEpoll = (await troubleOf('epoll')) === null;
  const random = new Random(seed);
  const table: string[] = [];
  let failures = 0;
  for (const [place, load] of STOP_LOADS.entries()) {
    for (const kind of Object.keys(STOP_KINDS) as StopKind[]) {
      const line: Line = { rounds: 0, over: 0, early: 0, failed: 0, slowestMs: 0 };
      const series = await StopSeries.open(join(folder, `${load}-${kind}`), load, `127.0.0.${121 + place}`);
      for (let i = 0; i < Math.ceil(ROUNDS[kind] / STOP_LOADS.length); i++) {
        const transport = hasEpoll && i % 2 === 0 ? 'epoll' : 'node';
        const round = stopRound({ load, transport, kind }, () => random.uniform());
        line.rounds++;
        try {
          const { code, exitMs, result, isOver } = await series.round(round);
          if (isOver) line.over++;
          else if (result === null) line.early++;
          else line.slowestMs = Math.max(line.slowestMs, exitMs);
          process.stdout.write(
            `${JSON.stringify(round)}: exit ${code}, ${result?.totals.attempted ?? 'no'} attempts\n`,
          );
        } catch (error) {
          line.failed++;
          process.stdout.write(`${JSON.stringify(round)}: FAILED ${(error as Error).message}\n`);
        }
      }
      series.end();
      failures += line.failed;
      table.push(
        `| ${load} | ${kind} | ${line.rounds} | ${line.early} | ${line.over} | ${line.slowestMs} | ${line.failed} |`,
      );
    }
  }
  rmSync(folder, { recursive: true, force: true });
  const head = '| load | signal | rounds | before anything ended | after its end | slowest exit, ms | failed |';
  process.stdout.write(`${head}\n| --- | --- | --- | --- | --- | --- | --- |\n${table.join('\n')}\n`);
  return failures;
}

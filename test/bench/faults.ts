/**
 * Faults of the generator, many times over: it is stopped at random moments for 1, 3 and 10 s, in every load, over both
 * transports and TLS. Prints a line for each, as the row of a table; ends with an error when one was blamed on the target.
 * `npm run bench:faults [SEED [ROUNDS [LOAD…]]]`; a round takes a quarter of an hour. With the word `stops`
 * before the seed: faults-stops.ts.
 */
import { troubleOf } from '../long/heavy.js';
import { freezerTrouble, judgeStopped, LOADS, type Stop, stopped, WAYS } from '../long/stopped.js';
import { stopCampaign } from './faults-stops.js';
import { Random } from './simulated-random.js';

const FOR_MS = [1000, 3000, 10_000];
/** The latest moment of a stop; of a search: the longest time between two. */
const LATEST_MS: Readonly<Record<Stop['load'], number>> = {
  ...{ arming: 200, release: 60, waiting: 600, hold: 3000, 'hold-over': 500, churn: 3000, find: 4000 },
};

const isOfStops = process.argv[2] === 'stops';
const [seed = `${Date.now() % 1_000_000}`, rounds = '1', ...loads] = process.argv.slice(isOfStops ? 3 : 2);
const random = new Random(seed);
const hasEpoll = (await troubleOf('epoll')) === null;
const hasFreezer = freezerTrouble() === null;
const failures: string[] = [];

async function tell(stop: Stop): Promise<void> {
  const cells = [stop.load, stop.way, stop.who, `${stop.afterMs} ms`, `${stop.forMs / 1000} s`];
  const done = await stopped(stop);
  const { validity, exitCode, dropOff } = done.result;
  const found =
    dropOff === null
      ? []
      : [`${dropOff.verdict} ${dropOff.interval95.map((end) => (end === null ? '?' : Math.round(end))).join('–')}`];
  try {
    judgeStopped(stop, done);
    cells.push(
      validity.verdict,
      `${exitCode}`,
      [...found, validity.reasons.find((reason) => /stalled/.test(reason)) ?? validity.reasons[0] ?? ''].join('; '),
    );
  } catch (error) {
    failures.push(String(error));
    cells.push('BLAMED', `${exitCode}`, String(error));
  }
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

process.stdout.write(`seed ${seed}\n\n`);
if (isOfStops) process.exit((await stopCampaign(seed)) === 0 ? 0 : 1);

process.stdout.write(`| load | over | stopped | after | for | verdict | exit | reason |\n`);
process.stdout.write('| --- | --- | --- | --- | --- | --- | --- | --- |\n');
for (let round = 0; round < Number(rounds); round++) {
  for (const [i, load] of LOADS.entries()) {
    for (const way of WAYS) {
      for (const forMs of FOR_MS) {
        const who = hasFreezer && random.uniform() < 1 / 3 ? 'worker' : 'process';
        const afterMs = Math.round((load === 'find' ? 500 : 0) + random.uniform() * LATEST_MS[load]);
        if ((way === 'epoll' && !hasEpoll) || (loads.length > 0 && !loads.includes(load))) continue;
        await tell({ load, way, who, afterMs, forMs, host: `127.0.0.${91 + i}` });
      }
    }
  }
}
if (failures.length > 0) process.exitCode = 1;
process.stdout.write(`\n${failures.length} blamed on the target\n`);

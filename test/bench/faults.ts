/**
 * Faults of the generator, many times over: it is stopped at random moments, for random times, in every load and over both
 * transports. Prints a line for each; ends with an error at the first that is blamed on the target. `npm run bench:faults
 * [SEED]`; a quarter of an hour.
 */
import { troubleOf } from '../long/heavy.js';
import { judgeStopped, LOADS, type Stop, stopped, stopText } from '../long/stopped.js';
import { Random } from './simulated-random.js';

const ROUNDS = 15;
const seed = process.argv[2] ?? `${Date.now() % 1_000_000}`;
const random = new Random(seed);

process.stdout.write(`seed ${seed}\n`);
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, load] of LOADS.entries()) {
    for (const transport of ['epoll', 'node'] as const) {
      if ((await troubleOf(transport)) !== null) continue;
      const stop: Stop = {
        load,
        transport,
        afterMs: Math.round(random.uniform() * 600),
        forMs: 1100 + Math.round(random.uniform() * 3000),
        host: `127.0.0.${91 + i}`,
      };
      const result = await stopped(stop);
      judgeStopped(stop, result);
      process.stdout.write(`${stopText(stop)}: ${result.validity.reasons[0]}\n`);
    }
  }
}

/** What a generator that stood still says of its target: a seeded sample of `npm run bench:faults`. */
import { test } from 'node:test';
import { troubleOf } from './heavy.js';
import { judgeStopped, LOADS, type Stop, stopped, stopText } from './stopped.js';

for (const [i, load] of LOADS.entries()) {
  for (const transport of ['epoll', 'node'] as const) {
    for (const forMs of [1100, 3000]) {
      const stop: Stop = { load, transport, forMs, afterMs: 200 + 100 * i, host: `127.0.0.${91 + i}` };
      test(stopText(stop), async (t) => {
        const trouble = await troubleOf(transport);
        if (trouble !== null) t.skip(trouble);
        else judgeStopped(stop, await stopped(stop));
      });
    }
  }
}

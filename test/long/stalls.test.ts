/** What a generator that stood still says of its target: a sample of `npm run bench:faults`. */
import { test } from 'node:test';
import { troubleOf } from './heavy.js';
import { freezerTrouble, judgeStopped, LOADS, type Stop, stopped, stopText, WAYS } from './stopped.js';

const AFTER_MS: Readonly<Record<Stop['load'], number>> = {
  ...{ arming: 60, release: 5, waiting: 200, hold: 300, 'hold-over': 400, churn: 500, find: 1500 },
};

for (const [i, load] of LOADS.entries()) {
  for (const [j, way] of WAYS.entries()) {
    // One search is enough here: it is stopped a dozen times.
    if (load === 'find' && way !== 'epoll') continue;
    const who = (i + j) % 3 === 2 ? 'worker' : 'process';
    const stop: Stop = {
      load,
      way,
      who,
      afterMs: AFTER_MS[load],
      forMs: j === 1 ? 3000 : 1000,
      host: `127.0.0.${91 + i}`,
    };
    test(stopText(stop), async (t) => {
      const trouble = (way === 'epoll' ? await troubleOf(way) : null) ?? (who === 'worker' ? freezerTrouble() : null);
      if (trouble !== null) t.skip(trouble);
      else judgeStopped(stop, await stopped(stop));
    });
  }
}

/** Every kind of signal in every kind of load, at seeded moments: a sample of `npm run bench:faults stops`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Random } from '../bench/simulated-random.js';
import { troubleOf } from './heavy.js';
import { STOP_KINDS, STOP_LOADS, type StopKind, StopSeries, stopRound } from './stop-rounds.js';

const folder = mkdtempSync(join(tmpdir(), 'wst-stops-'));
after(() => rmSync(folder, { recursive: true, force: true }));

for (const [place, load] of STOP_LOADS.entries()) {
  for (const transport of ['epoll', 'node'] as const) {
    test(`${load} over ${transport}: what a signal leaves`, async (t) => {
      const trouble = await troubleOf(transport);
      if (trouble !== null) return t.skip(trouble);
      const random = new Random(`${load} ${transport}`);
      const series = await StopSeries.open(join(folder, `${load}-${transport}`), load, `127.0.0.${111 + place}`);
      try {
        for (const kind of Object.keys(STOP_KINDS) as StopKind[]) {
          await series.round(stopRound({ load, transport, kind }, () => random.uniform()));
        }
      } finally {
        series.end();
      }
    });
  }
}

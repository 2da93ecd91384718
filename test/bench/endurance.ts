/**
 * The long way: 1,000,000 handshakes by churn with flat memory, over each transport, 15,000 connections held for 10 minutes
 * with a ping every 20 s, and 500 bursts of 5,000 under forced garbage collection. Prints what it measured; ends with an error at the first fault. `npm run bench:endurance`; minutes.
 */
import {
  beat,
  beatText,
  churn,
  churnText,
  growthOf,
  stress,
  stressText,
  type Transport,
  troubleOf,
} from '../long/heavy.js';

const CHURNED = 1_000_000;
const BURSTS = 500;
const SIZE = 5000;
const HELD = { size: 15_000, everyMs: 20_000, forMs: 600_000 };
/** While they are held. */
const GROWN_MIB = 10;
const ONLY = process.argv.slice(2);

function wanted(name: string): boolean {
  return ONLY.length === 0 || ONLY.includes(name);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

for (const [i, transport] of (['epoll', 'node'] satisfies Transport[]).entries()) {
  if (!wanted(`churn-${transport}`)) continue;
  const trouble = await troubleOf(transport);
  const title = `${CHURNED.toLocaleString('en')} handshakes churned over ${transport}`;
  if (trouble !== null) say(`${title}: left out, ${trouble}`);
  else say(`${title}: ${churnText(await churn({ transport, host: `127.0.0.${81 + i}`, total: CHURNED }))}`);
}
for (const [i, transport] of (['epoll', 'node'] satisfies Transport[]).entries()) {
  if (!wanted(`held-${transport}`)) continue;
  const trouble = await troubleOf(transport);
  const title = `${HELD.size.toLocaleString('en')} connections held for 10 minutes over ${transport}, a ping every 20 s`;
  if (trouble !== null) {
    say(`${title}: left out, ${trouble}`);
    continue;
  }
  const beaten = await beat({ transport, host: `127.0.0.${85 + i}`, ...HELD });
  say(`${title}: ${beatText(beaten)}`);
  if (growthOf(beaten) >= GROWN_MIB) throw new Error(`${title}: grew by ${growthOf(beaten).toFixed(1)} MiB`);
}
if (wanted('gc')) {
  const trouble = await troubleOf('epoll');
  const title = `${BURSTS} bursts of ${SIZE.toLocaleString('en')} under forced collection`;
  if (trouble !== null) say(`${title}: left out, ${trouble}`);
  else say(`${title}: ${stressText(await stress(BURSTS, SIZE, '127.0.0.83'))}`);
}

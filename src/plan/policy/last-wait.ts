/** The wait at which a policy arrives when a client has tried for long: its mean and the longest. */
import { FleetWaits } from './fleet-waits.js';
import type { Policy, WaitCurve } from './policy.js';
import { meanOfRange } from './time-range.js';
import { jitteredWait, LONGEST_WAIT_MS } from './waits.js';

/** Steps of the midpoint rule in each direction; exact where nothing is limited. */
const GRID = 64;
/** For named draws: clients sampled, and the wait by which their growth has ended. */
const SAMPLED_CLIENTS = 2000;
const SETTLED_WAITS = 64;

/** null: waits grow without end. */
export function meanLastWaitMs({ waits, ...policy }: Policy): number | null {
  if (waits.kind === 'list') return meanOfRange(waits.waits[waits.waits.length - 1]);
  if (waits.maxMs === null && grows(waits)) return null;
  if (waits.draw !== null && waits.draw !== 'comb') return sampledLastWaitMs({ ...policy, waits });
  const base = settledBaseMs(waits);
  if (waits.draw === 'comb') return Math.min(base, waits.maxMs ?? base);
  let sum = 0;
  for (let i = 0; i < GRID; i += 1) {
    for (let k = 0; k < GRID; k += 1) sum += jitteredWait(waits, base, (i + 0.5) / GRID, (k + 0.5) / GRID);
  }
  return sum / GRID ** 2;
}

function grows({ growth }: WaitCurve): boolean {
  return growth.by === 'factor' ? growth.factor > 1 : growth.stepMs > 0;
}

/** Far above the limit once it has grown, so that a limit after the jitter takes all of it. */
const GROWN_MULTIPLE = 1e6;

function settledBaseMs(curve: WaitCurve): number {
  return grows(curve) ? (curve.maxMs ?? LONGEST_WAIT_MS) * GROWN_MULTIPLE : meanOfRange(curve.first);
}

function sampledLastWaitMs(policy: Policy): number {
  const waits = new FleetWaits({ ...policy, attempts: null, totalMs: null }, 1, SAMPLED_CLIENTS);
  let sum = 0;
  for (let client = 0; client < SAMPLED_CLIENTS; client += 1) {
    for (let n = 0; n < SETTLED_WAITS; n += 1) {
      const wait = waits.next(client, 0, null);
      if (n === SETTLED_WAITS - 1 && typeof wait === 'number') sum += wait;
    }
  }
  return sum / SAMPLED_CLIENTS;
}

/** The longest that it lets a client wait. */
export function longestLastWaitMs({ waits }: Policy): number {
  if (waits.kind === 'list') return waits.waits[waits.waits.length - 1].toMs;
  return Math.min(LONGEST_WAIT_MS, jitteredWait(waits, settledBaseMs(waits), 1, 1));
}

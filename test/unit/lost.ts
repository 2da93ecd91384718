/** Connections that were lost, of which nothing else is known: as results of earlier versions have them. */
import { Tally } from '#dist/tally/tally.js';

export function lose(tally: Tally, count: number): void {
  tally.merge(Tally.decode({ ...new Tally().encode(), lostWhileHeld: count }));
}

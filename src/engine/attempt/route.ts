/**
 * Chooses an attempt's source address and destination: the sources take turns, and the destination changes after each
 * round of them, so that every pair is used equally often. Local ports are limited per pair.
 */
import type { Destination } from '../transport/transport.js';

export interface Route {
  /** null: the kernel chooses. */
  readonly from: string | null;
  readonly to: Destination;
}

/** @param attempt its number in the burst */
export function routeOf(attempt: number, sourceIps: readonly string[], destinations: readonly Destination[]): Route {
  const rounds = Math.max(1, sourceIps.length);
  return {
    from: sourceIps.length === 0 ? null : sourceIps[attempt % rounds],
    to: destinations[Math.floor(attempt / rounds) % destinations.length],
  };
}

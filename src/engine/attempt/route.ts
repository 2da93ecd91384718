/**
 * Which source address and which of the target's addresses an attempt takes: sources take turns, and with each of their
 * rounds the destination changes, so that every pair comes up as often as any other. Ports are counted by pairs.
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

/** The churn stage: a fixed number of handshakes in flight, each connection closed after its 101. */
import type { StageFacts } from './stage-facts.js';

export interface ChurnStage {
  readonly kind: 'churn';
  /** Attempts in total; null when only `forMs` ends the stage. */
  readonly total: number | null;
  readonly inFlight: number;
  /** No launches after this long; null = no time limit. */
  readonly forMs: number | null;
  readonly restMs: number;
}

function churnOpen({ total, inFlight }: ChurnStage): number {
  return total === null ? inFlight : Math.min(inFlight, total);
}

export const churn: StageFacts<ChurnStage> = {
  load: 'churn',
  isSearch: false,
  sizes: ({ total }) => [total],
  // A slot starts its next attempt when its connection is closed. With the node transport the socket of a clean close
  // may stay open one turn of the event loop longer: up to a quarter more sockets were seen. If they run out, it is
  // reported.
  mostOpen: churnOpen,
  replaced: churnOpen,
  bestMs: ({ total, forMs }) => (total === null ? (forMs ?? 0) : 0),
  worstMs: ({ total, inFlight, forMs }, { timeoutMs }) => {
    const byTotal = total === null ? Number.POSITIVE_INFINITY : Math.ceil(total / inFlight) * timeoutMs;
    const byTime = forMs === null ? Number.POSITIVE_INFINITY : forMs + timeoutMs;
    return Math.min(byTotal, byTime);
  },
};

/** The stage churn: a number of handshakes kept in flight, each connection closed after its 101. */
import type { StageFacts } from './stage-facts.js';

export interface ChurnStage {
  readonly kind: 'churn';
  /** Attempts in total; null when only `forMs` ends the stage. */
  readonly total: number | null;
  readonly inFlight: number;
  /** No launches after this long; null = no limit of time. */
  readonly forMs: number | null;
  readonly restMs: number;
}

export const churn: StageFacts<ChurnStage> = {
  load: 'churn',
  isSearch: false,
  sizes: ({ total }) => [total],
  // A slot takes its next attempt when its connection is closed. Over the transport node the socket of a clean close may
  // last a turn of the loop longer: a quarter more were seen, and such a shortage is named when it happens.
  mostOpen: ({ total, inFlight }) => (total === null ? inFlight : Math.min(inFlight, total)),
  bestMs: ({ total, forMs }) => (total === null ? (forMs ?? 0) : 0),
  worstMs: ({ total, inFlight, forMs }, { timeoutMs }) => {
    const byTotal = total === null ? Number.POSITIVE_INFINITY : Math.ceil(total / inFlight) * timeoutMs;
    const byTime = forMs === null ? Number.POSITIVE_INFINITY : forMs + timeoutMs;
    return Math.min(byTotal, byTime);
  },
};

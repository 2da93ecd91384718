/**
 * The phases of an attempt, by the names that people write in expressions and read in results. Which instants bound a
 * phase is the engine's business; here are the words alone.
 */

export const PHASES = ['dns', 'connect', 'tls', 'upgrade', 'handshake', 'message'] as const;
export type Phase = (typeof PHASES)[number];

/** Phases whose end is known between two bounds, where no kernel stamps it. */
export const BOUNDED_PHASES = ['handshake', 'connect', 'tls', 'upgrade'] as const;
export type BoundedPhase = (typeof BOUNDED_PHASES)[number];

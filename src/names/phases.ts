/**
 * The phases of an attempt, by the names used in expressions and results. Only the words: which timestamps bound a
 * phase is defined in the engine.
 */

export const PHASES = ['dns', 'connect', 'tls', 'upgrade', 'handshake', 'message'] as const;
export type Phase = (typeof PHASES)[number];

/** What expressions can ask the time of: the phases, and until a client was ready after its 101. */
export const TIMED = [...PHASES, 'ready'] as const;
export type TimedPhase = (typeof TIMED)[number];

/** Phases whose end lies between two bounds when the kernel does not stamp it. */
export const BOUNDED_PHASES = ['handshake', 'connect', 'tls', 'upgrade'] as const;
export type BoundedPhase = (typeof BOUNDED_PHASES)[number];

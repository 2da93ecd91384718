/**
 * The outcome table: every attempt ends in exactly one of these. It is data, so that counts, blame, reports and the
 * lab's catalogue cannot disagree. Statuses 100–999 are outcomes by their number; everything else has a name.
 */

/**
 * Which side an outcome speaks about. `local` makes a burst invalid; `none` counts neither for nor against the target.
 */
export type Blame = 'none' | 'target' | 'network' | 'local';

export interface NamedOutcome {
  readonly id: string;
  readonly meaning: string;
  readonly blame: Blame;
}

/** Order is part of the binary code (NAMED_BASE + index): append only. */
export const NAMED_OUTCOMES = [
  { id: 'invalid-101', meaning: '101 that breaks RFC 6455 section 4.1', blame: 'target' },
  { id: 'malformed', meaning: 'bytes that are no HTTP/1.1 response head, or one over 64 KiB', blame: 'target' },
  { id: 'closed', meaning: 'FIN before a complete response head', blame: 'target' },
  { id: 'reset', meaning: 'RST before a complete response head', blame: 'target' },
  { id: 'timeout-connect', meaning: 'deadline passed before TCP was open', blame: 'target' },
  { id: 'timeout-tls', meaning: 'deadline passed during the TLS handshake', blame: 'target' },
  { id: 'timeout-upgrade', meaning: 'deadline passed before a complete response head', blame: 'target' },
  { id: 'refused', meaning: 'ECONNREFUSED while connecting', blame: 'network' },
  { id: 'reset-connect', meaning: 'RST while connecting', blame: 'network' },
  { id: 'unreachable', meaning: 'EHOSTUNREACH or ENETUNREACH while connecting', blame: 'network' },
  { id: 'dns', meaning: 'the name could not be looked up', blame: 'network' },
  { id: 'tls', meaning: 'the TLS handshake failed', blame: 'target' },
  { id: 'local-fds', meaning: 'EMFILE or ENFILE: this machine is out of descriptors', blame: 'local' },
  { id: 'local-ports', meaning: 'EADDRNOTAVAIL or EADDRINUSE: this machine is out of local ports', blame: 'local' },
  { id: 'local-memory', meaning: 'ENOBUFS or ENOMEM: this machine is out of memory', blame: 'local' },
  { id: 'local-other', meaning: 'another failure on this machine', blame: 'local' },
  { id: 'aborted', meaning: 'stopped by the user or by an abort rule before it ended', blame: 'none' },
] as const satisfies readonly NamedOutcome[];

export type NamedOutcomeId = (typeof NAMED_OUTCOMES)[number]['id'];

/** `101`, another three-digit status, or a named id. */
export type OutcomeId = NamedOutcomeId | `${number}`;

/**
 * Outcome codes fit in 16 bits: a status is its own number, a named outcome is NAMED_BASE + its index. 0 = not ended.
 */
export const NAMED_BASE = 1000;
export const OUTCOME_CODES = NAMED_BASE + NAMED_OUTCOMES.length;

const codeByName = new Map<string, number>(NAMED_OUTCOMES.map((o, i) => [o.id, NAMED_BASE + i]));

/** Numbers below 100 and above 999 are not HTTP statuses (RFC 9110 section 15): callers turn them into `malformed`. */
export function outcomeCode(id: OutcomeId): number {
  const named = codeByName.get(id);
  if (named !== undefined) return named;
  const status = Number(id);
  if (Number.isInteger(status) && status >= 100 && status <= 999) return status;
  throw new Error(`no such outcome: ${id}`);
}

export function outcomeId(code: number): OutcomeId {
  if (code >= 100 && code <= 999) return `${code}`;
  const named = NAMED_OUTCOMES[code - NAMED_BASE];
  if (named === undefined) throw new Error(`no such outcome code: ${code}`);
  return named.id;
}

/** Code of a successful handshake. */
export const OPEN_CODE = 101;

/** The handshake succeeded and the connection is open. */
export function isOpen(id: string | undefined): boolean {
  return id === '101';
}

/** How many of the counted outcomes are open connections. */
export function openedOf(outcomes: Readonly<Record<string, number | undefined>>): number {
  return outcomes['101'] ?? 0;
}

export function isOutcomeId(id: string): id is OutcomeId {
  return codeByName.has(id) || /^[1-9]\d\d$/.test(id);
}

export function blameOf(id: OutcomeId): Blame {
  const code = outcomeCode(id);
  if (code === OPEN_CODE) return 'none';
  return code < NAMED_BASE ? 'target' : NAMED_OUTCOMES[code - NAMED_BASE].blame;
}

export function meaningOf(id: OutcomeId): string {
  const code = outcomeCode(id);
  if (code === OPEN_CODE) return 'a valid upgrade (RFC 6455 section 4.1)';
  return code < NAMED_BASE ? `a complete response head with status ${id}` : NAMED_OUTCOMES[code - NAMED_BASE].meaning;
}

/**
 * What `check` finds out about one handshake, as part of a Result: a leaf that the engine fills, diagnosis and reports
 * read. Times are in ms; every text that came from the target is masked and safe to print.
 */
import type { Sample } from './result.js';

/** The look-up of the name; `addresses` is empty when it failed. */
export interface CheckDns {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly tookMs: number;
  /** Error code, e.g. `ENOTFOUND`; null when it worked. */
  readonly failure: string | null;
}

/** One TCP connect to one address. */
export interface CheckTcp {
  readonly address: string;
  readonly port: number;
  /** null: it did not connect. */
  readonly tookMs: number | null;
  /** Outcome id (`refused`, `timeout-connect`, ...); null when it connected. */
  readonly failure: string | null;
  /** SYNs that got no answer, as the time betrays them (Linux retries after 1, 2, 3, 4, 5, 7, 11, 19.5 s); 0: none. */
  readonly synRetries: number;
}

export interface CheckCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** Names that it is valid for. */
  readonly names: readonly string[];
  /** ISO 8601. */
  readonly validFrom: string;
  readonly validTo: string;
}

export interface CheckTls {
  readonly tookMs: number;
  /** Null where the handshake failed before it was agreed upon. */
  readonly protocol: string | null;
  readonly cipher: string | null;
  readonly alpn: string | null;
  /** The server's own first. */
  readonly chain: readonly CheckCertificate[];
  /** Code of the first thing that is wrong (`CERT_HAS_EXPIRED`, `EPROTO`, ...); null: nothing. */
  readonly failure: string | null;
  /** Each thing that is wrong, in words. */
  readonly problems: readonly string[];
}

/** One clause of RFC 6455 section 4.1 that the answer is held to. */
export interface CheckClause {
  /** Stable, e.g. `status`, `upgrade`, `connection`, `accept`, `extensions`, `subprotocol`. */
  readonly id: string;
  readonly section: string;
  /** What it asks for. */
  readonly text: string;
  /** null: it could not be judged, because there was no answer to judge. */
  readonly ok: boolean | null;
  /** What was found. */
  readonly found: string | null;
}

export const PROBE_IDS = [
  'without-upgrade',
  'version-8',
  'with-origin',
  'without-origin',
  'other-scheme',
  'other-slash',
  'open-close-open',
  'direct',
] as const;
export type ProbeId = (typeof PROBE_IDS)[number];

/** The same handshake with one thing changed, to turn a failure into a cause. */
export interface CheckProbe {
  readonly id: ProbeId;
  /** What was changed, and what for; one sentence. */
  readonly asks: string;
  readonly url: string;
  readonly outcome: string;
  readonly detail: string | null;
  readonly tookMs: number;
  /** What was answered; null when nothing was. */
  readonly sample: Sample | null;
  /** What that means beside the handshake itself; one sentence. */
  readonly says: string;
}

/** How an idle tunnel ended. */
export interface CheckIdle {
  /** How long it was to be watched. */
  readonly forMs: number;
  /** null: it was still open then. */
  readonly livedMs: number | null;
  /** `close-frame 1001`, `closed`, `reset`; null when it lived. */
  readonly cutBy: string | null;
  /** Pings of the target meanwhile, all answered: with some the tunnel was not idle. */
  readonly pings: number;
}

export interface CheckExchange {
  readonly ok: boolean;
  readonly tookMs: number | null;
  /** e.g. `pong`, `close 1000`, or what went wrong. */
  readonly found: string;
}

export interface Check {
  readonly dns: CheckDns | null;
  readonly tcp: readonly CheckTcp[];
  readonly tls: CheckTls | null;
  /** The request's bytes as text, masked; null when none was sent. */
  readonly request: string | null;
  /** curl line that repeats the request, masked. */
  readonly curl: string;
  readonly outcome: string;
  readonly detail: string | null;
  /** Connect to complete head; null without a head. */
  readonly answer: Sample | null;
  /** ms from the request to the first byte and to the whole head. */
  readonly firstByteMs: number | null;
  readonly headMs: number | null;
  readonly clauses: readonly CheckClause[];
  readonly ping: CheckExchange | null;
  readonly close: CheckExchange | null;
  readonly probes: readonly CheckProbe[];
  readonly idle: CheckIdle | null;
}

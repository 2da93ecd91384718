/**
 * One row per attempt: the columns of `--attempts` and the format of a row (RFC 4180, with LF line ends as Unix tools
 * expect). The engine formats rows with it when a burst ends, and the writer puts them into a file; neither knows the
 * other.
 */
import { endWord } from '../names/ends.js';
import type { OutcomeId } from '../names/outcomes.js';
import { printable } from '../plan/printable.js';

/** The first line of the file, without its line end. */
export const ATTEMPTS_HEADER =
  'burst,attempt,worker,local_address,local_port,remote_address,outcome,released_us,connect_us,tls_us,sent_us,first_byte_us,done_us,done_lower_us,detail,syn_retransmits,rtt_us,retransmits,row,late_us,ready_us,end,end_us';

/**
 * Times in µs: `releasedUs` since the Unix epoch, the others after it. null (or NaN) where the attempt did not reach
 * that phase.
 */
export interface AttemptRow {
  /** `index` of the burst in the result. */
  readonly burst: number;
  /** 0-based in its burst. */
  readonly attempt: number;
  readonly worker: number;
  readonly localAddress: string | null;
  readonly localPort: number | null;
  readonly remoteAddress: string | null;
  readonly outcome: OutcomeId;
  readonly releasedUs: number | null;
  readonly connectUs: number | null;
  readonly tlsUs: number | null;
  readonly sentUs: number | null;
  readonly firstByteUs: number | null;
  readonly doneUs: number | null;
  readonly doneLowerUs: number | null;
  /** May contain text from the target: `attemptRow` makes it printable. */
  readonly detail: string | null;
  /** From the kernel (TCP_INFO); null (or NaN) when it was not asked. */
  readonly synRetransmits: number | null;
  readonly rttUs: number | null;
  readonly retransmits: number | null;
  /** 0-based in the data; null without data. */
  readonly row: number | null;
  /** Actual minus planned start; null when attempts have no planned start of their own. */
  readonly lateUs: number | null;
  readonly readyUs: number | null;
  /** How the connection ended after its 101: a number of names/ends.ts. */
  readonly end: number;
  readonly endUs: number | null;
}

/** One line with its line end. */
export function attemptRow(row: AttemptRow): string {
  return `${row.burst},${row.attempt},${row.worker},${row.localAddress ?? ''},${row.localPort ?? ''},${row.remoteAddress ?? ''},${row.outcome},${whole(row.releasedUs)},${whole(row.connectUs)},${whole(row.tlsUs)},${whole(row.sentUs)},${whole(row.firstByteUs)},${whole(row.doneUs)},${whole(row.doneLowerUs)},${csvText(row.detail)},${whole(row.synRetransmits)},${whole(row.rttUs)},${whole(row.retransmits)},${whole(row.row)},${whole(row.lateUs)},${whole(row.readyUs)},${endWord(row.end)},${whole(row.endUs)}\n`;
}

/** The engine's columns are typed arrays, in which NaN means missing: it must not be printed. */
function whole(value: number | null): string {
  return value === null || !Number.isFinite(value) ? '' : `${Math.round(value)}`;
}

/** A field of a CSV: spreadsheets run a text that begins like a formula (OWASP: CSV injection). */
export function csvText(text: string | null): string {
  if (text === null || text === '') return '';
  const safe = printable(text).replaceAll('"', '""');
  return /^[=+\-@]/.test(safe) ? `"'${safe}"` : `"${safe}"`;
}

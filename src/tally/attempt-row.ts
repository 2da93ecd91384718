/**
 * One row an attempt: the columns of `--attempts` and how a row is written (RFC 4180, with LF line ends as Unix tools
 * expect). The engine formats rows with it as a burst ends and the writer puts them in a file; neither knows the other.
 */
import { endWord } from '../names/ends.js';
import type { OutcomeId } from '../names/outcomes.js';
import { printable } from '../plan/printable.js';

/** The first line of the file, without its line end. */
export const ATTEMPTS_HEADER =
  'burst,attempt,worker,local_address,local_port,remote_address,outcome,released_us,connect_us,tls_us,sent_us,first_byte_us,done_us,done_lower_us,detail,syn_retransmits,rtt_us,retransmits,row,late_us,ready_us,end,end_us';

/** Times in µs: `releasedUs` since the Unix epoch, the others after it. null (or NaN) where that phase was not reached. */
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
  /** May hold what a target sent: it is made printable here. */
  readonly detail: string | null;
  /** What the kernel said of the connection; null (or NaN) where it was not asked. */
  readonly synRetransmits: number | null;
  readonly rttUs: number | null;
  readonly retransmits: number | null;
  /** 0-based in the data; null without data. */
  readonly row: number | null;
  /** Release minus the instant that was planned; null where attempts have no instant of their own. */
  readonly lateUs: number | null;
  readonly readyUs: number | null;
  /** How the connection ended after its 101, as names/ends.ts numbers it. */
  readonly end: number;
  readonly endUs: number | null;
}

/** One line with its line end. */
export function attemptRow(row: AttemptRow): string {
  return `${row.burst},${row.attempt},${row.worker},${row.localAddress ?? ''},${row.localPort ?? ''},${row.remoteAddress ?? ''},${row.outcome},${whole(row.releasedUs)},${whole(row.connectUs)},${whole(row.tlsUs)},${whole(row.sentUs)},${whole(row.firstByteUs)},${whole(row.doneUs)},${whole(row.doneLowerUs)},${quoted(row.detail)},${whole(row.synRetransmits)},${whole(row.rttUs)},${whole(row.retransmits)},${whole(row.row)},${whole(row.lateUs)},${whole(row.readyUs)},${endWord(row.end)},${whole(row.endUs)}\n`;
}

/** Columns are typed arrays in the engine, where absent is NaN: it must not leave as a word. */
function whole(value: number | null): string {
  return value === null || !Number.isFinite(value) ? '' : `${Math.round(value)}`;
}

/** A text that begins like a formula is data to us and code to a spreadsheet (OWASP: CSV injection). */
function quoted(detail: string | null): string {
  if (detail === null || detail === '') return '';
  const safe = printable(detail).replaceAll('"', '""');
  return /^[=+\-@]/.test(safe) ? `"'${safe}"` : `"${safe}"`;
}

/**
 * How a connection can end after its 101, encoded as one number so that a typed array can hold it: by the target (a
 * close code, FIN, RST, a TLS error, broken frames, a message that a session takes for a refusal, an expected message
 * that does not come), by this side, or because the run was stopped.
 */

/** All below 1000, so that they cannot collide with the codes of a close frame (RFC 6455 section 7.4.2). */
export const END = {
  none: 0,
  fin: 1,
  rst: 2,
  tls: 3,
  protocol: 4,
  closedByReset: 5,
  aborted: 6,
  rejected: 7,
  timeoutMessage: 8,
} as const;
/** A close frame without a code (RFC 6455 section 7.4.1). */
export const NO_STATUS = 1005;
/** Added to the close code that this side sent. */
const CLOSED = 10_000;

const LOWEST_CODE = 1000;
const HIGHEST_CODE = 4999;
/** Reserved by RFC 6455 section 7.4.1: no close frame may carry them. */
const NEVER_SENT: readonly number[] = [1004, NO_STATUS, 1006, 1015];

/** Words for ends that are the target's, but without a close frame of its own, by number. */
const CUT_WORDS: Readonly<Record<number, string>> = {
  [END.fin]: 'fin',
  [END.rst]: 'rst',
  [END.tls]: 'tls',
  [END.protocol]: 'protocol',
  [END.rejected]: 'rejected',
  [END.timeoutMessage]: 'timeout-message',
};

/** In place of an end by the target: this side gave the connection up before the client was ready. */
export const ABORTED = 'aborted';

/** RFC 6455 section 7.4.1: the connection was closed without a close frame. */
const NO_FRAME = 1006;
const UNSPOKEN: readonly number[] = [END.fin, END.rst, END.tls];

/** Whether a close frame may carry the code. */
export function isCloseCode(code: number): boolean {
  return code >= LOWEST_CODE && code <= HIGHEST_CODE && !NEVER_SENT.includes(code);
}

/** Whether a code can be asked for: those of close frames, and what stands for a frame without a code or for no frame. */
export function isAskedCode(code: number): boolean {
  return isCloseCode(code) || code === NO_STATUS || code === NO_FRAME;
}

/** How many of counted ends the code stands for. */
export function endsWithCode(code: number, counts: Readonly<Record<string, number>>): number {
  const words = code === NO_FRAME ? UNSPOKEN.map((end) => CUT_WORDS[end]) : [`${code}`];
  return words.reduce((sum, word) => sum + (counts[word] ?? 0), 0);
}

/** This side began to close, with that code. */
export function closedWith(code: number): number {
  return CLOSED + code;
}

/** `4401`, `1005`, `fin`, `rejected`, `timeout-message` …; null when the target did not end it. */
export function cutWord(end: number): string | null {
  if (end >= LOWEST_CODE && end <= HIGHEST_CODE) return `${end}`;
  return CUT_WORDS[end] ?? null;
}

/** The target ended it without a word. */
export function isUnspoken(end: number): boolean {
  return UNSPOKEN.includes(end);
}

/** The code that this side sent, or `rst`; null: this side did not end it. */
export function closedWord(end: number): string | null {
  if (end === END.closedByReset) return 'rst';
  return end > CLOSED ? `${end - CLOSED}` : null;
}

/** Whether `word` names an end by the target. */
export function isCutWord(word: string): boolean {
  const isCode = /^\d{4}$/.test(word) && (isCloseCode(Number(word)) || Number(word) === NO_STATUS);
  return isCode || Object.values(CUT_WORDS).includes(word);
}

/** The word in the attempts' CSV: `4401`, `fin`, `rst`, `rejected`, `timeout-message`, `closed`, `aborted`. */
export function endWord(end: number): string {
  if (end === END.none) return '';
  return cutWord(end) ?? (end === END.aborted ? ABORTED : 'closed');
}

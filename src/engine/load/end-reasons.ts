/**
 * Why connections ended after their 101: the first of each kind, with the words of the target and the step of the
 * session. Masked, bounded and printable from the moment it is kept.
 */
import type { Masking } from '../../plan/masking.js';
import { printable } from '../../plan/printable.js';
import type { CloseReason } from '../../tally/session-tally.js';
import type { Tally } from '../../tally/tally.js';
import { MOST_SAID_BYTES, type SaidOfEnd } from '../session/session.js';

/** A reason has at most 123 bytes (RFC 6455 section 5.5); of what is no frame as much as tells what it is. */
const MAX_WORDS = 200;

interface Kept {
  readonly end: number;
  readonly isReady: boolean;
  readonly reason: CloseReason;
}

export class EndReasons {
  readonly #kept = new Map<string, Kept>();

  /** @param masking asked only when the reason is kept */
  keep(end: number, isReady: boolean, atMs: number, said: () => SaidOfEnd, masking: () => Masking): void {
    const key = `${end} ${isReady}`;
    const before = this.#kept.get(key)?.reason;
    // One that has words, or a message, tells more than one that has none.
    if (before !== undefined && (before.text !== null || before.message !== null)) return;
    const { words, step, message } = said();
    const hides = masking();
    const shown = (bytes: Uint8Array | null) => (bytes === null || bytes.length === 0 ? null : textOf(bytes, hides));
    const reason = {
      text: shown(words),
      step: step === null ? null : printable(hides.text(step), MAX_WORDS),
      message: shown(message),
      atMs,
    };
    if (before !== undefined && reason.text === null && reason.message === null) return;
    this.#kept.set(key, { end, isReady, reason });
  }

  tell(tally: Tally): void {
    for (const { end, isReady, reason } of this.#kept.values()) tally.sessions.addReason(end, isReady, reason);
  }
}

function textOf(bytes: Uint8Array, masking: Masking): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MOST_SAID_BYTES)).toString('utf8');
  const hidden = bytes.length >= MOST_SAID_BYTES ? masking.cutText(text) : masking.text(text);
  return printable(hidden.trim().replace(/[\r\n]+/g, ' '), MAX_WORDS);
}

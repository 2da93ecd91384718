/** The detail of an attempt whose connection ended without a complete response: at which step, after how much of it. */
import { STATE } from './columns.js';

/**
 * @param headBytes of an incomplete response head; null: nothing of one came
 * @param errno of the broken connection; anything but ECONNRESET is named in the text
 */
export function whereItEnded(state: number, headBytes: number | null, errno: string): string | null {
  const name = errno === 'ECONNRESET' || errno === 'EPIPE' ? null : errno;
  const words = [name, stepOf(state, headBytes)].filter((word) => word !== null);
  return words.length === 0 ? null : words.join(' ');
}

function stepOf(state: number, headBytes: number | null): string | null {
  if (state === STATE.securing) return 'during the TLS handshake';
  if (state === STATE.connected || state === STATE.ready) return 'before the release';
  return headBytes === null ? null : `after ${headBytes} bytes of an incomplete head`;
}

/** Whether clients were ready at their 101, as they are without a session that waits for something. */
import type { Counted } from './counted.js';

/** The histograms are the same then, value by value. */
export function areReadyAtOnce({ sessions, latencyMs }: Pick<Counted, 'sessions' | 'latencyMs'>): boolean {
  return sessions === null || sessions.readyMs?.hdr === latencyMs.handshake?.hdr;
}

/**
 * What stands between the engine and a connection when somebody wants to see what passes there, or to send another
 * request: a check. A burst has none. A tap changes no event and no byte that comes from the target.
 */
import type { TransportEvents } from './transport.js';

export interface Tap {
  /** Sees the request before it is kept for sending, Latin-1; what it returns is sent. */
  request(text: string): string;
  /** What the transport tells from now on; must pass everything on to the engine. */
  between(engine: TransportEvents): TransportEvents;
}

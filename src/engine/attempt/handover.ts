/**
 * What takes over an attempt's connection at its 101, as the attempt sees it. The connection keeps its slot number;
 * from the handover on, all events of the slot are passed on, until the slot is reported free.
 */
import type { TransportError } from '../transport/transport.js';

export interface Handover {
  /** The attempt in the slot got its 101 `at`, ms on the clock of `now()`. */
  opened(slot: number, at: number): void;
  /** Bytes arrived `at`; valid during the call only. */
  data(slot: number, bytes: Uint8Array, at: number): void;
  /** The far side has sent its FIN. */
  ended(slot: number): void;
  /** The connection broke: an RST, or an error of the system or of TLS. */
  broke(slot: number, error: TransportError): void;
  /** The deadline set for the slot has passed. */
  tick(slot: number): void;
  /** The run is being stopped: a connection that is still open is aborted; one that is closing is reset. */
  stop(slot: number): void;
  /** Closes an open connection from this side: with a close frame or an RST. */
  close(slot: number, isClean: boolean): void;
}

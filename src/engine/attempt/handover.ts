/**
 * Where an attempt's connection goes with its 101, as the attempt sees it. The connection keeps the name of its slot; from
 * the handover on everything that the transport tells of the slot is passed on, until the slot is said to be free.
 */
import type { TransportError } from '../transport/transport.js';

export interface Handover {
  /** The attempt in the slot has its 101. */
  opened(slot: number): void;
  /** Bytes arrived; valid during the call only. */
  data(slot: number, bytes: Uint8Array): void;
  /** The far side has sent its FIN. */
  ended(slot: number): void;
  /** The connection broke: an RST, or an error of the system or of TLS. */
  broke(slot: number, error: TransportError): void;
  /** The deadline that was set for the slot has come, or the run is being stopped. */
  tick(slot: number): void;
  /** Ends an open connection from this side: by a close frame, or by an RST. */
  close(slot: number, isClean: boolean): void;
}

/** A file format of results. A new one is a file beside this one and a row in formats.ts. */
import type { Result } from '../../result/result.js';

/** The whole file. @param results at least one; exactly one unless the format holds several */
export type Render = (results: readonly Result[]) => string | Uint8Array | Promise<string | Uint8Array>;

export interface Format {
  /** The ending of its files, with the dot, in lower case. */
  readonly ending: string;
  /** Several results may stand in one file. */
  readonly holdsSeveral: boolean;
  /** It holds what bursts measured, so it has nothing to say of a single handshake (`check`). */
  readonly needsBursts: boolean;
  readonly render: Render;
}

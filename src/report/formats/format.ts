/** A way to write a result to a file. A new one is a file beside this one and a row in formats.ts. */
import type { Result } from '../../result/result.js';

export interface Format {
  /** Of the files that are written so: with its dot, in lower case. */
  readonly ending: string;
  /** The whole file. What only this format needs is best loaded here: most runs don't ask for it. */
  render(result: Result): string | Uint8Array | Promise<string | Uint8Array>;
}

/** A file format of results. A new one is a file beside this one and a row in formats.ts. */
import type { Result } from '../../result/result.js';

export interface Format {
  /** The ending of its files, with the dot, in lower case. */
  readonly ending: string;
  /** The whole file. Modules that only this format needs should be imported here, because most runs do not use it. */
  render(result: Result): string | Uint8Array | Promise<string | Uint8Array>;
}

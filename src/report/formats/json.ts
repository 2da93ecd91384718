/** The result document as JSON. `readResult` reads it back. */
import { type WrittenBursts, writeResult } from '../../result/document.js';
import type { Result } from '../../result/result.js';

/** A run writes after each burst: each is made a text only once. */
const written: WrittenBursts = new WeakMap();

export function renderJson([result]: readonly Result[]): string {
  return writeResult(result, written);
}

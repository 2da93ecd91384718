/** The result document as JSON. `readResult` reads it back. */
import type { WrittenBursts } from '../../result/document.js';
import type { Format } from './format.js';

const written: WrittenBursts = new WeakMap();

export const json: Format = {
  ending: '.json',
  // Loaded when there is something to write: its schema would delay the first burst.
  render: async (result) => (await import('../../result/document.js')).writeResult(result, written),
};

/** What is hidden of texts that a target sent: the secrets of the attempt that was answered, and the values of all rows. */
import type { OtherValues } from './other-values.js';
import { maskCutText, maskText } from './secrets.js';

export interface Masking {
  text(text: string): string;
  /** For a text whose end may be missing. */
  cutText(text: string): string;
}

export function maskingOf(own: readonly string[], others: OtherValues): Masking {
  return {
    text: (text) => others.mask(maskText(text, own)),
    cutText: (text) => others.mask(maskCutText(text, own), true),
  };
}

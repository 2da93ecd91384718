/** Whether numbers can be believed, in words: the verdict with its reasons, each with its own weight. */
import { printable } from '../../../plan/printable.js';
import type { Validity } from '../../../result/result.js';
import { weighed } from '../../../tally/validity.js';
import { bare } from '../fact.js';

/** `invalid: this machine ran out of local ports; suspect: …`; `valid` where there is nothing to say. */
export function validityText(validity: Validity): string {
  const reasons = weighed(validity).map(({ verdict, reason }) => `${verdict}: ${bare(printable(reason))}`);
  return reasons.length === 0 ? validity.verdict : reasons.join('; ');
}

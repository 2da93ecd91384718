/** The one sentence about a result, the same in the terminal and in every document. */
import type { Result } from '../../result/result.js';
import { checkHeadline } from './check-words.js';
import { type Headline, headlineOf } from './headline.js';

export function titleOf(result: Result): Headline {
  return result.check === null ? headlineOf(result) : checkHeadline(result, result.check);
}

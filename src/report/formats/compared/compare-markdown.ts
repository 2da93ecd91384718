/** A comparison as Markdown, for a comment on a pull request: the sentence, the table, the doubts, the rest folded. */
import type { Comparison } from '../../../compare/comparison.js';
import { compareContext, compareFacts, compareHeadline, compareSheet } from '../../words/compared/compare-words.js';
import { details, factLine, plain, table } from '../markdown-markup.js';

export function comparisonMarkdown(comparison: Comparison): string {
  const facts = compareFacts(comparison);
  const doubts = facts.filter(({ isDoubt }) => isDoubt === true);
  const others = facts.filter(({ isDoubt }) => isDoubt !== true);
  const blocks = [
    `### ${plain(compareHeadline(comparison).text)}`,
    plain(compareContext(comparison).join(' · ')),
    table(compareSheet(comparison)),
    doubts.map(factLine).join('\n'),
    others.length === 0
      ? ''
      : details('Scatter, notes, what the sides have in common', others.map(factLine).join('\n')),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/**
 * The diagnosis on the terminal: the most likely cause first, its evidence, what to change, and how to tell it from
 * another cause. From a result's diagnosis to lines that fit.
 */
import type { Diagnosis } from '../../result/result.js';
import { type CauseWords, causeWords } from '../words/cause-words.js';
import { factLines, type Pen } from './page.js';

/** Lines without a blank one at either end; empty without a diagnosis. */
export function diagnosisBlock(diagnosis: readonly Diagnosis[], pen: Pen): string[] {
  return causesBlock(diagnosis.map(causeWords), pen);
}

export function causesBlock(causes: readonly CauseWords[], pen: Pen): string[] {
  return causes.flatMap((one, i) => [...(i === 0 ? [] : ['']), ...causeLines(one, pen)]);
}

function causeLines({ label, name, title, facts }: CauseWords, pen: Pen): string[] {
  const { bold, yellow, dim } = pen.paint;
  return [
    ...factLines(label, name, pen, { text: (text) => bold(yellow(text)) }),
    ...(title === '' ? [] : factLines('', title, pen)),
    ...facts.flatMap((fact) => factLines(fact.label, fact.text, pen, { label: dim })),
  ];
}

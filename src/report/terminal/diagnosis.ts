/**
 * The diagnosis on the terminal: the likely cause first, what speaks for it, what to change, and what would tell it from
 * another. Takes the diagnosis of a result and gives lines that fit.
 */
import { CAUSES } from '../../diagnose/causes.js';
import type { Diagnosis } from '../../result/result.js';
import { type Paint, safeText } from './style.js';
import type { Pen } from './tables.js';
import { wrapAndClip } from './text-width.js';

const LABEL_WIDTH = 11;
/** From here on a cause is called likely; below, possible. */
const LIKELY = 0.6;

/** Lines without a blank one at either end; none for no diagnosis. */
export function diagnosisBlock(diagnosis: readonly Diagnosis[], pen: Pen): string[] {
  return diagnosis.flatMap((one, i) => [...(i === 0 ? [] : ['']), ...causeLines(one, pen)]);
}

function causeLines({ cause, evidence, remedy, confidence, apart }: Diagnosis, pen: Pen): string[] {
  const { bold, yellow, dim } = pen.paint;
  const title = CAUSES.find(({ id }) => id === cause)?.title ?? '';
  const label = cause === 'unknown' ? 'cause' : confidence >= LIKELY ? 'likely' : 'possible';
  const sure = cause === 'unknown' ? '' : ` (${Math.round(100 * confidence)}%)`;
  return [
    ...fact(label, `${cause}${sure}`, pen, (text) => bold(yellow(text))),
    ...fact('', title, pen),
    ...fact('evidence', evidence, pen, undefined, dim),
    ...fact('remedy', remedy, pen, undefined, dim),
    ...(apart === null ? [] : fact('apart', apart, pen, undefined, dim)),
  ];
}

const asItIs: Paint = (text) => text;

/** Every text may hold what a target sent. */
function fact(label: string, text: string, pen: Pen, paint: Paint = asItIs, ofLabel: Paint = pen.paint.dim): string[] {
  const indent = LABEL_WIDTH + 2;
  return wrapAndClip(safeText(text), pen.width - indent, pen.glyphs).map((line, i) =>
    i === 0 && label !== ''
      ? `  ${ofLabel(label.padEnd(LABEL_WIDTH))}${paint(line)}`
      : ' '.repeat(indent) + paint(line),
  );
}

/**
 * A check on the terminal: the verdict, every step in the order taken, the probes and their meaning, and the command
 * that repeats the request. words/check-words.ts provides the words; this file draws them.
 */
import { printable } from '../../plan/printable.js';
import type { Check, CheckProbe } from '../../result/check-facts.js';
import type { Result } from '../../result/result.js';
import {
  type CheckStep,
  checkContext,
  checkHeadline,
  checkSteps,
  type Mark,
  probeWords,
  type StepLine,
} from '../words/check-words.js';
import { diagnosisBlock } from './diagnosis.js';
import { type Pen, pageOf, penOf, titleLines } from './page.js';
import type { Glyphs, Terminal } from './style.js';
import { renderSummary } from './summary.js';
import { clip, wrapAndClip } from './text-width.js';

const LABEL_WIDTH = 9;
const INDENT = ' '.repeat(LABEL_WIDTH + 2);
const PROBE_WIDTH = 21;

/** Text that ends with a line end. */
export function renderCheck(result: Result, terminal: Terminal): string {
  const { check } = result;
  if (check === null) return renderSummary(result, terminal);
  const pen = penOf(terminal);
  const { text, mood } = checkHeadline(result, check);
  const blocks = [
    titleLines(text, checkContext(result), mood === 'good' ? pen.paint.green : pen.paint.red, pen),
    ...checkSteps(check).map((steps) => steps.flatMap((step) => stepLines(step, pen))),
    probes(check, pen),
    repeat(check, pen),
    diagnosisBlock(result.diagnosis, pen),
  ];
  return pageOf(blocks, terminal);
}

/** `label    text`; further lines below the text. */
function stepLines({ label, lines, hasFailed, isVerbatim, times }: CheckStep, pen: Pen): string[] {
  const paint = hasFailed ? pen.paint.red : pen.paint.dim;
  const width = pen.width - INDENT.length;
  const texts = lines.flatMap((line) =>
    isVerbatim === true
      ? [clip(line.text, width, pen.glyphs)]
      : wrapAndClip(marked(line, pen), width, pen.glyphs, '  '),
  );
  const drawn = texts.map((text, i) => (i === 0 ? `  ${paint(label.padEnd(LABEL_WIDTH))}${text}` : `${INDENT}${text}`));
  return times === undefined ? drawn : [...drawn, `${INDENT}${pen.paint.dim(`(${times})`)}`];
}

const MARKS: Readonly<Record<Mark, keyof Glyphs>> = { yes: 'yes', no: 'no', 'not judged': 'dash' };

function marked({ text, mark, isAside }: StepLine, { width, glyphs }: Pen): string {
  const whole = mark === undefined ? text : `${glyphs[MARKS[mark]]} ${text}`;
  return isAside === true ? clip(whole, 2 * width, glyphs) : whole;
}

function probes({ probes: all }: Check, pen: Pen): string[] {
  if (all.length === 0) return [];
  return [
    `  ${pen.paint.bold('probes: the same handshake with one thing changed')}`,
    ...all.flatMap((probe) => probeLines(probe, pen)),
  ];
}

function probeLines(probe: CheckProbe, pen: Pen): string[] {
  const { id, end, asks, says } = probeWords(probe);
  const indent = ' '.repeat(PROBE_WIDTH + 4);
  const wrapped = (text: string): string[] => wrapAndClip(text, pen.width - indent.length, pen.glyphs);
  const [first, ...rest] = [...wrapped(end), ...wrapped(asks).map(pen.paint.dim), ...wrapped(says)];
  return [`    ${id.padEnd(PROBE_WIDTH)}${first}`, ...rest.map((line) => indent + line)];
}

/** Unwrapped on its own line, so that it can be copied. */
function repeat({ curl }: Check, pen: Pen): string[] {
  return [`  ${pen.paint.bold('to repeat it by hand')}`, `  ${printable(curl, 32_768)}`];
}

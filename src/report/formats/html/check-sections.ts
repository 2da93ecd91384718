/** The sections of a check: the handshake step by step, its probes, and the line that repeats it. */
import { printable } from '../../../plan/printable.js';
import type { Check } from '../../../result/check-facts.js';
import { type Markup, markup, NOTHING } from '../../charts/markup.js';
import { type CheckStep, checkSteps, type Mark, probeWords, type StepLine } from '../../words/check-words.js';
import { whySection } from './conditions.js';
import { type PageContext, section, verbatim } from './parts.js';

export function checkSections(context: PageContext, check: Check): Markup {
  const steps = checkSteps(check).flat().map(stepRow);
  const probes = check.probes.map(probeWords).map(
    ({ id, end, asks, says }) => markup`<dt>${id}</dt><dd>${end}<br><span class="note">${asks}</span><br>${says}</dd>
`,
  );
  return markup`${whySection(context)}${section(context, 'steps', 'The handshake, step by step', [
    markup`<dl>
${steps}</dl>
`,
  ])}${section(context, 'probes', 'Probes: the same handshake with one thing changed', [
    probes.length === 0
      ? NOTHING
      : markup`<dl>
${probes}</dl>
`,
  ])}${section(context, 'by-hand', 'To repeat it by hand', [verbatim(printable(check.curl, 32_768))])}`;
}

const MARKS: Readonly<Record<Mark, string>> = { yes: '✓ ', no: '✗ ', 'not judged': '– ' };

function stepRow({ label, lines, hasFailed, isVerbatim, times }: CheckStep): Markup {
  const text =
    isVerbatim === true ? verbatim(lines.map((line) => line.text).join('\n')) : markup`${lines.map(stepLine)}`;
  const after = times === undefined || times === '' ? NOTHING : markup`<span class="note">${times}</span>`;
  return markup`<dt>${hasFailed ? `✗ ${label}` : label}</dt><dd>${text}${after}</dd>
`;
}

function stepLine({ text, mark }: StepLine): Markup {
  const kind = mark === 'no' ? markup` class="bad"` : NOTHING;
  return markup`<div${kind}>${mark === undefined ? '' : MARKS[mark]}${text}</div>`;
}

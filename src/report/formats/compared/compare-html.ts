/**
 * A comparison as a page: one file without a script and without the network. The sentence, the table, the picture, the
 * doubts, in the parts that pages of results are made of.
 */
import type { ComparedMetric, ComparedSide, Comparison } from '../../../compare/comparison.js';
import { numberOf } from '../../../compare/extended.js';
import { type ChangeRow, changeChart } from '../../charts/change-chart.js';
import { type Markup, markup, NOTHING } from '../../charts/markup.js';
import type { Ink } from '../../charts/picture.js';
import { changeText } from '../../words/compared/compare-numbers.js';
import {
  compareContext,
  compareFacts,
  compareHeadline,
  compareSheet,
  metricName,
  verdictWords,
} from '../../words/compared/compare-words.js';
import { startText } from '../../words/written/stamp.js';
import { pageFrame } from '../html/page-frame.js';
import { facts, figure, paragraph, table } from '../html/parts.js';

export function comparisonPage(comparison: Comparison): string {
  const { text } = compareHeadline(comparison);
  const all = compareFacts(comparison);
  const [doubts, others] = [true, false].map((isDoubt) => all.filter((fact) => (fact.isDoubt === true) === isDoubt));
  const body = markup`<article id="comparison">
<h1>${text}</h1>
${paragraph(compareContext(comparison).join(' · '), 'note')}${table(compareSheet(comparison), 'metrics')}${figure(pictureOf(comparison), null)}${section('doubts', 'Doubts', facts(doubts))}${section('notes', 'Scatter, notes, what the sides have in common', facts(others))}${section('files', 'What was compared', files(comparison))}</article>
`;
  return pageFrame(text, body, NOTHING);
}

function section(id: string, title: string, content: Markup): Markup {
  if (content.text === '') return NOTHING;
  return markup`<section id="${id}"><h2>${title}</h2>
${content}</section>
`;
}

function pictureOf(comparison: Comparison): ReturnType<typeof changeChart> {
  const { metrics, verdict, refused } = comparison;
  const rows = metrics.filter(({ scale }) => scale === 'ratio').flatMap(rowOf);
  return changeChart(rows, {
    id: 'changes',
    title: 'Changes, new against base',
    says: rows.map(({ name, says }) => `${name} ${says}`).join('; '),
    stamp: [verdict.toUpperCase(), ...compareContext(comparison), ...days(comparison)].join(' · '),
    isVoid: refused.length > 0,
  });
}

function days({ base, new: fresh }: Comparison): string[] {
  const starts = [base.from, fresh.from].filter((from) => from !== null).sort();
  return starts.length === 0 ? [] : [startText(starts[0])];
}

const INKS: Readonly<Record<ComparedMetric['verdict'], Ink>> = {
  worse: 'bad',
  better: 'ok',
  'no worse': 'ok',
  undecided: 'doubt',
  'not judged': 'muted',
};

/** Nothing without a value to relate the others to. */
function rowOf(metric: ComparedMetric): ChangeRow[] {
  const { base, new: fresh, change, interval, tolerance, verdict } = metric;
  const whole = base.typical === null ? Number.POSITIVE_INFINITY : numberOf(base.typical);
  if (!Number.isFinite(whole) || whole <= 0 || change === null) return [];
  const quotients = (side: ComparedMetric['base']) => side.values.map((value) => numberOf(value) / whole);
  return [
    {
      name: metricName(metric),
      base: quotients(base),
      new: quotients(fresh),
      quotient: 1 + numberOf(change),
      interval: interval === null ? null : [1 + numberOf(interval[0]), 1 + numberOf(interval[1])],
      tolerated: [Math.max(0.01, 1 - tolerance), 1 + tolerance],
      ink: INKS[verdict],
      says: `${changeText(change, metric.scale)}: ${verdictWords(metric)}`,
    },
  ];
}

function files({ base, new: fresh }: Comparison): Markup {
  const list = (
    name: string,
    side: ComparedSide,
  ) => markup`<dt>${name}</dt>${side.files.map((file) => markup`<dd>${file}</dd>`)}
`;
  return markup`<details><summary>${base.files.length} and ${fresh.files.length} files</summary><dl>
${list('base', base)}${list('new', fresh)}</dl></details>
`;
}

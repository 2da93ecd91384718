/**
 * The summary on the terminal, readable in ten seconds. words/sections.ts decides its content and order; this file
 * draws each section. A pure function from a result to text; no line is wider than the terminal.
 */
import type { Result } from '../../result/result.js';
import { LatencyHistogram } from '../../tally/histogram.js';
import type { Fact } from '../words/fact.js';
import type { LatencyShape } from '../words/latency-shape.js';
import type { FirstSamples, SampleWords } from '../words/sample-words.js';
import { type Section, sectionsOf } from '../words/sections.js';
import { renderHistogram } from './chart.js';
import { causesBlock } from './diagnosis.js';
import { ladderTable } from './ladder-table.js';
import { FACT_INDENT, factLines, MOODS, type Pen, pageOf, penOf, titleLines } from './page.js';
import { searchPicture } from './search-picture.js';
import type { Terminal } from './style.js';
import { burstsTable, outcomesTable, phasesTable, stormsTable, thresholdsTable } from './tables.js';
import { clip, wrap } from './text-width.js';

const CHART_ROWS = 14;

interface SummaryOptions {
  /** Also show which transport was used. */
  readonly verbose?: boolean;
}

/** Text that ends with a line end. */
export function renderSummary(result: Result, terminal: Terminal, { verbose = false }: SummaryOptions = {}): string {
  const pen = penOf(terminal);
  const blocks = sectionsOf(result, { verbose }).map((section) => block(section, pen, terminal));
  return pageOf(blocks, terminal);
}

function block(section: Section, pen: Pen, terminal: Terminal): string[] {
  switch (section.is) {
    case 'headline':
      return titleLines(section.headline.text, section.context, pen.paint[MOODS[section.headline.mood]], pen);
    case 'facts':
      return section.facts.flatMap((fact) => drawnFact(fact, pen));
    case 'search-picture':
      return searchPicture(section.dropOff, pen);
    case 'ladder':
      return ladderTable(section.dropOff, pen);
    case 'storms':
      return stormsTable(section.table, pen);
    case 'outcomes':
      return outcomesTable(section.rows, pen);
    case 'phases':
      return phasesTable(section.table, pen);
    case 'latencies':
      return latencies(section.shape, pen, terminal);
    case 'bursts':
      return burstsTable(section.bursts, pen);
    case 'thresholds':
      return thresholdsTable(section.rows, pen);
    case 'samples':
      return samples(section.samples, pen);
    case 'remark':
      return wrap(section.text, pen.width - 2).map((line) => `  ${pen.paint.dim(line)}`);
    case 'causes':
      return causesBlock(section.causes, pen);
  }
}

function drawnFact({ label, text, isDoubt, curve }: Fact, pen: Pen): string[] {
  const lines = factLines(label, text, pen, { label: isDoubt === true ? pen.paint.yellow : pen.paint.dim });
  return curve === undefined ? lines : [...lines, ...sparks(curve, pen)];
}

const SPARKS = '▁▂▃▄▅▆▇█';
const MOST_SPARKS = 60;
/** With fewer values there is no curve. */
const FEWEST_SPARKS = 8;

function sparks(values: readonly number[], pen: Pen): string[] {
  if (values.length < FEWEST_SPARKS || !pen.glyphs.isUnicode) return [];
  const most = Math.max(...values);
  const per = Math.ceil(values.length / Math.min(MOST_SPARKS, pen.width - FACT_INDENT - 2));
  const groups = Array.from({ length: Math.ceil(values.length / per) }, (_, i) => values.slice(i * per, (i + 1) * per));
  const levels = groups.map((group) => group.reduce((sum, n) => sum + n, 0) / group.length);
  const line = levels.map((level) => SPARKS[most === 0 ? 0 : Math.round((level / most) * 7)]).join('');
  return factLines('', line, pen);
}

function latencies({ title, ok, failures }: LatencyShape, pen: Pen, { unicode, color }: Terminal): string[] {
  const rows = renderHistogram(
    ok === null ? null : LatencyHistogram.decode(ok.hdr),
    failures.map(({ id, summary }) => ({ id, histogram: LatencyHistogram.decode(summary.hdr) })),
    { width: pen.width, rows: CHART_ROWS, unicode, color },
  );
  return rows.length === 0 ? [] : [`  ${pen.paint.dim(clip(title, pen.width - 2, pen.glyphs))}`, ...rows];
}

function samples({ shown, more }: FirstSamples, pen: Pen): string[] {
  return [
    ...shown.flatMap((sample) => sampleLines(sample, pen)),
    ...(more === null ? [] : [`  ${pen.paint.dim(more)}`]),
  ];
}

function sampleLines({ title, lines }: SampleWords, pen: Pen): string[] {
  return [`  ${pen.paint.red(title)}`, ...lines.map((line) => `    ${clip(line, pen.width - 4, pen.glyphs)}`)];
}

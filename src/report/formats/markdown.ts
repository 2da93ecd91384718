/**
 * Results as Markdown for a comment on a pull request or the summary of a job: the sentence first, then what a person decides
 * by, the rest folded. GitHub shows no SVG, so bars are text. Texts of a target are escaped: they must neither format, nor
 * mention anybody.
 */
import { printable } from '../../plan/printable.js';
import { formatCount } from '../../plan/units.js';
import type { Result } from '../../result/result.js';
import type { CauseWords } from '../words/cause-words.js';
import { checkSteps, probeWords } from '../words/check-words.js';
import { hasDropOff } from '../words/headline.js';
import { outcomeRows } from '../words/outcome-words.js';
import type { FirstSamples } from '../words/sample-words.js';
import { type Section, sectionsOf } from '../words/sections.js';
import { commandLine } from '../words/written/command-line.js';
import { quoteOf } from '../words/written/quote.js';
import {
  burstSheet,
  ladderSheet,
  phaseSheet,
  type Sheet,
  stormSheet,
  thresholdSheet,
} from '../words/written/sheets.js';
import { judgedTitle, stampOf } from '../words/written/stamp.js';
import { details, factLine, fenced, plain, table } from './markdown-markup.js';

export function renderMarkdown(results: readonly Result[]): string {
  return `${results
    .map((result) =>
      blocksOf(result)
        .filter((block) => block !== '')
        .join('\n\n'),
    )
    .join('\n\n---\n\n')}\n`;
}

function blocksOf(result: Result): string[] {
  const sections = sectionsOf(result, { verbose: false });
  const quote = quoteOf(result);
  const [first, ...rest] = sections.flatMap((section) => sectionBlocks(section, result));
  const [shown, folded] = [rest.filter(({ isFolded }) => !isFolded), rest.filter(({ isFolded }) => isFolded)];
  return [
    first?.text ?? '',
    plain(stampOf(result)),
    quote === null ? '' : `> “${plain(quote)}”`,
    ...shown.map(({ text }) => text),
    ...folded.map(({ text, title }) => (text === '' ? '' : details(title, text))),
    ...checkBlocks(result),
    details('To repeat it', fenced(commandLine(result))),
  ];
}

interface MarkdownBlock {
  readonly text: string;
  /** Not needed to decide. */
  readonly isFolded: boolean;
  readonly title: string;
}

function sectionBlocks(section: Section, result: Result): MarkdownBlock[] {
  const open = (text: string): MarkdownBlock[] => [{ text, isFolded: false, title: '' }];
  const folded = (title: string, text: string): MarkdownBlock[] => [{ text, isFolded: true, title }];
  switch (section.is) {
    case 'headline':
      return open(`### ${plain(judgedTitle(result))}`);
    case 'facts':
      return open(section.facts.map(factLine).join('\n'));
    case 'outcomes':
      return open(hasDropOff(result) ? '' : fenced(outcomeBars(result)));
    case 'storms':
      return open(table(stormSheet(section.table)));
    case 'thresholds':
      return open(table(thresholdSheet(result.thresholds)));
    case 'causes':
      return open(section.causes.map(causeText).join('\n\n'));
    case 'ladder':
      return open(table(ladderSheet(section.dropOff)));
    case 'phases':
      return folded('Latencies by phase', table(phaseSheet(section.table)));
    case 'bursts':
      return folded('Bursts', table(narrowed(burstSheet(section.bursts))));
    case 'samples':
      return folded('First answers of failures', samplesText(section.samples));
    case 'remark':
      return open(`_${plain(section.text)}_`);
    // Drawn in characters on a terminal; the tables say the same.
    case 'search-picture':
    case 'latencies':
      return [];
  }
}

function checkBlocks({ check }: Result): string[] {
  if (check === null) return [];
  const steps = checkSteps(check)
    .flat()
    .map(({ label, lines }) => lines.map(({ text }, i) => `${(i === 0 ? label : '').padEnd(10)}${text}`).join('\n'));
  const probes = check.probes
    .map(probeWords)
    .map(({ id, end, says }) => `- **${plain(id)}**: ${plain(end)}. ${plain(says)}`);
  return [
    details('The handshake, step by step', fenced(steps.join('\n'))),
    probes.length === 0 ? '' : details('Probes: the same handshake with one thing changed', probes.join('\n')),
    details('By hand', fenced(printable(check.curl, 32_768))),
  ];
}

const BAR_COLUMNS = 30;

function outcomeBars({ totals }: Result): string {
  const rows = outcomeRows(totals);
  const most = Math.max(1, ...rows.map(({ count }) => count));
  const width = Math.max(...rows.map(({ id }) => id.length));
  const counts = rows.map(({ count }) => formatCount(count));
  const countWidth = Math.max(...counts.map((count) => count.length));
  return rows
    .map(({ id, count, share }, i) => {
      const bar = '█'.repeat(Math.max(count > 0 ? 1 : 0, Math.round((count / most) * BAR_COLUMNS)));
      return `${id.padEnd(width)}  ${counts[i].padStart(countWidth)}  ${(share ?? '').padStart(6)}  ${bar}`.trimEnd();
    })
    .join('\n');
}

function causeText({ label, name, title, facts }: CauseWords): string {
  const start = `**${plain(label)}: ${plain(name)}**${title === '' ? '' : `. ${plain(title)}`}`;
  return [start, ...facts.map(factLine)].join('\n');
}

function samplesText({ shown, more }: FirstSamples): string {
  const samples = shown.map(({ title, lines }) => `${plain(title)}\n\n${fenced(lines.join('\n'))}`);
  return [...samples, ...(more === null ? [] : [plain(more)])].join('\n\n');
}

/** Comments are narrow: the share is told by the count of 101s beside the size. */
function narrowed(sheet: Sheet): Sheet {
  const dropped = sheet.columns.findIndex(({ title }) => title === 'share');
  const keep = <T>(cells: readonly T[]): T[] => cells.filter((_, i) => i !== dropped);
  return { ...sheet, columns: keep(sheet.columns), rows: sheet.rows.map(keep) };
}

/**
 * What a reader sees first, in an order that never changes: the sentence, whether it may be believed, the likely cause, the
 * sentence to quote, the outcomes, the times. What has no number is left out.
 */
import { printable } from '../../../plan/printable.js';
import { formatCount } from '../../../plan/units.js';
import type { DropOff } from '../../../result/drop-off.js';
import { type Markup, markup, NOTHING } from '../../charts/markup.js';
import { outcomeBars } from '../../charts/outcome-bars.js';
import { searchChart } from '../../charts/search-chart.js';
import { timeChart } from '../../charts/time-chart.js';
import { causeWords } from '../../words/cause-words.js';
import { hasDropOff } from '../../words/headline.js';
import { latencyShape } from '../../words/latency-shape.js';
import { doubtsOf } from '../../words/run-facts.js';
import { titleOf } from '../../words/title.js';
import { quoteOf } from '../../words/written/quote.js';
import { ladderSheet, outcomeSheet, thresholdSheet, timeSheet } from '../../words/written/sheets.js';
import { stampOf, verdictWord } from '../../words/written/stamp.js';
import { figure, frameOf, type PageContext, paragraph, table } from './parts.js';

/** @param heading h1 of a page, h2 where it holds several results */
export function firstScreen(context: PageContext, heading: Markup): Markup {
  const { result, prefix } = context;
  const { verdict } = result.validity;
  const { text } = titleOf(result);
  const said = text.startsWith(`${verdictWord(result)}: `) ? text.slice(verdictWord(result).length + 2) : text;
  return markup`<header><p class="stamp">${stampOf(result)}</p>
<${heading}><span class="badge ${verdict}">${verdictWord(result)}</span>${said}</${heading}>
${hasDropOff(result) ? planFigure(result.dropOff, result.validity.verdict === 'invalid') : NOTHING}${doubts(context)}${likely(context)}${quote(context)}</header>
<section id="${prefix}first">${pictures(context)}</section>
`;
}

/** The lower end of the interval is the large figure: half of the bursts fail at the estimate. */
function planFigure({ interval95: [low, high], estimate }: DropOff, isInvalid: boolean): Markup {
  if (low === null || low === 0 || estimate === null || high === null || isInvalid) return NOTHING;
  return markup`<p class="plan"><strong>${formatCount(low)}</strong> at once is the lower end of the 95% interval; at ~${formatCount(estimate)} half of the bursts fail</p>
`;
}

/** A doubt stands with the sentence that it concerns, unless that sentence says it. */
function doubts({ result }: PageContext): Markup {
  const found = doubtsOf(result).filter(({ isDoubt }) => isDoubt === true);
  return markup`${found.map(({ label, text }) => paragraph(`${label}: ${text}`, 'doubt'))}`;
}

function likely({ result: { diagnosis }, prefix }: PageContext): Markup {
  const [first] = diagnosis;
  if (first === undefined) return NOTHING;
  const { label, name, title } = causeWords(first);
  return markup`<p><strong>${label}: ${name}</strong>${title === '' ? '' : `. ${title}`} <a href="#${prefix}why">What to change</a></p>
`;
}

function quote({ result }: PageContext): Markup {
  const text = quoteOf(result);
  if (text === null) return NOTHING;
  return markup`<figure class="quote"><figcaption>Quote it so</figcaption><blockquote>“${text}”</blockquote></figure>
`;
}

function pictures(context: PageContext): Markup {
  const { result } = context;
  if (result.check !== null || result.bursts.length === 0) return NOTHING;
  return markup`${hasDropOff(result) ? searchPictures(context, result.dropOff) : loadPictures(context)}${table(thresholdSheet(result.thresholds), 'thresholds')}`;
}

function searchPictures(context: PageContext, dropOff: DropOff): Markup {
  const says = `Each load that was tried, and the share of its handshakes that met the objective: ${dropOff.asked.objectives.map((one) => printable(one)).join(' and ')}.`;
  return figure(searchChart(dropOff, frameOf(context, 'search-picture', 'The search', says)), ladderSheet(dropOff));
}

const ONE_OUTCOME = 'Every handshake ends in exactly one outcome; shares leave out what failed on this machine.';

function loadPictures(context: PageContext): Markup {
  const { result } = context;
  const bars = outcomeBars(result.totals, frameOf(context, 'outcomes', 'How the handshakes ended', ONE_OUTCOME));
  const shape = latencyShape(result);
  const says = 'Successes above the axis, failures below it, each with a scale of its own.';
  const chart = timeChart(shape, frameOf(context, 'times', capital(shape.title), says));
  return markup`${figure(bars, outcomeSheet(result.totals))}${chart === null ? NOTHING : figure(chart.picture, timeSheet(chart.bins))}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

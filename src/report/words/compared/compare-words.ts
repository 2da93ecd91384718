/**
 * A comparison in words: the sentence that comes first, one row for each metric, and the facts around them. Every renderer
 * (terminal, Markdown, JUnit, HTML) uses these.
 */
import type { ComparedMetric, ComparedSide, Comparison, MetricVerdict } from '../../../compare/comparison.js';
import { loadText } from '../../../compare/sides.js';
import { printable } from '../../../plan/printable.js';
import { formatCount } from '../../../plan/units.js';
import { bare, type Fact } from '../fact.js';
import type { Headline } from '../headline.js';
import type { Mood, Sheet } from '../written/sheets.js';
import { amountText, changeText, confidenceText, intervalText, valueText } from './compare-numbers.js';

const MOOD_OF: Readonly<Record<Comparison['verdict'], Headline['mood']>> = {
  worse: 'bad',
  'not comparable': 'bad',
  undecided: 'doubtful',
  better: 'good',
  'no worse': 'good',
};

/** What was found, in at most three sentences. */
export function compareHeadline(comparison: Comparison): Headline {
  const { verdict } = comparison;
  return { text: headlineText(comparison), mood: MOOD_OF[verdict] };
}

function headlineText(comparison: Comparison): string {
  const { refused, verdict, metrics, failOn } = comparison;
  if (refused.length > 0) {
    const more = refused.length === 1 ? '' : ` (and ${refused.length - 1} more)`;
    return `NOT COMPARABLE: ${printable(bare(refused[0]))}${more}.`;
  }
  const judged = metrics.filter(({ gate }) => failOn.length === 0 || gate !== null);
  const wanted: MetricVerdict = verdict === 'not comparable' ? 'not judged' : verdict;
  const [lead, ...others] = leadingFirst(judged.filter((metric) => metric.verdict === wanted));
  if (lead === undefined) return 'NOT COMPARABLE: the two sides have no metric in common.';
  const more = others.length === 0 ? '' : ` Also ${wanted}: ${others.map(metricName).join(', ')}.`;
  return `${metricText(lead)}${more}`;
}

/** Of metrics that nobody named, the tail is what people ask about. */
function leadingFirst(metrics: readonly ComparedMetric[]): readonly ComparedMetric[] {
  const rank = ({ gate, metric }: ComparedMetric) => (gate !== null ? 0 : /^(p99|dropOff)/.test(metric) ? 1 : 2);
  return metrics.toSorted((a, b) => rank(a) - rank(b));
}

/** `p99(handshake) of 2,000`, of a second stage with the same load `p99(handshake) of 2,000, stage 2`. */
export function metricName({ metric, load }: ComparedMetric): string {
  if (load === null) return metric;
  if (load.kind === 'storm') return `${metric} of ${loadText(load)}`;
  const kind = load.kind === 'burst' ? '' : `${load.kind} `;
  return `${metric} of ${kind}${formatCount(load.size)}${load.order === 0 ? '' : `, stage ${load.order + 1}`}`;
}

/** One sentence or two about a metric. */
export function metricText(metric: ComparedMetric): string {
  const { verdict, because, scale, tolerance, needed } = metric;
  if (verdict === 'not judged')
    return `NOT JUDGED: ${metric.metric}: ${printable(bare(because ?? 'unknown'))}.${advice(metric)}`;
  const found = `${verdict.toUpperCase()}: ${measuredText(metric)}`;
  if (verdict !== 'undecided') return `${found}.`;
  const limit = amountText(tolerance, scale);
  const open = because ?? `This neither shows nor rules out a change of ${limit}`;
  const way = needed === null ? '' : ` About ${needed} ${unitsOf(metric)} a side would decide it.`;
  return `${found}. ${printable(bare(open))}.${way}`;
}

/** `p99(handshake) 812 ms to 1.01 s, +24% (95%: +14% … +36%), 5 and 5 runs, burst of 2,000 at gate upgrade`. */
function measuredText(metric: ComparedMetric): string {
  const { base, new: fresh, unit, scale, change, load } = metric;
  const values = `${metric.metric} ${valueText(base.typical, unit)} to ${valueText(fresh.typical, unit)}`;
  const interval = intervalText(metric.interval, scale);
  const range = interval === null ? '' : ` (${confidenceText(metric.confidence)}: ${interval})`;
  const moved = change === null ? '' : `, ${changeText(change, scale)}${range}`;
  const counts = `, ${base.values.length} and ${fresh.values.length} ${unitsOf(metric)}`;
  return `${values}${moved}${counts}${load === null ? '' : `, ${loadText(load)}`}`;
}

/** The plural. */
function unitsOf({ of }: ComparedMetric): string {
  return of === 'search' ? 'searches' : `${of}s`;
}

/** With how many values what would show. */
function advice({ smallest, scatter, scale, of }: ComparedMetric): string {
  if (smallest === null || scatter === null || scatter === 0) return '';
  const { perSide, change } = smallest;
  return ` With ${perSide} ${of}s a side a change of about ${amountText(change, scale)} would show (scatter ${amountText(scatter, scale)}).`;
}

/** What was compared: `burst`, `base: 5 runs, 5 bursts`, `new: 5 runs, 5 bursts`. */
export function compareContext({ command, base, new: fresh }: Comparison): string[] {
  const side = (name: string, { runs, bursts }: ComparedSide) =>
    `${name}: ${countText(runs, 'run')}${bursts === 0 ? '' : `, ${countText(bursts, 'burst')}`}`;
  return [...(command === null ? [] : [command]), side('base', base), side('new', fresh)];
}

function countText(many: number, what: string): string {
  return `${formatCount(many)} ${what}${many === 1 ? '' : 's'}`;
}

/** One metric as the cells of a table. */
export interface CompareRow {
  /** With its load where the runs fired several. */
  readonly metric: string;
  readonly base: string;
  readonly new: string;
  readonly change: string;
  readonly interval: string;
  readonly count: string;
  readonly verdict: MetricVerdict;
  /** Of a named metric: how much of a change is tolerated. */
  readonly limit: string | null;
  /** The verdict in words. */
  readonly says: string;
}

export function compareRows({ metrics }: Comparison): CompareRow[] {
  const loads = new Set(metrics.map(({ load }) => JSON.stringify(load)));
  return metrics.map((metric) => ({
    metric: loads.size > 1 ? metricName(metric) : metric.metric,
    base: valueText(metric.base.typical, metric.unit),
    new: valueText(metric.new.typical, metric.unit),
    change: metric.change === null ? '–' : changeText(metric.change, metric.scale),
    interval: intervalText(metric.interval, metric.scale) ?? '–',
    count: `${metric.base.values.length}+${metric.new.values.length}`,
    verdict: metric.verdict,
    limit: metric.gate === null ? null : limitText(metric),
    says: verdictWords(metric),
  }));
}

function limitText({ tolerance, scale, bad }: ComparedMetric): string {
  return `${bad === 'up' ? '+' : '-'}${amountText(tolerance, scale)}`;
}

/** The verdict as it is shown. */
export function verdictWords({ verdict, moved }: ComparedMetric): string {
  if (verdict === 'worse') return 'WORSE';
  return verdict === 'undecided' && moved ? 'undecided, moved' : verdict;
}

const SHEET_MOODS: Readonly<Record<MetricVerdict, Mood>> = {
  worse: 'bad',
  'not judged': 'doubtful',
  undecided: 'doubtful',
  better: 'good',
  'no worse': 'good',
};

/** The rows as a table for documents. */
export function compareSheet(comparison: Comparison): Sheet {
  const rows = compareRows(comparison);
  const hasLimits = rows.some(({ limit }) => limit !== null);
  const titles = ['base', 'new', 'change', 'interval', 'n', ...(hasLimits ? ['limit'] : [])];
  return {
    columns: [
      { title: 'metric', isNumber: false },
      ...titles.map((title) => ({ title, isNumber: true })),
      { title: 'verdict', isNumber: false },
    ],
    rows: rows.map((row) => [
      row.metric,
      ...[row.base, row.new, row.change, row.interval, row.count],
      ...(hasLimits ? [row.limit ?? ''] : []),
      row.says,
    ]),
    moods: rows.map(({ verdict }) => SHEET_MOODS[verdict]),
    notes: [],
  };
}

const MOST_LEFT_OUT = 3;

/** Everything around the table. */
export function compareFacts(comparison: Comparison): Fact[] {
  const { refused, warnings, same, metrics, base, new: fresh } = comparison;
  return [
    ...refused.slice(1).map((text) => ({ label: 'refused', text: printable(text), isDoubt: true })),
    ...warnings.map((text) => ({ label: 'warning', text: printable(text), isDoubt: true })),
    ...leftOutFacts('base', base),
    ...leftOutFacts('new', fresh),
    ...unjudgedFacts(metrics),
    ...scatterFact(metrics),
    ...unitFact(comparison),
    ...[...new Set(metrics.flatMap(({ notes }) => notes))].map((text) => ({ label: 'note', text })),
    ...(same.length === 0 ? [] : [{ label: 'same', text: same.join(', ') }]),
    ...levelFact(metrics),
  ];
}

function leftOutFacts(side: string, { leftOut }: ComparedSide): Fact[] {
  const shown = leftOut.slice(0, MOST_LEFT_OUT);
  const more = leftOut.length - shown.length;
  const facts = shown.map(({ file, burst, why }) => ({
    label: 'left out',
    text: `${side}: ${printable(file)}${burst === null ? '' : `, burst ${burst}`}: ${printable(why)}`,
    isDoubt: true,
  }));
  return more === 0 ? facts : [...facts, { label: '', text: `${side}: ${more} more`, isDoubt: true }];
}

/** Why metrics were not judged, or not decided by their values. */
function unjudgedFacts(metrics: readonly ComparedMetric[]): Fact[] {
  const reasons = new Map<string, ComparedMetric[]>();
  for (const metric of metrics) {
    if (metric.because !== null) reasons.set(metric.because, [...(reasons.get(metric.because) ?? []), metric]);
  }
  return [...reasons].map(([because, concerned]) => ({
    label: concerned[0].verdict,
    text: `${concerned.map(metricName).join(', ')}: ${printable(because)}`,
    isDoubt: true,
  }));
}

/** Of the tail, which scatters most and is what people gate on. */
function scatterFact(metrics: readonly ComparedMetric[]): Fact[] {
  const latencies = metrics.filter(({ scale, scatter }) => scale === 'ratio' && scatter !== null);
  const shown = latencies.find(({ gate }) => gate !== null) ?? latencies.find(({ metric }) => metric.startsWith('p99'));
  if (shown === undefined || shown.scatter === null) return [];
  const { metric, of, scatter, scatterInRun, scale, smallest } = shown;
  const inRun = scatterInRun === null ? '' : `, between bursts of a run ${amountText(scatterInRun, scale)}`;
  const sees =
    smallest === null
      ? ''
      : `; ${smallest.perSide} ${of}s a side show a change of about ${amountText(smallest.change, scale)}`;
  return [{ label: 'scatter', text: `${metric} between ${of}s ${amountText(scatter, scale)}${inRun}${sees}` }];
}

function unitFact({ metrics, base, new: fresh }: Comparison): Fact[] {
  if (!metrics.some(({ of }) => of === 'burst')) return [];
  const isOne = base.runs === 1 && fresh.runs === 1;
  const runs = isOne ? 'one run a side' : `${base.runs} and ${fresh.runs} runs`;
  const text = `the burst, of ${runs}: a difference between two hours looks the same as one of the target; with 4 runs a side the unit is the run`;
  return [{ label: 'unit', text, isDoubt: true }];
}

function levelFact(metrics: readonly ComparedMetric[]): Fact[] {
  const named = metrics.filter(({ gate }) => gate !== null);
  if (named.length < 2) return [];
  const text = `${confidenceText(named[0].confidence)}: ${named.length} metrics are named, so each has 1 - 5%/${named.length}`;
  return [{ label: 'interval', text }];
}

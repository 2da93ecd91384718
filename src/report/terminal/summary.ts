/**
 * The summary on the terminal: what a person reads in ten seconds. First one sentence, then what it stands on: outcomes,
 * phases, the shape of the latencies, how simultaneous it was and whether it can be believed, thresholds, and what the
 * target said when it refused. A pure function from a result to text; no line is wider than the terminal.
 */

import { blameOf } from '../../names/outcomes.js';
import { formatCount, formatDuration } from '../../plan/units.js';
import type { DropOff } from '../../result/drop-off.js';
import type { Burst, Calibration, Counted, Result, Sample, Summary } from '../../result/result.js';
import { LatencyHistogram } from '../../tally/histogram.js';
import { weighed } from '../../tally/validity.js';
import { afterText, samplesOfProbes } from '../words/after-words.js';
import { dropOffFacts, dropOffFlags } from '../words/drop-off-words.js';
import { failedOutcomes, hasDropOff, preflightOutcomes, remediesOf, verdictOf } from '../words/headline.js';
import { percent, spokenMs } from '../words/numbers.js';
import { renderHistogram } from './chart.js';
import { diagnosisBlock } from './diagnosis.js';
import { ladderTable } from './ladder-table.js';
import { searchPicture } from './search-picture.js';
import { glyphsOf, palette, safeText, type Terminal } from './style.js';
import { burstsTable, outcomesTable, type Pen, phasesTable, thresholdsTable } from './tables.js';
import { asciiOnly, clip, wrapAndClip } from './text-width.js';

const LABEL_WIDTH = 11;
const CHART_ROWS = 14;
const MOST_SAMPLES = 4;
const MOST_HEADERS = 6;
/** Every answer has these, and they don't tell who refused or why. */
const DULL_HEADERS = new Set(['connection', 'content-length', 'content-type', 'date', 'keep-alive']);

interface SummaryOptions {
  /** Told as well: how sockets were driven. */
  readonly verbose?: boolean;
}

/** Text that ends with a line end. */
export function renderSummary(result: Result, terminal: Terminal, { verbose = false }: SummaryOptions = {}): string {
  const pen: Pen = {
    width: terminal.width,
    glyphs: glyphsOf(terminal.unicode),
    paint: palette(terminal.color),
  };
  const isSearch = hasDropOff(result);
  const blocks = [sentence(result, pen), ...(isSearch ? searchBlocks(result, result.dropOff, pen) : [])];
  if (result.bursts.length > 0) blocks.push(...measuredBlocks(result, terminal, pen));
  else if (!isSearch) blocks.push(...notMeasured(result, pen));
  if (verbose) blocks.push(transportFact(result, pen));
  const text = blocks
    .filter((block) => block.length > 0)
    .map((block) => `${block.join('\n')}\n`)
    .join('\n');
  // What was written by people (names, reasons, host names) may hold more than ASCII too.
  return terminal.unicode ? text : asciiOnly(text);
}

function sentence(result: Result, pen: Pen): string[] {
  const { text, mood } = verdictOf(result, pen.glyphs);
  const color = { good: pen.paint.green, doubtful: pen.paint.yellow, bad: pen.paint.red }[mood];
  const lines = wrapAndClip(text, pen.width, pen.glyphs).map((line) => pen.paint.bold(color(line)));
  return [...lines, ...(result.bursts.length === 0 && !hasDropOff(result) ? [] : targetLine(result, pen))];
}

function targetLine(result: Result, pen: Pen): string[] {
  const { target, timeoutMs, gate } = result.plan;
  const { dot } = pen.glyphs;
  const hasBursts = result.bursts.some(({ kind }) => kind === 'burst');
  const gateText = hasBursts ? ` ${dot} gate ${gate}` : '';
  const text = `${result.command} ${safeText(target.url)}${gateText} ${dot} timeout ${formatDuration(timeoutMs)}`;
  return [pen.paint.dim(clip(text, pen.width, pen.glyphs))];
}

function notMeasured(result: Result, pen: Pen): string[][] {
  const { preflight, validity, stopped } = result;
  const facts: string[] = [...fact('target', safeText(result.plan.target.url), pen)];
  if (preflight !== null) {
    facts.push(...fact('preflight', preflightOutcomes(preflight.outcomes, preflight.attempted), pen));
  }
  const [first, ...others] = validity.reasons;
  const reasons = stopped === null ? others : [first, ...others].filter((r) => r !== undefined && r !== stopped);
  for (const reason of reasons) facts.push(...fact('because', safeText(reason ?? ''), pen));
  const hasAnswer = preflight === null || (preflight.outcomes['101'] ?? 0) > 0;
  const tries = hasAnswer ? [] : remediesOf(result).flatMap((remedy) => fact('try', remedy, pen));
  return [
    [...facts, ...tries],
    preflight === null ? [] : samplesBlock(preflight.samples, preflight.outcomes, pen),
    diagnosisBlock(result.diagnosis, pen),
  ];
}

/** The answer of a search and what it stands on; its bursts, taken together, come after it. */
function searchBlocks(result: Result, dropOff: DropOff, pen: Pen): string[][] {
  const flags = dropOffFlags(dropOff, pen.glyphs).flatMap(([label, text]) => fact(label, text, pen, pen.paint.yellow));
  const facts = dropOffFacts(dropOff, pen.glyphs).flatMap(([label, text]) => fact(label, text, pen));
  return [flags, searchPicture(dropOff, pen), ladderTable(dropOff, pen), facts, diagnosisBlock(result.diagnosis, pen)];
}

function measuredBlocks(result: Result, terminal: Terminal, pen: Pen): string[][] {
  const { bursts, totals, thresholds, preflight } = result;
  const isSearch = hasDropOff(result);
  // The ladder tells a search's bursts; latencies of loads that are far apart make no distribution.
  const listed = isSearch ? bursts.filter((burst) => !isSearched(result, burst)) : bursts;
  const gates = new Set(bursts.filter(({ kind }) => kind === 'burst').map(({ gate }) => gate));
  const [gate] = gates.size === 1 && !bursts.some(({ kind }) => kind === 'churn') ? gates : [null];
  return [
    doubts(result, pen),
    outcomesTable(totals, pen),
    isSearch ? [] : phasesTable(totals, preflight, gate, pen),
    chartBlock(result, terminal, pen),
    listed.length > (isSearch ? 0 : 1) ? burstsTable(listed, pen) : [],
    factsBlock(result, pen),
    thresholdsTable(thresholds, pen),
    samplesBlock(totals.samples, totals.outcomes, pen),
    probesBlock(result, pen),
    isSearch ? [] : diagnosisBlock(result.diagnosis, pen),
  ];
}

function isSearched({ plan }: Result, { stage }: Burst): boolean {
  const kind: string | undefined = plan.stages[stage]?.kind;
  return kind === 'find';
}

/** What limits belief comes before the numbers, not after them. */
function doubts(result: Result, pen: Pen): string[] {
  const { validity, preflight } = result;
  const lines: string[] = [];
  if (validity.verdict !== 'valid') {
    // An invalid run's first reason is in the sentence above; a search has another one there, but for its generator's limit.
    const isTold =
      validity.verdict === 'invalid' && (!hasDropOff(result) || result.dropOff.verdict === 'GENERATOR_LIMITED');
    // Each under what it makes of the run by itself: what is merely suspect made nothing invalid.
    for (const { verdict, reason } of weighed(validity).slice(isTold ? 1 : 0)) {
      const [label, paint] = verdict === 'valid' ? ['note', pen.paint.dim] : [verdict, pen.paint.yellow];
      lines.push(...fact(label, safeText(reason), pen, paint));
    }
  }
  if (preflight !== null && Object.keys(preflight.outcomes).some((id) => id !== '101')) {
    const text = preflightOutcomes(preflight.outcomes, preflight.attempted);
    lines.push(...fact('preflight', `${text}: alone, the target did not always give a 101`, pen, pen.paint.yellow));
  }
  return lines;
}

/** `label      text`, wrapped behind the label. */
function fact(label: string, text: string, pen: Pen, paint = pen.paint.dim): string[] {
  const indent = LABEL_WIDTH + 2;
  const lines = wrapAndClip(text, pen.width - indent, pen.glyphs);
  return lines.map((line, i) => (i === 0 ? `  ${paint(label.padEnd(LABEL_WIDTH))}${line}` : ' '.repeat(indent) + line));
}

/**
 * Bursts of one size share a shape and are drawn together. Of several sizes the largest valid one is drawn, or the one
 * that a search came to: added up, their shapes would hide each other.
 */
function chartBlock({ bursts, totals, dropOff }: Result, terminal: Terminal, pen: Pen): string[] {
  const hasOneSize = new Set(bursts.map(({ size }) => size)).size === 1;
  const candidates = bursts.filter(({ validity }) => validity.verdict !== 'invalid');
  const atBound = candidates.findLast(({ size }) => size === (dropOff?.bracket[1] ?? dropOff?.bracket[0]));
  const chosen = atBound ?? (candidates.length > 0 ? candidates : bursts).reduce((a, b) => (b.size > a.size ? b : a));
  const counted: Counted = hasOneSize ? totals : chosen;
  const failures = failedOutcomes(counted.outcomes).flatMap(([id]) => {
    const summary = counted.failureMs[id] ?? null;
    return summary === null || blameOf(id) === 'local' ? [] : [{ id, histogram: LatencyHistogram.decode(summary.hdr) }];
  });
  const { handshake } = counted.latencyMs;
  const ok = handshake === null ? null : LatencyHistogram.decode(handshake.hdr);
  const rows = renderHistogram(ok, failures, {
    width: pen.width,
    rows: CHART_ROWS,
    unicode: terminal.unicode,
    color: terminal.color,
  });
  if (rows.length === 0) return [];
  const of = hasOneSize ? '' : ` in burst ${chosen.index} (${formatCount(chosen.size)})`;
  const what = handshake === null ? 'time to failure' : 'time from release to 101';
  const since = bursts.every(({ kind }) => kind === 'churn') ? what.replace('release', 'start') : what;
  const beside = failures.length > 0 && handshake !== null ? ', failures beside' : '';
  return [`  ${pen.paint.dim(clip(`${since}${of}${beside}`, pen.width - 2, pen.glyphs))}`, ...rows];
}

function factsBlock(result: Result, pen: Pen): string[] {
  const { bursts, totals, validity } = result;
  const lines = [...releaseFact(bursts, pen), ...bursts.flatMap((burst) => paceFact(burst, pen))];
  lines.push(...kernelFact(totals, pen), ...afterFact(bursts, pen), ...floorFact(bursts, pen), ...tlsFact(result, pen));
  if (totals.clamped > 0) {
    const count = formatCount(totals.clamped);
    lines.push(...fact('clamped', `${count} latencies were outside 1 ${pen.glyphs.micro} to 10 min`, pen));
  }
  // Doubts stand above the numbers already.
  if (validity.verdict === 'valid') {
    const notes = validity.reasons.map((reason) => `; ${safeText(reason)}`);
    lines.push(...fact('validity', `valid${notes.join('')}`, pen));
  }
  return lines;
}

function releaseFact(all: readonly Burst[], pen: Pen): string[] {
  const bursts = all.filter(({ release }) => release !== null);
  if (bursts.length === 0) return [];
  const spreads = bursts.map(({ release }) => release?.spreadMs ?? 0);
  if (bursts.length > 1) {
    const least = spokenMs(Math.min(...spreads), pen.glyphs);
    const most = spokenMs(Math.max(...spreads), pen.glyphs);
    return fact('release', `each burst within ${least} to ${most}`, pen);
  }
  const [burst] = bursts;
  const released = burst.generator.launched - burst.generator.failedToArm;
  const first = firstAnswer(burst);
  const answer = first === null ? '' : `; first answer after ${spokenMs(first, pen.glyphs)}`;
  const end = burst.makespanMs === null ? '' : `, last attempt ended after ${spokenMs(burst.makespanMs, pen.glyphs)}`;
  const spread = spokenMs(spreads[0], pen.glyphs);
  return fact('release', `${formatCount(released)} within ${spread} (gate ${burst.gate})${answer}${end}`, pen);
}

/** What had to be sent again; silent when nothing had to. */
function kernelFact({ kernel }: Counted, pen: Pen): string[] {
  if (kernel === null) return [];
  const said = (attempts: number, times: number): string =>
    `${formatCount(attempts)} of ${formatCount(kernel.asked)} attempts (${formatCount(times)} in all)`;
  const syn = kernel.synRetransmitted === 0 ? [] : [said(kernel.synRetransmitted, kernel.synRetransmits)];
  const data = kernel.retransmitted === 0 ? [] : [said(kernel.retransmitted, kernel.retransmits)];
  const parts = [...syn.map((text) => `SYN retransmits: ${text}`), ...data.map((text) => `data retransmits: ${text}`)];
  return parts.length === 0 ? [] : fact('kernel', parts.join('; '), pen);
}

function transportFact({ generators }: Result, pen: Pen): string[] {
  return generators.flatMap(({ transport, transportNote }) =>
    fact('transport', transportNote === null ? transport : `${transport}, ${safeText(transportNote)}`, pen),
  );
}

function afterFact(bursts: readonly Burst[], pen: Pen): string[] {
  const text = afterText(bursts, pen.glyphs);
  return text === null ? [] : fact('after', text, pen);
}

/** ms after the release; null when nothing was answered. */
function firstAnswer(burst: Burst): number | null {
  const answered = Object.entries(burst.failureMs).filter(([id]) => /^\d+$/.test(id) || id === 'invalid-101');
  const summaries = [burst.latencyMs.handshake, ...answered.map(([, summary]) => summary)];
  const times = summaries.filter((summary): summary is Summary => summary !== null).map(({ min }) => min);
  return times.length === 0 ? null : Math.min(...times);
}

const SPARKS = '▁▂▃▄▅▆▇█';
const MOST_SPARKS = 60;
/** Fewer whole seconds make no curve. */
const FEWEST_SPARKS = 8;

/** Churn: handshakes a second over time. */
function paceFact({ kind, rate, perSecond }: Burst, pen: Pen): string[] {
  if (kind !== 'churn' || rate === null) return [];
  const text = `${formatCount(Math.round(rate))} handshakes/s`;
  // The last second is rarely a whole one.
  const whole = (perSecond ?? []).slice(0, -1);
  if (whole.length < 2) return fact('pace', text, pen);
  const least = Math.min(...whole);
  const most = Math.max(...whole);
  const range = `; ${formatCount(least)} to ${formatCount(most)} in a whole second`;
  const per = Math.ceil(whole.length / Math.min(MOST_SPARKS, pen.width - LABEL_WIDTH - 4));
  const groups = Array.from({ length: Math.ceil(whole.length / per) }, (_, i) => whole.slice(i * per, (i + 1) * per));
  const levels = groups.map((group) => group.reduce((sum, n) => sum + n, 0) / group.length);
  const sparks = levels.map((level) => SPARKS[most === 0 ? 0 : Math.round((level / most) * 7)]).join('');
  const isDrawn = whole.length >= FEWEST_SPARKS && pen.glyphs.isUnicode;
  return [...fact('pace', text + range, pen), ...(isDrawn ? fact('', sparks, pen) : [])];
}

/** The calibration of the largest burst: the floor under everything that was measured. */
function floorFact(bursts: readonly Burst[], pen: Pen): string[] {
  const floors = bursts.map(({ calibration }) => calibration).filter((c): c is Calibration => c !== null);
  if (floors.length === 0) return [];
  const { size, handshakeMs, spreadMs, rate, share101 } = floors.reduce((a, b) => (b.size > a.size ? b : a));
  const parts = [
    handshakeMs === null ? null : `p99 ${spokenMs(handshakeMs.p99, pen.glyphs)}`,
    rate === null ? `spread ${spokenMs(spreadMs, pen.glyphs)}` : `${formatCount(Math.round(rate))}/s`,
    share101 < 1 ? `only ${percent(share101, 1)} got a 101` : null,
  ];
  const text = `this generator alone, ${formatCount(size)} against a mirror of its own: `;
  return fact('floor', text + parts.filter((part) => part !== null).join(', '), pen);
}

function tlsFact({ plan, preflight, bursts }: Result, pen: Pen): string[] {
  if (plan.target.scheme !== 'wss') return [];
  const resumed = bursts.reduce((sum, { generator }) => sum + (generator.tlsResumed ?? 0), 0);
  const sessions = plan.target.tls.resume ? `${formatCount(resumed)} sessions resumed` : 'sessions not resumed';
  const negotiated = preflight?.tls ?? null;
  return fact('tls', negotiated === null ? sessions : `${safeText(negotiated)}; ${sessions}`, pen);
}

/** What the target said when it refused, the most frequent refusals first. */
function samplesBlock(samples: Counted['samples'], outcomes: Counted['outcomes'], pen: Pen): string[] {
  const failed = failedOutcomes(outcomes).filter(([id]) => samples[id] !== undefined);
  const shown = failed.slice(0, MOST_SAMPLES);
  const lines = shown.flatMap(([id]) => sampleLines(`first ${id}`, samples[id], pen));
  const rest = failed.length - shown.length;
  return rest > 0
    ? [...lines, `  ${pen.paint.dim(`first samples of ${rest} more outcomes are in the result file`)}`]
    : lines;
}

/** What probes met that the bursts did not. */
function probesBlock({ bursts, totals }: Result, pen: Pen): string[] {
  const samples = samplesOfProbes(bursts, totals.samples).slice(0, MOST_SAMPLES);
  return samples.flatMap(([id, sample]) => sampleLines(`first ${id} of a probe`, sample, pen));
}

/** Every text here came from the target: nothing of it is printed as it is. */
function sampleLines(what: string, sample: Sample, pen: Pen): string[] {
  const body = sample.body === null ? null : sample.body.trim().replace(/\s+/g, ' ');
  const told = sample.headers.filter(([name]) => !DULL_HEADERS.has(name.toLowerCase()));
  const texts = [
    sample.statusLine,
    ...told.slice(0, MOST_HEADERS).map(([name, value]) => `${name}: ${value}`),
    body,
    sample.detail,
  ].filter((text): text is string => text !== null && text !== '');
  const head = `${what}, after ${spokenMs(sample.atMs, pen.glyphs)}`;
  return [
    `  ${pen.paint.red(head)}`,
    ...texts.map((text) => `    ${clip(safeText(text).trim(), pen.width - 4, pen.glyphs)}`),
  ];
}

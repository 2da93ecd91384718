/**
 * The sections behind the first screen: whether the numbers can be believed, each burst, the latencies, what came
 * afterwards. What a kind of load adds is a row of LOAD_PICTURES.
 */
import { openedOf } from '../../../names/outcomes.js';
import { printable } from '../../../plan/printable.js';
import type { LoadKind } from '../../../plan/stages/loads.js';
import { formatCount } from '../../../plan/units.js';
import type { Burst, Calibration, Result } from '../../../result/result.js';
import type { Storm } from '../../../result/storm.js';
import { burstMultiples, MOST_MULTIPLES } from '../../charts/burst-multiples.js';
import { type FloorPair, floorChart } from '../../charts/floor-chart.js';
import { type Markup, markup, NOTHING } from '../../charts/markup.js';
import { percentileChart } from '../../charts/percentile-chart.js';
import { seriesChart } from '../../charts/series-chart.js';
import { burstRows } from '../../words/burst-rows.js';
import { dropOffFacts, dropOffFlags } from '../../words/drop-off-words.js';
import type { Fact } from '../../words/fact.js';
import { hasDropOff } from '../../words/headline.js';
import { judgedAttempts } from '../../words/outcome-words.js';
import { phaseTable } from '../../words/phase-table.js';
import { doubtsOf, oneGate, runFacts } from '../../words/run-facts.js';
import { probeSamplesOf, samplesOf } from '../../words/sample-words.js';
import { hasStorm, stormFacts, stormTable } from '../../words/storm/storm-words.js';
import {
  burstSheet,
  floorSheet,
  ladderSheet,
  percentileSheet,
  phaseSheet,
  seriesSheet,
  stormSheet,
} from '../../words/written/sheets.js';
import { facts, figure, frameOf, type PageContext, paragraph, section, table, verbatim } from './parts.js';

/** Facts that say how well it was measured, and those about the time after a burst; the others are about the load. */
const OF_MEASURING = new Set(['release', 'kernel', 'floor', 'tls', 'clamped', 'validity']);
const OF_AFTERWARDS = new Set(['after']);

const VERDICTS = {
  valid: 'The run is valid: this generator was not the limit.',
  suspect: 'The run is suspect: the numbers stand, with these doubts.',
  invalid:
    'The run is invalid: this generator, and not the target, made the numbers. They say nothing about the target.',
} as const;

export function believeSection(context: PageContext): Markup {
  const { result } = context;
  const of = runFacts(result).filter(({ label }) => OF_MEASURING.has(label));
  return section(context, 'believe', 'Can it be believed?', [
    paragraph(VERDICTS[result.validity.verdict], result.validity.verdict),
    facts([...doubtsOf(result), ...of]),
    floorFigure(context),
  ]);
}

function floorFigure(context: PageContext): Markup {
  const burst = context.result.bursts
    .filter(({ calibration }) => calibration !== null)
    .reduce<Burst | null>((a, b) => (a === null || b.size > a.size ? b : a), null);
  const { calibration = null } = burst ?? {};
  if (burst === null || calibration === null) return NOTHING;
  const pairs = floorPairs(burst, calibration);
  const says = `The same ${formatCount(calibration.size)} handshakes against a local test server: what this generator adds itself. It is subtracted from nothing.`;
  const picture = floorChart(pairs, frameOf(context, 'floor', 'Measured, and this generator alone', says));
  return figure(picture, floorSheet(pairs));
}

function floorPairs(
  { latencyMs: { handshake }, release }: Burst,
  { handshakeMs, spreadMs, rate }: Calibration,
): FloorPair[] {
  const spread =
    release === null || rate !== null
      ? []
      : [{ name: 'spread of starts', measuredMs: release.spreadMs, aloneMs: spreadMs }];
  if (handshake === null || handshakeMs === null) return spread;
  return [
    { name: 'p50(handshake)', measuredMs: handshake.p50, aloneMs: handshakeMs.p50 },
    { name: 'p99(handshake)', measuredMs: handshake.p99, aloneMs: handshakeMs.p99 },
    ...spread,
  ];
}

/** Of a search its ladder and its answer; else every burst, also with what its kind of load shows. */
export function burstsSection(context: PageContext): Markup {
  const { result } = context;
  const { bursts } = result;
  const rest = runFacts(result).filter(({ label }) => !OF_MEASURING.has(label) && !OF_AFTERWARDS.has(label));
  const says = 'One small histogram a burst, times from its release on, all on one axis; failures below the line.';
  const multiples = burstMultiples(bursts, frameOf(context, 'multiples', 'Each burst', says));
  const hidden = bursts.length - MOST_MULTIPLES;
  const kinds = bursts.flatMap((burst) => LOAD_PICTURES[burst.kind](burst, context));
  const parts = [
    ...(hasDropOff(result) ? searchParts(result) : []),
    ...(hasStorm(result) ? stormParts(result.storm, context) : []),
    facts(rest),
    ...kinds,
    bursts.length > 1 ? figure(multiples, null) : NOTHING,
    hidden > 0
      ? paragraph(`The first ${MOST_MULTIPLES} of ${formatCount(bursts.length)} bursts are drawn.`, 'note')
      : NOTHING,
    bursts.length > 1 ? table(burstSheet(burstRows(bursts)), 'bursts') : NOTHING,
  ];
  return section(context, 'bursts', hasDropOff(result) ? 'The search, burst by burst' : 'Bursts', parts);
}

function searchParts({ dropOff }: Result & { readonly dropOff: NonNullable<Result['dropOff']> }): Markup[] {
  const answer: readonly Fact[] = [...dropOffFlags(dropOff), ...dropOffFacts(dropOff)];
  return [facts(answer), table(ladderSheet(dropOff), 'loads that were tried')];
}

/** What a kind of load has to show beside outcomes and times. */
const LOAD_PICTURES: Readonly<Record<LoadKind, (burst: Burst, context: PageContext) => Markup[]>> = {
  burst: () => [],
  churn: (burst, context) => [paceFigure(burst, context)],
  arrive: (burst, context) => (burst.perSecond === null ? [] : [paceFigure(burst, context)]),
  storm: () => [],
};

/** Both series of each storm, and the policies side by side. */
function stormParts(storms: readonly Storm[], context: PageContext): Markup[] {
  return [
    storms.length > 1 ? table(stormSheet(stormTable(storms)), 'policies') : NOTHING,
    ...storms.flatMap((storm, i) => [
      facts(stormFacts([storm])),
      ...(['attempts', 'opens'] as const).map((series) => {
        const title = `${printable(storm.policy)}: ${series} a second`;
        const says =
          series === 'attempts' ? 'Handshakes started in each second after the drop.' : '101s in each second.';
        const values = storm.perSecond[series];
        return figure(seriesChart(values, frameOf(context, `storm-${i}-${series}`, title, says)), seriesSheet(values));
      }),
    ]),
  ];
}

function paceFigure({ perSecond, index }: Burst, context: PageContext): Markup {
  const title = 'Handshakes a second';
  const says = '101s in each second; the last second is rarely whole.';
  const values = perSecond ?? [];
  return figure(seriesChart(values, frameOf(context, `pace-${index}`, title, says)), seriesSheet(values));
}

export function latencySection(context: PageContext): Markup {
  const { result } = context;
  // The latencies of very different loads form no distribution.
  if (hasDropOff(result) || new Set(result.bursts.map(({ size }) => size)).size !== 1) return NOTHING;
  const { totals, preflight, bursts } = result;
  const { handshake } = totals.latencyMs;
  const phases = table(phaseSheet(phaseTable(totals, preflight, oneGate(result))), 'latencies by phase');
  if (handshake === null) return section(context, 'latency', 'Latency', [phases]);
  const floor = bursts.find(({ calibration }) => calibration !== null)?.calibration?.handshakeMs ?? null;
  const lower = totals.latencyLowerMs?.handshake ?? null;
  const judged = judgedAttempts(totals);
  const says = `Share of all ${formatCount(judged)} handshakes that had their 101 within a time (${formatCount(openedOf(totals.outcomes))} got one); the curve ends where the data end.`;
  const frame = frameOf(context, 'percentiles', 'Percentiles of the handshake', says);
  return section(context, 'latency', 'Latency', [
    phases,
    figure(percentileChart({ handshake, lower, floor, judged }, frame), percentileSheet(handshake, lower, floor)),
  ]);
}

export function afterwardsSection(context: PageContext): Markup {
  const { result } = context;
  const samples = [samplesOf(result.totals), probeSamplesOf(result)];
  return section(context, 'afterwards', 'Afterwards, and the first answers of failures', [
    facts(runFacts(result).filter(({ label }) => OF_AFTERWARDS.has(label))),
    ...samples.flatMap(({ shown, more }) => [
      ...shown.map(({ title, lines }) => markup`<p><strong>${title}</strong></p>${verbatim(lines.join('\n'))}`),
      more === null ? NOTHING : paragraph(more, 'note'),
    ]),
  ]);
}

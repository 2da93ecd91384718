/**
 * The content and order of a run's report, as data: one sentence first, then its evidence. Every renderer (terminal,
 * HTML) uses the same sections and only draws them. A section may be empty; a renderer leaves it out.
 */
import { isSearchAt } from '../../plan/stages/kinds.js';
import type { DropOff } from '../../result/drop-off.js';
import type { Burst, Result } from '../../result/result.js';
import { type BurstRows, burstRows } from './burst-rows.js';
import { type CauseWords, causeWords } from './cause-words.js';
import { checkContext } from './check-words.js';
import { dropOffFacts, dropOffFlags } from './drop-off-words.js';
import type { Fact } from './fact.js';
import { contextOf, type Headline, hasDropOff } from './headline.js';
import { type LatencyShape, latencyShape } from './latency-shape.js';
import { type OutcomeRow, outcomeRows } from './outcome-words.js';
import { type PhaseTable, phaseTable } from './phase-table.js';
import { doubtsOf, oneGate, reasonsForNothing, runFacts, transportFacts } from './run-facts.js';
import { type FirstSamples, probeSamplesOf, samplesOf } from './sample-words.js';
import { hasStorm, type StormTable, stormFacts, stormTable } from './storm/storm-words.js';
import { type ThresholdRow, thresholdRows } from './threshold-rows.js';
import { titleOf } from './title.js';

export type Section =
  | { readonly is: 'headline'; readonly headline: Headline; readonly context: readonly string[] }
  | { readonly is: 'facts'; readonly facts: readonly Fact[] }
  | { readonly is: 'search-picture'; readonly dropOff: DropOff }
  | { readonly is: 'ladder'; readonly dropOff: DropOff }
  /** The policies of several storms side by side. */
  | { readonly is: 'storms'; readonly table: StormTable }
  | { readonly is: 'outcomes'; readonly rows: readonly OutcomeRow[] }
  | { readonly is: 'phases'; readonly table: PhaseTable }
  | { readonly is: 'latencies'; readonly shape: LatencyShape }
  | { readonly is: 'bursts'; readonly bursts: BurstRows }
  | { readonly is: 'thresholds'; readonly rows: readonly ThresholdRow[] }
  /** A sentence at the end. */
  | { readonly is: 'remark'; readonly text: string }
  | { readonly is: 'samples'; readonly samples: FirstSamples }
  | { readonly is: 'causes'; readonly causes: readonly CauseWords[] };

/** `verbose`: also which transport was used. */
export function sectionsOf(result: Result, { verbose }: { readonly verbose: boolean }): Section[] {
  // The steps of a check are no sections: a renderer that shows them takes them from check-words.ts.
  if (result.check !== null) return [headlineSection(result), causesSection(result)];
  const isSearch = hasDropOff(result);
  const sections: Section[] = [headlineSection(result)];
  if (isSearch) sections.push(...searchSections(result, result.dropOff));
  if (result.bursts.length > 0) sections.push(...measuredSections(result));
  else if (!isSearch) sections.push(...nothingSections(result));
  if (verbose) sections.push({ is: 'facts', facts: transportFacts(result) });
  return sections;
}

function headlineSection(result: Result): Section {
  const isMeasured = result.bursts.length > 0 || hasDropOff(result);
  const context = result.check !== null ? checkContext(result) : isMeasured ? contextOf(result) : [];
  return { is: 'headline', headline: titleOf(result), context };
}

/** The answer of a search and its evidence, followed by the sum of its bursts. */
function searchSections(result: Result, dropOff: DropOff): Section[] {
  return [
    { is: 'facts', facts: dropOffFlags(dropOff) },
    { is: 'search-picture', dropOff },
    { is: 'ladder', dropOff },
    { is: 'facts', facts: dropOffFacts(dropOff) },
    causesSection(result),
  ];
}

function measuredSections(result: Result): Section[] {
  const { totals, thresholds, preflight } = result;
  const isSearch = hasDropOff(result);
  const bursts = listedBursts(result);
  return [
    // Doubts come before the numbers, not after them.
    { is: 'facts', facts: doubtsOf(result) },
    ...stormSections(result),
    { is: 'outcomes', rows: outcomeRows(totals) },
    // The latencies of very different loads do not form one distribution.
    ...(isSearch ? [] : [{ is: 'phases', table: phaseTable(totals, preflight, oneGate(result)) } as const]),
    { is: 'latencies', shape: latencyShape(result) },
    ...(bursts.length === 0 ? [] : [{ is: 'bursts', bursts: burstRows(bursts) } as const]),
    { is: 'facts', facts: runFacts(result) },
    { is: 'thresholds', rows: thresholdRows(thresholds) },
    { is: 'samples', samples: samplesOf(totals) },
    { is: 'samples', samples: probeSamplesOf(result) },
    ...(isSearch ? [] : [causesSection(result)]),
    ...(isJudged(result) ? [] : [{ is: 'remark', text: NOT_JUDGED } as const]),
  ];
}

function stormSections(result: Result): Section[] {
  if (!hasStorm(result)) return [];
  const { storm } = result;
  const facts: Section = { is: 'facts', facts: stormFacts(storm) };
  return storm.length === 1 ? [facts] : [{ is: 'storms', table: stormTable(storm) }, facts];
}

const NOT_JUDGED = 'no threshold was given: nothing was judged';

/** Whether the user's thresholds, or a search's objectives, judge the run. */
function isJudged(result: Result): boolean {
  return result.thresholds.length > 0 || hasDropOff(result);
}

function nothingSections(result: Result): Section[] {
  const { preflight } = result;
  return [
    { is: 'facts', facts: reasonsForNothing(result) },
    ...(preflight === null ? [] : [{ is: 'samples', samples: samplesOf(preflight) } as const]),
    causesSection(result),
  ];
}

function causesSection({ diagnosis }: Result): Section {
  return { is: 'causes', causes: diagnosis.map(causeWords) };
}

/** The bursts that get a row: not a single burst, and not those of a search, which are in its ladder. */
function listedBursts(result: Result): readonly Burst[] {
  const { bursts, plan } = result;
  if (!hasDropOff(result)) return bursts.length > 1 ? bursts : [];
  return bursts.filter(({ stage }) => !isSearchAt(plan.stages, stage));
}

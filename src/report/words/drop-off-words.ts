/**
 * A drop-off in words: the one-sentence answer of a search, what a reader must know beside it, and the evidence as
 * facts: bracket, estimate, interval, survivors, failures, knee, cost. "k of n bursts" was observed, the interval is
 * inferred from it; the words keep the two apart. A limit of the generator is never called a limit of the target.
 */
import { isOpen, openedOf } from '../../names/outcomes.js';
import { printable } from '../../plan/printable.js';
import { formatCount } from '../../plan/units.js';
import type { DropOff, Knee, Rung, SearchFlagId } from '../../result/drop-off.js';
import { bare, type Fact } from './fact.js';
import { LOAD_WORDS } from './load-words.js';
import { percent, spokenSpan } from './numbers.js';
import { countText, type FailureKind } from './outcome-words.js';

/** `stopped`: why the run ended early. One or more sentences, ending with a full stop. */
export function dropOffSentence(dropOff: DropOff, stopped: string | null): string {
  const { verdict, because } = dropOff;
  const known = soFar(dropOff);
  switch (verdict) {
    case 'FOUND':
      return found(dropOff);
    case 'AT_LEAST_MAX':
      return atLeastMax(dropOff);
    case 'BELOW_MIN':
      return belowMin(dropOff);
    case 'DID_NOT_RECOVER':
      return didNotRecover(dropOff);
    case 'GENERATOR_LIMITED':
      return generatorLimited(dropOff);
    case 'BUDGET':
      return `The search ended before it was sure: ${printable(because)}. So far ${known}.`;
    case 'INTERRUPTED':
      return `PARTIAL (${bare(printable(stopped ?? because))}): so far ${known}.`;
  }
}

/** A search sends bursts. */
const HANDSHAKES = LOAD_WORDS.burst.handshakes;

function found(dropOff: DropOff): string {
  const { estimate, bracket, survivorsAtHi, quantile } = dropOff;
  const [, hi] = bracket;
  if (estimate === null || hi === null) return `Drop-off found: ${soFar(dropOff)}.`;
  const of = quantile === 0.5 ? '' : ` (for ${whole(quantile)} of the bursts)`;
  const survived = survivorsAtHi === null ? '' : ` At ${formatCount(hi)} about ${formatCount(survivorsAtHi)} survived.`;
  const [low, high] = dropOff.interval95;
  if (low === null || low === 0 || high === null) {
    return `Drop-off at ~${formatCount(estimate)} ${HANDSHAKES}${of}: ${soFar(dropOff)}.${survived}`;
  }
  // The lower end is what a plan may rest on; the estimate fails half of the time.
  const plan = `Plan for at most ${formatCount(low)} ${HANDSHAKES}${of}`;
  return `${plan}; the drop-off is near ${formatCount(estimate)} (95%: ${spanText(low, high)}): ${decided(dropOff)}.${survived}`;
}

function atLeastMax(dropOff: DropOff): string {
  const [lo] = dropOff.bracket;
  const size = lo ?? dropOff.asked.max;
  const bursts = lo === null ? '' : `: ${metIn(dropOff, lo)}`;
  return `No drop-off up to ${formatCount(size)} ${HANDSHAKES}${bursts}. The limit is above what was asked.`;
}

function belowMin(dropOff: DropOff): string {
  const { asked, cost } = dropOff;
  const size = dropOff.bracket[1] ?? asked.min;
  const rung = rungAt(dropOff, size);
  const lost = rung?.share ?? 1;
  const failed = lost < 1 ? `, ${percent(1 - lost, 1)} of its handshakes failed` : '';
  const { canaryFailures, canaryHandshakes } = cost;
  const alone = `; one by one, ${formatCount(canaryFailures)} of ${formatCount(canaryHandshakes)} failed`;
  const met = `${goal(dropOff)} was met in ${bursts(rung)}`;
  return `Already broken at ${formatCount(size)} ${HANDSHAKES}: ${met}${failed}${alone}. Check the target and the objective before its capacity.`;
}

function didNotRecover(dropOff: DropOff): string {
  const { unrecovered, bracket, cost } = dropOff;
  const [lo, hi] = bracket;
  const within = unrecovered === null ? '' : ` within ${spokenSpan(unrecovered.waitedMs)}`;
  const load = unrecovered?.load ?? null;
  const again =
    load === null
      ? `did not answer single handshakes as before${within} (${formatCount(cost.canaryFailures)} of the search’s ${formatCount(cost.canaryHandshakes)} failed)`
      : `did not serve ${formatCount(load)} again${within}`;
  if (hi !== null) {
    return `Broke at ${formatCount(hi)} ${HANDSHAKES} and ${again}: ${load === null ? 'it has died, or is metastable' : 'metastable'}; the search stopped to avoid more damage.`;
  }
  const after = lo === null ? 'Before any load was good' : `After ${formatCount(lo)} ${HANDSHAKES}, which it met,`;
  return `${after} the target ${again}, although nothing had broken it; the search stopped to avoid damage.`;
}

function generatorLimited(dropOff: DropOff): string {
  const { limit, because, bracket } = dropOff;
  const [lo, hi] = bracket;
  const reason = bare(printable(limit?.reason ?? because));
  const most = limit?.most ?? null;
  const start =
    most === null
      ? `This generator could send nothing of what was asked (${reason})`
      : `This generator can release at most ${formatCount(most)} ${HANDSHAKES} (${reason})`;
  if (hi !== null)
    return `${start}; ${lo === null ? '' : `the target held ${formatCount(lo)} and `}${hi === null ? '' : `failed at ${formatCount(hi)}, and`} what lies between can't be told from here.`;
  return lo === null
    ? `${start}; this says nothing about the target.`
    : `${start}; the target was fine up to ${formatCount(lo)}.`;
}

/** `2,928 met 99.9% in 3 of 3 bursts, 3,074 in 0 of 3 (95% interval 2,784–3,267)`. */
function soFar(dropOff: DropOff): string {
  const [lo, hi] = dropOff.bracket;
  const [low, high] = dropOff.interval95;
  const hasBoth = lo !== null && hi !== null && low !== null && high !== null;
  return `${decided(dropOff)}${hasBoth ? ` (95% interval ${spanText(low, high)})` : ''}`;
}

/** `2,928 met 99.9% in 3 of 3 bursts, 3,074 in 0 of 3`. */
function decided(dropOff: DropOff): string {
  const { bracket, objective, asked } = dropOff;
  const [lo, hi] = bracket;
  if (lo === null && hi === null) return 'no load is decided';
  if (hi === null) return `${metIn(dropOff, lo ?? 0)}, and nothing broke`;
  const isNamed = objective !== null && (asked.objectives.length > 1 || !asked.objectives.includes(objective));
  const missed = isNamed ? `, missing ${printable(objective ?? '')}` : '';
  if (lo === null) return `${metIn(dropOff, hi)}${missed}, and nothing held`;
  return `${metIn(dropOff, lo)}, ${formatCount(hi)} in ${kOfN(rungAt(dropOff, hi))}${missed}`;
}

function metIn(dropOff: DropOff, size: number): string {
  return `${formatCount(size)} met ${goal(dropOff)} in ${bursts(rungAt(dropOff, size))}`;
}

/** The default objective is named by its share of 101s. */
function goal({ asked: { objectives } }: DropOff): string {
  if (objectives.length !== 1)
    return objectives.length === 2 ? 'both objectives' : `all ${objectives.length} objectives`;
  return printable(objectives[0]).replace(/^share\(101\) >= /, '');
}

function rungAt({ ladder }: DropOff, size: number): Rung | null {
  return ladder.find((rung) => rung.size === size) ?? null;
}

/** A marginal burst counts among the n. */
function kOfN(rung: Rung | null): string {
  return rung === null ? '0 of 0' : `${rung.good} of ${rung.good + rung.bad + rung.marginal}`;
}

function bursts(rung: Rung | null): string {
  const counted = kOfN(rung);
  return `${counted} ${counted.endsWith(' 1') ? 'burst' : 'bursts'}`;
}

function spanText(low: number, high: number): string {
  return `${formatCount(low)}–${formatCount(high)}`;
}

/** `84%`; never rounded up to 100%. */
function whole(share: number): string {
  const percents = Math.round(100 * share);
  return percents === 100 && share < 1 ? '>99%' : `${percents}%`;
}

const FLAG_LABELS: Readonly<Record<SearchFlagId, string>> = {
  HYSTERESIS: 'hysteresis',
  HYSTERESIS_SUSPECTED: 'suspected',
  TIRED: 'tired',
  DRIFT: 'drift',
  BIMODAL: 'two modes',
  FLOOR: 'floor',
  PACED: 'paced',
  GENERATOR_LIMITED: 'generator',
  INVERSION: 'inversion',
};

/** Facts that limit or change the meaning of the number. They come before the evidence. */
export function dropOffFlags({ flags, verdict, afterBreak }: DropOff): Fact[] {
  const told = flags.filter(({ id }) => id !== 'GENERATOR_LIMITED' || verdict !== 'GENERATOR_LIMITED');
  const doubts = told.map(
    ({ id, says }): Fact => ({ label: FLAG_LABELS[id] ?? 'flag', text: printable(says, 600), isDoubt: true }),
  );
  if (afterBreak === null) return doubts;
  const passed = afterBreak === 0 ? 'none of the loads that were tried passed' : `${formatCount(afterBreak)} passed`;
  const text = `Right after a break ${passed}; the numbers are those of a rested target.`;
  return [...doubts, { label: 'broken', text, isDoubt: true }];
}

export function dropOffFacts(dropOff: DropOff): Fact[] {
  const facts: (Fact | null)[] = [
    { label: 'objective', text: objectiveText(dropOff) },
    estimateFact(dropOff),
    bracketFact(dropOff),
    intervalFact(dropOff),
    survivorsFact(dropOff),
    refusedFact(dropOff),
    ...failureFacts(dropOff),
    dropOff.knee === null ? null : { label: 'knee', text: kneeText(dropOff.knee, dropOff.ladder) },
    { label: 'cost', text: costText(dropOff) },
    dropOff.verdict === 'INTERRUPTED'
      ? { label: 'continue', text: '--resume with the file of this result goes on where it ended' }
      : null,
  ];
  return facts.filter((fact) => fact !== null);
}

function objectiveText({ asked, objective, bracket }: DropOff): string {
  const all = asked.objectives.map((name) => printable(name)).join(' and ');
  const isClear =
    bracket[1] === null || objective === null || (asked.objectives.length === 1 && objective === asked.objectives[0]);
  return isClear ? all : `${all}; the one that broke: ${printable(objective ?? '')}`;
}

function estimateFact({ estimate, quantile }: DropOff): Fact | null {
  if (estimate === null) return null;
  const bursts = quantile === 0.5 ? 'half of the bursts' : `${whole(quantile)} of the bursts`;
  return { label: 'estimate', text: `~${formatCount(estimate)}: of that size ${bursts} would meet the objective` };
}

function bracketFact({ bracket: [lo, hi], confidence }: DropOff): Fact | null {
  const label = 'bracket';
  if (lo !== null && hi !== null) {
    const sure = `the drop-off lies in it with a confidence of ${whole(confidence)}`;
    return { label, text: `${spanText(lo, hi)}: the first was seen to hold, the second to break; ${sure}` };
  }
  if (lo !== null) return { label, text: `${formatCount(lo)} and above: no load was seen to break` };
  return hi === null ? null : { label, text: `below ${formatCount(hi)}: no load was seen to hold` };
}

function intervalFact({ interval95: [low, high], bracket: [, hi] }: DropOff): Fact | null {
  if (low === null || high === null) return null;
  const text = low === 0 ? `below ${formatCount(high)}` : spanText(low, high);
  return hi === null ? null : { label: 'interval', text: `${text}, 95%: what all bursts together leave possible` };
}

function survivorsFact({ bracket: [lo, hi], survivorsAtLo, survivorsAtHi }: DropOff): Fact | null {
  const parts = [
    lo === null || survivorsAtLo === null
      ? null
      : `${formatCount(survivorsAtLo)} of ${formatCount(lo)} at the lower end`,
    hi === null || survivorsAtHi === null
      ? null
      : `${formatCount(survivorsAtHi)} of ${formatCount(hi)} at the upper end`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : { label: 'survivors', text: `${parts.join(', ')} (median burst)` };
}

function refusedFact({ refusedAfterBreakMs }: DropOff): Fact | null {
  if (refusedAfterBreakMs === undefined || refusedAfterBreakMs === null) return null;
  const { median, max } = refusedAfterBreakMs;
  const longest = max > median ? `, at most ${spokenSpan(max)}` : '';
  return {
    label: 'refused',
    text: `after a break single handshakes kept failing for ${spokenSpan(median)} (median)${longest}`,
  };
}

/** Failures at the upper bound, and at the load that was overloaded most. */
function failureFacts({ ladder }: DropOff): Fact[] {
  const broken = ladder.filter((rung) => rung.bad > rung.good && failuresOf(rung).length > 0);
  const worst = [...new Set([broken[0], broken.at(-1)])].filter((rung) => rung !== undefined);
  return worst.map((rung, i) => ({
    label: i === 0 ? 'failures' : '',
    text: `at ${formatCount(rung.size)}: ${failureText(rung)}`,
  }));
}

/**
 * Handshakes without a 101, or that lost it before the burst ended, over the valid bursts of a load; most frequent
 * first.
 */
export function failuresOf({ outcomes, share }: Rung): [FailureKind, number][] {
  const failed = (Object.entries(outcomes) as [FailureKind, number][]).filter(
    ([id, count]) => !isOpen(id) && count > 0,
  );
  const launched = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const lost = share === null ? 0 : openedOf(outcomes) - Math.round(share * launched);
  if (lost > 0) failed.push(['lost', lost]);
  return failed.sort(([, a], [, b]) => b - a);
}

function failureText(rung: Rung): string {
  const bursts = rung.good + rung.bad + rung.marginal;
  const kinds = failuresOf(rung).map(([id, count]) => countText(id, count, ' × '));
  return `${kinds.join(', ')} in ${bursts} burst${bursts === 1 ? '' : 's'}`;
}

export type Standing = 'good' | 'bad' | 'undecided' | 'untold';

/** The verdict on a load from its bursts. */
export function standingOf({ good, bad, marginal }: Rung): Standing {
  if (good + bad + marginal === 0) return 'untold';
  if (good === bad) return 'undecided';
  return good > bad ? 'good' : 'bad';
}

const MODELS = {
  usl: { name: 'the universal scalability law', fits: 'fits worse', shows: 'shows none' },
  'two-segment': { name: 'two straight lines on log axes', fits: 'fit worse', shows: 'show none' },
} as const;

/** A fit says nothing about a peak more than this factor beyond the largest load. */
const PEAK_REACH = 4;

function kneeText({ model, size, misfit, otherMisfit, peak }: Knee, ladder: readonly Rung[]): string {
  const isNear = peak !== null && peak <= PEAK_REACH * (ladder.at(-1)?.size ?? 0);
  const other = MODELS[model === 'usl' ? 'two-segment' : 'usl'];
  const beside =
    otherMisfit === misfit
      ? `${other.name} ${other.shows}`
      : `${other.name} ${other.fits} (${percent(otherMisfit, 1)})`;
  const falls = !isNear ? '' : `; beyond ${formatCount(peak)} the rate itself would fall`;
  const fit = `by ${MODELS[model].name}, off by ${percent(misfit, 1)}; ${beside}`;
  return `~${formatCount(size)}: from there on more at once hardly means more a second (${fit})${falls}; no verdict rests on it`;
}

function costText({ cost }: DropOff): string {
  const { bursts, badBursts, invalidBursts, handshakes, canaries, canaryHandshakes, failedHandshakes, wallMs } = cost;
  const kinds = [`${badBursts} bad`, ...(invalidBursts > 0 ? [`${invalidBursts} invalid`] : [])].join(', ');
  const sent = `${formatCount(handshakes)} handshakes in ${bursts} bursts (${kinds})`;
  const alone = `${formatCount(canaryHandshakes)} one by one in ${canaries} canaries`;
  return `${sent}, ${alone}; ${formatCount(failedHandshakes)} failed; ${spokenSpan(wallMs)}`;
}

/**
 * Compares two sides of saved results: whether they may be compared, which metrics both measured, what each of them did, and
 * the exit code. Reads no files and draws nothing.
 */
import { EXIT, type ExitCode, UserError } from '../errors.js';
import { type ComparedSubject, type FailOn, type FailOnChange, subjectText } from '../plan/expressions/fail-on.js';
import { LOADS } from '../plan/stages/loads.js';
import { comparabilityOf } from './comparable.js';
import type { ComparedMetric, Comparison } from './comparison.js';
import { type DropOffCandidate, dropOffCandidate, dropOffMetric } from './drop-off-metric.js';
import { generatorWarnings } from './generator-noise.js';
import { type Candidate, metricOf } from './metric.js';
import { samplesOf } from './samples.js';
import { type ComparedLoad, type ComparedRun, loadText, matchLoads, sideOf, summaryOf } from './sides.js';
import { stormCandidates } from './storms.js';

/** What an interval may miss. Several named metrics share it, so that together they raise no more false alarms. */
const ALPHA = 0.05;

export interface CompareOptions {
  readonly failOn: readonly FailOn[];
  /** The sides are of two targets on purpose. */
  readonly anyTarget: boolean;
  /** Of this program. */
  readonly version: string;
}

/**
 * @throws UserError for results of `check`, for a --fail-on that no result measured, and for `undecided` without a metric
 */
export function compareSides(
  base: readonly ComparedRun[],
  fresh: readonly ComparedRun[],
  { failOn, anyTarget, version }: CompareOptions,
): Comparison {
  for (const { file, result } of [...base, ...fresh]) {
    if (result.command === 'check') {
      throw new UserError(`${file}: a check is one handshake, so there is nothing to compare`, {
        code: 'compare',
        hint: 'compare results of burst, churn, arrive, storm, run or find',
      });
    }
  }
  const gates = failOn.filter((one) => one.kind === 'change');
  const isStrict = failOn.length > gates.length;
  if (isStrict && gates.length === 0) {
    throw new UserError('--fail-on undecided: no metric is named', {
      code: 'compare',
      hint: "name one too, for example --fail-on 'p99(handshake) +10%'",
    });
  }
  const [early, late] = [base, fresh].map(sideOf);
  const { refused, warnings, same } = comparabilityOf(early.runs, late.runs, anyTarget);
  const { loads, odd } = matchLoads(early.runs, late.runs);
  const judged = loads.filter((load) => sidesWithout(load).length === 0);
  const search = dropOffCandidate(early.runs, late.runs, gates);
  const storms = stormCandidates(early.runs, late.runs, gates);
  const allRefused = [
    ...emptySides(base, fresh, early.runs, late.runs),
    ...refused,
    ...odd,
    ...loads.flatMap((load) => sidesWithout(load).map((side) => `no ${loadText(load.name)} of ${side} is valid`)),
    ...search.refused,
    ...storms.refused,
  ];
  const candidates = [...storms.candidates, ...judged.flatMap((load) => candidatesOf(load, gates))];
  if (allRefused.length === 0) refuseUnmeasured(gates, candidates, search.candidate);
  const metrics = metricsOf(candidates, search.candidate);
  const exit = exitOf({ metrics, isRefused: allRefused.length > 0, isGated: gates.length > 0, isStrict });
  return {
    schemaVersion: 1,
    document: 'comparison',
    tool: { name: 'wstampede', version },
    command: commandOf([...early.runs, ...late.runs]),
    base: summaryOf(base, early),
    new: summaryOf(fresh, late),
    refused: allRefused,
    warnings: [...warnings, ...judged.flatMap(generatorWarnings), ...search.warnings],
    same,
    metrics,
    failOn: failOn.map((one) => (one.kind === 'change' ? one.expression : one.kind)),
    ...exit,
  };
}

function commandOf(runs: readonly ComparedRun[]): string | null {
  const commands = new Set(runs.map(({ result }) => result.command));
  return commands.size === 1 ? [...commands][0] : null;
}

function emptySides(...[base, fresh, early, late]: readonly (readonly ComparedRun[])[]): string[] {
  const text = (side: string, all: readonly ComparedRun[], left: readonly ComparedRun[]) =>
    left.length > 0 ? [] : [`no result of ${side} has ended (${all.map(({ file }) => file).join(', ')})`];
  return [...text('base', base, early), ...text('new', fresh, late)];
}

function sidesWithout({ base, new: fresh }: ComparedLoad): string[] {
  const isEmpty = (side: ComparedLoad['base']) => side.every(({ bursts }) => bursts.length === 0);
  return [...(isEmpty(base) ? ['base'] : []), ...(isEmpty(fresh) ? ['new'] : [])];
}

const USUAL: readonly ComparedSubject[] = [
  { kind: 'share', of: '101' },
  { kind: 'latency', stat: 'p50', phase: 'handshake' },
  { kind: 'latency', stat: 'p99', phase: 'handshake' },
];

/** The named metrics and the usual ones, as far as both sides measured them. */
function candidatesOf(load: ComparedLoad, gates: readonly FailOnChange[]): Candidate[] {
  const isNamed = (subject: ComparedSubject) =>
    gates.some((gate) => subjectText(gate.subject) === subjectText(subject));
  const usual: ComparedSubject[] = [
    ...USUAL,
    ...(LOADS[load.name.kind].hasRate ? [{ kind: 'rate' } as const] : []),
    { kind: 'recovery' },
  ];
  const asked = [
    ...gates.map((gate) => ({ subject: gate.subject, gate })),
    ...usual.filter((subject) => !isNamed(subject)).map((subject) => ({ subject, gate: null })),
  ];
  return asked.flatMap(({ subject, gate }) => {
    const samples = samplesOf(subject, load);
    return samples === null ? [] : [{ subject, gate, load, samples }];
  });
}

/** A gate that judges nothing must not be green. */
function refuseUnmeasured(
  gates: readonly FailOnChange[],
  candidates: readonly Candidate[],
  search: DropOffCandidate | null,
): void {
  const found = new Set([...candidates.map(({ gate }) => gate), search?.gate ?? null]);
  const missing = gates.find((gate) => !found.has(gate));
  if (missing === undefined) return;
  throw new UserError(`--fail-on ${missing.expression}: the results of both sides do not hold it`, {
    code: 'compare',
    hint: HOW_MEASURED[missing.subject.kind],
  });
}

const HOW_MEASURED: Readonly<Record<ComparedSubject['kind'], string>> = {
  latency: 'a phase is timed where it takes place: tls over wss://, message and ready with --session',
  share: 'results of bursts and of churn hold shares; closes are counted with --hold, ready with --session',
  rate: 'a churn has a rate',
  recovery: 'measure it with --after 15s',
  dropOff: 'find measures it',
  storm: 'storm measures it',
};

function metricsOf(candidates: readonly Candidate[], search: DropOffCandidate | null): ComparedMetric[] {
  const named = [...candidates, ...(search === null ? [] : [search])].filter(({ gate }) => gate !== null).length;
  const alphaOf = (gate: FailOnChange | null) => (gate === null ? ALPHA : ALPHA / named);
  return [
    ...(search === null ? [] : [dropOffMetric(search, alphaOf(search.gate))]),
    ...candidates.map((candidate) => metricOf(candidate, alphaOf(candidate.gate))),
  ];
}

interface Judgement {
  readonly metrics: readonly ComparedMetric[];
  readonly isRefused: boolean;
  readonly isGated: boolean;
  /** What is undecided fails too. */
  readonly isStrict: boolean;
}

/** Without a named metric it is a look, which fails nothing. */
function exitOf({ metrics, isRefused, isGated, isStrict }: Judgement): Pick<Comparison, 'verdict' | 'exitCode'> {
  const verdicts = metrics.filter(({ gate }) => !isGated || gate !== null).map(({ verdict }) => verdict);
  const isUnjudged = isGated ? verdicts.includes('not judged') : verdicts.every((one) => one === 'not judged');
  const worst = (['worse', 'undecided', 'no worse', 'better'] as const).find((one) => verdicts.includes(one));
  const verdict = isRefused || isUnjudged || worst === undefined ? 'not comparable' : worst;
  return { verdict, exitCode: isGated ? codeOf(verdict, isStrict) : EXIT.ok };
}

function codeOf(verdict: Comparison['verdict'], isStrict: boolean): ExitCode {
  if (verdict === 'not comparable') return EXIT.invalid;
  const isMissed = verdict === 'worse' || (isStrict && verdict === 'undecided');
  return isMissed ? EXIT.missed : EXIT.ok;
}

/**
 * Storms between two sides: how long until the clients were back, how many are, how hard they tried. A storm is one long load
 * whose clients meet each other, so the unit is the run. Clients that never came back count as without an end.
 */
import type { ComparedStorm, FailOnChange } from '../plan/expressions/fail-on.js';
import { subjectText } from '../plan/expressions/fail-on.js';
import type { Storm } from '../result/storm.js';
import type { LoadName } from './comparison.js';
import type { Candidate } from './metric.js';
import { scatterOf } from './samples.js';
import { type ComparedRun, loadText } from './sides.js';

interface StormOfRun {
  readonly name: LoadName;
  readonly storm: Storm;
}

interface ComparedStorms {
  readonly candidates: readonly Candidate[];
  readonly refused: readonly string[];
}

const USUAL: readonly ComparedStorm[] = [
  { kind: 'storm', stat: 'p95', of: 'back' },
  { kind: 'storm', stat: 'share', of: 'back' },
];

/** The named metrics and the usual ones of every storm that both sides made. */
export function stormCandidates(
  base: readonly ComparedRun[],
  fresh: readonly ComparedRun[],
  gates: readonly FailOnChange[],
): ComparedStorms {
  const sides = [base, fresh].map((runs) => runs.map(({ file, result }) => ({ file, storms: stormsOf(result.storm) })));
  const names = new Map(sides.flat().flatMap(({ storms }) => storms.map(({ name }) => [keyOf(name), name] as const)));
  const candidates: Candidate[] = [];
  const refused: string[] = [];
  for (const [key, name] of names) {
    const [early, late] = sides.map((runs) =>
      runs.flatMap(({ storms }) =>
        storms.filter((one) => keyOf(one.name) === key && one.storm.validity.verdict !== 'invalid'),
      ),
    );
    const lacking = sides.flat().filter(({ storms }) => !storms.some((one) => keyOf(one.name) === key));
    if (lacking.length > 0) refused.push(`${lacking.map(({ file }) => file).join(' and ')} made no ${loadText(name)}`);
    else if (early.length === 0 || late.length === 0) {
      refused.push(`no ${loadText(name)} of ${early.length === 0 ? 'base' : 'new'} is valid`);
    } else candidates.push(...metricsOf(name, early, late, gates));
  }
  return { candidates, refused };
}

function keyOf(name: LoadName): string {
  return JSON.stringify(name);
}

function stormsOf(storms: readonly Storm[] | null): StormOfRun[] {
  const made = new Map<string, number>();
  return (storms ?? []).map((storm) => {
    const { clients, policy } = storm;
    const like = `${clients} ${policy}`;
    const order = made.get(like) ?? 0;
    made.set(like, order + 1);
    return { name: { kind: 'storm', size: clients, gate: policy, order }, storm };
  });
}

function metricsOf(
  name: LoadName,
  early: readonly StormOfRun[],
  late: readonly StormOfRun[],
  gates: readonly FailOnChange[],
): Candidate[] {
  const named = gates.flatMap((gate) => (gate.subject.kind === 'storm' ? [{ subject: gate.subject, gate }] : []));
  const isNamed = (subject: ComparedStorm) => named.some((one) => subjectText(one.subject) === subjectText(subject));
  const usual = USUAL.filter((subject) => !isNamed(subject)).map((subject) => ({ subject, gate: null }));
  return [...named, ...usual].map(({ subject, gate }) => {
    const [base, fresh] = [early, late].map((side) =>
      side.map(({ storm }) => {
        const value = stormValue(subject, storm);
        return { upper: value, lower: value };
      }),
    );
    const scatter = scatterOf(subject, [base, fresh]);
    return {
      subject,
      gate,
      load: { name, base: [], new: [] },
      samples: { of: 'run', base, new: fresh, scatter, scatterInRun: null },
    };
  });
}

/** A time of 0 has no logarithm: below a microsecond nothing was measured. */
const LEAST_MS = 0.001;

function stormValue({ stat, of }: ComparedStorm, storm: Storm): number {
  switch (stat) {
    case 'p50':
      return timeOf(storm.t50Ms);
    case 'p95':
      return timeOf(storm.t95Ms);
    case 'p99':
      return timeOf(storm.t99Ms);
    case 'max':
      return timeOf(storm.t100Ms);
    case 'share': {
      const back = (storm.backMs?.count ?? 0) / Math.max(1, storm.dropped);
      return of === 'back' ? back : 1 - back;
    }
    case 'peak':
      return storm.peakPerSecond;
  }
}

function timeOf(ms: number | null): number {
  return ms === null ? Number.POSITIVE_INFINITY : Math.max(LEAST_MS, ms);
}

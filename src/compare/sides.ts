/**
 * The two sides as loads that correspond: bursts of one kind, size and gate, from the same place in the plan, run by run.
 * Owns what counts as the same load and what is left out of a side; knows no metric.
 */
import type { LoadKind } from '../plan/stages/loads.js';
import { formatCount } from '../plan/units.js';
import type { Burst, Result } from '../result/result.js';
import type { ComparedSide, LeftOut, LoadName } from './comparison.js';

/** A result with the name of its file. */
export interface ComparedRun {
  readonly file: string;
  readonly result: Result;
}

/** The bursts of one load in one run. */
interface RunBursts {
  readonly file: string;
  readonly bursts: readonly Burst[];
}

export interface SidesOfLoad {
  readonly name: LoadName;
  readonly base: readonly RunBursts[];
  readonly new: readonly RunBursts[];
}

/** A load of bursts. */
export interface ComparedLoad extends SidesOfLoad {
  readonly name: LoadName & { readonly kind: LoadKind };
}

/** The results of one side that can be compared, and what can't. */
export interface SideRuns {
  readonly runs: readonly ComparedRun[];
  readonly leftOut: readonly LeftOut[];
}

/** A run that never ended is left out: nobody knows what it would have become. So are invalid bursts. */
export function sideOf(all: readonly ComparedRun[]): SideRuns {
  const runs = all.filter(({ result }) => result.finished !== false);
  const unfinished = all.filter(({ result }) => result.finished === false);
  return {
    runs,
    leftOut: [
      ...unfinished.map(({ file }) => ({ file, burst: null, why: 'this run has not ended' })),
      ...runs.flatMap(({ file, result }) =>
        loadBursts(result)
          .filter(isInvalid)
          .map(({ index, validity }) => ({ file, burst: index, why: validity.reasons[0] ?? 'invalid' })),
      ),
      ...runs.flatMap(({ file, result }) =>
        (result.storm ?? [])
          .filter(({ validity }) => validity.verdict === 'invalid')
          .map(({ policy, validity }) => ({
            file,
            burst: null,
            why: `storm, ${policy}: ${validity.reasons[0] ?? 'invalid'}`,
          })),
      ),
    ],
  };
}

export function summaryOf(all: readonly ComparedRun[], { runs, leftOut }: SideRuns): ComparedSide {
  const bursts = runs.flatMap(({ result }) => loadBursts(result).filter((burst) => !isInvalid(burst)));
  const times = all.map(({ result }) => result);
  return {
    files: all.map(({ file }) => file),
    from: times.map(({ startedAt }) => startedAt).sort()[0] ?? null,
    to:
      times
        .map(({ endedAt }) => endedAt)
        .sort()
        .at(-1) ?? null,
    runs: runs.length,
    bursts: bursts.length,
    leftOut,
  };
}

/** The loads that both sides have, in the order of the first run, and why others have no counterpart. */
export function matchLoads(
  base: readonly ComparedRun[],
  fresh: readonly ComparedRun[],
): { readonly loads: readonly ComparedLoad[]; readonly odd: readonly string[] } {
  const sides = [base, fresh].map((runs) => runs.map(({ file, result }) => ({ file, loads: loadsOf(result) })));
  const names = new Map<string, ComparedLoad['name']>();
  for (const { loads } of sides.flat()) for (const [key, { name }] of loads) if (!names.has(key)) names.set(key, name);
  const odd: string[] = [];
  const loads: ComparedLoad[] = [];
  for (const [key, name] of names) {
    const without = sides.map((runs) => runs.filter(({ loads: own }) => !own.has(key)));
    const missing = [...missingText('base', without[0], sides[0]), ...missingText('new', without[1], sides[1])];
    if (missing.length > 0) odd.push(`${missing.join(' and ')} fired no ${loadText(name)}`);
    else {
      const [early, late] = sides.map((runs) =>
        runs.map(({ file, loads: own }) => ({
          file,
          bursts: (own.get(key)?.bursts ?? []).filter((one) => !isInvalid(one)),
        })),
      );
      loads.push({ name, base: early, new: late });
    }
  }
  return { loads, odd };
}

function missingText(side: string, without: readonly { file: string }[], all: readonly unknown[]): string[] {
  if (without.length === 0) return [];
  return without.length === all.length ? [side] : without.map(({ file }) => file);
}

/** `burst of 2,000 at gate upgrade`; of a storm, whose place of the gate holds the policy, `storm of 5,000, socket.io`. */
export function loadText({ kind, size, gate }: Pick<LoadName, 'kind' | 'size' | 'gate'>): string {
  const how = kind === 'burst' ? ` at gate ${gate}` : kind === 'storm' ? `, ${gate}` : '';
  return `${kind} of ${formatCount(size)}${how}`;
}

function isInvalid({ validity }: Burst): boolean {
  return validity.verdict === 'invalid';
}

/** Those of a search are its own evidence: their sizes follow from its answers. */
function loadBursts({ bursts, plan }: Result): Burst[] {
  return bursts.filter(({ stage }) => plan.stages[stage]?.kind !== 'find');
}

interface NamedLoad {
  readonly name: ComparedLoad['name'];
  readonly bursts: Burst[];
}

function loadsOf(result: Result): Map<string, NamedLoad> {
  const loads = new Map<string, NamedLoad>();
  const stagesOfKind = new Map<string, number[]>();
  for (const burst of loadBursts(result)) {
    const { kind, size, gate, stage } = burst;
    const like = `${kind} ${size} ${gate}`;
    const stages = stagesOfKind.get(like) ?? [];
    if (!stages.includes(stage)) stages.push(stage);
    stagesOfKind.set(like, stages);
    const order = stages.indexOf(stage);
    const key = `${like} ${order}`;
    const load = loads.get(key) ?? { name: { kind, size, gate, order }, bursts: [] };
    load.bursts.push(burst);
    loads.set(key, load);
  }
  return loads;
}

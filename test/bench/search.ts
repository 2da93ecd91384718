/**
 * The search against simulated targets, 100 seeded runs each (300 of `CLOSE`): how far the estimate is off, how often the interval holds
 * the truth, what it cost; beside the goals (docs/method.md, "Goals") and the figures of the reference implementation.
 * Exit code 1 when a goal is missed. `WST_BENCH_PRESET` runs another preset, `WST_BENCH_SEED` other seeds,
 * `WST_BENCH_ONLY` the targets whose names hold that text; nearly all goals are those of the standard preset.
 */

import type { DropOff, SearchFlagId, SearchVerdict } from '#dist/result/drop-off.js';
import { dropOffOf } from '#dist/search/findings/conclusion.js';
import { type Preset, SEARCH_PRESETS, searchOptions } from '#dist/search/search-options.js';
import { Random } from './simulated-random.js';
import { run } from './simulated-search.js';
import { TARGETS } from './simulated-targets.js';

const RUNS = 100;
const MANY_RUNS = 300;
const MAX = 32_768;
/** Of 100 runs of each target. */
const CPU_S = 60;
const SEED = process.env.WST_BENCH_SEED ?? '1';
const PRESET: Preset = SEARCH_PRESETS.find((name) => name === process.env.WST_BENCH_PRESET) ?? 'standard';

type Name = keyof typeof TARGETS;
const WIDE: Name = 'wide logistic, .10';
/**
 * Their figures lie so near to a goal that 100 runs miss it by chance in one seed of four: judged over as many runs as the
 * reference made.
 */
const CLOSE: readonly Name[] = ['logistic, beta-binomial .02', 'two modes, all or 0.3'];
/** Bursts that pass tire them, too. */
const TIRING: readonly Name[] = ['residue, 15–90 s', 'residue, 11–15 s', 'residue, checks too, 11–15 s'];
const STEADY: readonly Name[] = [
  'hard step',
  'capacity drain T/S',
  'hysteretic (35 % for 20–90 s)',
  'metastable collapse',
  'mild hysteresis (80 %)',
  'floor 0.05 %',
  'outliers, 5 % of bursts',
  ...TIRING,
];
const EDGES: Partial<Record<Name, SearchVerdict>> = {
  'fine at max': 'AT_LEAST_MAX',
  'broken at min': 'BELOW_MIN',
  'never recovers': 'DID_NOT_RECOVER',
};
const UNJUDGED: readonly Name[] = ['non-monotone dip'];
/** Not of one capacity: the flag that says so, in this many of 100 runs, with an interval that covers all of it. */
const UNSTEADY: Partial<Record<Name, SearchFlagId>> = {
  'drift down by a quarter': 'DRIFT',
  'two modes, all or 0.3': 'BIMODAL',
};
const UNSTEADY_FLAGS: readonly SearchFlagId[] = ['DRIFT', 'BIMODAL'];
const TOLD = 90;
/** Runs in 100 of any other target with such a flag. */
const FALSELY_TOLD = 5;
/** Per cent of the runs of a tiring target, quick preset. */
const QUICK_COVERAGE = 90;

/**
 * Median and p95 error %, coverage %, mean bursts, handshakes over the truth: of the reference implementation
 * (docs/method.md, "Goals"), 300 runs.
 */
const REFERENCE: Partial<Record<Name, readonly [number, number, number, number, number]>> = {
  'hard step': [0.4, 1.2, 100, 14, 10],
  'collapse to 2 % above C': [0.8, 2.5, 100, 21, 16],
  'capacity drain T/S': [1.2, 3.5, 100, 20, 16],
  'logistic, beta-binomial .02': [2.6, 8.3, 96, 27, 23],
  [WIDE]: [4.0, 13.7, 91, 28, 25],
  'hysteretic (35 % for 20–90 s)': [0.8, 2.4, 99.7, 21, 16],
  'metastable collapse': [0.8, 2.4, 100, 24, 19],
  'mild hysteresis (80 %)': [0.8, 2.8, 100, 25, 19],
  'floor 0.05 %': [0.9, 2.6, 100, 20, 15],
  'floor 0.1 % (= allowance)': [1.1, 6.4, 99, 28, 18],
  'outliers, 5 % of bursts': [1.0, 3.9, 100, 19, 14],
  'p99 crossing (FIFO, 8 % jitter)': [2.4, 7.8, 94, 24, 20],
};

interface Measured {
  readonly error: number;
  readonly isCovered: boolean;
  readonly bursts: number;
  readonly load: number;
  readonly overloads: number;
  readonly wallS: number;
  readonly width: number;
  readonly verdict: SearchVerdict;
  readonly flags: readonly SearchFlagId[];
}

function measure(name: Name, seed: number): Measured {
  const target = TARGETS[name](new Random(`${SEED}/${name}/${seed}`));
  const options = searchOptions({ max: MAX, preset: PRESET, objectives: [target.objective] });
  const { state, handshakes, overloads, nowMs } = run(target, options);
  const dropOff = dropOffOf(state);
  const { truth } = target;
  return {
    ...accuracyOf(dropOff, truth, target.alsoTrue?.() ?? truth),
    flags: dropOff.flags.map(({ id }) => id),
    bursts: dropOff.cost.bursts,
    load: truth === null ? 0 : handshakes / truth,
    overloads,
    wallS: nowMs / 1000,
    verdict: dropOff.verdict,
  };
}

function accuracyOf(
  { estimate, interval95, bracket }: DropOff,
  truth: number | null,
  also: number | null,
): Pick<Measured, 'error' | 'isCovered' | 'width'> {
  if (truth === null || also === null) return { error: 0, isCovered: true, width: Number.NaN };
  const [low, high] = [interval95[0] ?? 0, interval95[1] ?? Number.POSITIVE_INFINITY];
  const guess = estimate ?? bracket[0] ?? 0;
  const isCovered = low * 0.999 <= Math.min(truth, also) && Math.max(truth, also) <= high * 1.001;
  return { error: Math.abs(guess / truth - 1), isCovered, width: high / low - 1 };
}

function at(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = p * (sorted.length - 1);
  const below = Math.floor(place);
  return sorted[below] + (place - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const missed: string[] = [];

function expectThat(holds: boolean, what: string): void {
  if (!holds) missed.push(what);
}

function runsOf(name: Name): number {
  return CLOSE.includes(name) ? MANY_RUNS : RUNS;
}

function hold(name: Name, row: Row): void {
  const runs = runsOf(name);
  const edge = EDGES[name];
  if (edge !== undefined) {
    expectThat(row.verdicts.get(edge) === runs, `${name}: ${edge} in ${row.verdicts.get(edge) ?? 0} of ${runs} runs`);
    return;
  }
  for (const flag of UNSTEADY_FLAGS.filter((one) => one !== UNSTEADY[name])) {
    const falsely = row.flagged.get(flag) ?? 0;
    expectThat((falsely / runs) * 100 <= FALSELY_TOLD, `${name}: ${flag} in ${falsely} of ${runs} runs`);
  }
  const flag = UNSTEADY[name];
  if (flag !== undefined) {
    const isTold = (row.told / runs) * 100 >= TOLD;
    expectThat(isTold, `${name}: ${flag} and an interval that covers in ${row.told} of ${runs} runs`);
    return;
  }
  if (UNJUDGED.includes(name)) return;
  const coverage = name === WIDE ? 85 : STEADY.includes(name) ? 97 : 90;
  expectThat(row.median <= (name === WIDE ? 5 : 3), `${name}: median error ${row.median.toFixed(1)} %`);
  expectThat(row.p95 <= 15, `${name}: p95 error ${row.p95.toFixed(1)} %`);
  expectThat(row.coverage >= coverage, `${name}: coverage ${row.coverage.toFixed(1)} %, goal ${coverage} %`);
  expectThat(row.bursts <= 30, `${name}: ${row.bursts.toFixed(1)} bursts`);
  expectThat(row.load <= 26, `${name}: ${row.load.toFixed(1)} times the drop-off in handshakes`);
  expectThat(row.overloads <= 15, `${name}: ${row.overloads.toFixed(1)} overloads`);
}

interface Row {
  readonly median: number;
  readonly p95: number;
  readonly coverage: number;
  readonly bursts: number;
  readonly load: number;
  readonly overloads: number;
  readonly verdicts: ReadonlyMap<SearchVerdict, number>;
  readonly flagged: ReadonlyMap<SearchFlagId, number>;
  /** Runs with the flag of an unsteady target and an interval that covers it. */
  readonly told: number;
}

function rowOf(name: Name): Row {
  const runs = Array.from({ length: runsOf(name) }, (_, seed) => measure(name, seed));
  const verdicts = new Map<SearchVerdict, number>();
  for (const { verdict } of runs) verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  const flagged = new Map<SearchFlagId, number>();
  for (const { flags } of runs) for (const id of new Set(flags)) flagged.set(id, (flagged.get(id) ?? 0) + 1);
  const of = (key: 'bursts' | 'load' | 'overloads' | 'wallS' | 'width' | 'error') => runs.map((one) => one[key]);
  const row = {
    median: at(of('error'), 0.5) * 100,
    p95: at(of('error'), 0.95) * 100,
    coverage: (runs.filter(({ isCovered }) => isCovered).length / runs.length) * 100,
    bursts: mean(of('bursts')),
    load: mean(of('load')),
    overloads: mean(of('overloads')),
    verdicts,
    flagged,
    told: runs.filter(({ flags, isCovered }) => isCovered && flags.some((id) => id === UNSTEADY[name])).length,
  };
  const reference = REFERENCE[name];
  const ends = [...verdicts, ...flagged].map(([verdict, count]) => `${verdict} ${count}`).join(' ');
  const cells = [
    name.padEnd(32),
    `${row.median.toFixed(1)} / ${row.p95.toFixed(1)}`.padStart(11),
    row.coverage.toFixed(0).padStart(5),
    `${row.bursts.toFixed(1)} (${at(of('bursts'), 0.95).toFixed(0)})`.padStart(10),
    row.load.toFixed(1).padStart(6),
    row.overloads.toFixed(1).padStart(6),
    `${mean(of('wallS')).toFixed(0)}`.padStart(6),
    `${(at(of('width'), 0.5) * 100).toFixed(0)}`.padStart(6),
    (reference === undefined
      ? ''
      : `${reference[0]} / ${reference[1]}  ${reference[2]}  ${reference[3]}  ${reference[4]}`
    ).padStart(26),
  ];
  console.log(`${cells.join(' ')}  ${ends}`);
  return row;
}

console.log(
  `${PRESET}, seed ${SEED}, ${RUNS} runs each, ${MANY_RUNS} of ${CLOSE.join(' and ')}\n${'target'.padEnd(32)} ${'err % 50/95'.padStart(11)} ${'cover'} ${'bursts p95'} ${'x drop'.padStart(6)} ${'over'.padStart(6)} ${'wall s'} ${'width%'} ${'reference: err cover b x'.padStart(26)}  verdicts`,
);
const ONLY = process.env.WST_BENCH_ONLY ?? '';
const names = (Object.keys(TARGETS) as Name[]).filter((one) => one.includes(ONLY));
for (const name of names) {
  const row = rowOf(name);
  if (PRESET === 'standard') hold(name, row);
  else if (PRESET === 'quick' && TIRING.includes(name)) {
    expectThat(row.median <= 3, `${name}: median error ${row.median.toFixed(1)} %`);
    expectThat(row.coverage >= QUICK_COVERAGE, `${name}: coverage ${row.coverage} %, goal ${QUICK_COVERAGE} %`);
  }
}
const { user, system } = process.cpuUsage();
const made = names.reduce((sum, name) => sum + runsOf(name), 0);
const cpuS = ((user + system) / 1e6) * ((names.length * RUNS) / made);
console.log(`${cpuS.toFixed(1)} s of CPU for ${RUNS} runs of each`);
if (PRESET === 'standard') expectThat(cpuS < CPU_S, `${cpuS.toFixed(1)} s of CPU, goal ${CPU_S} s`);
for (const what of missed) console.log(`MISSED ${what}`);
if (missed.length === 0) console.log('all goals met');
process.exitCode = missed.length === 0 ? 0 : 1;

/**
 * `npm run bench:compare`: the error rates of `compare` by simulation. How often it says WORSE when nothing changed (at most
 * 6 % in every cell), and how often it sees a change, beside the figures of an independent simulation (docs/compare.md, "How
 * sure it is"). Exit code 1 when a cell misses. `npm run bench:compare live` fires real pairs at lab targets instead
 * (compare-live.ts).
 */
import { type ComparedSearch, dropOffShift, searchOf } from '#dist/compare/drop-off-change.js';
import type { Result } from '#dist/result/result.js';
import { dropOffOf } from '#dist/search/findings/conclusion.js';
import { type Preset, searchOptions } from '#dist/search/search-options.js';
import { liveCampaign } from './compare-live.js';
import { burstP99, burstShare, edgeP99, ratesOf, runP99, type Sides } from './compare-simulated.js';
import { Random } from './simulated-random.js';
import { run } from './simulated-search.js';

const SEED = process.env.WST_BENCH_SEED ?? '1';
const RUNS = 4000;
const MOST_FALSE = 0.06;
/** Two simulations of 4,000 runs differ by as much, per cent. */
const WITHIN = 4;

const CHANGES = [0, 0.05, 0.1, 0.2, 0.35, 0.5];

/** Per cent of WORSE for each of CHANGES, by an independent simulation; what is left out was 100. */
const P99_CELLS: readonly {
  readonly n: number;
  readonly between: number;
  readonly any: readonly number[];
  readonly ten: readonly number[];
}[] = [
  { n: 5, between: 0.1, any: [1.6, 5, 16, 48, 88, 99], ten: [0.1, 0.3, 1.5, 13, 57, 91] },
  { n: 5, between: 0.15, any: [1.6, 4, 9, 26, 63, 87], ten: [0.2, 0.6, 1.4, 8, 32, 65] },
  { n: 5, between: 0.2, any: [1.7, 3, 6, 17, 41, 66], ten: [0.1, 0.9, 2, 5, 20, 43] },
  { n: 10, between: 0.1, any: [1.8, 11, 38, 88], ten: [0.1, 0.2, 2, 32, 94] },
  { n: 10, between: 0.15, any: [2.1, 8, 22, 62, 96], ten: [0.1, 0.2, 2, 19, 71, 98] },
  { n: 10, between: 0.2, any: [2, 6, 15, 41, 82, 98], ten: [0.2, 0.7, 2, 12, 51, 85] },
  { n: 20, between: 0.1, any: [2.3, 24, 69], ten: [0, 0.1, 3, 61] },
  { n: 20, between: 0.15, any: [2.7, 15, 42, 93], ten: [0, 0.4, 3, 38, 97] },
  { n: 20, between: 0.2, any: [2.6, 11, 29, 75, 99], ten: [0, 0.4, 2, 24, 83, 99] },
];

let misses = 0;

function say(text: string, isMissed: boolean): void {
  if (isMissed) misses++;
  process.stdout.write(`${text}${isMissed ? '  MISSED' : ''}\n`);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`;
}

function powerOfP99(): void {
  process.stdout.write(
    'p99 of bursts of 1,000: WORSE for a change of 0 / 5 / 10 / 20 / 35 / 50 % (in brackets: expected)\n',
  );
  for (const { n, between, any, ten } of P99_CELLS) {
    for (const [tolerance, expected] of [
      [0, any],
      [0.1, ten],
    ] as const) {
      const random = new Random(`${SEED} p99 ${n} ${between} ${tolerance}`);
      const rates = CHANGES.map(
        (change) =>
          ratesOf(
            { base: burstP99(between), new: burstP99(between, change), perSide: n },
            tolerance,
            0.05,
            RUNS,
            random,
          ).worse,
      );
      const isOff =
        rates.some((rate, i) => Math.abs(100 * rate - (expected[i] ?? 100)) > WITHIN) || rates[0] > MOST_FALSE;
      const cells = rates.map((rate, i) => `${percent(rate)} (${expected[i] ?? 100})`).join('  ');
      say(`  ${n}+${n}  scatter ${between.toFixed(2)}  limit +${100 * tolerance}%  ${cells}`, isOff);
    }
  }
}

/** Nothing changed: what says WORSE is a false alarm. */
function falseAlarms(): void {
  process.stdout.write('nothing changed: WORSE, and BETTER, at a limit of 0\n');
  const cells: [name: string, sides: Sides, runs: number][] = [];
  for (const n of [4, 5, 10, 20]) {
    const alike = (draw: Sides['base'], isShare = false): Sides => ({ base: draw, new: draw, perSide: n, isShare });
    cells.push(
      [`${n}+${n}  p99, one burst in 20 is an outlier`, alike(burstP99(0.15, 0, 0.05)), RUNS],
      [`${n}+${n}  p99, failures decide it in half of the bursts`, alike(edgeP99(0.15)), RUNS],
      [`${n}+${n}  p99, the unit is a run of 5 bursts, runs differ by 10 %`, alike(runP99(5, 0.15, 0.1)), RUNS],
    );
    // All divisions of 10 and 10 take 25 ms.
    for (const correlation of [0.005, 0.02]) {
      cells.push([
        `${n}+${n}  share 99 %, correlation ${correlation}`,
        alike(burstShare(0.99, correlation), true),
        n < 10 ? RUNS : 400,
      ]);
    }
  }
  cells.push(['20+5  p99', { base: burstP99(0.15), new: burstP99(0.15), perSide: 20, perNewSide: 5 }, RUNS]);
  for (const [name, sides, runs] of cells) {
    const { worse, better } = ratesOf(sides, 0, 0.05, runs, new Random(`${SEED} ${name}`));
    // With 400 runs an expected 2.5 % may be seen as 4.5 %.
    say(`  ${name}: ${percent(worse)}, ${percent(better)}`, worse > MOST_FALSE || better > MOST_FALSE);
  }
}

/** Six metrics are named in one gate: at least one of them is falsely WORSE. */
function severalMetrics(): void {
  const metrics = 6;
  for (const [name, alpha] of [
    ['each at 5 %', 0.05],
    ['each at 5 % / 6, as compare does', 0.05 / metrics],
  ] as const) {
    const random = new Random(`${SEED} several`);
    const sides = { base: burstP99(0.15), new: burstP99(0.15), perSide: 10 };
    let fired = 0;
    for (let i = 0; i < RUNS; i++) {
      let any = false;
      for (let metric = 0; metric < metrics; metric++) any = ratesOf(sides, 0, alpha, 1, random).worse > 0 || any;
      if (any) fired++;
    }
    say(
      `six independent metrics, nothing changed, ${name}: ${percent(fired / RUNS)}`,
      alpha < 0.05 && fired / RUNS > MOST_FALSE,
    );
  }
}

const PAIRS = 60;

/** Drop-offs of real searches against simulated targets: SMALLER, at a limit of 0. */
function dropOffs(preset: Preset): void {
  const seen = [0, 0.1, 0.2, 0.3].map((lower) => {
    let worse = 0;
    for (let pair = 0; pair < PAIRS; pair++) {
      const random = new Random(`${SEED} drop-off ${preset} ${pair}`);
      const truth = Math.round(random.logBetween(200, 5000));
      const [before, after] = [truth, truth * (1 - lower)].map((capacity) => searched(capacity, preset, random));
      if (before === null || after === null) continue;
      const { interval } = dropOffShift([before], [after], 0.05);
      if (interval !== null && interval[1] < 0) worse++;
    }
    return worse / PAIRS;
  });
  const least = preset === 'standard' ? 0.9 : 0.7;
  const text = seen.map(percent).join(' / ');
  say(
    `drop-offs, ${preset} searches: WORSE when 0 / 10 / 20 / 30 % lower: ${text}`,
    seen[0] > MOST_FALSE || seen[3] < least,
  );
}

/** A target that is good below its capacity and bad above, a little gradual. */
function searched(capacity: number, preset: Preset, random: Random): ComparedSearch | null {
  const burst = (size: number) => {
    const limit = capacity * Math.exp(0.03 * random.normal());
    return size <= limit ? size : Math.floor(limit * 0.9);
  };
  const objective = { name: 'share(101) >= 99.9%', share: 0.999, withinMs: null };
  const { state } = run(
    { truth: capacity, objective, burst, canaryFailures: () => 0 },
    searchOptions({ max: 32_768, preset }),
  );
  const search = { stage: 0, firstIndex: 0, attempts: 0, state };
  return searchOf({ dropOff: dropOffOf(state), search } as unknown as Result);
}

async function main(): Promise<void> {
  if (process.argv[2] === 'live') {
    process.exitCode = await liveCampaign(process.argv[3]);
    return;
  }
  const began = Date.now();
  powerOfP99();
  falseAlarms();
  severalMetrics();
  dropOffs('quick');
  dropOffs('standard');
  process.stdout.write(`${misses} missed, ${Math.round((Date.now() - began) / 1000)} s\n`);
  process.exitCode = misses > 0 ? 1 : 0;
}

await main();

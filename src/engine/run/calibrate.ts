/**
 * Calibration: the same load against a local test server that answers at once. Its latencies and spread are the
 * generator's own cost; they are printed beside the result and never subtracted.
 */

import type { Threshold } from '../../plan/expressions/rules.js';
import { burstSizes, type Plan, stageOpen } from '../../plan/plan.js';
import { isSearch, loadOf } from '../../plan/stages/kinds.js';
import type { Calibration } from '../../result/result.js';
import { floorMisses, floorOf } from '../../tally/floor.js';
import { type Generators, TARGET } from '../load/generators.js';
import { driverOf } from '../load/load-kinds.js';
import { toMicros } from '../machine/clock.js';
import { type Mirror, startMirror } from '../mirror/mirror-process.js';
import type { SearchCalibration } from './search-hands.js';
import { runStage, type StageRun } from './stage-run.js';

/** What a run calibrates for. */
interface Calibrated {
  readonly plan: Plan;
  readonly limits: readonly Threshold[];
  readonly signal: AbortSignal;
  /** Called before each stage. */
  readonly show: () => void;
}

/** The floors of each stage, after a warm-up. A search measures them during the search, at the sizes that it reaches. */
export async function calibrateStages(
  generators: Generators,
  mirror: Mirror,
  { plan, limits, signal, show }: Calibrated,
): Promise<StageFloors[]> {
  const floors: StageFloors[] = [];
  show();
  await warmUp(generators, mirror, signal);
  for (const [stage, own] of plan.stages.entries()) {
    if (signal.aborted) break;
    show();
    const at = (size: number | null) => calibrate(generators, mirror, stage, signal, size);
    floors.push(isSearch(own) || !loadOf(own).hasFloor ? NO_FLOORS : await floorsOf(burstSizes(own), limits, at));
  }
  return floors;
}

/** Runs the generators' code until it is compiled and discards the measurements. The mirror is their second target. */
async function warmUp(generators: Generators, mirror: Mirror, signal: AbortSignal): Promise<void> {
  await atMirror(generators, mirror, mirror.warmUpStage, null, signal);
}

/**
 * Measures the generator's own cost (its floor) for a stage: at the stage's largest burst unless a size is given. The mirror must be the generators' second target.
 * @returns null when stopped before the end
 */
async function calibrate(
  generators: Generators,
  mirror: Mirror,
  stage: number,
  signal: AbortSignal,
  atSize: number | null = null,
): Promise<Calibration | null> {
  const own = mirror.target.plan.stages[stage];
  const load = driverOf(own);
  const size = atSize ?? load.floorSize(own) ?? stageOpen(own);
  const ran = await atMirror(generators, mirror, stage, size, signal);
  if (signal.aborted) return null;
  const { tally } = ran;
  const counted = tally.counted();
  const seconds = (ran.lastEndMs ?? 0) / 1000;
  return {
    size,
    share101: tally.attempted === 0 ? 0 : tally.count('101') / tally.attempted,
    spreadMs: toMicros((ran.lastReleaseMs ?? 0) - (ran.firstReleaseMs ?? 0)),
    handshakeMs: counted.latencyMs.handshake,
    connectMs: counted.latencyMs.connect,
    tlsMs: counted.latencyMs.tls,
    upgradeMs: counted.latencyMs.upgrade,
    rate: !loadOf(own).hasRate || seconds === 0 ? null : tally.count('101') / seconds,
  };
}

/** The generator's own cost at a size of a stage; `null` for the size of a load that has no bursts. */
export type StageFloors = (size: number | null) => Calibration | null;
export const NO_FLOORS: StageFloors = () => null;

/**
 * The floors of a stage with bursts of several sizes. That of the largest serves all of them; where it misses a limit of
 * the run, a smaller burst has its own, so that the cost of a large one excuses nobody at a size which this generator masters.
 * @param measure null when stopped
 */
export async function floorsOf(
  sizes: readonly (number | null)[],
  limits: readonly Threshold[],
  measure: (size: number | null) => Promise<Calibration | null>,
): Promise<StageFloors> {
  const floors = new Map<number | null, Calibration | null>();
  const misses = (floor: Calibration | null): boolean =>
    limits.some(({ parsed }) => {
      const own = floorOf(parsed, floor);
      return own !== null && floorMisses(parsed, own);
    });
  let last: Calibration | null = null;
  for (const size of [...new Set(sizes)].sort((a, b) => (b ?? 0) - (a ?? 0))) {
    if (floors.size === 0 || misses(last)) last = await measure(size);
    floors.set(size, last);
  }
  return (size) => floors.get(size) ?? null;
}

function atMirror(
  generators: Generators,
  mirror: Mirror,
  stage: number,
  size: number | null,
  signal: AbortSignal,
): Promise<StageRun> {
  const { plan } = mirror.target;
  const order = {
    target: TARGET.mirror,
    stage,
    place: 0,
    index: 0,
    size,
    base: 0,
    clientBase: 0,
    plan,
    signal,
    onPhase: () => {},
    look: null,
    room: null,
    watch: null,
  };
  return runStage(generators, order);
}

/** A search calibrates at the sizes that it reaches. Its local test server runs only while it is needed. */
export class CalibrationOnDemand implements SearchCalibration {
  readonly #generators: Generators;
  readonly #plan: Plan;
  readonly #stage: number;
  readonly #destinations: number;
  readonly #signal: AbortSignal;
  #mirror: Mirror | null = null;

  /** @param destinations how many the target has */
  constructor(generators: Generators, plan: Plan, stage: number, destinations: number, signal: AbortSignal) {
    this.#generators = generators;
    this.#plan = plan;
    this.#stage = stage;
    this.#destinations = destinations;
    this.#signal = signal;
  }

  async at(size: number): Promise<Calibration | null> {
    if (!this.#plan.calibrate) return null;
    if (this.#mirror === null) {
      this.#mirror = await startMirror(this.#plan, size, this.#destinations);
      await this.#generators.retarget(TARGET.mirror, this.#mirror.target);
    }
    return calibrate(this.#generators, this.#mirror, this.#stage, this.#signal, size);
  }

  async end(): Promise<void> {
    await this.#mirror?.stop();
    this.#mirror = null;
  }
}

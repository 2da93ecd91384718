/**
 * The shape of a burst's times: the traces of a queue, a limit or a timer in sorted latencies. Each function answers
 * whether the times have one shape, and with which numbers; none knows outcomes, hops or causes. Times in ms,
 * ascending.
 */

/** Served one after another: the i-th ends at i × stepMs. */
export interface Ramp {
  readonly stepMs: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Fewer points can lie on a line by chance. */
const LEAST_OF_RAMP = 6;
const EVEN = { r2: 0.97, hole: 0.2 };
/** Looser limits, for a machine that pauses now and then. */
const ROUGH = { r2: 0.88, hole: 0.45 };
/** Share at each end of the ramp that is not used for its slope: arrivals and chance bend the ends. */
const TRIM = 0.05;

/** null: a gap as wide as a good part of the ramp, or values too far from the line. */
export function rampOf(values: readonly number[]): Ramp | null {
  return rampWithin(values, EVEN);
}

/** The same with interruptions: good enough for a guess only. */
export function roughRampOf(values: readonly number[]): Ramp | null {
  return rampWithin(values, ROUGH);
}

function rampWithin(values: readonly number[], bounds: typeof EVEN): Ramp | null {
  const n = values.length;
  if (n < LEAST_OF_RAMP) return null;
  const [firstMs, lastMs] = [values[0], values[n - 1]];
  const span = lastMs - firstMs;
  if (!(span > 0)) return null;
  for (let i = 1; i < n; i++) if (values[i] - values[i - 1] > Math.max(bounds.hole * span, (3 * span) / n)) return null;
  if (rSquared(values) < bounds.r2) return null;
  const from = Math.floor(n * TRIM);
  const to = n - 1 - from;
  return { stepMs: (values[to] - values[from]) / (to - from), firstMs, lastMs };
}

/** How well the sorted values lie on a straight line over their rank, 0 to 1. */
function rSquared(values: readonly number[]): number {
  const n = values.length;
  const meanX = (n - 1) / 2;
  const meanY = values.reduce((sum, value) => sum + value, 0) / n;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (const [x, y] of values.entries()) {
    xy += (x - meanX) * (y - meanY);
    xx += (x - meanX) ** 2;
    yy += (y - meanY) ** 2;
  }
  return yy === 0 ? 0 : (xy * xy) / (xx * yy);
}

/** Served `together` at a time, each group stepMs after the previous one. */
export interface Staircase {
  readonly together: number;
  readonly stepMs: number;
  readonly steps: number;
}

/** Pauses between steps are this many times as long as within steps. */
const STEP_CONTRAST = 3;
const STEP_TOLERANCE = 0.4;
/** Pauses between steps are similar: a pause shorter than this share of the longest is within a step. */
const LEAST_GAP = 0.4;
/** All of a step ends within this share of the time to the next step. */
const WIDEST_STEP = 0.5;
/** Up to this number of steps, each must be exactly where it belongs. */
const FEW_STEPS = 3;
const LEAST_TOGETHER = 2;
/** Share of steps that may differ in size from the usual, because the machine is not perfectly regular. */
const ODD_STEPS = 0.34;
/** Possible limits between pauses within a step and pauses between steps, as shares of the longest pause. */
const CUTS = [0.97, 0.9, 0.8, 0.7, 0.6, 0.5, LEAST_GAP];

/** Groups of equal size at 1, 2, 3, … × stepMs. */
export function staircaseOf(values: readonly number[]): Staircase | null {
  if (values.length < 2 * LEAST_TOGETHER) return null;
  const gaps = values.slice(1).map((value, i) => value - values[i]);
  const longest = gaps.reduce((most, gap) => Math.max(most, gap), 0);
  let best: Staircase | null = null;
  let contrast = STEP_CONTRAST;
  for (const part of CUTS) {
    const cut = part * longest;
    const between = gaps.filter((gap) => gap >= cut);
    if (between.length > gaps.length / LEAST_TOGETHER) break;
    const within = (sumOf(gaps) - sumOf(between)) / (gaps.length - between.length);
    const found = sumOf(between) / between.length / Math.max(within, 0.05);
    if (found <= contrast) continue;
    const stairs = stairsOf(groupsOf(values, cut));
    if (stairs === null) continue;
    best = stairs;
    contrast = found;
  }
  return best;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function stairsOf(groups: readonly (readonly number[])[]): Staircase | null {
  const centres = groups.map((group) => median(group));
  const stepMs = centres.length > 1 ? (centres[centres.length - 1] - centres[0]) / (centres.length - 1) : centres[0];
  // The first group ends after one step, a little later if many arrivals delay it; quick ones are not a step.
  const latest = centres.length > FEW_STEPS ? 2.5 : 1.5;
  if (centres[0] < 0.5 * stepMs || centres[0] > latest * stepMs) return null;
  // Compared with the line, not from step to step: after a late timer the next one is on time again.
  const isRegular = centres.every((centre, i) => Math.abs(centre - centres[0] - i * stepMs) <= STEP_TOLERANCE * stepMs);
  // Values that arrived at random fill the time between steps, wherever their pauses are.
  const spans = groups.map((group) => group[group.length - 1] - group[0]).sort((a, b) => a - b);
  if (spans[Math.ceil(0.75 * (spans.length - 1))] > WIDEST_STEP * stepMs) return null;
  // The last step may have been cut short by a timeout.
  const sizes = groups.map((group) => group.length);
  const whole = sizes.length > 1 ? sizes.slice(0, -1) : sizes;
  const together = median([...whole].sort((a, b) => a - b));
  const slack = Math.max(1, 0.1 * together);
  const odd = whole.filter((size) => Math.abs(size - together) > slack).length;
  if (!isRegular || together < LEAST_TOGETHER || odd > Math.floor(ODD_STEPS * whole.length)) return null;
  if (sizes[sizes.length - 1] > together + slack) return null;
  return { together, stepMs, steps: groups.length };
}

/** Values that are close together in time. */
export interface Cluster {
  readonly count: number;
  readonly minMs: number;
  readonly medianMs: number;
  readonly maxMs: number;
}

const CLUSTER_GAP = { leastMs: 60, share: 0.1 };

/** Splits at pauses of 60 ms, or of a tenth of the time so far. */
export function clustersOf(values: readonly number[]): Cluster[] {
  const clusters: Cluster[] = [];
  let from = 0;
  for (let i = 1; i <= values.length; i++) {
    const isEnd =
      i === values.length ||
      values[i] - values[i - 1] > Math.max(CLUSTER_GAP.leastMs, CLUSTER_GAP.share * values[i - 1]);
    if (!isEnd) continue;
    const group = values.slice(from, i);
    clusters.push({ count: group.length, minMs: group[0], medianMs: median(group), maxMs: group[group.length - 1] });
    from = i;
  }
  return clusters;
}

/**
 * When Linux retransmits a SYN: since 6.5 four times at 1 s, then doubling (tcp_syn_linear_timeouts); before, always
 * doubling.
 */
const SYN_SCHEDULE_MS = [1000, 2000, 3000, 4000, 5000, 7000, 11_200, 15_000, 19_500];
const SYN_EARLY = 0.01;
const SYN_LATE = { share: 0.05, ms: 60 };
/** Earlier than the first retry, nothing can be on the schedule. */
const FIRST_RETRY_MS = 900;

export interface SynRetries {
  /** Connections without a retransmitted SYN. */
  readonly atOnce: number;
  readonly retried: number;
  /** The times at which the retried ones connected, in groups, ms. */
  readonly wavesMs: readonly number[];
}

/** Whether connect times lie on the schedule of SYN retransmissions and not between its points; null: they do not. */
export function synRetriesOf(connects: readonly number[]): SynRetries | null {
  const late = connects.filter((ms) => ms >= FIRST_RETRY_MS);
  if (late.length === 0) return null;
  const on = late.filter((ms) => synStep(ms) !== null);
  if (on.length < 0.9 * late.length) return null;
  const waves = new Set(on.map((ms) => synStep(ms) as number));
  return { atOnce: connects.length - late.length, retried: late.length, wavesMs: [...waves] };
}

/** The point of the schedule that a connect time belongs to; null: none. */
export function synStep(ms: number): number | null {
  return (
    SYN_SCHEDULE_MS.find((at) => ms >= at * (1 - SYN_EARLY) && ms <= at * (1 + SYN_LATE.share) + SYN_LATE.ms) ?? null
  );
}

/**
 * First bytes of requests that were retransmitted: the kernel resends unacknowledged data after 0.2 s × 2^k (RFC 6298
 * with Linux' minimum timeout of 200 ms), so they arrive at 0.2, 0.6, 1.4, 3, 6.2, 12.6, 25.4 s.
 */
const DATA_SCHEDULE_MS = [200, 600, 1400, 3000, 6200, 12_600, 25_400];
const DATA_LATE = { share: 0.12, ms: 40 };

/** How many of the times lie on that schedule; the others are quick or random. */
export function dataRetriesOf(values: readonly number[]): number {
  return values.filter((ms) =>
    DATA_SCHEDULE_MS.some((at) => ms >= at * 0.98 && ms <= at * (1 + DATA_LATE.share) + DATA_LATE.ms),
  ).length;
}

/** Times that people write into configurations, s. */
const ROUND_S = [
  0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20, 25, 29, 30, 40, 45, 50, 60, 75, 90, 100, 120, 180, 240, 300,
];
const ROUND_LATE = { share: 0.05, ms: 60 };

/**
 * The configured time behind a measured duration, ms: timers fire late but never early, so the latest round time that
 * fits. null: none fits.
 */
export function roundMs(ms: number): number | null {
  const at = ROUND_S.findLast((s) => ms >= s * 1000 * 0.995 && ms <= s * 1000 * (1 + ROUND_LATE.share) + ROUND_LATE.ms);
  return at === undefined ? null : at * 1000;
}

const CONFIGURED_LATE = { share: 0.02, ms: 15 };

/** The configured time if the duration is slightly later than a round one; otherwise the duration as measured. */
export function configuredMs(ms: number): number {
  const round = roundMs(ms);
  return round !== null && ms - round <= CONFIGURED_LATE.share * round + CONFIGURED_LATE.ms ? round : ms;
}

/** Of ascending values. @throws RangeError without values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values');
  return values[Math.floor((values.length - 1) / 2)];
}

function groupsOf(values: readonly number[], gap: number): number[][] {
  const groups: number[][] = [[values[0]]];
  for (let i = 1; i < values.length; i++) {
    if (values[i] - values[i - 1] >= gap) groups.push([]);
    groups[groups.length - 1].push(values[i]);
  }
  return groups;
}

/**
 * Simulated targets whose drop-off is known (docs/method.md, "Simulated targets"): each is told a load and the time,
 * and answers how many of its handshakes met the objective. They are no sockets and no clock; what a real target does
 * is shown elsewhere.
 */
import type { Objective } from '#dist/search/search-options.js';
import { Random } from './simulated-random.js';

export interface SimulatedTarget {
  /** Half of the bursts of this size are bad; null: there is no such size in the range. */
  readonly truth: number | null;
  readonly objective: Objective;
  /** A second truth that an interval must cover, once the search is over: of a target that has not one capacity. */
  alsoTrue?(): number;
  /** Handshakes that met the objective. */
  burst(size: number, nowMs: number): number;
  /** Of handshakes one after another, `nowMs` when the last has ended. */
  canaryFailures(handshakes: number, nowMs: number): number;
}

export type Build = (random: Random) => SimulatedTarget;

const SHARE: Objective = { name: 'share(101) >= 99.9%', share: 0.999, withinMs: null };
const P99: Objective = { name: 'p99(handshake) <= 1s', share: 0.99, withinMs: 1000 };
/** As long as the search is told that a burst took. */
const BURST_MS = 2000;
/** Over its capacity, a target that collapses serves this share. */
const LEFT = 0.02;

function target(truth: number | null, burst: SimulatedTarget['burst'], objective = SHARE): SimulatedTarget {
  return { truth, objective, burst, canaryFailures: () => 0 };
}

function capacityOf(random: Random, least = 200): number {
  return random.logBetween(least, 20_000);
}

/** Log-normal around `middle`. */
function jittered(random: Random, middle: number, by: number): number {
  return middle * Math.exp(by * random.normal());
}

const hardStep: Build = (random) => {
  const capacity = capacityOf(random);
  return target(capacity / SHARE.share, (size) => Math.min(size, Math.floor(capacity)));
};

const collapse: Build = (random) => {
  const capacity = capacityOf(random);
  return target(capacity, (size) => (size <= jittered(random, capacity, 0.02) ? size : Math.floor(LEFT * size)));
};

/** One server, S ms a handshake with 3 % from burst to burst and 60 % from handshake to handshake; what T ms hold. */
function drainOf(least: number, most: number): Build {
  return (random) => {
    const capacity = random.logBetween(least, most);
    return target(capacity / SHARE.share, (size) => {
      const served = jittered(random, capacity, 0.03);
      return Math.max(0, Math.min(size, Math.floor(served + 0.6 * Math.sqrt(served) * random.normal())));
    });
  };
}

/** The share that fails is logistic in ln N and itself beta-distributed: the handshakes of a burst share their fate. */
function logistic(slope: number, correlation: number): Build {
  return (random) => {
    const middle = random.logBetween(600, 24_000);
    const truth = middle * truthOfLogistic(middle, slope, correlation);
    return target(
      truth,
      (size) => size - random.binomial(size, failingShare(random, size / middle, slope, correlation)),
    );
  };
}

function failingShare(random: Random, ratio: number, slope: number, correlation: number): number {
  const mean = 1 / (1 + Math.exp(-Math.log(ratio) / slope));
  const scale = (1 - correlation) / correlation;
  return random.beta(Math.max(1e-9, mean * scale), Math.max(1e-9, (1 - mean) * scale));
}

const truths = new Map<string, number>();
const DRAWS = 4000;

/** Ratio of the load at which half of the bursts miss the objective to the middle, by drawing. */
function truthOfLogistic(middle: number, slope: number, correlation: number): number {
  const near = Math.exp(Math.round(Math.log(middle) * 8) / 8);
  const key = `${near}/${slope}/${correlation}`;
  const known = truths.get(key);
  if (known !== undefined) return known;
  let low = Math.log(0.2);
  let high = 0;
  for (let i = 0; i < 12; i++) {
    const ratio = Math.exp((low + high) / 2);
    if (badShare(Math.round(near * ratio), ratio, slope, correlation) < 0.5) low = Math.log(ratio);
    else high = Math.log(ratio);
  }
  const truth = Math.exp((low + high) / 2);
  truths.set(key, truth);
  return truth;
}

function badShare(size: number, ratio: number, slope: number, correlation: number): number {
  const random = new Random('the same draws at each load');
  const allowed = Math.floor(size * (1 - SHARE.share) + 1e-9);
  let bad = 0;
  for (let i = 0; i < DRAWS; i++) {
    const share = failingShare(random, ratio, slope, correlation);
    if (random.binomial(size, share, allowed + 1) > allowed) bad++;
  }
  return bad / DRAWS;
}

/** After a burst over its capacity it has only `left` of it for 20 to 90 s; single handshakes are answered all the while. */
function hysteretic(left: number, collapses: boolean): Build {
  return (random) => {
    const capacity = capacityOf(random, 400);
    const memoryMs = random.between(20_000, 90_000);
    let brokenAtMs = Number.NEGATIVE_INFINITY;
    return target(capacity / SHARE.share, (size, nowMs) => {
      const rested = jittered(random, capacity, 0.02);
      const now = Math.floor(nowMs - brokenAtMs < memoryMs ? left * rested : rested);
      const met = size <= now ? size : collapses ? Math.floor(LEFT * size) : now;
      if (met < 0.99 * size) brokenAtMs = nowMs;
      return met;
    });
  };
}

/** Fails `share` of all handshakes, whatever the load. */
function floor(share: number): Build {
  return (random) => {
    const capacity = capacityOf(random);
    const base = target(capacity / SHARE.share, (size) => {
      const served = Math.min(size, Math.floor(jittered(random, capacity, 0.02)));
      return served - random.binomial(served, share);
    });
    return { ...base, canaryFailures: (handshakes) => random.binomial(handshakes, share) };
  };
}

/** This share of the bursts loses 1 to 5 %, whatever the load. */
function outliers(share: number): Build {
  return (random) => {
    const capacity = capacityOf(random);
    return target(capacity / SHARE.share, (size) => {
      const served = Math.min(size, Math.floor(jittered(random, capacity, 0.02)));
      return random.uniform() < share ? Math.floor(served * (1 - random.between(0.01, 0.05))) : served;
    });
  };
}

/** Served one after another; `ok` is within 1 s. 8 % from burst to burst. */
const latencyKnee: Build = (random) => {
  const truth = capacityOf(random);
  const baseMs = random.between(3, 30);
  const roomMs = 1000 - baseMs;
  const eachMs = roomMs / (truth * P99.share);
  return target(
    truth,
    (size) => {
      const within = roomMs / jittered(random, eachMs, 0.08);
      return Math.max(0, Math.min(size, Math.floor(within + 0.5 * Math.sqrt(within) * random.normal())));
    },
    P99,
  );
};

const neverRecovers: Build = (random) => {
  const capacity = capacityOf(random, 400);
  let isDead = false;
  return {
    truth: null,
    objective: SHARE,
    burst: (size) => {
      if (isDead) return Math.floor(0.1 * size);
      isDead = size > capacity;
      return Math.min(size, Math.floor(capacity));
    },
    canaryFailures: (handshakes) => (isDead ? handshakes : 0),
  };
};

/** A tenth fails between 0.30 and 0.36 of the capacity. */
const dip: Build = (random) => {
  const capacity = random.logBetween(2000, 20_000);
  return target(capacity / SHARE.share, (size) => {
    const isInDip = size >= 0.3 * capacity && size <= 0.36 * capacity;
    return isInDip ? Math.floor(0.9 * size) : Math.min(size, Math.floor(capacity));
  });
};

/** A success holds a place until `memoryMs` after its burst, and one of a recovery check if `andChecks`; a break leaves nothing else. */
function residue(leastMs: number, mostMs: number, andChecks = false): Build {
  return (random) => {
    const capacity = capacityOf(random, 400);
    const memoryMs = random.between(leastMs, mostMs);
    let held: { readonly untilMs: number; readonly places: number }[] = [];
    const take = (size: number, nowMs: number, endMs: number): number => {
      held = held.filter(({ untilMs }) => untilMs > nowMs);
      const taken = held.reduce((sum, { places }) => sum + places, 0);
      const met = Math.min(size, Math.floor(Math.max(0, jittered(random, capacity, 0.01) - taken)));
      held.push({ untilMs: endMs + memoryMs, places: met });
      return met;
    };
    const served = target(capacity / SHARE.share, (size, nowMs) => take(size, nowMs, nowMs + BURST_MS));
    const checked = (handshakes: number, nowMs: number) => handshakes - take(handshakes, nowMs, nowMs);
    return andChecks ? { ...served, canaryFailures: checked } : served;
  };
}

/** Its capacity falls by a quarter within ten minutes; the interval must cover it at the start and at the end. */
const driftDown: Build = (random) => {
  const capacity = capacityOf(random, 400);
  let lastMs = 0;
  const at = (ms: number) => capacity * (1 - 0.25 * Math.min(1, ms / 600_000));
  const drifting = target(capacity / SHARE.share, (size, nowMs) => {
    lastMs = nowMs;
    return Math.min(size, Math.floor(at(nowMs)));
  });
  return { ...drifting, alsoTrue: () => at(lastMs) / SHARE.share };
};

/** By chance a burst meets all of the capacity, or less than a third of it; the interval must cover both. */
const twoModes: Build = (random) => {
  const capacity = capacityOf(random, 400);
  const modes = target(capacity / SHARE.share, (size) =>
    Math.min(size, Math.floor(capacity * (random.uniform() < 0.7 ? 1 : 0.3))),
  );
  return { ...modes, alsoTrue: () => (0.3 * capacity) / SHARE.share };
};

export const TARGETS = {
  'hard step': hardStep,
  'collapse to 2 % above C': collapse,
  'capacity drain T/S': drainOf(200, 20_000),
  'logistic, beta-binomial .02': logistic(0.1, 0.02),
  'wide logistic, .10': logistic(0.15, 0.1),
  'hysteretic (35 % for 20–90 s)': hysteretic(0.35, false),
  'metastable collapse': hysteretic(0.35, true),
  'mild hysteresis (80 %)': hysteretic(0.8, false),
  'floor 0.05 %': floor(0.0005),
  'floor 0.1 % (= allowance)': floor(0.001),
  'outliers, 5 % of bursts': outliers(0.05),
  'p99 crossing (FIFO, 8 % jitter)': latencyKnee,
  'small capacities, 20–200': drainOf(20, 200),
  'fine at max': () => target(null, (size) => size),
  'broken at min': () => target(null, (size) => Math.floor(0.9 * size)),
  'never recovers': neverRecovers,
  'non-monotone dip': dip,
  'residue, 15–90 s': residue(15_000, 90_000),
  'residue, 11–15 s': residue(11_000, 15_000),
  'residue, checks too, 11–15 s': residue(11_000, 15_000, true),
  'drift down by a quarter': driftDown,
  'two modes, all or 0.3': twoModes,
} as const satisfies Readonly<Record<string, Build>>;

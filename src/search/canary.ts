/**
 * The recovery check (docs/method.md, "Recovery checks"), `canary` in code and JSON: 20 single handshakes at a steady
 * pace, before the search as a baseline and then before each burst. Owns the definition of "as healthy as before".
 * Failures that the baseline already showed are allowed; otherwise a target with a background failure rate would look
 * as if it never recovered.
 */
import type { CanaryFacts } from './engine-interface.js';
import { median } from './judged-loads.js';
import type { CanaryCounts, Health } from './state.js';

/** `baselines` of these checks run before the first burst. */
export const CANARY = { handshakes: 20, overMs: 1000, baselines: 3 } as const;
const SLOWER_FACTOR = 2;
const SLOWER_BY_MS = 50;
const FIRST_POLL_MS = 2000;
const POLL_FACTOR = 1.5;

export const UNPROVEN: Health = { isProven: false, failingSinceMs: null, pollMs: FIRST_POLL_MS };

export const NO_CANARIES: CanaryCounts = {
  canaries: 0,
  handshakes: 0,
  failed: 0,
  rested: { attempted: 0, failed: 0, withFailures: 0 },
};

/** As many of its handshakes got their 101 as before, however slowly. */
export function isAnswered(canary: CanaryFacts, baseline: readonly CanaryFacts[]): boolean {
  return failuresOf(canary) <= Math.max(0, ...baseline.map(failuresOf));
}

/** Most of them failed: a background failure rate cannot explain that. */
export function isRefused(canary: CanaryFacts): boolean {
  return failuresOf(canary) > canary.attempted / 2;
}

export function isHealthy(canary: CanaryFacts, baseline: readonly CanaryFacts[]): boolean {
  if (!isAnswered(canary, baseline)) return false;
  const usual = median(baseline.flatMap(({ p95Ms }) => (p95Ms === null ? [] : [p95Ms])));
  if (usual === null || canary.p95Ms === null) return true;
  return canary.p95Ms <= Math.max(SLOWER_FACTOR * usual, usual + SLOWER_BY_MS);
}

export function counted(counts: CanaryCounts, canary: CanaryFacts, isRested: boolean): CanaryCounts {
  const failed = failuresOf(canary);
  const { rested } = counts;
  return {
    canaries: counts.canaries + 1,
    handshakes: counts.handshakes + canary.attempted,
    failed: counts.failed + failed,
    rested: isRested
      ? {
          attempted: rested.attempted + canary.attempted,
          failed: rested.failed + failed,
          withFailures: rested.withFailures + (failed > 0 ? 1 : 0),
        }
      : rested,
  };
}

/** When to try again after a check that failed at `nowMs`; null when that would be after `maxWaitMs`. */
export function nextPoll(health: Health, nowMs: number, maxWaitMs: number): { health: Health; atMs: number } | null {
  const failingSinceMs = health.failingSinceMs ?? nowMs;
  const endMs = failingSinceMs + maxWaitMs;
  if (nowMs >= endMs) return null;
  const atMs = Math.min(endMs, nowMs + health.pollMs);
  return { health: { isProven: false, failingSinceMs, pollMs: health.pollMs * POLL_FACTOR }, atMs };
}

/** The most recovery checks before one burst: one that fails at once, then one per poll. */
export function mostCanaries(maxWaitMs: number): number {
  let canaries = 1;
  let health = UNPROVEN;
  let nowMs = 0;
  for (let poll = nextPoll(health, nowMs, maxWaitMs); poll !== null; poll = nextPoll(health, nowMs, maxWaitMs)) {
    canaries++;
    ({ health, atMs: nowMs } = poll);
  }
  return canaries;
}

function failuresOf({ attempted, survived }: CanaryFacts): number {
  return attempted - survived;
}

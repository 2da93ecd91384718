/**
 * The probes after bursts, in words: how long other clients kept failing, how they failed, and what they got
 * afterwards. Owns the sentence; a renderer places and wraps it.
 */
import { blameOf, isOpen, type OutcomeId } from '../../names/outcomes.js';
import { formatCount } from '../../plan/units.js';
import type { After, AfterProbe, Burst, Sample } from '../../result/result.js';
import { hasSuffered } from '../../tally/after-probes.js';
import { spokenMs } from './numbers.js';

interface ProbedBurst {
  readonly burst: Burst;
  readonly after: After;
}

/** One sentence about all bursts, with details of the worst; null without probes. */
export function afterText(bursts: readonly Burst[]): string | null {
  const probed = bursts.flatMap((burst): ProbedBurst[] =>
    burst.after === null ? [] : [{ burst, after: burst.after }],
  );
  if (probed.length === 0) return null;
  const probes = probed.flatMap(({ after }) => after.probes);
  const suffering = probed.filter(({ after }) => after.lastFailedMs !== null);
  const aside = unjudged(probes, probed);
  if (suffering.length === 0) return `${unharmed(probes, probed.length)}${aside}`;
  const worst = suffering.reduce((a, b) => (sufferedMs(b.after) > sufferedMs(a.after) ? b : a));
  if (probed.length === 1) return `others ${suffered(worst.after)}${aside}`;
  const { index, size } = worst.burst;
  const after = `after ${formatCount(suffering.length)} of ${formatCount(probed.length)} bursts others suffered`;
  return `${after}; the longest, burst ${index} (${formatCount(size)}): they ${suffered(worst.after)}${aside}`;
}

/** Failures that only probes met and no attempt of a burst did; by outcome. */
export function samplesOfProbes(bursts: readonly Burst[], known: Readonly<Record<string, Sample>>): [string, Sample][] {
  const found = new Map<string, Sample>();
  for (const { after } of bursts) {
    for (const [id, sample] of Object.entries(after?.samples ?? {})) {
      if (known[id] === undefined && !found.has(id)) found.set(id, sample);
    }
  }
  return [...found];
}

/** From the end of the burst to the start of the last probe that failed. */
function sufferedMs({ fromMs, lastFailedMs }: After): number {
  return (lastFailedMs ?? fromMs) - fromMs;
}

function unharmed(probes: readonly AfterProbe[], bursts: number): string {
  const ok = probes.filter(({ outcome }) => isOpen(outcome));
  if (ok.length === 0) return 'no probe ended';
  const slowest = Math.max(...ok.map(({ tookMs }) => tookMs));
  const where = bursts === 1 ? 'the burst' : `${formatCount(bursts)} bursts`;
  return ok.length === 1
    ? `the one probe after ${where} got its 101 in ${spokenMs(slowest)}`
    : `all ${formatCount(ok.length)} probes after ${where} got their 101, the slowest in ${spokenMs(slowest)}`;
}

/** `kept suffering for 6.10 s: 12 of 30 probes failed (504), the last at 7.10 s; then 101 in 12.0 ms`. */
function suffered(after: After): string {
  const judged = after.probes.filter((probe) => isOpen(probe.outcome) || hasSuffered(probe));
  const failed = judged.filter(hasSuffered);
  const ms = sufferedMs(after);
  // The true value is between the last failed probe and the next one.
  const time = ms < after.everyMs ? `less than ${spokenMs(after.everyMs)}` : spokenMs(ms);
  const count = `${formatCount(failed.length)} of ${formatCount(judged.length)} probes failed`;
  const last = failed.length === 1 ? 'at' : 'the last at';
  const at = spokenMs(after.lastFailedMs ?? 0);
  return `kept suffering for ${time}: ${count} (${kinds(failed)}), ${last} ${at}; ${relief(after)}`;
}

function relief({ probes, lastFailedMs }: After): string {
  const later = probes.filter(({ atMs, outcome }) => isOpen(outcome) && atMs > (lastFailedMs ?? 0));
  if (later.length === 0) return 'its end was not seen, a longer --after may show it';
  const [first] = later;
  const last = later[later.length - 1];
  // Queued work delays the first probes, each less than the previous one.
  const isFalling = first.tookMs > 2 * last.tookMs && first.tookMs - last.tookMs >= 1;
  const end = isFalling ? `, at the end in ${spokenMs(last.tookMs)}` : '';
  return `then 101 in ${spokenMs(first.tookMs)}${end}`;
}

/** `504`, or each with its count if there are several. */
function kinds(failed: readonly AfterProbe[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of failed) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  if (counts.size === 1) return [...counts.keys()].join();
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([id, count]) => `${formatCount(count)} × ${id}`).join(', ');
}

/** Probes that say nothing about the target. */
function unjudged(probes: readonly AfterProbe[], probed: readonly ProbedBurst[]): string {
  const stalled = probed.reduce((sum, { after }) => sum + (after.stalled ?? 0), 0);
  const stopped = probes.filter(({ outcome }) => outcome === 'aborted').length;
  const local = probes.filter(({ outcome }) => blameOf(outcome as OutcomeId) === 'local');
  const ids = [...new Set(local.map(({ outcome }) => outcome))].join(', ');
  return [
    local.length === 0 ? '' : `; ${formatCount(local.length)} failed on this machine (${ids})`,
    stopped === 0 ? '' : `; ${formatCount(stopped)} had not ended`,
    stalled === 0 ? '' : `; ${formatCount(stalled)} left out, because the generator stalled`,
  ].join('');
}

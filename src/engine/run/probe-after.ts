/**
 * The probes after a burst: single handshakes at a steady pace show how long clients that took no part in it are still
 * affected. A target that still works for clients that have disconnected refuses new ones too (the work of N arrivals
 * of S each takes N·S), and a gateway that has marked its backend as down refuses everyone for a while. A probe does
 * not wait for the previous one, which may take long. run-plan.ts decides whether a burst is followed by probes.
 */
import { PROBE_EVERY_MS, probesPerBurst } from '../../plan/needs.js';
import type { After } from '../../result/result.js';
import { afterOf, type EndedProbe } from '../../tally/after-probes.js';
import { handshakeOnce, type SingleHandshake, type SingleOptions } from '../load/single-handshake.js';
import { now, toMicros } from '../machine/clock.js';
import { waitUntil } from '../machine/wait.js';

/** Progress of the probes. */
export interface Probed {
  readonly started: number;
  readonly ended: number;
  readonly byOutcome: Readonly<Record<string, number>>;
}

export interface AfterOptions extends Omit<SingleOptions, 'timeoutMs' | 'index'> {
  /** T0 of the burst, ms on the clock of `now()`. */
  readonly releasedAt: number;
  /** Number in the run of the first probe. */
  readonly base: number;
  readonly onProgress: (probed: Probed) => void;
}

/** Resolves when the last probe has ended and its connection is gone; a stop ends running probes as `aborted`. */
export async function probeAfter(options: AfterOptions): Promise<After> {
  const { plan, releasedAt, signal } = options;
  const from = now();
  const ended: (EndedProbe | undefined)[] = [];
  const running: Promise<void>[] = [];
  const byOutcome: Record<string, number> = {};
  const show = () =>
    options.onProgress({
      started: running.length,
      ended: Object.values(byOutcome).reduce((sum, count) => sum + count, 0),
      byOutcome: { ...byOutcome },
    });
  const one = async (place: number): Promise<void> => {
    const handshake = await handshakeOnce({ ...options, timeoutMs: plan.timeoutMs, index: options.base + place });
    ended[place] = endedProbe(handshake, releasedAt);
    byOutcome[handshake.outcome] = (byOutcome[handshake.outcome] ?? 0) + 1;
    show();
    await handshake.gone;
  };
  show();
  for (let place = 0; place < probesPerBurst(plan); place++) {
    await waitUntil(from + place * PROBE_EVERY_MS, signal);
    if (signal.aborted) break;
    const probe = one(place);
    // The error is handled below; without this line it would end the process before the other probes have ended.
    probe.catch(() => {});
    running.push(probe);
  }
  await Promise.all(running);
  const times = { fromMs: toMicros(from - releasedAt), everyMs: PROBE_EVERY_MS };
  return afterOf(
    times,
    ended.filter((probe) => probe !== undefined),
  );
}

function endedProbe(one: SingleHandshake, releasedAt: number): EndedProbe {
  const { startedAt, tookMs, outcome, sample, stalledMs } = one;
  return { probe: { atMs: toMicros(startedAt - releasedAt), outcome, tookMs: toMicros(tookMs) }, sample, stalledMs };
}

/**
 * The probes after a burst: once it is over, one handshake at a steady pace, each by itself, show how long clients that had
 * no part in it still suffer. A target that works on for clients long gone refuses them too (the work of N arrivals, S each,
 * outlives a burst by N·S), and a gateway that has written a backend off refuses everybody for a while. None waits for the
 * one before, which may itself wait long. What a burst was, and whether there are probes after it, is decided in run.ts.
 */
import { PROBE_EVERY_MS, probesPerBurst } from '../../plan/needs.js';
import type { After } from '../../result/result.js';
import { afterOf, type EndedProbe } from '../../tally/after-probes.js';
import { handshakeOnce, type SingleHandshake, type SingleOptions } from '../load/single-handshake.js';
import { now, toMicros } from '../machine/clock.js';
import { waitUntil } from '../machine/wait.js';

/** How far the probes have come. */
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

/** Resolves when the last probe has ended and its connection is gone; a stop ends those under way as `aborted`. */
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
    // Heard of below; without this a bug in one would end the process before the others had ended.
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

function endedProbe({ startedAt, tookMs, outcome, sample }: SingleHandshake, releasedAt: number): EndedProbe {
  return { probe: { atMs: toMicros(startedAt - releasedAt), outcome, tookMs: toMicros(tookMs) }, sample };
}

/**
 * Detects when a thread stood still: two signs of life further apart than its own work can explain. A timer gives them,
 * and so does the thread's work. CPU time that the thread used in between is work too: a thousand TLS handshakes are
 * computed without one call to this code. The cause (a signal, a debugger, a host without free CPU) is unknown here.
 */
import type { Stalled } from '../../tally/validity.js';
import { now } from './clock.js';
import { ownCpuMs } from './cpu-limits.js';

const BEAT_MS = 25;
/** Shorter ones are the ordinary delays of a busy machine. */
export const LEAST_STALL_MS = 200;

export class Stalls {
  #timer: NodeJS.Timeout | null = null;
  /** A separate object: V8 deoptimises code when a field that held integers gets its first fraction. */
  readonly #seen = { last: Number.NaN, cpuMs: Number.NaN, longestMs: 0, totalMs: 0 };

  /**
   * @param since start of the observation, ms on the clock of `now()`; there was no sign of life between then and now
   */
  start(since: number): void {
    this.stop();
    this.#seen.last = since;
    this.#seen.longestMs = this.#seen.totalMs = 0;
    this.#seen.cpuMs = ownCpuMs();
    this.#timer = setInterval(() => {
      this.beat(now());
      this.#seen.cpuMs = ownCpuMs();
    }, BEAT_MS).unref();
    this.beat(now());
  }

  /** A sign of life at `at`. */
  beat(at: number): void {
    const seen = this.#seen;
    const gap = at - seen.last;
    seen.last = at;
    if (gap <= LEAST_STALL_MS) return;
    const stoodMs = gap - this.#workedMs();
    if (stoodMs <= LEAST_STALL_MS) return;
    seen.totalMs += stoodMs;
    if (stoodMs > seen.longestMs) seen.longestMs = stoodMs;
  }

  /** CPU time since the last sign of life: since it was last read, which may have been a beat earlier. */
  #workedMs(): number {
    const before = this.#seen.cpuMs;
    this.#seen.cpuMs = ownCpuMs();
    return Math.max(0, this.#seen.cpuMs - before - BEAT_MS) || 0;
  }

  /** Stalls since the start or the last call. */
  take(): Stalled {
    if (this.#timer !== null) this.beat(now());
    const { longestMs, totalMs } = this.#seen;
    this.#seen.longestMs = this.#seen.totalMs = 0;
    return { longestMs, totalMs };
  }

  /** Stops observing; what was seen can still be taken. */
  stop(): void {
    if (this.#timer === null) return;
    this.beat(now());
    clearInterval(this.#timer);
    this.#timer = null;
    this.#seen.last = Number.NaN;
  }
}

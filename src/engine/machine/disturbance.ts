/**
 * What disturbed this machine between two moments: CPU throttling by the cgroup, threads that waited for a core, time
 * stolen by the hypervisor, a step of the wall clock, a full connection tracking table. Known on Linux only; elsewhere
 * each is null.
 */
import { now, wallOffset } from './clock.js';
import { longestWaitMs, runQueue, throttledMs } from './cpu-limits.js';
import { textOf } from './text-of.js';

export interface Disturbance {
  readonly throttledMs: number | null;
  /** Run-queue delay of the thread that waited longest for a core. */
  readonly runQueueMs: number | null;
  /** Time between the two moments. */
  readonly watchedMs: number;
  readonly stealShare: number | null;
  readonly clockStepMs: number;
  readonly conntrackShare: number | null;
}

/** Starts observing; the returned function reports what happened since. */
export function watchMachine(): () => Disturbance {
  const since = now();
  const throttled = throttledMs();
  const waits = runQueue();
  const cpu = cpuTicks();
  const offset = wallOffset();
  return () => {
    const throttledNow = throttledMs();
    const cpuNow = cpuTicks();
    return {
      throttledMs: throttled === null || throttledNow === null ? null : throttledNow - throttled,
      runQueueMs: longestWaitMs(waits, runQueue()),
      watchedMs: now() - since,
      stealShare:
        cpu === null || cpuNow === null || cpuNow.all <= cpu.all
          ? null
          : (cpuNow.steal - cpu.steal) / (cpuNow.all - cpu.all),
      clockStepMs: wallOffset() - offset,
      conntrackShare: conntrackShare(),
    };
  };
}

/** proc_stat(5): user nice system idle iowait irq softirq steal. */
function cpuTicks(): { all: number; steal: number } | null {
  const match = /^cpu +(.+)$/m.exec(textOf('/proc/stat') ?? '');
  if (match === null) return null;
  const ticks = match[1].split(' ').slice(0, 8).map(Number);
  return { all: ticks.reduce((sum, n) => sum + n, 0), steal: ticks[7] ?? 0 };
}

function conntrackShare(): number | null {
  const count = textOf('/proc/sys/net/netfilter/nf_conntrack_count');
  const max = textOf('/proc/sys/net/netfilter/nf_conntrack_max');
  return count === null || max === null ? null : Number(count) / Number(max);
}

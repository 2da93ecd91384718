/**
 * What disturbed this machine between two moments: CPU throttling by the cgroup, time stolen by the hypervisor, a step
 * of the wall clock, a full table of tracked connections. Only Linux says; elsewhere each is null.
 */
import { wallOffset } from './clock.js';
import { textOf } from './machine.js';

export interface Disturbance {
  readonly throttledMs: number | null;
  readonly stealShare: number | null;
  readonly clockStepMs: number;
  readonly conntrackShare: number | null;
}

/** Starts looking; the returned function says what happened since. */
export function watchMachine(): () => Disturbance {
  const throttled = throttledUs();
  const cpu = cpuTicks();
  const offset = wallOffset();
  return () => {
    const throttledNow = throttledUs();
    const cpuNow = cpuTicks();
    return {
      throttledMs: throttled === null || throttledNow === null ? null : (throttledNow - throttled) / 1000,
      stealShare:
        cpu === null || cpuNow === null || cpuNow.all <= cpu.all
          ? null
          : (cpuNow.steal - cpu.steal) / (cpuNow.all - cpu.all),
      clockStepMs: wallOffset() - offset,
      conntrackShare: conntrackShare(),
    };
  };
}

function throttledUs(): number | null {
  const match = /^throttled_usec (\d+)/m.exec(textOf('/sys/fs/cgroup/cpu.stat') ?? '');
  return match === null ? null : Number(match[1]);
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

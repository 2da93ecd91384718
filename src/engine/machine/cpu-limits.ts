/**
 * What kept this process from its CPU: the quota of its own control group, or of one above it, and cores that others held
 * (the run-queue delay of its threads).
 */
import { readdirSync } from 'node:fs';
import { groupFolders } from './control-groups.js';
import { textOf } from './text-of.js';

/** A thread's run-queue delay, ms, by its id. */
export type RunQueue = ReadonlyMap<string, number>;

/**
 * How long quotas have kept this process from running, ms; null where the kernel does not say. Each group counts its own.
 * @param root of the file system
 */
export function throttledMs(root = ''): number | null {
  const values = groupFolders('cpu', root).flatMap((folder) => {
    const text = textOf(`${folder}/cpu.stat`);
    const match = text === null ? null : /^throttled_(usec|time) (\d+)/m.exec(text);
    // cgroup-v2 counts µs, the cpu controller of cgroup-v1 ns.
    return match === null ? [] : [Number(match[2]) / (match[1] === 'usec' ? 1e3 : 1e6)];
  });
  return values.length === 0 ? null : values.reduce((sum, ms) => sum + ms, 0);
}

/** CPU time of the calling thread so far, ms; NaN where the kernel does not tell. */
export function ownCpuMs(): number {
  return Number((textOf('/proc/thread-self/schedstat') ?? 'unknown').split(' ')[0]) / 1e6;
}

/** proc_pid_schedstat: time on a CPU, time spent waiting on a run queue (both ns), slices run. */
export function runQueue(root = ''): RunQueue {
  const folder = `${root}/proc/self/task`;
  const delays = new Map<string, number>();
  for (const thread of namesIn(folder)) {
    const delay = Number((textOf(`${folder}/${thread}/schedstat`) ?? '').split(' ')[1]);
    if (Number.isFinite(delay)) delays.set(thread, delay / 1e6);
  }
  return delays;
}

/**
 * Run-queue delay of the thread that waited longest between two readings, ms; null when the kernel does not report it.
 */
export function longestWaitMs(before: RunQueue, after: RunQueue): number | null {
  if (after.size === 0) return null;
  return Math.max(...[...after].map(([thread, ms]) => ms - (before.get(thread) ?? 0)));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

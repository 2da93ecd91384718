/**
 * What kept this process from the CPU: the quota of its own control group or of one above it, and cores in use by
 * others (the run-queue delay of its threads). Reads control groups of version 1, of version 2, and mixed.
 */
import { readdirSync } from 'node:fs';
import { textOf } from './machine.js';

/** A thread's run-queue delay, ms, by its id. */
export type RunQueue = ReadonlyMap<string, number>;

/**
 * How long quotas have kept this process from running, ms; null when the kernel does not report it.
 * @param root root of the file system
 */
export function throttledMs(root = ''): number | null {
  const values = statFiles(root).flatMap((file) => {
    const text = textOf(file);
    const match = text === null ? null : /^throttled_(usec|time) (\d+)/m.exec(text);
    // cgroup-v2 counts µs, the cpu controller of cgroup-v1 ns.
    return match === null ? [] : [Number(match[2]) / (match[1] === 'usec' ? 1e3 : 1e6)];
  });
  return values.length === 0 ? null : values.reduce((sum, ms) => sum + ms, 0);
}

/** `cpu.stat` of this process's control group and of all visible groups above it: each counts only its own quota. */
function statFiles(root: string): string[] {
  const groups = (textOf(`${root}/proc/self/cgroup`) ?? '').split('\n').map((line) => {
    const [, controllers = '', ...path] = line.split(':');
    return { controllers: controllers.split(','), path: path.join(':') };
  });
  const mounts = mountsIn(textOf(`${root}/proc/self/mountinfo`) ?? '');
  return mounts.flatMap(({ at, of, type, options }) => {
    const isOfCpu = type === 'cgroup' && options.includes('cpu');
    const group = groups.find(({ controllers }) =>
      type === 'cgroup2' ? controllers.join() === '' : isOfCpu && controllers.includes('cpu'),
    );
    if (group === undefined || group.path === '') return [];
    return above(pathBelow(group.path, of)).map((path) => `${root}${at}${path}/cpu.stat`);
  });
}

/** proc_pid_mountinfo(5): ID parent major:minor root mount-point options … - type source super-options. */
function mountsIn(text: string) {
  return text.split('\n').flatMap((line) => {
    const [left, right] = line.split(' - ');
    const [, , , of, at] = left.split(' ');
    const [type, , options = ''] = right?.split(' ') ?? [];
    return type === 'cgroup' || type === 'cgroup2' ? [{ at, of, type, options: options.split(',') }] : [];
  });
}

/** A container may mount its own group as the root, while its path is given as the host sees it. */
function pathBelow(path: string, mounted: string): string {
  if (mounted === '/' || mounted.startsWith('/..')) return path.replace(/^(\/\.\.)+/, '');
  if (path === mounted) return '';
  return path.startsWith(`${mounted}/`) ? path.slice(mounted.length) : path;
}

/** `/a/b` → `/a/b`, `/a`, and the root. */
function above(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return Array.from({ length: parts.length + 1 }, (_, i) =>
    parts
      .slice(0, i)
      .map((part) => `/${part}`)
      .join(''),
  );
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

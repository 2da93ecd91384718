/** The memory of a process and all its descendants, watched from outside through /proc (proc(5)). */
import { readFileSync } from 'node:fs';
import { pause } from './child.js';

const PERIOD_MS = 50;
const MIB = 1024;

export interface Sample {
  /** ms since the Unix epoch. */
  readonly at: number;
  /** VmRSS of all processes of the tree, MiB. */
  readonly rss: number;
}

export interface Watch {
  readonly samples: readonly Sample[];
  /** The highest sum of VmRSS that was seen, MiB. */
  readonly peakRss: number;
  readonly processes: number;
  /** VmHWM of the process itself, without its descendants, MiB: kept by the kernel, so no peak is missed. */
  readonly own: number;
}

/** Watches `pid` until `done` settles. */
export async function watchMemory(pid: number, done: Promise<unknown>): Promise<Watch> {
  const samples: Sample[] = [];
  const peaks = new Map<number, number>();
  let isDone = false;
  const over = () => {
    isDone = true;
  };
  void done.then(over, over);
  while (!isDone) {
    let rss = 0;
    for (const one of tree(pid)) {
      const status = read(`/proc/${one}/status`);
      rss += field(status, 'VmRSS');
      peaks.set(one, Math.max(peaks.get(one) ?? 0, field(status, 'VmHWM')));
    }
    if (rss > 0) samples.push({ at: Date.now(), rss });
    await pause(PERIOD_MS);
  }
  return {
    samples,
    peakRss: Math.max(...samples.map((sample) => sample.rss)),
    processes: peaks.size,
    own: peaks.get(pid) ?? 0,
  };
}

function tree(pid: number): number[] {
  const threads = read(`/proc/${pid}/stat`) === '' ? [] : children(pid);
  return [pid, ...threads.flatMap(tree)];
}

/** Children of the main thread: Node starts its processes there. */
function children(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).trim().split(/\s+/).filter(Boolean).map(Number);
}

function field(status: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  return match === null ? 0 : Number(match[1]) / MIB;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

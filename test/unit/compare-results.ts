/** Saved results for tests of comparisons: bursts whose latencies follow a formula, scaled from run to run. */
import type { ComparedRun } from '#dist/compare/sides.js';
import type { Result } from '#dist/result/result.js';
import { type BurstSpec, result } from './report-results.js';

/** 100 handshakes of 10 ms to 1,000 ms, times `by`; the last `failed` of them are answered 504. */
export function burstOf(by: number, failed = 0): BurstSpec {
  const count = 100 - failed;
  return {
    endings: [
      { outcome: '101', count, atMs: (i) => 10 * (i + 1) * by },
      ...(failed === 0 ? [] : [{ outcome: '504' as const, count: failed, atMs: () => 2000 }]),
    ],
  };
}

/** Each is made once: its histograms take longer than what is tested. */
const made = new Map<string, Result>();

/** One run a list of factors, one burst a factor. */
export function runsOf(side: string, factors: readonly (readonly number[])[]): ComparedRun[] {
  return factors.map((bursts, i) => {
    const key = bursts.join();
    const one = made.get(key) ?? result({ bursts: bursts.map((by) => burstOf(by)) });
    made.set(key, one);
    return { file: `${side}-${i + 1}.json`, result: asMeasured(one, i) };
  });
}

/** By one generator, a minute after the one before. */
export function asMeasured(one: Result, minute: number): Result {
  const at = (second: number) =>
    `2026-11-21T08:${String(minute).padStart(2, '0')}:${String(second).padStart(2, '0')}.000000Z`;
  return {
    ...one,
    startedAt: at(0),
    endedAt: at(3),
    generators: [
      {
        id: 'local',
        host: 'load-1',
        cpus: 4,
        node: 'v20.19.0',
        platform: 'linux-x64',
        transport: 'epoll',
        workers: 1,
        limits: { fds: null, ports: null },
        transportNote: null,
      },
    ],
  };
}

/** The bare target of receiver.ts as a process of a test. */
import { freePorts, startScript } from './child.js';
import type { Report } from './receiver.js';

export interface Target {
  readonly url: string;
  readonly port: number;
  /** What it saw; what it received is told once. */
  report(): Promise<Report>;
  stop(): Promise<void>;
}

/** @param host an address of 127.0.0.0/8: each test takes one of its own, so that TIME_WAIT pairs of others do not matter */
export async function startTarget(host: string, mode: 'counts' | 'stamps' | 'awake' = 'counts'): Promise<Target> {
  const [port] = await freePorts(1);
  const child = startScript('receiver', [host, `${port}`, mode]);
  const url = await child.line();
  return {
    url,
    port,
    async report() {
      child.say('report');
      return JSON.parse(await child.line()) as Report;
    },
    stop: () => child.stop(),
  };
}

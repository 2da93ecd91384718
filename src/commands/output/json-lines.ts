/**
 * `--json-lines`: a line of JSON on standard output for each burst as it ends, with the keys of `bursts[]`, and at the end
 * one with the totals. For dashboards and scripts that do not wait for the end of a run.
 */
import type { Host } from '../../host.js';
import type { Output } from '../../report/outputs/output.js';
import type { Burst, Result } from '../../result/result.js';
import { write } from '../console.js';

export class JsonLines implements Output {
  readonly name = '--json-lines';
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async ended(burst: Burst): Promise<void> {
    const { burstLine } = await import('../../result/document.js');
    await write(this.#host, burstLine(burst));
  }

  async end({ totals, validity, exitCode }: Result): Promise<undefined> {
    await write(this.#host, JSON.stringify({ end: { totals, validity, exitCode } }));
  }
}

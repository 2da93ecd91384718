/**
 * One request for the workers' reports in the middle of a load. Rows that a worker sends after its report are of
 * attempts that the report does not count: they are held back, so that rows and counts agree.
 */
import type { ShardReport } from '../load/shard.js';

export class PeekUnderWay {
  readonly number: number;
  /** Resolves when every worker has reported. */
  readonly all: Promise<void>;
  /** Rows to pass on when the peek is over. */
  readonly later: string[] = [];
  readonly #workers: number;
  readonly #told = new Map<number, ShardReport | null>();
  #resolve: () => void = () => {};

  constructor(number: number, workers: number) {
    this.number = number;
    this.#workers = workers;
    this.all = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  told(worker: number, number: number, report: ShardReport | null): void {
    // This answers an earlier peek that has timed out.
    if (number !== this.number) return;
    this.#told.set(worker, report);
    if (this.#told.size === this.#workers) this.#resolve();
  }

  hasTold(worker: number): boolean {
    return this.#told.has(worker);
  }

  /** null: not all have reported, or there is nothing to report. */
  get reports(): readonly ShardReport[] | null {
    const reports = [...this.#told.values()].filter((report) => report !== null);
    return reports.length === this.#workers ? reports : null;
  }
}

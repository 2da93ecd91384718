/**
 * One look at what the workers know in the middle of a load. The rows that a worker sends after it has told are of attempts
 * that its report does not count: they wait, so that rows and counts agree.
 */
import type { ShardReport } from '../load/shard.js';

export class PeekUnderWay {
  readonly number: number;
  /** Resolves when every worker has told. */
  readonly all: Promise<void>;
  /** Rows that are told when the look is over. */
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
    // The answer to an earlier look that was given up.
    if (number !== this.number) return;
    this.#told.set(worker, report);
    if (this.#told.size === this.#workers) this.#resolve();
  }

  hasTold(worker: number): boolean {
    return this.#told.has(worker);
  }

  /** null: not all have told, or there is nothing to tell. */
  get reports(): readonly ShardReport[] | null {
    const reports = [...this.#told.values()].filter((report) => report !== null);
    return reports.length === this.#workers ? reports : null;
  }
}

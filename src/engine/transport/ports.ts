/**
 * Chooses local ports for connections with a bound source address. Node binds before it connects, so a port the kernel
 * chose would be taken from every destination at once (bind(2) knows no destination); a port named by us is shared
 * between destinations, because the kernel then judges the whole four-tuple.
 */

export class PortChooser {
  readonly #low: number;
  readonly #count: number;
  readonly #stride: number;
  readonly #next = new Map<string, number>();
  readonly #first: number;

  /**
   * @param low first port of the range, @param high last one (inclusive)
   * @param worker takes every `workers`-th port, so that threads never meet
   */
  constructor(low: number, high: number, worker: number, workers: number, start: number) {
    const count = high - low + 1;
    // Fewer ports than threads: then they meet, and who comes second tries the next one.
    const isShared = count < workers;
    this.#low = low;
    this.#stride = isShared ? 1 : workers;
    this.#count = count - (count % this.#stride);
    this.#first = isShared ? start : start - (start % workers) + worker;
  }

  /** Each pair of addresses has its own row: over one row for all, a port would meet the same destination each time. */
  next(from: string, to: string): number {
    const pair = `${from} ${to}`;
    const at = this.#next.get(pair) ?? this.#first;
    this.#next.set(pair, at + this.#stride);
    return this.#low + (at % this.#count);
  }
}

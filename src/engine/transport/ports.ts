/**
 * Chooses local ports for connections with a bound source address. Node binds before it connects, so a port chosen by
 * the kernel would be used up for all destinations at once (bind(2) knows no destination). A port that we name is
 * shared between destinations, because the kernel then checks the whole four-tuple.
 */

export class PortChooser {
  readonly #low: number;
  readonly #count: number;
  readonly #stride: number;
  readonly #next = new Map<string, number>();
  readonly #first: number;

  /**
   * @param low first port of the range
   * @param high last port (inclusive)
   * @param worker takes every `workers`-th port, so that threads never choose the same one
   */
  constructor(low: number, high: number, worker: number, workers: number, start: number) {
    const count = high - low + 1;
    // With fewer ports than threads they do: the second thread then tries the next port.
    const isShared = count < workers;
    this.#low = low;
    this.#stride = isShared ? 1 : workers;
    this.#count = count - (count % this.#stride);
    this.#first = isShared ? start : start - (start % workers) + worker;
  }

  /** Each pair of addresses has its own sequence: with a common one, a port would always get the same destination. */
  next(from: string, to: string): number {
    const pair = `${from} ${to}`;
    const at = this.#next.get(pair) ?? this.#first;
    this.#next.set(pair, at + this.#stride);
    return this.#low + (at % this.#count);
  }
}

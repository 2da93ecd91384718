/** The clients of a simulation by the time of their next attempt: a binary heap in typed arrays, earliest first. */
export class AttemptHeap {
  readonly #times: Float64Array;
  readonly #clients: Uint32Array;
  #size = 0;

  /** Each client stands in it at most once. */
  constructor(clients: number) {
    this.#times = new Float64Array(clients);
    this.#clients = new Uint32Array(clients);
  }

  get size(): number {
    return this.#size;
  }

  push(client: number, atMs: number): void {
    let at = this.#size;
    this.#size += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#times[parent] <= atMs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#times[at] = atMs;
    this.#clients[at] = client;
  }

  /** The time of the earliest; infinite when it is empty. */
  get earliestMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#times[0];
  }

  /** Removes the earliest and returns its client. Not to be called when it is empty. */
  pop(): number {
    const client = this.#clients[0];
    this.#size -= 1;
    const atMs = this.#times[this.#size];
    const last = this.#clients[this.#size];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#times[child + 1] < this.#times[child]) child += 1;
      if (this.#times[child] >= atMs) break;
      this.#move(child, at);
      at = child;
    }
    this.#times[at] = atMs;
    this.#clients[at] = last;
    return client;
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from];
    this.#clients[to] = this.#clients[from];
  }
}

/**
 * All outputs of a run. When one throws, the others continue, and the error becomes a problem with the output's name.
 * From then on that output gets only warnings and the end, because a file may still save the result then.
 */
import type { Burst, Result } from '../../result/result.js';
import type { Output, Prepared, PutInPlace, ResultSoFar, RunNews } from './output.js';

export class RunOutputs {
  readonly #outputs: readonly Output[];
  readonly #failures = new Map<Output, string>();
  /** Settled when what was told last is done: files are written one version after another. */
  #lastTurn: Promise<void> = Promise.resolve();

  /** They are called in this order. */
  constructor(outputs: readonly Output[]) {
    this.#outputs = outputs;
  }

  interval(news: RunNews): void {
    for (const output of this.#working) void this.#guarded(output, () => output.interval?.(news));
  }

  rows(text: string): void {
    for (const output of this.#working) void this.#guarded(output, () => output.rows?.(text));
  }

  note(text: string): void {
    for (const output of this.#working) void this.#guarded(output, () => output.note?.(text));
  }

  warn(text: string): void {
    for (const output of this.#outputs) void this.#guarded(output, () => output.warn?.(text));
  }

  /** A burst has ended; `burst` follows, with the result so far. */
  async ended(burst: Burst): Promise<void> {
    for (const output of this.#working) await this.#guarded(output, () => output.ended?.(burst));
  }

  /**
   * @param isDue whether files are written now; a burst that was not due is written with the next one, or at the end
   */
  async burst(soFar: ResultSoFar, isDue = true): Promise<void> {
    const shared = once(soFar);
    await this.#together(this.#working, (output) => output.burst?.(shared, isDue));
  }

  async during(soFar: ResultSoFar, rows: string): Promise<void> {
    const shared = once(soFar);
    await this.#together(this.#working, (output) => output.during?.(shared, rows));
  }

  async save(soFar: ResultSoFar): Promise<void> {
    const shared = once(soFar);
    await this.#together(this.#working, (output) => output.save?.(shared));
  }

  /** Also closes them. */
  async end(result: Result): Promise<void> {
    await this.#together(this.#outputs, (output) => output.end?.(result));
    const written = this.#outputs.map((output) => output.written ?? null).filter((file) => file !== null);
    if (written.length > 0) this.note(`wrote ${written.join(', ')}`);
    this.close();
  }

  /** May be called again. */
  close(): void {
    for (const output of this.#outputs) void this.#guarded(output, () => output.close?.());
  }

  /** What failed, one sentence each. Complete once the outputs are closed. */
  get problems(): readonly string[] {
    return this.#outputs
      .flatMap((output) => [output.problem ?? null, this.#failures.get(output) ?? null])
      .filter((problem) => problem !== null);
  }

  get #working(): readonly Output[] {
    return this.#outputs.filter((output) => !this.#failures.has(output));
  }

  /** Calls all outputs, then puts in place what they have prepared. */
  #together(outputs: readonly Output[], tell: (output: Output) => Prepared | Promise<Prepared>): Promise<void> {
    this.#lastTurn = this.#lastTurn.then(async () => {
      const prepared: [Output, PutInPlace][] = [];
      for (const output of outputs) {
        await this.#guarded(output, async () => {
          const put = await tell(output);
          if (put !== undefined) prepared.push([output, put]);
        });
      }
      for (const [output, put] of prepared) void this.#guarded(output, put);
    });
    return this.#lastTurn;
  }

  /** Calls `call` at once; only the promise that it returns is awaited. */
  async #guarded(output: Output, call: () => void | Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      // Later failures of the same output are consequences of the first.
      if (this.#failures.has(output)) return;
      this.#failures.set(output, `${output.name} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Assembles the result when the first output asks for it, and returns the same one to all. */
function once(soFar: ResultSoFar): ResultSoFar {
  let result: Promise<Result> | null = null;
  return () => {
    result ??= soFar();
    return result;
  };
}

/**
 * The outputs of a run side by side. When one throws, the others go on, and the failure becomes a problem with its
 * name. The output that threw is left out from then on, but for warnings and the end: there a file can still save the
 * result.
 */
import type { Result } from '../../result/result.js';
import type { Output, ResultSoFar, RunNews } from './output.js';

export class RunOutputs {
  readonly #outputs: readonly Output[];
  readonly #failures = new Map<Output, string>();

  /** In the order in which they are told what happens. */
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

  /** @param isDue files are written; the last that was not due is written with the next, or at the end */
  async burst(soFar: ResultSoFar, isDue = true): Promise<void> {
    const shared = once(soFar);
    for (const output of this.#working) await this.#guarded(output, () => output.burst?.(shared, isDue));
  }

  async during(soFar: ResultSoFar, rows: string): Promise<void> {
    const shared = once(soFar);
    for (const output of this.#working) await this.#guarded(output, () => output.during?.(shared, rows));
  }

  async save(soFar: ResultSoFar): Promise<void> {
    const shared = once(soFar);
    for (const output of this.#working) await this.#guarded(output, () => output.save?.(shared));
  }

  /** Closes them too. */
  async end(result: Result): Promise<void> {
    for (const output of this.#outputs) await this.#guarded(output, () => output.end?.(result));
    const written = this.#outputs.map((output) => output.written ?? null).filter((file) => file !== null);
    if (written.length > 0) this.note(`wrote ${written.join(', ')}`);
    this.close();
  }

  /** May be called again. */
  close(): void {
    for (const output of this.#outputs) void this.#guarded(output, () => output.close?.());
  }

  /** What could not be done, one sentence each. Complete once they are closed. */
  get problems(): readonly string[] {
    return this.#outputs
      .flatMap((output) => [output.problem ?? null, this.#failures.get(output) ?? null])
      .filter((problem) => problem !== null);
  }

  get #working(): readonly Output[] {
    return this.#outputs.filter((output) => !this.#failures.has(output));
  }

  /** `call` runs at once; only what it returns is waited for. */
  async #guarded(output: Output, call: () => void | Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      // The first failure is the cause of those that follow.
      if (this.#failures.has(output)) return;
      this.#failures.set(output, `${output.name} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Put together when the first output asks for it, and the same for all. */
function once(soFar: ResultSoFar): ResultSoFar {
  let result: Promise<Result> | null = null;
  return () => {
    result ??= soFar();
    return result;
  };
}

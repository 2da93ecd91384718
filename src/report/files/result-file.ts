/**
 * A file, pipe or device to which a result is written in a given format: after every burst, before a search fires, and
 * at the end. At every moment a file holds one complete version. Does not know what a result means.
 */
import type { Result } from '../../result/result.js';
import type { Render } from '../formats/format.js';
import type { Output, PutInPlace, ResultSoFar } from '../outputs/output.js';
import type { OutputPath } from './destination.js';
import { placeOf, type ResultPlace } from './result-place.js';

export type Rendered = ReturnType<Render>;

/** A result at one destination, replaced by each newer version. */
export class ResultFile implements Output {
  readonly name: string;
  readonly #render: (result: Result) => Rendered;
  readonly #place: ResultPlace;

  constructor(destination: OutputPath, render: (result: Result) => Rendered) {
    this.name = `${destination.flag} ${destination.shown}`;
    this.#render = render;
    this.#place = placeOf(destination);
  }

  async burst(soFar: ResultSoFar, isDue: boolean): Promise<PutInPlace | undefined> {
    return isDue ? this.save(soFar) : undefined;
  }

  during(soFar: ResultSoFar): Promise<PutInPlace> {
    return this.save(soFar);
  }

  async save(soFar: ResultSoFar): Promise<PutInPlace> {
    return this.end(await soFar());
  }

  async end(result: Result): Promise<PutInPlace> {
    return this.#place.prepare(await this.#render(result), result.bursts.length);
  }

  close(): void {
    this.#place.close();
  }

  get written(): string | null {
    return this.#place.written;
  }

  get problem(): string | null {
    return this.#place.problem;
  }
}

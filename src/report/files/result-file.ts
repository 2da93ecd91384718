/**
 * A file, pipe or device to which a result is written in a given format: after every burst, before a search fires, and
 * at the end. At every moment a file holds one complete version. Does not know what a result means.
 */
import * as fs from 'node:fs';
import type { Result } from '../../result/result.js';
import type { Format } from '../formats/format.js';
import type { Output, PutInPlace, ResultSoFar } from '../outputs/output.js';
import {
  burstsText,
  createTemporary,
  type OutputPath,
  openInPlace,
  reasonOf,
  removeQuietly,
  replace,
  untouched,
  writeInPlace,
} from './destination.js';

/** A result at one destination, replaced by each newer version. */
export class ResultFile implements Output {
  readonly name: string;
  readonly #render: Format['render'];
  readonly #place: ResultPlace;

  constructor(destination: OutputPath, render: Format['render']) {
    this.name = `${destination.flag} ${destination.shown}`;
    this.#render = render;
    this.#place = destination.isFile ? new ReplacedFile(destination) : new Stream(destination);
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

/** A destination of documents. A failed write does not throw: it is kept as `problem`. */
interface ResultPlace {
  prepare(content: string | Uint8Array, bursts: number): PutInPlace;
  close(): void;
  readonly written: string | null;
  readonly problem: string | null;
}

/** A file: each document replaces the previous one. */
class ReplacedFile implements ResultPlace {
  readonly #destination: OutputPath;
  /** Number of bursts in the file; null: this run has not written it yet. */
  #bursts: number | null = null;
  #failure: string | null = null;

  constructor(destination: OutputPath) {
    this.#destination = destination;
  }

  prepare(content: string | Uint8Array, bursts: number): PutInPlace {
    const isPrepared = this.#try(() => {
      const fd = createTemporary(this.#destination);
      try {
        fs.writeFileSync(fd, content);
      } finally {
        fs.closeSync(fd);
      }
    });
    return () => {
      if (!isPrepared || !this.#try(() => replace(this.#destination))) return;
      this.#bursts = bursts;
      this.#failure = null;
    };
  }

  #try(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      this.#failure = reasonOf(error);
      removeQuietly(this.#destination.temporary);
      return false;
    }
  }

  close(): void {}

  get written(): string | null {
    return this.#failure === null && this.#bursts !== null ? this.#destination.shown : null;
  }

  get problem(): string | null {
    if (this.#failure === null) return null;
    const start = `could not write ${this.#destination.shown}: ${this.#failure}`;
    if (this.#bursts !== null) return `${start}; the last complete version has ${burstsText(this.#bursts)}`;
    return `${start}; ${untouched(this.#destination)}`;
  }
}

/** A pipe or device: one document, at the end, because a reader expects one. */
class Stream implements ResultPlace {
  /** Not reported: the reader of a pipe sees the document. */
  readonly written = null;
  readonly #shown: string;
  #fd: number | null;
  #latest: string | Uint8Array | null = null;
  #failure: string | null = null;

  constructor(destination: OutputPath) {
    this.#shown = destination.shown;
    this.#fd = openInPlace(destination);
  }

  prepare(content: string | Uint8Array): PutInPlace {
    return () => {
      this.#latest = content;
    };
  }

  close(): void {
    if (this.#fd === null) return;
    try {
      if (this.#latest !== null) writeInPlace(this.#fd, this.#latest);
    } catch (error) {
      this.#failure = reasonOf(error);
    }
    fs.closeSync(this.#fd);
    this.#fd = null;
  }

  get problem(): string | null {
    return this.#failure === null ? null : `could not write ${this.#shown}: ${this.#failure}`;
  }
}

/**
 * Where a document is written, and how: a file is replaced by each newer version, a pipe or a device gets one at the end,
 * and one is appended to a file of several writers. Does not know what a document means.
 */
import * as fs from 'node:fs';
import type { PutInPlace } from '../outputs/output.js';
import { burstsText } from '../words/numbers.js';
import {
  createTemporary,
  type OutputPath,
  openInPlace,
  reasonOf,
  removeQuietly,
  replace,
  untouched,
  writeInPlace,
} from './destination.js';

/** A destination of documents. A failed write does not throw: it is kept as `problem`. */
export interface ResultPlace {
  prepare(content: string | Uint8Array, bursts: number): PutInPlace;
  close(): void;
  readonly written: string | null;
  readonly problem: string | null;
}

export function placeOf(destination: OutputPath): ResultPlace {
  if (!destination.isFile) return new Stream(destination);
  return destination.isAppended ? new Appended(destination) : new ReplacedFile(destination);
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

/** GitHub refuses a larger summary of a step, and shows nothing of it. */
const MOST_APPENDED = 1_000_000;

/** A file to which one document is appended, at the end: it holds what others wrote. */
class Appended implements ResultPlace {
  readonly #destination: OutputPath;
  #latest: string | Uint8Array | null = null;
  #isWritten = false;
  #failure: string | null = null;

  constructor(destination: OutputPath) {
    this.#destination = destination;
  }

  prepare(content: string | Uint8Array): PutInPlace {
    return () => {
      this.#latest = content;
    };
  }

  close(): void {
    const content = this.#latest;
    this.#latest = null;
    if (content === null) return;
    const { path } = this.#destination;
    try {
      const held = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (held + Buffer.byteLength(content) > MOST_APPENDED) throw new Error('it would be larger than 1,000 kB');
      fs.appendFileSync(path, content);
      this.#isWritten = true;
    } catch (error) {
      this.#failure = reasonOf(error);
    }
  }

  get written(): string | null {
    return this.#isWritten ? this.#destination.shown : null;
  }

  get problem(): string | null {
    return this.#failure === null ? null : `could not add to ${this.#destination.shown}: ${this.#failure}`;
  }
}

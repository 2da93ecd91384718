/**
 * The files that a run leaves behind: results (`-o`) and one row an attempt (`--attempts`). Everything that can be wrong
 * with a path is an error before the first handshake; everything that goes wrong later is kept as a problem and costs
 * the run nothing. At every instant a file holds one complete version. What a result means is not known here.
 */
import * as fs from 'node:fs';
import { formatCount } from '../../plan/units.js';
import type { Result } from '../../result/result.js';
import { ATTEMPTS_HEADER } from '../../tally/attempt-row.js';
import {
  checkEnding,
  createTemporary,
  type Destination,
  destinationOf,
  type OutputOptions,
  openInPlace,
  outputError,
  prove,
  reasonOf,
  removeQuietly,
  replace,
} from './destination.js';

interface OutputSpecs {
  /** Paths as the user wrote them. */
  readonly results: readonly string[];
  readonly attempts: string | null;
}

export interface Outputs {
  /** After every burst and at the end: replaces what the result files hold. A file that fails is a problem, no error. */
  write(result: Result): Promise<void>;
  /** Rows of the burst that is going on, with their line ends. */
  rows(text: string): void;
  /** The burst is over, or broken off: its rows appear in the file, all at once. */
  commitRows(): void;
  /** What could not be written, one sentence a file. Complete after `close`. */
  readonly problems: readonly string[];
  /** Writes what pipes have waited for, removes temporary files. May be called again. */
  close(): void;
}

/** Endings of result files; the ending picks the format. */
const ENDINGS = ['.json'];

/**
 * Checks every path and proves that it can be written.
 * @throws UserError `output` (exit code 2) for an unknown ending, a path given twice, a folder, a missing folder, or
 * one that may not be written to.
 */
export function openOutputs(specs: OutputSpecs, options: OutputOptions): Outputs {
  const results = specs.results.map((path) => destinationOf('-o', path, options));
  const attempts = specs.attempts === null ? null : destinationOf('--attempts', specs.attempts, options);
  const all = attempts === null ? results : [...results, attempts];
  for (const destination of results) checkEnding(destination, ENDINGS);
  checkApart(all);
  for (const destination of all) prove(destination);
  return new Files(
    results.map((destination) => (destination.isFile ? new ResultFile(destination) : new ResultPipe(destination))),
    attempts === null ? null : new RowsFile(attempts),
  );
}

function checkApart(destinations: readonly Destination[]): void {
  const seen = new Map<string, Destination>();
  for (const destination of destinations.filter(({ isFile }) => isFile)) {
    const { flag, shown, path } = destination;
    const before = seen.get(path);
    if (before !== undefined) {
      const other = `${before.flag} ${before.shown}`;
      throw outputError(`${flag} ${shown}: the same file as ${other}`, 'give every output a file of its own');
    }
    seen.set(path, destination);
  }
}

/** One place for result documents. */
interface ResultPlace {
  write(text: string, bursts: number): void;
  close(): void;
  readonly problem: string | null;
}

/** A file: the whole document, again and again. */
class ResultFile implements ResultPlace {
  readonly #destination: Destination;
  /** Bursts of the version that the file holds; null when it holds none of this run's. */
  #bursts: number | null = null;
  #failure: string | null = null;

  constructor(destination: Destination) {
    this.#destination = destination;
  }

  write(text: string, bursts: number): void {
    try {
      const fd = createTemporary(this.#destination);
      try {
        fs.writeFileSync(fd, text);
      } finally {
        fs.closeSync(fd);
      }
      replace(this.#destination);
      this.#bursts = bursts;
      this.#failure = null;
    } catch (error) {
      this.#failure = reasonOf(error);
      removeQuietly(this.#destination.temporary);
    }
  }

  close(): void {}

  get problem(): string | null {
    if (this.#failure === null) return null;
    const start = `could not write ${this.#destination.shown}: ${this.#failure}`;
    if (this.#bursts !== null) return `${start}; the last complete version has ${bursts(this.#bursts)}`;
    return `${start}; ${untouched(this.#destination)}`;
  }
}

/** A pipe or device: one document, at the end; its reader would not know what to do with one a burst. */
class ResultPipe implements ResultPlace {
  readonly #shown: string;
  #fd: number | null;
  #latest: string | null = null;
  #failure: string | null = null;

  constructor(destination: Destination) {
    this.#shown = destination.shown;
    this.#fd = openInPlace(destination);
  }

  write(text: string): void {
    this.#latest = text;
  }

  close(): void {
    if (this.#fd === null) return;
    try {
      if (this.#latest !== null) fs.writeFileSync(this.#fd, this.#latest);
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

/**
 * The attempts' rows. All of them go to a spool beside the file, and a copy of the spool (a reflink where the file system
 * can) takes the file's place once a burst is whole. To a pipe they go as they come.
 */
class RowsFile {
  readonly #destination: Destination;
  readonly #spool: string;
  #fd: number | null;
  /** Bytes in the spool, and those of them that belong to whole bursts. */
  #size = 0;
  #wholeSize = 0;
  #spooledBursts = 0;
  #shownBursts = 0;
  #lostBursts = 0;
  #isBurstLost = false;
  /** The spool holds bytes that can't be taken out: what the file holds is whole and stays. */
  #isBroken = false;
  #failure: string | null = null;

  constructor(destination: Destination) {
    this.#destination = destination;
    this.#spool = `${destination.temporary}-rows`;
    this.#fd = destination.isFile ? null : openInPlace(destination);
  }

  rows(text: string): void {
    if (this.#isBurstLost || this.#isBroken) return;
    try {
      this.#append(text);
    } catch (error) {
      this.#lose(error);
    }
  }

  commit(): void {
    // A burst without a row still gives the file its header.
    this.rows('');
    const isLost = this.#isBurstLost || this.#isBroken;
    this.#isBurstLost = false;
    if (isLost) {
      this.#lostBursts++;
      return;
    }
    this.#spooledBursts++;
    this.#wholeSize = this.#size;
    try {
      this.#show();
      this.#shownBursts = this.#spooledBursts;
    } catch (error) {
      this.#failure = reasonOf(error);
      removeQuietly(this.#destination.temporary);
    }
  }

  /** Rows of a burst that was never committed stay out of the file. */
  close(): void {
    if (this.#fd === null) return;
    fs.closeSync(this.#fd);
    this.#fd = null;
    if (this.#destination.isFile) removeQuietly(this.#spool);
  }

  get problem(): string | null {
    const missing = this.#spooledBursts - this.#shownBursts + this.#lostBursts;
    if (missing === 0) return null;
    const start = `could not write ${this.#destination.shown}: ${this.#failure ?? 'the system refused'}`;
    if (this.#shownBursts === 0) return `${start}; ${untouched(this.#destination)}`;
    return `${start}; it holds the rows of ${bursts(this.#shownBursts)}, those of ${formatCount(missing)} are missing`;
  }

  #append(text: string): void {
    if (this.#fd === null) {
      removeQuietly(this.#spool);
      this.#fd = fs.openSync(this.#spool, 'ax');
      if (this.#destination.mode !== null) fs.fchmodSync(this.#fd, this.#destination.mode);
    }
    const added = this.#size === 0 ? `${ATTEMPTS_HEADER}\n${text}` : text;
    // A single write may end in the middle (a full disk); this goes on until all is written or it throws.
    fs.appendFileSync(this.#fd, added);
    this.#size += Buffer.byteLength(added);
  }

  /** Takes the rows of this burst out again: half a burst would be worse than none. */
  #lose(error: unknown): void {
    this.#failure = reasonOf(error);
    this.#isBurstLost = true;
    if (this.#fd === null || !this.#destination.isFile) return;
    try {
      fs.ftruncateSync(this.#fd, this.#wholeSize);
      this.#size = this.#wholeSize;
    } catch {
      this.#isBroken = true;
    }
  }

  #show(): void {
    if (!this.#destination.isFile) return;
    fs.closeSync(createTemporary(this.#destination));
    // Permissions are copied too.
    fs.copyFileSync(this.#spool, this.#destination.temporary, fs.constants.COPYFILE_FICLONE);
    replace(this.#destination);
  }
}

function untouched({ isFile, mode }: Destination): string {
  if (!isFile) return 'what it got is not whole';
  return mode === null ? 'there is no such file' : 'it still holds what was there before';
}

function bursts(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'burst' : 'bursts'}`;
}

class Files implements Outputs {
  readonly #results: readonly ResultPlace[];
  readonly #attempts: RowsFile | null;

  constructor(results: readonly ResultPlace[], attempts: RowsFile | null) {
    this.#results = results;
    this.#attempts = attempts;
  }

  async write(result: Result): Promise<void> {
    if (this.#results.length === 0) return;
    // With the schema of a result, which nothing before the first burst needs.
    const { writeResult } = await import('../../result/document.js');
    const text = writeResult(result);
    for (const place of this.#results) place.write(text, result.bursts.length);
  }

  rows(text: string): void {
    this.#attempts?.rows(text);
  }

  commitRows(): void {
    this.#attempts?.commit();
  }

  get problems(): readonly string[] {
    const places = [...this.#results, ...(this.#attempts === null ? [] : [this.#attempts])];
    return places.map(({ problem }) => problem).filter((problem) => problem !== null);
  }

  close(): void {
    for (const place of this.#results) place.close();
    this.#attempts?.close();
  }
}

/**
 * One row per attempt in a CSV file (`--attempts`). Rows go to a spool file beside it, and when a burst is complete a
 * copy of the spool (a reflink where the file system supports it) replaces the file, so the file never holds half a
 * burst. To a pipe, rows are written as they come. Does not know the content of a row.
 */
import * as fs from 'node:fs';
import { formatCount } from '../../plan/units.js';
import type { Result } from '../../result/result.js';
import { ATTEMPTS_HEADER } from '../../tally/attempt-row.js';
import type { Output, PutInPlace, ResultSoFar } from '../outputs/output.js';
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

/** Rows that a resumed search had written before. */
interface EarlierRows {
  /** With the header; empty: none. */
  readonly text: string;
  readonly bursts: number;
}

export class AttemptsFile implements Output {
  readonly name: string;
  readonly #destination: OutputPath;
  readonly #spool: string;
  #fd: number | null;
  /** Bytes in the spool, and how many of them belong to complete bursts. */
  #size = 0;
  #wholeSize = 0;
  #spooledBursts = 0;
  #shownBursts = 0;
  #lostBursts = 0;
  #isBurstLost = false;
  /** Part of a burst cannot be removed from the spool: from then on the file is left unchanged. */
  #isBroken = false;
  #failure: string | null = null;
  /** Rows of the resumed run, and the number of bursts that they belong to. */
  readonly #earlier: EarlierRows;
  /** The file contains rows that are not in the spool. */
  #hasMore = false;

  constructor(destination: OutputPath, earlier: EarlierRows = { text: '', bursts: 0 }) {
    this.#earlier = earlier;
    this.name = `${destination.flag} ${destination.shown}`;
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

  burst(_soFar: ResultSoFar, isDue: boolean): PutInPlace | undefined {
    return this.#commit(isDue);
  }

  /** The load continues: shows its rows so far, and `rows`, which reach the spool when they are final. */
  during(_soFar: ResultSoFar, rows: string): PutInPlace | undefined {
    if (this.#isBurstLost || this.#isBroken || !this.#destination.isFile) return undefined;
    this.rows('');
    return this.#prepare(() => {
      this.#hasMore = true;
    }, rows);
  }

  /** Makes the file hold the rows of exactly those bursts that the result counts. */
  end({ bursts }: Result): PutInPlace | undefined {
    const told = this.#earlier.bursts + this.#spooledBursts + this.#lostBursts;
    if (bursts.length > told) return this.#commit(true);
    this.#dropUncounted();
    // A file from an earlier run must not look like the rows of a run that fired nothing.
    return bursts.length === 0 ? this.#commit(true) : this.#showWhole();
  }

  /** Rows of a burst that was never committed are not written to the file. */
  close(): void {
    if (this.#fd === null) return;
    this.#showWhole()?.();
    fs.closeSync(this.#fd);
    this.#fd = null;
    if (this.#destination.isFile) removeQuietly(this.#spool);
  }

  get written(): string | null {
    return this.#destination.isFile && this.#failure === null ? this.#destination.shown : null;
  }

  get problem(): string | null {
    const missing = this.#spooledBursts - this.#shownBursts + this.#lostBursts;
    if (missing === 0) return null;
    const start = `could not write ${this.#destination.shown}: ${this.#failure ?? 'the system refused'}`;
    if (this.#shownBursts === 0) return `${start}; ${untouched(this.#destination)}`;
    return `${start}; it holds the rows of ${burstsText(this.#shownBursts)}, those of ${formatCount(missing)} are missing`;
  }

  /** The burst is over, or was stopped: all of its rows appear in the file at once. */
  #commit(isDue: boolean): PutInPlace | undefined {
    // A burst without rows still gives the file its header.
    this.rows('');
    const isLost = this.#isBurstLost || this.#isBroken;
    this.#isBurstLost = false;
    if (isLost) {
      this.#lostBursts++;
      return undefined;
    }
    this.#spooledBursts++;
    this.#wholeSize = this.#size;
    return isDue || !this.#destination.isFile ? this.#prepareWhole() : undefined;
  }

  /** Removes rows of incomplete bursts from the file, and adds rows of complete ones. */
  #showWhole(): PutInPlace | undefined {
    if (this.#fd === null || this.#isBroken || !this.#destination.isFile) return undefined;
    if (!this.#hasMore && this.#shownBursts === this.#spooledBursts) return undefined;
    this.#dropUncounted();
    return this.#isBroken ? undefined : this.#prepareWhole();
  }

  /** The spool holds whole bursts only. */
  #prepareWhole(): PutInPlace | undefined {
    const bursts = this.#spooledBursts;
    return this.#prepare(() => {
      this.#shownBursts = bursts;
      this.#hasMore = false;
    });
  }

  /** Removes rows of incomplete bursts from the spool. */
  #dropUncounted(): void {
    if (this.#fd === null || !this.#destination.isFile) return;
    try {
      fs.ftruncateSync(this.#fd, this.#wholeSize);
      this.#size = this.#wholeSize;
    } catch (error) {
      this.#failure = reasonOf(error);
      this.#isBroken = true;
    }
  }

  /** A copy of the spool, and `more`, beside the file. @param shown called once they are in its place */
  #prepare(shown: () => void, more = ''): PutInPlace | undefined {
    if (!this.#destination.isFile) {
      shown();
      return undefined;
    }
    if (!this.#try(() => this.#copy(more))) return undefined;
    return () => {
      if (this.#try(() => replace(this.#destination))) shown();
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

  #append(text: string): void {
    if (this.#fd === null) {
      removeQuietly(this.#spool);
      this.#fd = fs.openSync(this.#spool, 'ax');
      if (this.#destination.mode !== null) fs.fchmodSync(this.#fd, this.#destination.mode);
    }
    const before = this.#earlier.text === '' ? `${ATTEMPTS_HEADER}\n` : this.#earlier.text;
    const added = this.#size === 0 ? `${before}${text}` : text;
    // A single write may write only a part (a full disk); these write everything or throw.
    if (this.#destination.isFile) fs.appendFileSync(this.#fd, added);
    else writeInPlace(this.#fd, added);
    this.#size += Buffer.byteLength(added);
  }

  /** Removes this burst's rows: half a burst would be worse than none. A pipe already has them: it gets no more rows. */
  #lose(error: unknown): void {
    this.#failure = reasonOf(error);
    this.#isBurstLost = true;
    if (this.#destination.isFile) this.#dropUncounted();
    else this.#isBroken = true;
  }

  #copy(more: string): void {
    fs.closeSync(createTemporary(this.#destination));
    // This copies the permissions too.
    fs.copyFileSync(this.#spool, this.#destination.temporary, fs.constants.COPYFILE_FICLONE);
    if (more !== '') fs.appendFileSync(this.#destination.temporary, more);
  }
}

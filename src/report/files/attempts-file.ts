/**
 * One row an attempt in a CSV file (`--attempts`). All rows go to a spool beside the file, and a copy of the spool (a
 * reflink where the file system can) takes the file's place once a burst is whole, so the file never holds half a
 * burst. To a pipe they go as they come. It does not know what a row says.
 */
import * as fs from 'node:fs';
import { formatCount } from '../../plan/units.js';
import type { Result } from '../../result/result.js';
import { ATTEMPTS_HEADER } from '../../tally/attempt-row.js';
import type { Output, ResultSoFar } from '../outputs/output.js';
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

/** What a search that goes on has written before. */
interface EarlierRows {
  /** With the header; empty: nothing. */
  readonly text: string;
  readonly bursts: number;
}

export class AttemptsFile implements Output {
  readonly name: string;
  readonly #destination: OutputPath;
  readonly #spool: string;
  #fd: number | null;
  /** Bytes in the spool, and those of them that belong to whole bursts. */
  #size = 0;
  #wholeSize = 0;
  #spooledBursts = 0;
  #shownBursts = 0;
  #lostBursts = 0;
  #isBurstLost = false;
  /** Part of a burst can't be taken out of the spool again: from then on the file stays as it is. */
  #isBroken = false;
  #failure: string | null = null;
  /** Rows of the run that goes on, and how many bursts they are of. */
  readonly #earlier: EarlierRows;
  /** The file shows what the spool does not keep. */
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

  burst(_soFar: ResultSoFar, isDue: boolean): void {
    this.#commit(isDue);
  }

  /** The load goes on: its rows so far are shown, and `rows`, which the spool gets when they are final. */
  during(_soFar: ResultSoFar, rows: string): void {
    if (this.#isBurstLost || this.#isBroken || !this.#destination.isFile) return;
    this.rows('');
    this.#hasMore = true;
    this.#tryShow(rows);
  }

  /** The file has the rows of those bursts that the result counts. */
  end({ bursts }: Result): void {
    const told = this.#earlier.bursts + this.#spooledBursts + this.#lostBursts;
    if (bursts.length > told) {
      this.#commit(true);
      return;
    }
    this.#dropUncounted();
    // Rows of an earlier run must not be taken for those of one that fired nothing.
    if (bursts.length === 0) this.#commit(true);
    else this.#showWhole();
  }

  /** Rows of a burst that was never committed stay out of the file. */
  close(): void {
    if (this.#fd === null) return;
    this.#showWhole();
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

  /** The burst is over, or broken off: its rows appear in the file, all at once. */
  #commit(isDue: boolean): void {
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
    this.#hasMore = false;
    if (!isDue && this.#destination.isFile) return;
    if (this.#tryShow()) this.#shownBursts = this.#spooledBursts;
  }

  /** What is shown and not whole is taken out again, what is whole and not shown is shown. */
  #showWhole(): void {
    if (this.#fd === null || this.#isBroken || !this.#destination.isFile) return;
    if (!this.#hasMore && this.#shownBursts === this.#spooledBursts) return;
    this.#dropUncounted();
    if (this.#isBroken || !this.#tryShow()) return;
    this.#hasMore = false;
    this.#shownBursts = this.#spooledBursts;
  }

  /** Takes out of the spool what belongs to no whole burst. */
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

  #tryShow(more = ''): boolean {
    try {
      this.#show(more);
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
    // A single write may end in the middle (a full disk); these go on until all is written or they throw.
    if (this.#destination.isFile) fs.appendFileSync(this.#fd, added);
    else writeInPlace(this.#fd, added);
    this.#size += Buffer.byteLength(added);
  }

  /** Takes the rows of this burst out again: half a burst would be worse than none. */
  #lose(error: unknown): void {
    this.#failure = reasonOf(error);
    this.#isBurstLost = true;
    this.#dropUncounted();
  }

  #show(more: string): void {
    if (!this.#destination.isFile) return;
    fs.closeSync(createTemporary(this.#destination));
    // Permissions are copied too.
    fs.copyFileSync(this.#spool, this.#destination.temporary, fs.constants.COPYFILE_FICLONE);
    if (more !== '') fs.appendFileSync(this.#destination.temporary, more);
    replace(this.#destination);
  }
}

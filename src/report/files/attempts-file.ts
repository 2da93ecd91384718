/**
 * One row an attempt in a CSV file (`--attempts`). All rows go to a spool beside the file, and a copy of the spool (a
 * reflink where the file system can) takes the file's place once a burst is whole, so the file never holds half a
 * burst. To a pipe they go as they come. It does not know what a row says.
 */
import * as fs from 'node:fs';
import { formatCount } from '../../plan/units.js';
import type { Result } from '../../result/result.js';
import { ATTEMPTS_HEADER } from '../../tally/attempt-row.js';
import type { Output } from '../outputs/output.js';
import {
  burstsText,
  createTemporary,
  type OutputPath,
  openInPlace,
  reasonOf,
  removeQuietly,
  replace,
  untouched,
} from './destination.js';

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

  constructor(destination: OutputPath) {
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

  burst(): void {
    this.#commit();
  }

  /** Rows of an earlier run must not be taken for those of one that fired nothing. */
  end({ bursts }: Result): void {
    if (bursts.length === 0) this.#commit();
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
    return `${start}; it holds the rows of ${burstsText(this.#shownBursts)}, those of ${formatCount(missing)} are missing`;
  }

  /** The burst is over, or broken off: its rows appear in the file, all at once. */
  #commit(): void {
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

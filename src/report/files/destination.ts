/**
 * The destination of an output: its path with links resolved, checked before the run starts, and the two ways to write:
 * a file is replaced by a rename; a pipe or a device is written in place. Knows file systems and their errors; does not
 * know what is written.
 */
import * as fs from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../../errors.js';

export interface OutputPlace {
  /** Relative paths start here. */
  readonly cwd: string;
  /** Makes names of temporary files unique to this process. */
  readonly pid: number;
  /** The file that GitHub shows beside the steps of a job (GITHUB_STEP_SUMMARY): steps append to it. */
  readonly stepSummary?: string | undefined;
}

/** Names may be 255 bytes long; the temporary ones must fit too. */
const KEPT_OF_NAME = 60;

/** A file that the run reads. */
export interface InputFile {
  /** As messages name it: `--data tokens.csv`. */
  readonly what: string;
  readonly path: string;
}

export interface OutputPath {
  readonly flag: string;
  /** As the user wrote it. */
  readonly shown: string;
  /** With all symbolic links resolved. */
  readonly path: string;
  /** A regular file, or none yet: replaced by rename. Otherwise a pipe or device: written in place. */
  readonly isFile: boolean;
  /** Permissions to keep; null when there is no file yet. */
  readonly mode: number | null;
  readonly temporary: string;
  /** What the file holds already is kept, and the document comes after it. */
  readonly isAppended: boolean;
}

const MEND_PATH = 'give a path that you may write to';

/**
 * @param place of the output among those of the run: two may have long names that differ only at their ends
 * @throws UserError `output` (exit code 2) for a folder, a missing folder, a socket or a disk
 */
export function destinationOf(flag: string, shown: string, place: number, outputs: OutputPlace): OutputPath {
  const { cwd, pid, stepSummary = '' } = outputs;
  if (shown === '') throw outputError(`${flag}: the path is empty`, `for example ${flag} result.json`);
  const wanted = isAbsolute(shown) ? shown : resolve(cwd, shown);
  const isInPlace = isPipeOrDevice(flag, shown, wanted);
  const path = isInPlace ? wanted : behindLinks(flag, shown, wanted);
  const stats = isInPlace ? undefined : fs.statSync(path, { throwIfNoEntry: false });
  const temporary = join(dirname(path), `.${basename(path).slice(0, KEPT_OF_NAME)}.${pid}-${place}.tmp`);
  return {
    flag,
    shown,
    path,
    isFile: !isInPlace,
    mode: stats === undefined ? null : stats.mode & 0o777,
    temporary,
    isAppended: !isInPlace && stepSummary !== '' && resolve(cwd, stepSummary) === wanted,
  };
}

/**
 * Paths in /dev and /proc are written in place even if they lead to a file: with `> out.txt`, a rename over /dev/stdout
 * would detach the shell's own file.
 */
function isPipeOrDevice(flag: string, shown: string, path: string): boolean {
  let stats: fs.Stats | undefined;
  try {
    stats = fs.statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw outputError(`${flag} ${shown}: ${reasonOf(error)}`, MEND_PATH);
  }
  if (stats?.isDirectory() === true) {
    throw outputError(`${flag} ${shown}: is a folder`, `name a file in it, for example ${join(shown, 'result.json')}`);
  }
  if (stats?.isSocket() === true || stats?.isBlockDevice() === true) {
    throw outputError(`${flag} ${shown}: is a ${stats.isSocket() ? 'socket' : 'disk'}, not a file or pipe`, MEND_PATH);
  }
  if (stats === undefined) return false;
  return !stats.isFile() || /^\/(dev|proc)\//.test(path);
}

/** The limit of Linux. */
const MOST_LINKS = 40;

/**
 * A rename would replace a symbolic link instead of its target, so links are resolved, even to a file that does not
 * exist yet.
 */
function behindLinks(flag: string, shown: string, path: string): string {
  let current = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    try {
      return fs.realpathSync.native(current);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw outputError(`${flag} ${shown}: ${reasonOf(error)}`, MEND_PATH);
    }
    const stats = fs.lstatSync(current, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() !== true) return join(realFolder(flag, shown, dirname(current)), basename(current));
    current = resolve(dirname(current), fs.readlinkSync(current));
  }
  throw outputError(`${flag} ${shown}: too many symbolic links`, MEND_PATH);
}

function realFolder(flag: string, shown: string, folder: string): string {
  try {
    return fs.realpathSync.native(folder);
  } catch (error) {
    const reason = errorCode(error) === 'ENOENT' ? `there is no folder ${folder}` : reasonOf(error);
    throw outputError(`${flag} ${shown}: ${reason}`, `make it first: mkdir -p ${folder}`);
  }
}

/**
 * Creates a file beside the destination and removes it, to find out now whether the result can be written later.
 * @throws UserError `output` when it cannot
 */
export function prove(destination: OutputPath): void {
  const { path, isFile, mode } = destination;
  if (isFile) clearKilled(destination);
  try {
    if (mode !== null || !isFile) fs.accessSync(path, fs.constants.W_OK);
    if (isFile) {
      fs.closeSync(createTemporary(destination));
      fs.unlinkSync(destination.temporary);
    }
  } catch (error) {
    throw unwritable(destination, error);
  }
}

/**
 * Removes temporary files that killed runs left beside the destination. If a process with that number exists, it may be
 * a running one: its file stays.
 */
function clearKilled({ path }: OutputPath): void {
  if (!fs.existsSync('/proc/self')) return;
  const start = `.${basename(path).slice(0, KEPT_OF_NAME)}`;
  const folder = dirname(path);
  for (const name of fs.readdirSync(folder)) {
    const pid = name.startsWith(start) ? /^\.(\d+)-\d+\.tmp(-rows)?$/.exec(name.slice(start.length))?.[1] : undefined;
    if (pid !== undefined && !fs.existsSync(`/proc/${pid}`)) removeQuietly(join(folder, name));
  }
}

function unwritable({ flag, shown, path, isFile }: OutputPath, error: unknown): UserError {
  const isDenied = errorCode(error) === 'EACCES' && isFile;
  const where = isDenied ? `; the file and its folder ${dirname(path)} must be writable` : '';
  return outputError(`${flag} ${shown}: cannot be written: ${reasonOf(error)}${where}`, MEND_PATH);
}

/**
 * Opens a pipe or device.
 * @throws UserError `output` when it cannot be opened, or when no process reads the pipe: opening it would block until
 * a reader comes, and could not be interrupted
 */
export function openInPlace(destination: OutputPath): number {
  const { flag, shown, path } = destination;
  const { O_WRONLY, O_APPEND, O_NONBLOCK } = fs.constants;
  try {
    return fs.openSync(path, O_WRONLY | O_APPEND | O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) !== 'ENXIO') throw unwritable(destination, error);
    throw outputError(`${flag} ${shown}: nobody reads this pipe`, 'start its reader first');
  }
}

/** A reader that reads nothing for this long has stopped: signals are not handled while this process waits for it. */
const READER_MS = 3000;
const READER_POLL_MS = 5;

/** Writes all of it to a pipe or device. @throws Error of the system; EAGAIN when the reader does not read */
export function writeInPlace(fd: number, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  let waitedMs = 0;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(fd, bytes, at);
      waitedMs = 0;
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN' || waitedMs >= READER_MS) throw error;
      Atomics.wait(pause, 0, 0, READER_POLL_MS);
      waitedMs += READER_POLL_MS;
    }
  }
}

/** An empty temporary file. `wx`: never writes through a link that another user created under that name. */
export function createTemporary({ temporary, mode }: OutputPath): number {
  fs.rmSync(temporary, { force: true });
  const fd = fs.openSync(temporary, 'wx');
  if (mode !== null) fs.fchmodSync(fd, mode);
  return fd;
}

/** Replaces the destination by the temporary file. */
export function replace({ path, temporary }: OutputPath): void {
  try {
    fs.renameSync(temporary, path);
  } catch (error) {
    // A file that is a mount point (into a container, for example) cannot be replaced, only written to.
    if (errorCode(error) !== 'EBUSY') throw error;
    fs.copyFileSync(temporary, path);
    fs.unlinkSync(temporary);
  }
}

export function removeQuietly(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // A leftover temporary file does no harm, and the user must see the earlier error.
  }
}

export function outputError(message: string, hint: string): UserError {
  return new UserError(message, { code: 'output', hint });
}

function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Names of common errors; messages show the code too, because people search for it. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EIO: 'input/output error',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'read-only file system',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is no folder',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  EPIPE: 'nobody reads the other end',
  EAGAIN: 'the reader of this pipe does not read',
  EFBIG: 'the file is too large',
};

/** `no space left on device (ENOSPC)`. */
export function reasonOf(error: unknown): string {
  const code = errorCode(error);
  if (code === null) return error instanceof Error ? error.message : String(error);
  return `${REASONS[code] ?? 'the system refused'} (${code})`;
}

/** What the file contains after a failed write. */
export function untouched({ isFile, mode }: OutputPath): string {
  if (!isFile) return 'what it got is not whole';
  return mode === null ? 'there is no such file' : 'it still holds what was there before';
}

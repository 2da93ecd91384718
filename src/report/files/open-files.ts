/**
 * The files that a run writes: results (`-o`) and one row per attempt (`--attempts`). A path that cannot be used is an
 * error before the first handshake. A later write error affects only that file: the run goes on.
 */
import * as fs from 'node:fs';
import { basename, extname } from 'node:path';
import type { UserError } from '../../errors.js';
import type { Result } from '../../result/result.js';
import type { Format } from '../formats/format.js';
import { DEFAULT_FORMAT, ENDINGS, formatFor, misfitOf, STEP_SUMMARY_FORMAT } from '../formats/formats.js';
import type { Output } from '../outputs/output.js';
import { AttemptsFile } from './attempts-file.js';
import { destinationOf, type InputFile, type OutputPath, type OutputPlace, outputError, prove } from './destination.js';
import { type EarlierBurst, earlierRows } from './earlier-rows.js';
import { type Rendered, ResultFile } from './result-file.js';
import { placeOf, type ResultPlace } from './result-place.js';

interface FileSpecs {
  /** The command that is run. */
  readonly command: string;
  /** Paths as the user wrote them; the ending selects the format. */
  readonly results: readonly string[];
  readonly attempts: string | null;
}

export interface OutputOptions extends OutputPlace {
  /** Files that the run reads. */
  readonly inputs?: readonly InputFile[];
  /** The result that a search is resumed from: `-o` may replace it. */
  readonly resume?: string | null;
  /** Bursts of that result, whose rows come first in the attempts' file. */
  readonly earlier?: readonly EarlierBurst[] | null;
}

/**
 * Checks that every path can be written. The attempts' file comes first, so that it holds the rows of a burst before
 * the result counts them.
 * @throws UserError `output` (exit code 2) for an unknown ending, a path used twice or read as well, a folder, a
 * missing folder, no permission to write, a format that has nothing to hold, or earlier rows of another run
 */
export function openFiles(specs: FileSpecs, options: OutputOptions): Output[] {
  const results = specs.results.map((path, place) => destinationOf('-o', path, place + 1, options));
  const attempts = specs.attempts === null ? [] : [destinationOf('--attempts', specs.attempts, 0, options)];
  const formats = results.map((destination) => formatOf(destination, [specs.command]));
  const all = [...results, ...attempts];
  checkApart(all);
  const { inputs = [], resume = null, earlier = null } = options;
  checkKept(all, inputs);
  for (const destination of attempts) checkRows(destination, resume);
  for (const destination of all) prove(destination);
  const render = sharedRender();
  const files = results.map((destination, i) => new ResultFile(destination, (result) => render(formats[i], result)));
  return [...attempts.map((destination) => attemptsFile(destination, earlier)), ...files];
}

/** A place for a document about saved results. */
export interface DocumentFile<F> {
  readonly format: F;
  readonly place: ResultPlace;
}

/**
 * Checks that every path can be written.
 * @param formatOf the format of a destination
 * @throws UserError `output`, as `openFiles`
 */
export function openDocuments<F>(
  paths: readonly string[],
  formatOf: (destination: OutputPath) => F,
  options: OutputOptions,
): DocumentFile<F>[] {
  const destinations = paths.map((path, place) => destinationOf('-o', path, place + 1, options));
  const formats = destinations.map(formatOf);
  checkApart(destinations);
  checkKept(destinations, options.inputs ?? []);
  for (const destination of destinations) prove(destination);
  return destinations.map((destination, i) => ({ format: formats[i], place: placeOf(destination) }));
}

function attemptsFile(destination: OutputPath, earlier: readonly EarlierBurst[] | null): AttemptsFile {
  if (earlier === null || !destination.isFile) return new AttemptsFile(destination);
  return new AttemptsFile(destination, { text: earlierRows(destination, earlier), bursts: earlier.length });
}

/** A CSV output must not replace a file of another kind. */
function checkRows({ flag, shown, path, isFile }: OutputPath, resume: string | null): void {
  if (!isFile) return;
  const ending = extname(shown).toLowerCase();
  if (ending !== '.csv')
    throw outputError(`${flag} ${shown}: expected a file that ends in .csv`, `${flag} attempts.csv`);
  if (resume !== null && isSame(path, resume)) {
    throw outputError(`${flag} ${shown}: is the file of --resume`, 'give every output a file of its own');
  }
}

/** No output may replace a file that the run reads. */
function checkKept(destinations: readonly OutputPath[], inputs: readonly InputFile[]): void {
  for (const { flag, shown, path } of destinations) {
    const input = inputs.find((one) => isSame(path, one.path));
    if (input === undefined) continue;
    throw outputError(`${flag} ${shown}: would overwrite ${input.what}`, 'give every output a file of its own');
  }
}

/** Compares the files themselves, so spelling and links make no difference; a file that does not exist is no input. */
function isSame(path: string, other: string): boolean {
  const [one, two] = [path, other].map((file) => fs.statSync(file, { throwIfNoEntry: false, bigint: true }));
  return one !== undefined && two !== undefined && one.dev === two.dev && one.ino === two.ino;
}

/**
 * From the file's ending; pipes and devices need none, and the summary of a step is Markdown.
 * @throws UserError `output` for an ending without a format, or with one that can't hold results of these commands
 */
export function formatOf({ flag, shown, isFile, isAppended }: OutputPath, commands: readonly string[]): Format {
  const known = isAppended ? STEP_SUMMARY_FORMAT : formatFor(basename(shown));
  const format = known ?? (isFile ? undefined : DEFAULT_FORMAT);
  if (format !== undefined) {
    const misfit = misfitOf(format, commands);
    if (misfit !== null) throw outputError(`${flag} ${shown}: ${misfit.why}`, `these fit: ${misfit.fitting}`);
    return format;
  }
  throw unknownEnding(flag, shown, ENDINGS);
}

/** Of a file whose name ends in none of `available`. */
export function unknownEnding(flag: string, shown: string, available: readonly string[]): UserError {
  const ending = extname(shown).toLowerCase();
  const what = ending === '' ? 'has no ending that names a format' : `"${ending}" is not available`;
  return outputError(`${flag} ${shown}: ${what}`, `available: ${available.join(' ')}`);
}

/** Renders a result once for all files of the same format. */
function sharedRender(): (format: Format, result: Result) => Rendered {
  const latest = new Map<Format, { readonly result: Result; readonly content: Rendered }>();
  return (format, result) => {
    const known = latest.get(format);
    if (known?.result === result) return known.content;
    const content = format.render([result]);
    latest.set(format, { result, content });
    return content;
  };
}

function checkApart(destinations: readonly OutputPath[]): void {
  const seen = new Map<string, OutputPath>();
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

/**
 * The files that a run leaves behind: results (`-o`) and one row an attempt (`--attempts`). A path that can't be used
 * is an error before the first handshake. A failure to write later is a problem of that file alone: the run goes on.
 */
import * as fs from 'node:fs';
import { extname } from 'node:path';
import type { Result } from '../../result/result.js';
import type { Format } from '../formats/format.js';
import { DEFAULT_FORMAT, ENDINGS, formatFor } from '../formats/formats.js';
import type { Output } from '../outputs/output.js';
import { AttemptsFile } from './attempts-file.js';
import { destinationOf, type InputFile, type OutputPath, type OutputPlace, outputError, prove } from './destination.js';
import { type EarlierBurst, earlierRows } from './earlier-rows.js';
import { ResultFile } from './result-file.js';

interface FileSpecs {
  /** Paths as the user wrote them; the ending picks the format. */
  readonly results: readonly string[];
  readonly attempts: string | null;
}

export interface OutputOptions extends OutputPlace {
  /** What the run reads. */
  readonly inputs?: readonly InputFile[];
  /** The result that a search goes on from: `-o` may replace it. */
  readonly resume?: string | null;
  /** Bursts of that result, whose rows come first in the file of the attempts. */
  readonly earlier?: readonly EarlierBurst[] | null;
}

/**
 * Checks every path and that it can be written. The attempts come first, so that the rows of a burst are in their file
 * before the result that counts them.
 * @throws UserError `output` (exit code 2) for an unknown ending, a path given twice or read as well, a folder, a missing
 * folder, one that may not be written to, or earlier rows of another run
 */
export function openFiles(specs: FileSpecs, options: OutputOptions): Output[] {
  const results = specs.results.map((path) => destinationOf('-o', path, options));
  const attempts = specs.attempts === null ? [] : [destinationOf('--attempts', specs.attempts, options)];
  const formats = results.map(formatOf);
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

function attemptsFile(destination: OutputPath, earlier: readonly EarlierBurst[] | null): AttemptsFile {
  if (earlier === null || !destination.isFile) return new AttemptsFile(destination);
  return new AttemptsFile(destination, { text: earlierRows(destination, earlier), bursts: earlier.length });
}

/** What is written as CSV must not replace something else. */
function checkRows({ flag, shown, path, isFile }: OutputPath, resume: string | null): void {
  if (!isFile) return;
  const ending = extname(shown).toLowerCase();
  if (ending !== '.csv')
    throw outputError(`${flag} ${shown}: expected a file that ends in .csv`, `${flag} attempts.csv`);
  if (resume !== null && isSame(path, resume)) {
    throw outputError(`${flag} ${shown}: is the file of --resume`, 'give every output a file of its own');
  }
}

/** No output replaces what the run reads. */
function checkKept(destinations: readonly OutputPath[], inputs: readonly InputFile[]): void {
  for (const { flag, shown, path } of destinations.filter(({ isFile }) => isFile)) {
    const input = inputs.find((one) => isSame(path, one.path));
    if (input === undefined) continue;
    throw outputError(`${flag} ${shown}: would overwrite ${input.what}`, 'give every output a file of its own');
  }
}

/** @param path behind all links */
function isSame(path: string, other: string): boolean {
  try {
    return fs.realpathSync.native(other) === path;
  } catch {
    return false;
  }
}

/** By the file's ending; pipes and devices need none. */
function formatOf({ flag, shown, isFile }: OutputPath): Format {
  const ending = extname(shown).toLowerCase();
  const format = formatFor(ending) ?? (isFile ? undefined : DEFAULT_FORMAT);
  if (format !== undefined) return format;
  const what = ending === '' ? 'has no ending that names a format' : `"${ending}" is not available`;
  throw outputError(`${flag} ${shown}: ${what}`, `available: ${ENDINGS.join(' ')}`);
}

type Rendered = ReturnType<Format['render']>;

/** Renders a result once for all files of one format. */
function sharedRender(): (format: Format, result: Result) => Rendered {
  const latest = new Map<Format, { readonly result: Result; readonly content: Rendered }>();
  return (format, result) => {
    const known = latest.get(format);
    if (known?.result === result) return known.content;
    const content = format.render(result);
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

/**
 * The result as a document: read from JSON data, written as text. A document is upgraded if it is old, checked against
 * the schema and its sums (adds-up.ts), and completed with defaults. Does not open files. It loads the schema, so
 * commands import it only when there is a document to read or write.
 */
import { UserError } from '../errors.js';
import { assertAddsUp } from './adds-up.js';
import { type Burst, burstSchema } from './burst.js';
import { mismatchOf } from './mismatch.js';
import { normalForm } from './normal-form.js';
import { type Result, resultSchema, SCHEMA_VERSION } from './result.js';

/** Entry v - 1 turns a document of version v into version v + 1; each new SCHEMA_VERSION adds an entry. */
const UPGRADES: readonly ((older: object) => object)[] = [];

/**
 * A saved result, parsed from JSON. Older versions are upgraded; missing newer keys get their defaults.
 * @throws UserError `result` when it is not a result, was written by a newer version, or does not add up
 */
export function readResult(value: unknown): Result {
  if (typeof value !== 'object' || value === null) throw notAResult('it is no JSON object');
  const version = 'schemaVersion' in value ? value.schemaVersion : null;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    throw notAResult('it has no schemaVersion');
  }
  if (version > SCHEMA_VERSION) {
    throw new UserError(`written by a newer wstampede (schema ${version}; this one reads up to ${SCHEMA_VERSION})`, {
      code: 'result',
      hint: 'update wstampede, or render the result with the version that wrote it',
    });
  }
  const current = UPGRADES.slice(version - 1).reduce((older, upgrade) => upgrade(older), value);
  const mismatch = mismatchOf(resultSchema, current);
  if (mismatch !== null) throw notAResult(mismatch);
  const result = normalForm(resultSchema, current) as Result;
  try {
    assertAddsUp(result);
  } catch (error) {
    throw new UserError(`the result does not add up: ${(error as Error).message}`, {
      code: 'result',
      hint: 'the file was changed after it was written; run again',
    });
  }
  return result;
}

/** Texts of bursts that were written before and have not changed. */
export type WrittenBursts = WeakMap<Burst, string>;

/**
 * Pretty-printed JSON with a final newline; keys are in schema order, however the result was built.
 * @param written keeps the texts of bursts, so that a run that writes after each burst renders each only once
 * @throws Error when the result does not add up: that is a bug, and wrong numbers must not be written
 */
export function writeResult(result: Result, written: WrittenBursts = new WeakMap()): string {
  assertAddsUp(result);
  const around = `${JSON.stringify(normalForm(resultSchema, { ...result, bursts: [] }), null, 2)}\n`;
  if (result.bursts.length === 0) return around;
  const bursts = result.bursts.map((burst) => burstText(burst, written)).join(',\n');
  // A line end is never inside a JSON string, so no other place looks like this one.
  return around.replace('\n  "bursts": []', () => `\n  "bursts": [\n${bursts}\n  ]`);
}

/** The document in one line, to be carried inside of another. @throws Error as `writeResult` */
export function documentLine(result: Result): string {
  assertAddsUp(result);
  return JSON.stringify(normalForm(resultSchema, result));
}

/** One line of JSON, keys in schema order. */
export function burstLine(burst: Burst): string {
  return JSON.stringify(normalForm(burstSchema, burst));
}

function burstText(burst: Burst, written: WrittenBursts): string {
  const known = written.get(burst);
  if (known !== undefined) return known;
  const text = JSON.stringify(normalForm(burstSchema, burst), null, 2).replace(/^/gm, '    ');
  written.set(burst, text);
  return text;
}

function notAResult(why: string): UserError {
  return new UserError(`not a wstampede result: ${why}`, {
    code: 'result',
    hint: 'a result is what -o FILE.json or --json wrote',
  });
}

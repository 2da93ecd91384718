/**
 * The result as a document: read from JSON data, written as text. It owns the version of the format and the invariants
 * that hold on both sides of a file (attempts are the sum of outcomes, totals the sum of bursts); where a document comes
 * from, and what it is good for, is somebody else's.
 */
import { UserError } from '../errors.js';
import { assertKernel } from '../tally/kernel-counts.js';
import { assertSum } from '../tally/tally.js';
import { type KernelCounts, type Result, SCHEMA_VERSION } from './result.js';
import { resultJsonSchema } from './result-schema.js';
import { inSchemaOrder, shapeProblem } from './shape.js';

/** Entry v - 1 makes a document of version v one of version v + 1; a new SCHEMA_VERSION comes with its entry. */
const UPGRADES: readonly ((older: object) => object)[] = [];

/**
 * A saved result, parsed from JSON. Older versions are upgraded.
 * @throws UserError `result` when it is none, was written by a newer version, or does not add up.
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
  const problem = shapeProblem(resultJsonSchema, current);
  if (problem !== null) throw notAResult(problem);
  const result = completed(current as Result);
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

/** With the keys that came after the first documents of this version, null where a document has them not. */
function completed(read: Result): Result {
  const { check = null, search = null } = read as Partial<Result>;
  return {
    ...read,
    generators: read.generators.map((one) => ({ ...one, transportNote: one.transportNote ?? null })),
    bursts: read.bursts.map((one) => ({ ...one, kernel: one.kernel ?? null })),
    totals: { ...read.totals, kernel: read.totals.kernel ?? null },
    check,
    search,
  };
}

/**
 * Pretty-printed JSON with a line end, keys in the order of the schema whoever built the result.
 * @throws Error when the result does not add up: a bug, and nothing may be written that cannot be believed.
 */
export function writeResult(result: Result): string {
  assertAddsUp(result);
  return `${JSON.stringify(inSchemaOrder(resultJsonSchema, result), null, 2)}\n`;
}

/**
 * ISO 8601 in UTC with µs, `2026-11-21T08:00:00.123456Z`, from ms since the Unix epoch.
 * @throws RangeError when that is no time.
 */
export function isoMicros(epochMs: number): string {
  const us = Math.round(epochMs * 1000);
  const wholeMs = Math.floor(us / 1000);
  const micros = String(us - wholeMs * 1000).padStart(3, '0');
  return new Date(wholeMs).toISOString().replace('Z', `${micros}Z`);
}

function assertAddsUp({ bursts, totals, preflight }: Result): void {
  const sum = new Map<string, number>();
  for (const { index, attempted, outcomes, kernel } of bursts) {
    named(`burst ${index}`, () => assertSum(attempted, outcomes));
    named(`burst ${index}`, () => assertKernel(attempted, kernel));
    for (const [id, count] of Object.entries(outcomes)) sum.set(id, (sum.get(id) ?? 0) + count);
  }
  named('totals', () => assertSum(totals.attempted, totals.outcomes));
  named('totals', () => assertKernel(totals.attempted, totals.kernel));
  if (preflight !== null) named('preflight', () => assertSum(preflight.attempted, preflight.outcomes));
  for (const id of new Set([...sum.keys(), ...Object.keys(totals.outcomes)])) {
    const [inTotals, inBursts] = [totals.outcomes[id] ?? 0, sum.get(id) ?? 0];
    if (inTotals !== inBursts) throw new Error(`totals count ${inTotals} of ${id}, the bursts ${inBursts}`);
  }
  const asked = (kernel: KernelCounts | null) => kernel?.asked ?? 0;
  const inBursts = bursts.reduce((all, { kernel }) => all + asked(kernel), 0);
  if (asked(totals.kernel) !== inBursts) {
    throw new Error(
      `totals count ${asked(totals.kernel)} attempts that the kernel was asked about, the bursts ${inBursts}`,
    );
  }
}

function named(where: string, assertion: () => void): void {
  try {
    assertion();
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`);
  }
}

function notAResult(why: string): UserError {
  return new UserError(`not a wstampede result: ${why}`, {
    code: 'result',
    hint: 'a result is what -o FILE.json or --json wrote',
  });
}

/**
 * The texts of one attempt: its data row, path, headers, origin and subprotocols. The engine asks once per attempt,
 * before the release; a target without templates costs nothing.
 */
import { type OtherValues, otherValues } from './other-values.js';
import type { DataPlan, Inputs, Plan } from './plan.js';
import { seenSecrets } from './plan-record.js';
import { randomAt, uuidAt } from './random.js';
import { scriptUses } from './session/script-uses.js';
import { encodeTarget } from './syntax.js';
import { compileTemplate, render, type Template, type TemplateContext } from './template.js';

/** All safe to write as bytes: printable ASCII, no line ends. */
export interface RenderedAttempt {
  /** Request target, percent-encoded where it must be. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly origin: string | null;
  readonly subprotocols: readonly string[];
  /** What to mask where the target echoes it: values from data and environment, and the secrets in the plan. */
  readonly secrets: readonly string[];
}

export interface CompiledTarget {
  /** The same texts for every attempt, frozen; null when there are templates. */
  readonly constant: RenderedAttempt | null;
  readonly path: Template;
  readonly headers: readonly (readonly [name: string, value: Template])[];
  readonly origin: Template | null;
  readonly subprotocols: readonly Template[];
  readonly secrets: readonly string[];
  /** Data columns and variables used anywhere, in the session too, each once. */
  readonly rowColumns: readonly string[];
  readonly envNames: readonly string[];
  readonly usesUuid: boolean;
  readonly data: DataPlan | null;
  readonly seed: number;
}

const NO_ROW: Readonly<Record<string, string>> = Object.freeze({});

export function compileTarget(plan: Plan): CompiledTarget {
  const { target } = plan;
  const path = compileTemplate(target.path);
  const headers = target.headers.map(([name, value]) => [name, compileTemplate(value)] as const);
  const origin = target.origin === null ? null : compileTemplate(target.origin);
  const subprotocols = target.subprotocols.map((text) => compileTemplate(text));
  const said = plan.session.script === null ? null : scriptUses(plan.session.script);
  const all = [path, ...headers.map(([, value]) => value), ...(origin === null ? [] : [origin]), ...subprotocols];
  const compiled: CompiledTarget = {
    constant: null,
    path,
    headers,
    origin,
    subprotocols,
    secrets: seenSecrets(plan),
    rowColumns: [...new Set([...all.flatMap((template) => template.rowColumns), ...(said?.rowColumns ?? [])])],
    envNames: [...new Set([...all.flatMap((template) => template.envNames), ...(said?.envNames ?? [])])],
    usesUuid: all.some(({ parts }) => parts.some((part) => typeof part !== 'string' && part.kind === 'uuid')),
    data: plan.data,
    seed: plan.seed,
  };
  if (!all.every(({ constant }) => constant)) return compiled;
  const rendered = renderWith(compiled, { row: NO_ROW, env: NO_ROW, index: 0, client: 0, uuid: '', captured: NO_ROW });
  Object.freeze(rendered.headers);
  Object.freeze(rendered.subprotocols);
  return { ...compiled, constant: Object.freeze(rendered) };
}

/**
 * The row of an attempt; `index` is unique in the run. With `random` a row depends on seed and index alone, so that
 * workers need no shared state. With `once` there must be enough rows: checkInputs has verified that.
 */
export function rowFor(
  data: DataPlan | null,
  seed: number,
  rows: Inputs['rows'],
  index: number,
): Readonly<Record<string, string>> {
  if (data === null) return NO_ROW;
  const row = rows[rowIndex(data.pick, seed, rows.length, index)];
  if (row === undefined) throw new Error(`no row for attempt ${index} in ${rows.length} rows (${data.pick})`);
  return row;
}

/** 0-based number of the attempt's row; null without data. */
export function rowNumber(data: DataPlan | null, seed: number, length: number, index: number): number | null {
  return data === null || length === 0 ? null : rowIndex(data.pick, seed, length, index);
}

function rowIndex(pick: DataPlan['pick'], seed: number, length: number, index: number): number {
  switch (pick) {
    case 'cycle':
      return index % length;
    case 'random':
      return Math.floor(randomAt(seed, index) * length);
    case 'once':
      return index;
  }
}

/**
 * The texts of the attempt with that index, made by that client: the row is the client's. The same numbers always give
 * the same texts, `{{ uuid }}` included.
 */
export function renderAttempt(
  compiled: CompiledTarget,
  inputs: Inputs,
  index: number,
  client: number = index,
): RenderedAttempt {
  if (compiled.constant !== null) return compiled.constant;
  const row = compiled.rowColumns.length === 0 ? NO_ROW : rowFor(compiled.data, compiled.seed, inputs.rows, client);
  const uuid = compiled.usesUuid ? uuidAt(compiled.seed, index) : '';
  return renderWith(compiled, { row, env: inputs.env, index, client: index, uuid, captured: NO_ROW });
}

/** Values of all rows that must be masked in any attempt's response. */
export function othersOf({ rowColumns }: CompiledTarget, { rows }: Inputs): OtherValues {
  return otherValues(rows, rowColumns);
}

function renderWith(compiled: CompiledTarget, context: TemplateContext): RenderedAttempt {
  return {
    path: encodeTarget(render(compiled.path, context)),
    headers: compiled.headers.map(([name, value]) => [name, render(value, context)] as const),
    origin: compiled.origin === null ? null : render(compiled.origin, context),
    subprotocols: compiled.subprotocols.map((template) => render(template, context)),
    secrets: [
      ...compiled.secrets,
      ...compiled.rowColumns.map((column) => context.row[column] ?? ''),
      ...compiled.envNames.map((name) => context.env[name] ?? ''),
    ],
  };
}

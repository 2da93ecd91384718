/**
 * Whether a plan's inputs fit it, before anything is sent: columns and variables exist, values are safe in a request, rows
 * are enough. Names the place of a bad value and never the value: it may be a secret.
 */
import { UserError } from '../errors.js';
import { compileTarget } from './attempt.js';
import { PREFLIGHT_ATTEMPTS, plannedAttempts } from './needs.js';
import type { Inputs, Plan } from './plan.js';
import { didYouMean } from './suggest.js';
import { fieldValueProblem, isToken } from './syntax.js';
import { compileTemplate, render, type Template } from './template.js';
import { formatCount } from './units.js';

const MOST_SHOWN = 20;

/** The values of the variables that the plan uses; what is not set is left out and refused by checkInputs. */
export function pickEnv(plan: Plan, env: Readonly<Record<string, string | undefined>>): Inputs['env'] {
  const picked: Record<string, string> = {};
  for (const name of compileTarget(plan).envNames) {
    const value = env[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

/** `columns`: those of the data file, empty without one. Throws UserError `inputs` with every problem. */
export function checkInputs(plan: Plan, inputs: Inputs, columns: readonly string[]): void {
  const missing = [...columnProblems(plan, inputs, columns), ...envProblems(plan, inputs)];
  // Values can be judged only when all of them are there.
  const problems = missing.length > 0 ? missing : [...rowCountProblems(plan, inputs), ...valueProblems(plan, inputs)];
  if (problems.length === 0) return;
  if (problems.length === 1) throw new UserError(problems[0] ?? '', { code: 'inputs' });
  const more = problems.length > MOST_SHOWN ? [`… and ${formatCount(problems.length - MOST_SHOWN)} more`] : [];
  const lines = [...problems.slice(0, MOST_SHOWN), ...more].map((line) => `\n  ${line}`);
  throw new UserError(`${formatCount(problems.length)} problems in the data of the plan:${lines.join('')}`, {
    code: 'inputs',
  });
}

interface Use {
  readonly path: string;
  readonly template: Template;
  /** Why a rendered text can't stand there, or null. Paths are percent-encoded instead. */
  readonly judge: ((text: string) => string | null) | null;
}

function usesOf({ target }: Plan): Use[] {
  const use = (path: string, text: string, judge: Use['judge']): Use => ({
    path,
    template: compileTemplate(text),
    judge,
  });
  return [
    use('target.url', target.path, null),
    ...target.headers.map(([name, value]) => use(`target.headers.${name}`, value, fieldValueProblem)),
    ...(target.origin === null ? [] : [use('target.origin', target.origin, fieldValueProblem)]),
    ...target.subprotocols.map((text, i) => use(`target.subprotocols[${i}]`, text, tokenProblem)),
  ];
}

function tokenProblem(text: string): string | null {
  return isToken(text) ? null : 'a subprotocol must be a token: no spaces, no commas, not empty (RFC 6455 section 4.1)';
}

function columnProblems(plan: Plan, inputs: Inputs, columns: readonly string[]): string[] {
  const file = plan.data?.file ?? '';
  const used = usesOf(plan).flatMap(({ path, template }) => template.rowColumns.map((column) => ({ path, column })));
  const problems = used
    .filter(({ column }) => !columns.includes(column))
    .map(({ path, column }) => {
      const known = columns.map((name) => JSON.stringify(name)).join(', ');
      return `${path}: no column ${JSON.stringify(column)} in ${file}${didYouMean(column, columns) || `; it has ${known}`}`;
    });
  if (used.length > 0 && problems.length === 0 && inputs.rows.length === 0) {
    return [`${file}: expected at least one row after the header row, found none`];
  }
  return problems;
}

function envProblems(plan: Plan, inputs: Inputs): string[] {
  return usesOf(plan).flatMap(({ path, template }) =>
    template.envNames
      .filter((name) => !Object.hasOwn(inputs.env, name))
      .map((name) => `${path}: the environment variable ${name} is not set`),
  );
}

function rowCountProblems(plan: Plan, { rows }: Inputs): string[] {
  if (plan.data?.pick !== 'once' || compileTarget(plan).rowColumns.length === 0) return [];
  const attempts = plannedAttempts(plan);
  if (attempts === null) return ['data.pick: once needs stages with a total'];
  const preflight = plan.preflight ? PREFLIGHT_ATTEMPTS : 0;
  const needed = attempts + preflight;
  if (rows.length >= needed) return [];
  const sum = preflight === 0 ? '' : ` (${formatCount(attempts)} in the stages and ${preflight} in the preflight)`;
  const found = `${plan.data.file} has ${formatCount(rows.length)}`;
  return [`data.pick: once needs ${formatCount(needed)} rows${sum}, ${found}; add rows, or use cycle or random`];
}

function valueProblems(plan: Plan, inputs: Inputs): string[] {
  const uses = usesOf(plan).filter(({ template, judge }) => judge !== null && !template.constant);
  const varying = uses.filter(({ template }) => template.rowColumns.length > 0);
  const fixed = uses.filter(({ template }) => template.rowColumns.length === 0);
  const problems = fixed.flatMap((use) =>
    usedProblem(use, {}, inputs, `environment variable ${use.template.envNames.join(', ')}`),
  );
  const file = plan.data?.file ?? '';
  inputs.rows.forEach((row, i) => {
    for (const use of varying) {
      const from = use.template.rowColumns.map((column) => JSON.stringify(column)).join(', ');
      problems.push(...usedProblem(use, row, inputs, `row ${formatCount(i + 1)} of ${file}, column ${from}`));
    }
  });
  return [...problems, ...duplicateProblems(plan, inputs)];
}

// What stands in for index and uuid is as harmless as they are.
const HARMLESS = { index: 0, uuid: '0' };

function usedProblem(use: Use, row: Readonly<Record<string, string>>, inputs: Inputs, source: string): string[] {
  const problem = use.judge?.(render(use.template, { ...HARMLESS, row, env: inputs.env })) ?? null;
  return problem === null ? [] : [`${source} (in ${use.path}): ${problem}`];
}

function duplicateProblems(plan: Plan, inputs: Inputs): string[] {
  const templates = plan.target.subprotocols.map(compileTemplate);
  if (templates.length < 2 || templates.every(({ constant }) => constant)) return [];
  const rows = inputs.rows.length > 0 ? inputs.rows : [{}];
  const at = rows.findIndex((row) => {
    const texts = templates.map((template) => render(template, { ...HARMLESS, row, env: inputs.env }));
    return new Set(texts).size < texts.length;
  });
  return at === -1
    ? []
    : [`target.subprotocols: row ${formatCount(at + 1)} gives one subprotocol twice (RFC 6455 section 4.1)`];
}

/**
 * Checks before anything is sent whether the inputs fit the profile: columns and variables exist, values are safe in a
 * request, there are enough rows. Errors name the place of a bad value but never the value: it may be a secret.
 */
import { PREFLIGHT_ATTEMPTS, plannedAttempts, probesPerBurst } from '../needs.js';
import { burstSizes, type Inputs, type Pick, type Plan, type Stage } from '../plan.js';
import { maskWords } from '../secrets.js';
import { didYouMean } from '../suggest.js';
import { fieldValueProblem, isToken } from '../syntax.js';
import { render, type Template } from '../template.js';
import { formatCount } from '../units.js';
import { type Path, type Problem, refuse, valueSource } from './problems.js';
import { type SaidTexts, sessionTemplates, type Texts, templatesOf } from './templated-texts.js';

/** The parts of a plan, or of an incomplete profile, that concern inputs. */
interface Written extends SaidTexts {
  readonly target?: Texts | undefined;
  readonly data?: { readonly file?: string | undefined; readonly pick?: Pick | undefined } | null | undefined;
  readonly stages?: readonly Stage[] | undefined;
  readonly preflight?: boolean | undefined;
  /** ms. */
  readonly after?: number | undefined;
}

/** Values of the variables that are used. Unset ones are left out here, and checkInputs refuses them. */
export function pickEnv(written: Written, env: Readonly<Record<string, string | undefined>>): Inputs['env'] {
  const names = usesOf(written).flatMap(({ template }) => template.envNames);
  return Object.fromEntries(
    [...new Set(names)].flatMap((name) => {
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** `columns`: the columns of the data file, empty without one. Throws UserError `inputs` with every problem. */
export function checkInputs(plan: Plan, inputs: Inputs, columns: readonly string[]): void {
  const problems = inputProblems({ ...plan, after: plan.afterMs ?? undefined }, inputs, columns);
  const source = valueSource('the data of the plan', plan);
  if (problems.length > 0)
    refuse(
      problems.map((problem) => ({ source, problem })),
      'inputs',
    );
}

/** Every problem of the inputs; `columns` is null when there is no table to check against. */
export function inputProblems(written: Written, inputs: Inputs, columns: readonly string[] | null): Problem[] {
  const uses = usesOf(written);
  const env = uses.flatMap((use) => envProblems(use, inputs));
  if (columns === null) return [...env, ...valueProblems(written, uses.filter(isFixed), inputs, [])];
  const unknown = uses.flatMap((use) => columnProblems(use, written, columns));
  const known = unknown.length > 0 ? [] : rowCountProblems(written, uses, inputs);
  return [...unknown, ...env, ...known, ...valueProblems(written, uses, inputs, columns)];
}

interface Use {
  readonly path: Path;
  readonly template: Template;
  /**
   * Why the rendered text is not allowed there, or null. `judge` is null for paths, which are percent-encoded instead, and
   * for what is said after the 101, which may be anything.
   */
  readonly judge: ((text: string) => string | null) | null;
}

const JUDGES = { url: null, value: fieldValueProblem, token: tokenProblem, said: null } as const;

function usesOf(written: Written): Use[] {
  return [...templatesOf(written.target), ...sessionTemplates(written)].map(
    ({ kind, path, template, spoilt = JUDGES[kind] }) => ({ path, template, judge: spoilt }),
  );
}

function isFixed({ template }: Use): boolean {
  return template.rowColumns.length === 0;
}

function tokenProblem(text: string): string | null {
  return isToken(text) ? null : 'a subprotocol must be a token: no spaces, no commas, not empty (RFC 6455 section 4.1)';
}

function problem(path: Path, message: string): Problem {
  return { path, at: 'value', message };
}

function columnProblems({ path, template }: Use, { data }: Written, columns: readonly string[]): Problem[] {
  return template.rowColumns
    .filter((column) => !columns.includes(column))
    .map((column) => {
      const known = columns.map((name) => JSON.stringify(maskWords(name))).join(', ');
      const hint = didYouMean(column, columns) || `; it has ${known}`;
      return problem(path, `no column ${JSON.stringify(column)} in ${data?.file ?? ''}${hint}`);
    });
}

function envProblems({ path, template }: Use, { env }: Inputs): Problem[] {
  return template.envNames
    .filter((name) => !Object.hasOwn(env, name))
    .map((name) => problem(path, `the environment variable ${name} is not set`));
}

function rowCountProblems(written: Written, uses: readonly Use[], { rows }: Inputs): Problem[] {
  const file = written.data?.file ?? '';
  if (uses.every(isFixed)) return [];
  if (rows.length === 0) {
    return [problem(['data', 'file'], `${file}: expected at least one row after the header row, found none`)];
  }
  if (written.data?.pick !== 'once' || written.stages === undefined) return [];
  const attempts = plannedAttempts({ stages: written.stages });
  // cross-checks.ts refuses a stage without a total.
  if (attempts === null) return [];
  const preflight = written.preflight === false ? 0 : PREFLIGHT_ATTEMPTS;
  const probes = written.stages.flatMap(burstSizes).length * probesPerBurst({ afterMs: written.after ?? null });
  const needed = attempts + preflight + probes;
  if (rows.length >= needed) return [];
  const others = [
    ...(preflight === 0 ? [] : [`${preflight} in the preflight`]),
    ...(probes === 0 ? [] : [`${formatCount(probes)} in the probes after the bursts`]),
  ];
  const sum = others.length === 0 ? '' : ` (${formatCount(attempts)} in the stages and ${others.join(' and ')})`;
  const found = `${file} has ${formatCount(rows.length)}`;
  const message = `once needs ${formatCount(needed)} rows${sum}, ${found}; add rows, or use cycle or random`;
  return [problem(['data', 'pick'], message)];
}

/** Problems of the texts whose columns and variables all exist. */
function valueProblems(written: Written, all: readonly Use[], inputs: Inputs, columns: readonly string[]): Problem[] {
  const uses = all.filter(
    ({ template, judge }) =>
      judge !== null &&
      !template.constant &&
      template.rowColumns.every((column) => columns.includes(column)) &&
      template.envNames.every((name) => Object.hasOwn(inputs.env, name)),
  );
  const problems = uses
    .filter(isFixed)
    .flatMap((use) => usedProblem(use, {}, inputs, `environment variable ${use.template.envNames.join(', ')}`));
  const varying = uses.filter((use) => !isFixed(use));
  const file = written.data?.file ?? '';
  inputs.rows.forEach((row, i) => {
    for (const use of varying) {
      const from = use.template.rowColumns.map((column) => JSON.stringify(column)).join(', ');
      problems.push(...usedProblem(use, row, inputs, `row ${formatCount(i + 1)} of ${file}, column ${from}`));
    }
  });
  const protocols = all.filter(({ judge }) => judge === tokenProblem);
  const isWhole = protocols.every((use) => use.template.constant || uses.includes(use));
  return isWhole ? [...problems, ...duplicateProblems(protocols, inputs)] : problems;
}

// Stand-ins for index, client and uuid, whose real values are equally harmless.
const HARMLESS = { index: 0, client: 0, uuid: '0', captured: {} };

function usedProblem(use: Use, row: Readonly<Record<string, string>>, inputs: Inputs, source: string): Problem[] {
  const found = use.judge?.(render(use.template, { ...HARMLESS, row, env: inputs.env })) ?? null;
  return found === null ? [] : [problem(use.path, `${source}: ${found}`)];
}

function duplicateProblems(protocols: readonly Use[], inputs: Inputs): Problem[] {
  if (protocols.length < 2 || protocols.every(({ template }) => template.constant)) return [];
  const rows = inputs.rows.length > 0 ? inputs.rows : [{}];
  const at = rows.findIndex((row) => {
    const texts = protocols.map(({ template }) => render(template, { ...HARMLESS, row, env: inputs.env }));
    return new Set(texts).size < texts.length;
  });
  return at === -1
    ? []
    : [
        problem(
          ['target', 'subprotocols'],
          `row ${formatCount(at + 1)} gives one subprotocol twice (RFC 6455 section 4.1)`,
        ),
      ];
}

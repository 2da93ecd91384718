/**
 * The template language: `{{ row.x }}`, `{{ index }}`, `{{ client }}`, `{{ uuid }}`, `{{ env.NAME }}` inside a text; in a
 * session also `{{ var.NAME }}` and `{{ captured.NAME }}`. Parses once, renders often. attempt-texts.ts chooses rows;
 * inputs.ts checks values.
 */
import { UserError } from '../errors.js';
import { didYouMean } from './suggest.js';

export type Hole =
  | { readonly kind: 'row'; readonly column: string }
  | { readonly kind: 'env' | 'var' | 'captured'; readonly name: string }
  | { readonly kind: 'index' | 'client' | 'uuid' };

export type TemplatePart = string | Hole;

export interface Template {
  readonly text: string;
  /** Literal texts and holes, in order. */
  readonly parts: readonly TemplatePart[];
  /** No holes: it renders to `text`. */
  readonly constant: boolean;
  /** Columns and variables that it uses, without duplicates. */
  readonly rowColumns: readonly string[];
  readonly envNames: readonly string[];
  /** Session variables and captured values that it uses, without duplicates; empty outside of sessions. */
  readonly variables: readonly string[];
  readonly captured: readonly string[];
}

/** The values for the holes of one attempt; session variables are in the template by then (compiled-script.ts). */
export interface TemplateContext {
  readonly row: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** Number of the attempt in the run. */
  readonly index: number;
  /** Number of the client: the attempt's, or that of its first attempt where a client comes back. */
  readonly client: number;
  readonly uuid: string;
  readonly captured: Readonly<Record<string, string>>;
}

/** Where a template stands: in a request, or in what is said after the 101. */
export type TemplateScope = 'request' | 'session';

const PLAIN = ['index', 'client', 'uuid'] as const;
const DOTTED = { request: ['row', 'env'], session: ['row', 'env', 'var', 'captured'] } as const;
const KNOWN = {
  request: ['row.COLUMN', 'index', 'client', 'uuid', 'env.NAME'],
  session: ['row.COLUMN', 'index', 'client', 'uuid', 'env.NAME', 'var.NAME', 'captured.NAME'],
} as const;
const LONGEST_NAME_SHOWN = 40;

function refuse(message: string): never {
  throw new UserError(message, { code: 'template' });
}

function parseHole(inside: string, column: number, scope: TemplateScope): Hole {
  const name = inside.trim();
  const plain = PLAIN.find((word) => word === name);
  if (plain !== undefined) return { kind: plain };
  if (name.startsWith('row.') && name.length > 4) return { kind: 'row', column: name.slice(4) };
  const [, kind = '', rest = ''] = /^(\w+)\.([A-Za-z_][A-Za-z0-9_]*)$/.exec(name) ?? [];
  if (kind === 'env' || (scope === 'session' && (kind === 'var' || kind === 'captured'))) return { kind, name: rest };
  return refuseHole(name, column, scope);
}

function refuseHole(name: string, column: number, scope: TemplateScope): never {
  const shown = JSON.stringify(name.slice(0, LONGEST_NAME_SHOWN));
  const where = `at character ${column + 1}`;
  if (name === '') return refuse(`empty template ${where}; write one of ${KNOWN[scope].map(braced).join(', ')}`);
  if (name.startsWith('env.')) return refuse(`${shown} ${where} is no name of an environment variable`);
  const [head = '', ...rest] = name.split('.');
  if (scope === 'session' && (head === 'var' || head === 'captured') && rest.length > 0) {
    return refuse(`${shown} ${where} is no name: a name has letters, digits and _`);
  }
  const hint = rest.length > 0 ? suggestDotted(head, rest.join('.'), scope) : didYouMean(name, PLAIN);
  return refuse(`unknown template name ${shown} ${where}, expected one of ${KNOWN[scope].join(', ')}${hint}`);
}

function braced(name: string): string {
  return `{{ ${name} }}`;
}

function suggestDotted(head: string, rest: string, scope: TemplateScope): string {
  const hint = didYouMean(head, DOTTED[scope]);
  return hint.replace(/"(\w+)"/, (_, found: string) => `"${found}.${rest}"`);
}

/** Throws UserError `template` with the character's position when a hole is unclosed or its name unknown. */
export function compileTemplate(text: string, scope: TemplateScope = 'request'): Template {
  const parts: TemplatePart[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('{{', at);
    if (open === -1) {
      parts.push(text.slice(at));
      break;
    }
    if (open > at) parts.push(text.slice(at, open));
    const close = text.indexOf('}}', open + 2);
    const inside = close === -1 ? '' : text.slice(open + 2, close);
    if (close === -1 || inside.includes('{{')) refuse(`"{{" at character ${open + 1} is not closed by "}}"`);
    parts.push(parseHole(inside, open, scope));
    at = close + 2;
  }
  const holes = parts.filter((part) => typeof part !== 'string');
  const namesOf = (kind: 'env' | 'var' | 'captured') => [
    ...new Set(holes.flatMap((hole) => ('name' in hole && hole.kind === kind ? [hole.name] : []))),
  ];
  return {
    text,
    parts,
    constant: holes.length === 0,
    rowColumns: [...new Set(holes.flatMap((hole) => (hole.kind === 'row' ? [hole.column] : [])))],
    envNames: namesOf('env'),
    variables: namesOf('var'),
    captured: namesOf('captured'),
  };
}

/** The text with every hole filled. A missing column or variable is a bug here: checkInputs has refused it earlier. */
export function render(template: Template, context: TemplateContext): string {
  return template.constant ? template.text : renderParts(template.parts, context);
}

/** The parts as one text; `encode` is applied to the values of the holes. */
export function renderParts(
  parts: readonly TemplatePart[],
  context: TemplateContext,
  encode: (value: string) => string = (value) => value,
): string {
  let out = '';
  for (const part of parts) out += typeof part === 'string' ? part : encode(holeValue(part, context));
  return out;
}

/** The value for one hole. */
function holeValue(hole: Hole, context: TemplateContext): string {
  switch (hole.kind) {
    case 'index':
      return String(context.index);
    case 'client':
      return String(context.client);
    case 'uuid':
      return context.uuid;
    case 'row':
      return present(context.row, hole.column);
    case 'env':
      return present(context.env, hole.name);
    case 'captured':
      return present(context.captured, hole.name);
    case 'var':
      throw new Error(`the session variable ${hole.name} was not put into its template`);
  }
}

function present(values: Readonly<Record<string, string>>, name: string): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined) throw new Error(`no value for template name ${name}`);
  return value;
}

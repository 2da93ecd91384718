/**
 * The template language: `{{ row.x }}`, `{{ index }}`, `{{ uuid }}`, `{{ env.NAME }}` inside a text, nothing more.
 * Parses once, renders often. attempt-texts.ts chooses rows; inputs.ts checks values.
 */
import { UserError } from '../errors.js';
import { didYouMean } from './suggest.js';

type Hole =
  | { readonly kind: 'row'; readonly column: string }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'index' }
  | { readonly kind: 'uuid' };

export interface Template {
  readonly text: string;
  /** Literal texts and holes, in order. */
  readonly parts: readonly (string | Hole)[];
  /** No holes: it renders to `text`. */
  readonly constant: boolean;
  /** Columns and variables that it uses, without duplicates. */
  readonly rowColumns: readonly string[];
  readonly envNames: readonly string[];
}

/** The values for the holes of one attempt. */
export interface TemplateContext {
  readonly row: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly index: number;
  readonly uuid: string;
}

const KNOWN = ['row.COLUMN', 'index', 'uuid', 'env.NAME'];
const LONGEST_NAME_SHOWN = 40;

function refuse(message: string): never {
  throw new UserError(message, { code: 'template' });
}

function parseHole(inside: string, column: number): Hole {
  const name = inside.trim();
  if (name === 'index' || name === 'uuid') return { kind: name };
  if (name.startsWith('row.') && name.length > 4) return { kind: 'row', column: name.slice(4) };
  if (/^env\.[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return { kind: 'env', name: name.slice(4) };
  const shown = JSON.stringify(name.slice(0, LONGEST_NAME_SHOWN));
  const where = `at character ${column + 1}`;
  if (name === '')
    return refuse(`empty template ${where}; write {{ row.COLUMN }}, {{ index }}, {{ uuid }} or {{ env.NAME }}`);
  if (name.startsWith('env.')) return refuse(`${shown} ${where} is no name of an environment variable`);
  const [head = '', ...rest] = name.split('.');
  const hint = rest.length > 0 ? suggestDotted(head, rest.join('.')) : didYouMean(name, ['index', 'uuid']);
  return refuse(`unknown template name ${shown} ${where}, expected one of ${KNOWN.join(', ')}${hint}`);
}

function suggestDotted(head: string, rest: string): string {
  const hint = didYouMean(head, ['row', 'env']);
  return hint.replace(/"(row|env)"/, (_, found: string) => `"${found}.${rest}"`);
}

/** Throws UserError `template` with the character's position when a hole is unclosed or its name unknown. */
export function compileTemplate(text: string): Template {
  const parts: (string | Hole)[] = [];
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
    parts.push(parseHole(inside, open));
    at = close + 2;
  }
  const holes = parts.filter((part) => typeof part !== 'string');
  return {
    text,
    parts,
    constant: holes.length === 0,
    rowColumns: [...new Set(holes.flatMap((hole) => (hole.kind === 'row' ? [hole.column] : [])))],
    envNames: [...new Set(holes.flatMap((hole) => (hole.kind === 'env' ? [hole.name] : [])))],
  };
}

/** The text with every hole filled. A missing column or variable is a bug here: checkInputs has refused it earlier. */
export function render(template: Template, context: TemplateContext): string {
  if (template.constant) return template.text;
  let out = '';
  for (const part of template.parts) out += typeof part === 'string' ? part : holeValue(part, context);
  return out;
}

/** The value for one hole. */
function holeValue(hole: Hole, context: TemplateContext): string {
  switch (hole.kind) {
    case 'index':
      return String(context.index);
    case 'uuid':
      return context.uuid;
    case 'row':
      return present(context.row, hole.column);
    case 'env':
      return present(context.env, hole.name);
  }
}

function present(values: Readonly<Record<string, string>>, name: string): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined) throw new Error(`no value for template name ${name}`);
  return value;
}

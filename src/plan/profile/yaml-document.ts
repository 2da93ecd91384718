/**
 * Turns a profile's text (YAML 1.2, which includes JSON) into a plain value and a map from path to place. Owns every
 * problem of the text itself: duplicate keys, several documents, tabs, anchors that expand without limit. Knows no
 * key's meaning.
 */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  visit,
} from 'yaml';
import { fileSource, type Path, type Place, type Problem, refuse as refuseAll, type Source } from './problems.js';

const LONGEST_TEXT = 256 * 1024;
const MOST_ALIASES = 100;
// The yaml parser recurses: 10,000 nested brackets overflow the stack, and no real profile has 100.
const DEEPEST_NESTING = 100;

export interface ReadDocument {
  readonly value: unknown;
  /** Finds the place of a path in the text, or of its nearest existing ancestor. */
  readonly source: Source;
}

/** Throws UserError `profile` with every problem of the text. */
export function readDocument(text: string, file: string): ReadDocument {
  const lines = new LineCounter();
  const clean = text.startsWith('\ufeff') ? text.slice(1) : text;
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const refuse = (faults: readonly { readonly offset: number; readonly message: string }[]): never => {
    const offsets = new Map<Problem, number>(
      faults.map(({ offset, message }) => [{ path: [], at: 'value', message }, offset]),
    );
    const source = fileSource(file, null, (problem) => place(offsets.get(problem) ?? 0));
    return refuseAll([...offsets.keys()].map((problem) => ({ problem, source })));
  };

  const bound = boundProblem(clean);
  if (bound !== null) return refuse([{ offset: 0, message: bound }]);
  const document = parseDocument(clean, { lineCounter: lines, prettyErrors: false, stringKeys: true, version: '1.2' });
  const faults = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    offset: pos[0],
    message: syntaxMessage(code, message, clean.slice(pos[0], pos[0] + 2)),
  }));
  if (faults.length > 0) return refuse(faults);
  const aliases = aliasProblems(document);
  if (aliases.length > 0) return refuse(aliases);
  if (document.contents === null) return refuse([{ offset: 0, message: 'the profile is empty' }]);
  textsAsWritten(document);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return refuse([{ offset: 0, message: `aliases make the profile too large: at most ${MOST_ALIASES} copies` }]);
  }
  return { value, source: fileSource(file, value, ({ path, at }) => place(offsetOf(document, path, at))) };
}

function boundProblem(text: string): string | null {
  if (text.length > LONGEST_TEXT)
    return `expected at most ${LONGEST_TEXT / 1024} KiB, found ${Math.ceil(text.length / 1024)} KiB`;
  let depth = 0;
  for (const bracket of text.match(/[[\]{}]/g) ?? []) {
    depth = bracket === '[' || bracket === '{' ? depth + 1 : Math.max(0, depth - 1);
    if (depth > DEEPEST_NESTING) return `expected at most ${DEEPEST_NESTING} levels of brackets`;
  }
  return null;
}

/** The yaml package's messages, reworded for users. */
function syntaxMessage(code: string, message: string, start: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'this key stands here for the second time';
    case 'MULTIPLE_DOCS':
      return 'expected one document, found a second one; remove the "---"';
    case 'TAB_AS_INDENT':
      return 'a tab is no indentation in YAML; use spaces';
    case 'NON_STRING_KEY':
      return start.startsWith('{')
        ? 'a template must stand in quotes: "{{ … }}"; bare braces begin a map in YAML'
        : 'expected a plain text as key';
    default:
      // The rest of the message quotes the text, which may be a secret with a missing quote.
      return message.replace(/( token in YAML document|Not a YAML token).*$/s, '$1');
  }
}

/**
 * Turns scalars of headers and subprotocols back into the text as written: as a number, `1.10` would be sent as `1.1`, and a
 * long identifier would lose digits. An alias becomes a copy, because its anchor may be used where a number is wanted.
 */
function textsAsWritten(document: Document): void {
  const resolved = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  const within = (node: unknown, key: string): unknown => (isMap(node) ? resolved(node.get(key, true)) : null);
  const listAsWritten = (list: unknown): void => {
    if (!isSeq(list)) return;
    list.items.forEach((item, i) => {
      list.items[i] = asWritten(resolved(item), isScalar(item)) ?? item;
    });
  };
  const target = within(resolved(document.contents), 'target');
  listAsWritten(within(target, 'subprotocols'));
  const headers = within(target, 'headers');
  if (!isMap(headers)) return;
  for (const pair of headers.items) {
    const value = resolved(pair.value);
    listAsWritten(value);
    pair.value = asWritten(value, isScalar(pair.value)) ?? pair.value;
  }
}

/** Null for nodes that stay as they are: texts and null. */
function asWritten(node: unknown, isOwn: boolean): Scalar | null {
  if (!isScalar(node) || typeof node.value === 'string' || node.source === undefined || node.source === '') return null;
  const text = new Scalar(node.source);
  text.range = node.range;
  if (isOwn && node.anchor !== undefined) text.anchor = node.anchor;
  return text;
}

function aliasProblems(document: Document): { offset: number; message: string }[] {
  const problems: { offset: number; message: string }[] = [];
  visit(document, {
    Alias(_, alias, ancestors) {
      const offset = alias.range?.[0] ?? 0;
      const target = alias.resolve(document);
      if (target === undefined) problems.push({ offset, message: `no anchor &${alias.source} before this alias` });
      else if (ancestors.includes(target)) problems.push({ offset, message: `alias *${alias.source} holds itself` });
    },
  });
  return problems;
}

function offsetOf(document: Document, path: Path, at: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = start(node) ?? 0;
  for (const [i, step] of path.entries()) {
    const holder = isAlias(node) ? node.resolve(document) : node;
    const [key, next] = childOf(holder, step);
    const wantsKey = i === path.length - 1 && at === 'key';
    const found = wantsKey ? start(key) : (start(next) ?? start(key));
    if (found === null) return offset;
    offset = found;
    node = next;
  }
  return offset;
}

function childOf(holder: unknown, step: string | number): readonly [key: unknown, value: unknown] {
  if (isSeq(holder) && typeof step === 'number') return [null, holder.items[step]];
  if (!isMap(holder)) return [null, null];
  const pair = holder.items.find(({ key }) => (isScalar(key) ? String(key.value) : String(key)) === String(step));
  return [pair?.key ?? null, pair?.value ?? null];
}

function start(node: unknown): number | null {
  if (isScalar(node) || isCollection(node) || isAlias(node)) return (node as Node).range?.[0] ?? null;
  return null;
}

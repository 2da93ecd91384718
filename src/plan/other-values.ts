/**
 * Values of all data rows, to mask them: a response that shows another row's token (shared cache, mixed-up session)
 * must not put it on a terminal or into a file in clear. One pass over a text finds any of them, however many there
 * are. secrets.ts handles the values of the attempt's own row.
 */
import { escapedForms, MASK } from './secrets.js';

/** Shorter values occur in ordinary text by chance, and masking them would make it unreadable. */
const SHORTEST = 8;
/** A column with so few distinct values holds categories, not tokens. */
const MOST_KINDS = 20;

type Rows = readonly Readonly<Record<string, string>>[];

export class OtherValues {
  static readonly none = new OtherValues([]);

  readonly #values = new Set<string>();
  /** First characters of the values → lengths of the values that start so, longest first. */
  readonly #lengths = new Map<string, number[]>();

  constructor(values: Iterable<string>) {
    for (const value of values) this.#add(value);
    for (const lengths of this.#lengths.values()) lengths.sort((a, b) => b - a);
  }

  #add(value: string): void {
    const folded = fold(value);
    if (folded.length < SHORTEST || this.#values.has(folded)) return;
    this.#values.add(folded);
    const start = folded.slice(0, SHORTEST);
    const lengths = this.#lengths.get(start);
    if (lengths === undefined) this.#lengths.set(start, [folded.length]);
    else if (!lengths.includes(folded.length)) lengths.push(folded.length);
  }

  /**
   * The text with every value masked, ignoring letter case. With `mayBeCut` also a value that is cut off by the end of
   * the text.
   */
  mask(text: string, mayBeCut = false): string {
    if (this.#values.size === 0) return text;
    const folded = fold(text);
    let out = '';
    let from = 0;
    for (let at = 0; at + SHORTEST <= folded.length; at++) {
      const length = this.#lengthAt(folded, at, mayBeCut);
      if (length === 0) continue;
      out += text.slice(from, at) + MASK;
      from = at + length;
      at = from - 1;
    }
    return out + text.slice(from);
  }

  /** Length of the longest value at position `at`; 0 if there is none. */
  #lengthAt(folded: string, at: number, mayBeCut: boolean): number {
    const lengths = this.#lengths.get(folded.slice(at, at + SHORTEST));
    if (lengths === undefined) return 0;
    const left = folded.length - at;
    const found = lengths.find((length) => length <= left && this.#values.has(folded.slice(at, at + length)));
    if (found !== undefined) return found;
    // The text ends before a value could end: it counts as that value.
    return mayBeCut && (lengths[0] ?? 0) > left ? left : 0;
  }
}

/** Folds letter case without changing the length, so that positions stay the same. */
function fold(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : text;
}

const known = new WeakMap<Rows, Map<string, OtherValues>>();

/** Values of the columns that a plan uses. Made once per table, because it takes time for a large one. */
export function otherValues(rows: Rows, columns: readonly string[]): OtherValues {
  if (columns.length === 0 || rows.length === 0) return OtherValues.none;
  const key = JSON.stringify(columns);
  const ofRows = known.get(rows) ?? new Map<string, OtherValues>();
  known.set(rows, ofRows);
  const made = ofRows.get(key) ?? new OtherValues(columns.flatMap((column) => tellingValues(rows, column)));
  ofRows.set(key, made);
  return made;
}

/** In every escaped form in which a target may send them back. */
function tellingValues(rows: Rows, column: string): string[] {
  const distinct = new Set(rows.map((row) => row[column] ?? ''));
  if (distinct.size <= MOST_KINDS) return [];
  return [...distinct].flatMap((value) => (/^[\w.~-]*$/.test(value) ? [value] : escapedForms(value)));
}

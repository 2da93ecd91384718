/**
 * Values of all data rows, so that one row's answer that shows another row's token (a shared cache, a mixed-up session) does
 * not put it in clear on a terminal or into a file. One pass over a text finds any of them, whatever their number. What of
 * an attempt's own row must not be shown is known by secrets.ts.
 */
import { escapedForms, MASK } from './secrets.js';

/** Shorter values would put holes into every text that holds them by chance. */
const SHORTEST = 8;
/** A column with so few distinct values holds kinds and regions, not tokens. */
const MOST_KINDS = 20;

type Rows = readonly Readonly<Record<string, string>>[];

export class OtherValues {
  static readonly none = new OtherValues([]);

  readonly #values = new Set<string>();
  /** By the first characters of values: the lengths that such values have, the longest first. */
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

  /** The text with every value replaced, in any letter case; where its end may be missing, a value that begins there too. */
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

  /** Length of the longest value that stands at `at`; 0: none does. */
  #lengthAt(folded: string, at: number, mayBeCut: boolean): number {
    const lengths = this.#lengths.get(folded.slice(at, at + SHORTEST));
    if (lengths === undefined) return 0;
    const left = folded.length - at;
    const found = lengths.find((length) => length <= left && this.#values.has(folded.slice(at, at + length)));
    if (found !== undefined) return found;
    // What goes on beyond the end is taken for the value that its beginning announces.
    return mayBeCut && (lengths[0] ?? 0) > left ? left : 0;
  }
}

/** In another letter case; of the same length, so that places agree. */
function fold(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : text;
}

const known = new WeakMap<Rows, Map<string, OtherValues>>();

/** Of the columns that a plan uses. Made once for a table, since a large one takes its time. */
export function otherValues(rows: Rows, columns: readonly string[]): OtherValues {
  if (columns.length === 0 || rows.length === 0) return OtherValues.none;
  const key = JSON.stringify(columns);
  const ofRows = known.get(rows) ?? new Map<string, OtherValues>();
  known.set(rows, ofRows);
  const made = ofRows.get(key) ?? new OtherValues(columns.flatMap((column) => tellingValues(rows, column)));
  ofRows.set(key, made);
  return made;
}

/** In all forms in which a target may send them back. */
function tellingValues(rows: Rows, column: string): string[] {
  const distinct = new Set(rows.map((row) => row[column] ?? ''));
  if (distinct.size <= MOST_KINDS) return [];
  return [...distinct].flatMap((value) => (/^[\w.~-]*$/.test(value) ? [value] : escapedForms(value)));
}

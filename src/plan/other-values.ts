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
/** Of the two rolling hashes; odd. */
const BASES = [0x01000193, 0x5bd1e995] as const;

type Rows = readonly Readonly<Record<string, string>>[];

/** Texts by their hashes alone, each with a length: a large table of long tokens is not held a second time. */
class Fingerprints {
  readonly #ones: Int32Array;
  readonly #others: Int32Array;
  /** 0: free. */
  readonly #lengths: Int32Array;
  readonly #mask: number;

  constructor(most: number) {
    const places = 2 ** Math.ceil(Math.log2(2 * most + 2));
    this.#ones = new Int32Array(places);
    this.#others = new Int32Array(places);
    this.#lengths = new Int32Array(places);
    this.#mask = places - 1;
  }

  /** Of two lengths the longer stays. */
  put(one: number, other: number, length: number): void {
    const place = this.#placeOf(one, other);
    this.#ones[place] = one;
    this.#others[place] = other;
    this.#lengths[place] = Math.max(length, this.#lengths[place]);
  }

  /** 0: not in it. */
  get(one: number, other: number): number {
    return this.#lengths[this.#placeOf(one, other)];
  }

  /** Where it is, or would be. */
  #placeOf(one: number, other: number): number {
    let place = (Math.imul(one ^ (other >>> 7), 0x9e3779b1) >>> 8) & this.#mask;
    while (this.#lengths[place] !== 0 && (this.#ones[place] !== one || this.#others[place] !== other))
      place = (place + 1) & this.#mask;
    return place;
  }
}

export class OtherValues {
  static readonly none = new OtherValues([]);

  /** First characters of values, with the length of the longest that begins so. */
  readonly #starts: Fingerprints;
  readonly #values: Fingerprints;
  /** That values have, the longest first. */
  readonly #lengths: readonly number[];
  readonly #powers: Rolled;

  constructor(values: readonly string[]) {
    const telling = values.filter(({ length }) => length >= SHORTEST);
    this.#lengths = [...new Set(telling.map(({ length }) => length))].sort((a, b) => b - a);
    this.#powers = powersUpTo(this.#lengths[0] ?? 0);
    this.#starts = new Fingerprints(telling.length);
    this.#values = new Fingerprints(telling.length);
    for (const value of telling) this.#add(value);
  }

  /** As `rolled`, without a list for each of a hundred thousand values. */
  #add(value: string): void {
    const { length } = value;
    let [one, other] = [0, 0];
    for (let i = 0; i < length; i++) {
      const code = folded(value, i);
      one = (Math.imul(one, BASES[0]) + code) | 0;
      other = (Math.imul(other, BASES[1]) + code) | 0;
      if (i === SHORTEST - 1) this.#starts.put(one, other, length);
    }
    this.#values.put(one, other, length);
  }

  /**
   * The text with every value masked, ignoring letter case. With `mayBeCut` also a value that is cut off by the end of
   * the text.
   */
  mask(text: string, mayBeCut = false): string {
    if (this.#lengths.length === 0 || text.length < SHORTEST) return text;
    const prefixes = rolled(text);
    let out = '';
    let from = 0;
    for (let at = 0; at + SHORTEST <= text.length; at++) {
      const length = this.#lengthAt(prefixes, at, text.length - at, mayBeCut);
      if (length === 0) continue;
      out += text.slice(from, at) + MASK;
      from = at + length;
      at = from - 1;
    }
    return out + text.slice(from);
  }

  /** Length of the longest value that stands at `at`, with `left` characters from there on; 0: none does. */
  #lengthAt(prefixes: Rolled, at: number, left: number, mayBeCut: boolean): number {
    const longest = this.#in(this.#starts, prefixes, at, SHORTEST);
    if (longest === 0) return 0;
    for (const length of this.#lengths) {
      if (length <= longest && length <= left && this.#in(this.#values, prefixes, at, length) === length) return length;
    }
    // The text ends before a value could end: it counts as that value.
    return mayBeCut && longest > left ? left : 0;
  }

  #in(table: Fingerprints, [one, other]: Rolled, at: number, length: number): number {
    const [powers, others] = this.#powers;
    return table.get(
      (one[at + length] - Math.imul(one[at], powers[length])) | 0,
      (other[at + length] - Math.imul(other[at], others[length])) | 0,
    );
  }
}

/** Two rolling hashes of 32 bits: of each prefix of a text, so that any part of it has its hash at once. */
type Rolled = readonly [one: Int32Array, other: Int32Array];

function rolled(text: string): Rolled {
  const [one, other] = [new Int32Array(text.length + 1), new Int32Array(text.length + 1)];
  for (let i = 0; i < text.length; i++) {
    const code = folded(text, i);
    one[i + 1] = Math.imul(one[i], BASES[0]) + code;
    other[i + 1] = Math.imul(other[i], BASES[1]) + code;
  }
  return [one, other];
}

/** Code of a character, 1 at least, that of a capital as of a small letter. */
function folded(text: string, place: number): number {
  const code = text.charCodeAt(place);
  return (code >= 65 && code <= 90 ? code + 32 : code) + 1;
}

function powersUpTo(length: number): Rolled {
  const powers = [new Int32Array(length + 1).fill(1), new Int32Array(length + 1).fill(1)] as const;
  for (const [which, base] of BASES.entries())
    for (let i = 1; i <= length; i++) powers[which][i] = Math.imul(powers[which][i - 1], base);
  return powers;
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

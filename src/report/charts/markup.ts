/**
 * Markup (HTML, SVG) as a value: a template whose holes are escaped, so that a text of a target can't become markup by a
 * slip. Only `Markup` made by such a template passes a hole unescaped.
 */
import { printable } from '../../plan/printable.js';

export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Content = string | number | Markup | readonly Markup[] | null;

/** `markup\`<p>${text}</p>\``; null stands for nothing. Attribute values must be quoted in the template. */
export function markup(parts: TemplateStringsArray, ...holes: readonly Content[]): Markup {
  return new Markup(parts.reduce((text, part, i) => text + textOf(holes[i - 1] ?? null) + part));
}

export const NOTHING = new Markup('');

/** Longest text of one hole; a command line with many headers comes close. */
const LONGEST_TEXT = 32_768;

function textOf(hole: Content): string {
  if (hole === null) return '';
  if (hole instanceof Markup) return hole.text;
  if (typeof hole === 'number') return String(hole);
  return typeof hole === 'string' ? escaped(hole) : hole.map(({ text }) => text).join('');
}

const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Lines stay lines; everything else that is not printable is made visible. */
function escaped(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line, LONGEST_TEXT))
    .join('\n')
    .replace(/[&<>"']/g, (char) => REFERENCES[char]);
}

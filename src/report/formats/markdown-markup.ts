/**
 * The markup of Markdown that every document is made of: tables, lists, folded parts, fences. Texts are escaped: they must
 * neither format, nor mention anybody.
 */
import type { Fact } from '../words/fact.js';
import type { Sheet } from '../words/written/sheets.js';

/** A fact as an item of a list. */
export function factLine({ label, text, isDoubt }: Fact): string {
  const start = isDoubt === true ? '- ⚠ ' : '- ';
  return label === '' ? `  ${plain(text)}` : `${start}**${plain(label)}**: ${plain(text)}`;
}

/** Empty where there are no rows. */
export function table({ columns, rows, notes }: Sheet): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => plain(title))),
    line(columns.map(({ isNumber }) => (isNumber ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(plain))),
    ...notes.map((note) => `\n${plain(note)}`),
  ].join('\n');
}

/** Folded text. */
export function details(title: string, text: string): string {
  return `<details><summary>${plain(title)}</summary>\n\n${text}\n\n</details>`;
}

/** The fence is longer than any run of backticks in the text. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

/** Characters that could start markup, a mention or a reference to an issue, as references: they are shown as they are. */
export function plain(text: string): string {
  return text.replace(/[&<>|`*_~[\]\\#@$]|(?<=:)\/\//g, (found) =>
    [...found].map((char) => `&#${char.codePointAt(0)};`).join(''),
  );
}

/** Parts that a page is made of: facts, tables, pictures with their numbers, the frame of a picture. */
import type { Result } from '../../../result/result.js';
import { Markup, markup, NOTHING } from '../../charts/markup.js';
import type { Frame, Picture } from '../../charts/picture.js';
import type { Fact } from '../../words/fact.js';
import type { Mood, Sheet } from '../../words/written/sheets.js';
import { stampOf } from '../../words/written/stamp.js';

/** What the parts of one result share. */
export interface PageContext {
  readonly result: Result;
  /** Distinguishes the ids of several results in one page: `r1-`. */
  readonly prefix: string;
  /** Level of the headings of its sections. */
  readonly level: 2 | 3;
}

export function frameOf(
  { result, prefix }: PageContext,
  id: string,
  title: string,
  says: string,
): Omit<Frame, 'height'> {
  return {
    id: `${prefix}${id}`,
    title,
    says,
    stamp: stampOf(result),
    isVoid: result.validity.verdict === 'invalid',
  };
}

/** A section with its heading; nothing where it is empty. */
export function section({ prefix, level }: PageContext, id: string, title: string, parts: readonly Markup[]): Markup {
  const content = parts.filter(({ text }) => text !== '');
  if (content.length === 0) return NOTHING;
  const tag = new Markup(`h${level}`);
  return markup`<section id="${prefix}${id}"><${tag}>${title}</${tag}>
${content}</section>
`;
}

/** A picture, and its numbers for those who want or need them. @param numbers null: they stand beside it anyway */
export function figure(picture: Picture | null, numbers: Sheet | null): Markup {
  if (picture === null) return NOTHING;
  const { id, title, says, svg } = picture;
  const folded =
    numbers === null || numbers.rows.length === 0
      ? NOTHING
      : markup`<details><summary>The numbers of this picture</summary>${table(numbers, title)}</details>`;
  return markup`<figure id="${id}"><figcaption>${title}</figcaption>
<p class="note">${says}</p>
<div class="plot" tabindex="0" role="group" aria-label="${`picture: ${title}`}">${svg}</div>${folded}</figure>
`;
}

export function table({ columns, rows, moods, notes }: Sheet, name: string): Markup {
  if (rows.length === 0) return NOTHING;
  const head = columns.map(
    ({ title, isNumber }) => markup`<th scope="col"${classes(isNumber ? 'n' : null)}>${title}</th>`,
  );
  const body = rows.map((row, i) => {
    const cells = row.map(
      (cell, k) => markup`<td${classes(columns[k].isNumber ? 'n' : null, k === 0 ? moods[i] : null)}>${cell}</td>`,
    );
    return markup`<tr>${cells}</tr>
`;
  });
  return markup`<div class="wide" tabindex="0" role="group" aria-label="${name}"><table><thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table></div>${notes.map((note) => markup`<p class="note">${note}</p>`)}
`;
}

function classes(...names: readonly (string | Mood)[]): Markup {
  const given = names.filter((name) => name !== null);
  return given.length === 0 ? NOTHING : markup` class="${given.join(' ')}"`;
}

/** Labels and texts; a fact without a label continues the one before. */
export function facts(all: readonly Fact[]): Markup {
  if (all.length === 0) return NOTHING;
  const rows = all.map(({ label, text, isDoubt }, i) => {
    const term = label === '' && i > 0 ? NOTHING : markup`<dt>${label}</dt>`;
    return markup`${term}<dd${classes(isDoubt === true ? 'doubtful' : null)}>${text}</dd>
`;
  });
  return markup`<dl>
${rows}</dl>
`;
}

export function paragraph(text: string, kind: string | null = null): Markup {
  return markup`<p${classes(kind)}>${text}</p>
`;
}

export function verbatim(text: string): Markup {
  return text === ''
    ? NOTHING
    : markup`<pre>${text}</pre>
`;
}

/**
 * A page of one or several results: one file without a script that runs and without the network, so that it can be mailed,
 * archived and opened anywhere. Each result travels in it as data: `report` reads it back.
 */
import { gzipSync } from 'node:zlib';
import { documentLine } from '../../../result/document.js';
import type { Result } from '../../../result/result.js';
import { Markup, markup, NOTHING } from '../../charts/markup.js';
import { judgedTitle } from '../../words/written/stamp.js';
import { checkSections } from './check-sections.js';
import { conditionsSection, whySection, wordsSection } from './conditions.js';
import { firstScreen } from './first-screen.js';
import { afterwardsSection, believeSection, burstsSection, latencySection } from './measured.js';
import { pageFrame } from './page-frame.js';
import type { PageContext } from './parts.js';

/** Larger results are compressed. */
const MOST_PLAIN_BYTES = 50_000;

export function wholePage(results: readonly Result[]): string {
  const isSingle = results.length === 1;
  const contexts = results.map(
    (result, i): PageContext => ({ result, prefix: isSingle ? '' : `r${i + 1}-`, level: isSingle ? 2 : 3 }),
  );
  const title = isSingle ? judgedTitle(results[0]) : `${results.length} results of wstampede`;
  const body = markup`${isSingle ? NOTHING : contents(title, contexts)}${contexts.map((context) => article(context, isSingle))}${wordsSection()}`;
  const data = results.map((result, i) => embedded(result, isSingle ? '' : `-${i + 1}`));
  return pageFrame(title, body, markup`${data}`);
}

function contents(title: string, contexts: readonly PageContext[]): Markup {
  const items = contexts.map(
    ({ result, prefix }) => markup`<li><a href="#${prefix}result">${judgedTitle(result)}</a></li>
`,
  );
  return markup`<h1>${title}</h1>
<ol>
${items}</ol>
`;
}

function article(context: PageContext, isSingle: boolean): Markup {
  const { result, prefix } = context;
  const sections = result.check === null ? loadSections(context) : checkSections(context, result.check);
  return markup`<article id="${prefix}result">
${firstScreen(context, new Markup(isSingle ? 'h1' : 'h2'))}${sections}${conditionsSection(context)}</article>
`;
}

function loadSections(context: PageContext): Markup {
  const isMeasured = context.result.bursts.length > 0;
  if (!isMeasured) return whySection(context);
  return markup`${whySection(context)}${believeSection(context)}${burstsSection(context)}${latencySection(context)}${afterwardsSection(context)}`;
}

/** Data, not a program. `<` is the one character that could end it. */
function embedded(result: Result, suffix: string): Markup {
  const json = documentLine(result);
  const isLarge = Buffer.byteLength(json) > MOST_PLAIN_BYTES;
  const data = isLarge ? JSON.stringify({ gzip: gzipSync(json, { level: 9 }).toString('base64') }) : json;
  return new Markup(
    `<script type="application/json" id="wstampede-result${suffix}">${data.replaceAll('<', '\\u003c')}</script>\n`,
  );
}

/**
 * A page of one or several results: one file without a script that runs and without the network, so that it can be mailed,
 * archived and opened anywhere. Each result travels in it as data: `report` reads it back.
 */
import { gzipSync } from 'node:zlib';
import { documentLine } from '../../../result/document.js';
import type { Result } from '../../../result/result.js';
import { Markup, markup, NOTHING } from '../../charts/markup.js';
import { clipped } from '../../charts/picture.js';
import { judgedTitle } from '../../words/written/stamp.js';
import { checkSections } from './check-sections.js';
import { conditionsSection, whySection, wordsSection } from './conditions.js';
import { firstScreen } from './first-screen.js';
import { afterwardsSection, believeSection, burstsSection, latencySection } from './measured.js';
import { PAGE_STYLE } from './page-style.js';
import type { PageContext } from './parts.js';

/** Even markup that slipped in could run nothing, load nothing and send nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
const LONGEST_TITLE = 160;
/** Larger results are compressed. */
const MOST_PLAIN_BYTES = 50_000;

export function wholePage(results: readonly Result[]): string {
  const isSingle = results.length === 1;
  const contexts = results.map(
    (result, i): PageContext => ({ result, prefix: isSingle ? '' : `r${i + 1}-`, level: isSingle ? 2 : 3 }),
  );
  const title = isSingle ? judgedTitle(results[0]) : `${results.length} results of wstampede`;
  const page = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
<title>${clipped(title, LONGEST_TITLE)}</title>
<style>${new Markup(PAGE_STYLE)}</style></head>
<body><main>
${isSingle ? NOTHING : contents(title, contexts)}${contexts.map((context) => article(context, isSingle))}${wordsSection()}</main>
${results.map((result, i) => embedded(result, isSingle ? '' : `-${i + 1}`))}</body></html>
`;
  return page.text;
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

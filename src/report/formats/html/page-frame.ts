/** What every page is framed by: its policy, its styles, its title. One file without a script that runs. */
import { Markup, markup } from '../../charts/markup.js';
import { clipped } from '../../charts/picture.js';
import { PAGE_STYLE } from './page-style.js';

/** Even markup that slipped in could run nothing, load nothing and send nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
const LONGEST_TITLE = 160;
/** @param data what travels in the page, behind what is read */
export function pageFrame(title: string, body: Markup, data: Markup): string {
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
<title>${clipped(title, LONGEST_TITLE)}</title>
<style>${new Markup(PAGE_STYLE)}</style></head>
<body><main>
${body}</main>
${data}</body></html>
`.text;
}

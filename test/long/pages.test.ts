/**
 * Pages in a real browser, as people open them: at every width, light and dark, printed, without scripts, without styles
 * (as a server with a strict policy shows them), and with texts that would run if anything let them.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { wholePage } from '#dist/report/formats/html/whole-page.js';
import { titleOf } from '#dist/report/words/title.js';
import { launchChromium } from '../answers/clients.js';
import { needsProgram } from '../needs.js';
import { ATTACK, pagedResults } from '../unit/report-pages.js';

const WIDTHS = [320, 800, 1400];
const PAGES = Object.entries(pagedResults()).map(([name, results]) => ({ name, results, html: wholePage(results) }));
/** The rules do not depend on the width; contrast depends on the colours. */
const AXE_WIDTHS = { light: 320, dark: 800 } as const;
/** What Jenkins sends with a file of a build. */
const JENKINS = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self'";
const URL = 'http://report.test/';

let browser: Browser | null = null;
before(async () => {
  browser = await launchChromium().catch(() => null);
});
after(() => browser?.close());

/** The page as a server would give it; nothing else is reachable, and every request is noted. */
async function opened(
  html: string,
  options: BrowserContextOptions,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly page: Page; readonly asked: string[] }> {
  assert.ok(browser);
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const asked: string[] = [];
  await page.route('**/*', (route) => {
    const url = route.request().url();
    if (url === URL) return route.fulfill({ contentType: 'text/html', body: html, headers });
    if (!url.endsWith('/favicon.ico')) asked.push(url);
    return route.abort();
  });
  await page.goto(URL);
  return { page, asked };
}

/** Rules of axe that the page breaks, each with the first element that does. */
async function brokenRules(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run()');
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`);
}

function styleOf(page: Page, selector: string, property: string): Promise<string> {
  return page.evaluate(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${property}`);
}

test('no page scrolls sideways or breaks a rule of axe, at any width, light and dark', async (t) => {
  if (!needsProgram(t, 'chromium')) return;
  for (const { name, html } of PAGES) {
    for (const width of WIDTHS) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const viewport = { width, height: 900 };
        const { page, asked } = await opened(html, { viewport, colorScheme, bypassCSP: true });
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
        assert.ok(wide <= 0, `${name} at ${width}: ${wide} px too wide`);
        assert.deepEqual(asked, [], 'no network');
        if (width === AXE_WIDTHS[colorScheme]) {
          assert.deepEqual(await brokenRules(page), [], `${name} at ${width}, ${colorScheme}`);
        }
        await page.context().close();
      }
    }
  }
});

test('a page needs no script', async (t) => {
  if (!needsProgram(t, 'chromium')) return;
  for (const { name, results, html } of PAGES) {
    const { page } = await opened(html, { javaScriptEnabled: false });
    const text = await page.locator('main').textContent();
    for (const result of results) assert.ok(text?.includes(titleOf(result).text.replace(/^INVALID: /, '')), name);
    const details = page.locator('details').first();
    if ((await details.count()) > 0) {
      await details.locator('summary').click();
      assert.ok(await details.locator('table').isVisible(), name);
    }
    await page.context().close();
  }
});

test('a page reads well where all styles are blocked, and its pictures keep their colours', async (t) => {
  if (!needsProgram(t, 'chromium')) return;
  for (const { name, html } of PAGES) {
    const { page } = await opened(
      html,
      { viewport: { width: 800, height: 900 } },
      { 'Content-Security-Policy': JENKINS },
    );
    // The page has a margin of its own; the browser's is 8 px.
    assert.equal(await styleOf(page, 'body', 'marginLeft'), '8px', `${name}: no styles`);
    assert.ok(await page.locator('h1').isVisible());
    if ((await page.locator('svg .f-ok').count()) > 0) {
      assert.equal(await styleOf(page, 'svg .f-ok', 'fill'), 'rgb(26, 127, 75)', name);
    }
    await page.context().close();
  }
});

test('a printed page is light, and shows what is folded on the screen', async (t) => {
  if (!needsProgram(t, 'chromium')) return;
  for (const { name, html } of PAGES) {
    const { page } = await opened(html, { colorScheme: 'dark' });
    const pdf = await page.pdf({ format: 'A4' });
    assert.ok(pdf.length > 5000 && pdf.subarray(0, 5).toString() === '%PDF-', name);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const paper = await styleOf(page, 'body', 'backgroundColor');
    assert.equal(paper, 'rgb(255, 255, 255)', name);
    const table = page.locator('details table').first();
    if ((await table.count()) > 0) {
      const height = (await table.boundingBox())?.height ?? 0;
      assert.ok(height > 20 && (await table.isVisible()), `${name}: ${height}`);
    }
    await page.context().close();
  }
});

test('nothing that a target sent can run, not even where a page had no policy', async (t) => {
  if (!needsProgram(t, 'chromium')) return;
  const hostile = PAGES.find(({ name }) => name === 'hostile');
  assert.ok(hostile);
  const withoutPolicy = hostile.html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '');
  assert.notEqual(withoutPolicy, hostile.html);
  const fired = async (html: string): Promise<unknown> => {
    const { page, asked } = await opened(html, { viewport: { width: 800, height: 900 } });
    await page.mouse.move(300, 300);
    await page.keyboard.press('Tab');
    await page.waitForTimeout(200);
    const value = await page.evaluate<unknown>('window.fired ?? null');
    await page.context().close();
    return value ?? (asked.length > 0 ? asked : null);
  };
  assert.notEqual(await fired(`<!doctype html><body>${ATTACK}`), null, 'the attack works where nothing stops it');
  assert.equal(await fired(withoutPolicy), null, 'escaped');
  assert.equal(await fired(hostile.html), null);
  const injected = hostile.html.replace('<main>', () => `<main>${ATTACK}`);
  assert.equal(await fired(injected), null, 'the policy stops what an escape would miss');
});

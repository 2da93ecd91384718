/**
 * What two other clients see of an answer: the ws package, and Chromium driven from outside. Both are told of in the same
 * words, and only in those that a program or a page can observe; the text that they say to people is kept beside.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { WebSocket } from 'ws';
import { ROOT } from '../cli.js';
import { type Answer, CHAT } from './answer.js';

export interface Seen {
  /** `fails`, `waits`, or `open` and what followed, as in `open, message of 5, close 1000`. */
  readonly events: string;
  /** For people: ws's error, Chromium's console. */
  readonly words: string | null;
}

export interface Recorded {
  /** Words are of these versions; events should be of all. */
  readonly versions: { readonly node: string; readonly ws: string; readonly chromium: string };
  readonly rows: Readonly<Record<string, { readonly ws: Seen; readonly chromium: Seen }>>;
}

const FILE = `${ROOT}test/answers/clients.json`;

export function readRecorded(): Recorded {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Recorded;
}

export function writeRecorded(recorded: Recorded): void {
  writeFileSync(FILE, `${JSON.stringify(recorded, null, 2)}\n`);
}

/** How long to look, so that what was seen before is seen again on a slow machine, and nothing is waited for in vain. */
export interface Patience {
  /** Until it opens or fails. */
  readonly answerMs: number;
  /** After it has opened, until it closes. */
  readonly closeMs: number;
}

const LONG_MS = 15_000;
const SHORT_MS = 400;
const MESSAGE_MS = 1500;
const RECORDING_MS = 2500;

export function patienceFor(answer: Answer, recorded: Seen | undefined): Patience {
  if (recorded === undefined) {
    const isAwaited = answer.outcome.startsWith('timeout');
    return { answerMs: isAwaited ? RECORDING_MS : LONG_MS, closeMs: RECORDING_MS };
  }
  return {
    answerMs: recorded.events === 'waits' ? SHORT_MS : LONG_MS,
    closeMs: recorded.events.includes('close') ? LONG_MS : recorded.events.includes('message') ? MESSAGE_MS : SHORT_MS,
  };
}

export async function seenByWs(url: string, answer: Answer, patience: Patience): Promise<Seen> {
  const events: string[] = [];
  let words: string | null = null;
  const socket = new WebSocket(url, answer.asked === 'chat' ? CHAT : [], {
    perMessageDeflate: answer.asked === 'deflate',
    rejectUnauthorized: false,
  });
  let timer: NodeJS.Timeout | undefined;
  const end = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.terminate(), ms);
  };
  let isOver = false;
  end(patience.answerMs);
  socket.on('open', () => {
    events.push('open');
    end(patience.closeMs);
  });
  socket.on('message', (data: Buffer) => events.push(`message of ${data.length}`));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (isOver) return;
    words = error.message === '' ? (error.code ?? null) : oneLine(error.message);
    if (events.length > 0) events.push('error');
  });
  const terminate = socket.terminate.bind(socket);
  socket.terminate = () => {
    isOver = true;
    terminate();
  };
  const code = await new Promise<number>((resolve) => socket.once('close', resolve));
  clearTimeout(timer);
  if (events.length === 0) return { events: isOver ? 'waits' : 'fails', words };
  if (!isOver) events.push(`close ${code}`);
  return { events: events.join(', '), words };
}

/** OpenSSL puts thread ids and source lines into its messages. */
function oneLine(text: string): string {
  const reason = /error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(text);
  return (reason?.[1] ?? text).trim();
}

/** The page that Chromium tries handshakes from: on loopback as its targets are, which no rule of its own forbids. */
export const PAGE = `<!doctype html><title>answers</title><script>
function probe(url, protocols, answerMs, closeMs) {
  return new Promise((resolve) => {
    const events = [];
    const socket = new WebSocket(url, protocols);
    let timer = setTimeout(() => finish('waits'), answerMs);
    const finish = (last) => {
      clearTimeout(timer);
      socket.onopen = socket.onmessage = socket.onclose = null;
      if (last !== '') events.push(last);
      resolve(events.join(', '));
      socket.close();
    };
    socket.onopen = () => {
      events.push('open');
      clearTimeout(timer);
      timer = setTimeout(() => finish(''), closeMs);
    };
    socket.onmessage = ({ data }) => events.push('message of ' + data.length);
    socket.onclose = ({ code }) => finish(events.length === 0 ? 'fails' : 'close ' + code);
  });
}
</script>`;

const PROGRAM = '/usr/bin/chromium';
const FLAGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

export async function launchChromium(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath: PROGRAM, args: FLAGS.split(' '), timeout: 60_000 });
}

/** One page; a handshake at a time, for Chromium makes those to one address wait for each other (RFC 6455 section 4.1). */
export class Page {
  readonly #page: Awaited<ReturnType<Browser['newPage']>>;
  readonly #said = new Map<string, string>();

  private constructor(page: Awaited<ReturnType<Browser['newPage']>>) {
    this.#page = page;
    page.on('console', (message) => {
      const match = /^WebSocket connection to '([^']*)' failed: ?(.*)$/s.exec(message.text());
      if (match !== null) this.#said.set(match[1], match[2]);
    });
  }

  static async open(browser: Browser, url: string): Promise<Page> {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    await page.goto(url);
    return new Page(page);
  }

  async seen(url: string, answer: Answer, { answerMs, closeMs }: Patience): Promise<Seen> {
    const asked = answer.asked === 'chat' ? CHAT : [];
    const call = `probe(${[url, asked, answerMs, closeMs].map((value) => JSON.stringify(value)).join(', ')})`;
    const events = await this.#page.evaluate<string>(call);
    // The console has a channel of its own; a second call is answered after what was said before it.
    await this.#page.evaluate('0');
    return { events, words: events === 'waits' ? null : (this.#said.get(url) ?? null) };
  }
}

/**
 * What tests of the diagnosis say of crowds and answers, in their own words: answers of gateways by status, crowds by how
 * they were served, probes after a burst.
 */
import type { CauseId } from '#dist/diagnose/causes.js';
import type { After, Sample } from '#dist/result/result.js';
import { afterOf } from '#dist/tally/after-probes.js';
import { around, type BurstOf, failed, ok, serially, type Told } from './diagnose-results.js';

/** `[what, first cause, what was seen, figures within 5 %]` */
export type Case = readonly [what: string, cause: CauseId, told: Told, figures?: Readonly<Record<string, number>>];

/** `[what, causes that must not be named, what was seen]` */
export type NearMiss = readonly [what: string, not: readonly CauseId[], told: Told];

const REASON: Readonly<Record<string, string>> = {
  400: 'Bad Request',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Time-out',
};

export function nginx(status: number): Partial<Sample> {
  const title = `${status} ${REASON[status] ?? ''}`;
  return {
    statusLine: `HTTP/1.1 ${title}`,
    headers: [['Server', 'nginx/1.22.1']],
    body: `<html>\n<head><title>${title}</title></head>\n<body>\n<center><h1>${title}</h1></center>\n<hr><center>nginx/1.22.1</center>`,
  };
}

export function haproxy(status: number): Partial<Sample> {
  return {
    statusLine: `HTTP/1.1 ${status} ${REASON[status]}`,
    headers: [['content-type', 'text/html']],
    body: `<html><body><h1>${status} ${REASON[status]}</h1>\n`,
  };
}

export function apache(status: number): Partial<Sample> {
  return {
    headers: [['Server', 'Apache/2.4.71 (Debian)']],
    body: `<title>${status} x</title>\n</head><body>\n<h1>x</h1>`,
  };
}

export const by = (server: string, body: string | null = null): Partial<Sample> => ({
  headers: [['Server', server]],
  body,
});
export const page = (body: string, ...headers: [string, string][]): Partial<Sample> => ({ headers, body });
export const burst = (...groups: BurstOf['groups']): Told => ({ bursts: [{ groups }] });

export function serialBehind(sample: Partial<Sample>, status: '504' | '502', timeoutMs: number, stepMs: number): Told {
  const fits = Math.floor(timeoutMs / stepMs) - 1;
  return burst(ok(serially(fits, stepMs)), failed(status, around(300, timeoutMs + 2, 20), sample));
}

export function serialDirect(timeoutMs: number, stepMs: number): Told {
  const fits = Math.floor(timeoutMs / stepMs) - 1;
  const late = failed('timeout-upgrade', around(300, timeoutMs + 1, 15));
  return { ...burst(ok(serially(fits, stepMs)), late), timeoutMs };
}

/** Probes every 0.5 s: `[outcome, ms it took]`. */
export function probes(fromMs: number, ends: readonly (readonly [string, number])[]): After {
  const ended = ends.map(([outcome, tookMs], i) => ({
    probe: { atMs: fromMs + 500 * i, outcome, tookMs },
    sample: null,
    stalledMs: 0,
  }));
  return afterOf({ fromMs, everyMs: 500 }, ended);
}

export const times = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value);

export const quick = (n: number) => ok(around(n, 4, 40));
export const refusedAtOnce = (n: number, status: '503' | '429' | '500' | '502', sample: Partial<Sample>) =>
  failed(status, around(n, 6, 60), sample);

export const wsSays = (status: number, text: string): Partial<Sample> => ({
  statusLine: `HTTP/1.1 ${status} ${text}`,
  headers: [
    ['Connection', 'close'],
    ['Content-Type', 'text/html'],
    ['Content-Length', `${text.length}`],
  ],
  body: text,
});

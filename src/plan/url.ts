/**
 * The target's URL (RFC 6455 section 3): its valid forms, its parts, and hints for invalid ones. Templates are allowed
 * in path and query only. Never does a DNS lookup.
 */
import { UserError } from '../errors.js';
import type { Scheme } from './plan.js';
import { maskUrl } from './secrets.js';
import { didYouMean } from './suggest.js';
import { compileTemplate } from './template.js';

export interface UrlParts {
  readonly scheme: Scheme;
  /** Name (IDNA form) or address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query as written, templates included; starts with `/`. */
  readonly path: string;
}

const DEFAULT_PORT: Readonly<Record<Scheme, number>> = { ws: 80, wss: 443 };

function refuse(message: string): never {
  throw new UserError(message, { code: 'url' });
}

/**
 * Throws UserError `url` or `template`; the message never repeats a user name, a password or a secret from the query.
 */
export function parseUrl(url: string): UrlParts {
  const match = /^(wss?):\/\/([^/?#]*)([^#]*)(#?)/i.exec(withoutHoles(url));
  if (match === null) return refuse(schemeProblem(url));
  const [, schemeText = '', authority = '', , fragment = ''] = match;
  const scheme: Scheme = schemeText.toLowerCase() === 'wss' ? 'wss' : 'ws';
  if (authority.includes('@')) {
    refuse(
      'a user name or password in the URL is not sent in a WebSocket handshake; use a header: Authorization: "Basic …"',
    );
  }
  if (authority.includes(HOLE)) refuse('templates are not allowed in host or port: one run has one target');
  if (fragment !== '') refuse('a WebSocket URL has no fragment (RFC 6455 section 3); write # as %23');
  const { host, port } = parseAuthority(scheme, authority);
  const rest = url.slice(schemeText.length + 3 + authority.length);
  compileTemplate(url);
  return { scheme, host, port, path: rest.startsWith('/') ? rest : `/${rest}` };
}

/** Whether a checked URL has a path, be it only `/`. */
export function hasPath(url: string): boolean {
  return restOf(url).startsWith('/');
}

/** A checked URL with the path, and with the query, where it has none; null: there is none to add. */
export function completedUrl(url: string, path: string | null, query: string | null): string {
  const rest = restOf(url);
  const base = url.slice(0, url.length - rest.length);
  const hasQuery = withoutHoles(rest).includes('?');
  const pathAndMaybeQuery = hasPath(url) || path === null ? rest : `${path}${rest}`;
  return `${base}${pathAndMaybeQuery}${hasQuery || query === null ? '' : `?${query}`}`;
}

/** Path and query of a checked URL, as written. */
function restOf(url: string): string {
  return /^wss?:\/\/[^/?#]*(.*)$/is.exec(url)?.[1] ?? '';
}

const HOLE = '\u0000';

/** Replaces each hole by one character that no URL contains, so that text inside holes is not parsed as URL syntax. */
function withoutHoles(url: string): string {
  return url.replace(/\{\{.*?\}\}/gs, HOLE);
}

function parseAuthority(scheme: Scheme, authority: string): { readonly host: string; readonly port: number } {
  if (authority === '') refuse(`expected a host after ${scheme}://, found none`);
  // The URL parser silently drops tabs and line ends, reads \ as / and decodes %.
  if (/[\s\\%]/.test(authority))
    refuse(`unexpected character in the host, found ${JSON.stringify(maskUrl(authority))}`);
  let parsed: URL;
  try {
    parsed = new URL(`${scheme}://${authority}/`);
  } catch {
    return refuse(`expected HOST or HOST:PORT after ${scheme}://, found ${JSON.stringify(maskUrl(authority))}`);
  }
  if (parsed.port === '0') refuse('port 0 can not be connected to');
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: parsed.port === '' ? DEFAULT_PORT[scheme] : Number(parsed.port) };
}

function schemeProblem(url: string): string {
  const expected = 'expected a URL that begins with ws:// or wss://';
  const [, scheme = '', rest = ''] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(url) ?? [];
  const shown = rest.includes('@') ? '…' : maskUrl(rest);
  if (/^https?$/i.test(scheme))
    return `${expected}; did you mean ${scheme.toLowerCase() === 'https' ? 'wss' : 'ws'}://${shown}?`;
  if (scheme !== '') return `${expected}, found ${scheme}://${didYouMean(scheme, ['ws', 'wss'])}`;
  if (url.includes('@') || /\s/.test(url)) return expected;
  return `${expected}; did you mean ws://${maskUrl(url.replace(/^\/\//, ''))}?`;
}

/**
 * The curl command that repeats a plan's handshake in a shell. Secrets appear in it as variables: those from the
 * environment under their own name, those written out under a generated name, which the user fills in.
 */

import type { Plan, Target } from './plan.js';
import { maskPlan, seenSecrets } from './plan-record.js';
import { randomAt, uuidAt } from './random.js';
import { maskText } from './secrets.js';
import { encodeTarget } from './syntax.js';

const MASK = '***';
const HOLE_OR_MASK = /(\{\{.*?\}\}|\*\*\*)/s;

/**
 * @param userAgent sent when the plan does not set one
 * @param maxSeconds curl's time limit: it would keep an open tunnel forever
 */
export function curlLine(plan: Plan, userAgent: string, maxSeconds: number): string {
  const { target } = maskPlan(plan);
  const secrets = seenSecrets(plan);
  const line = new Line(plan.seed, secrets);
  const words = ['curl -i -N -g --path-as-is --http1.1', `-m ${maxSeconds}`];
  const header = (name: string, value: string, label = name) => {
    // curl reads `NAME:` as "do not send it" and `NAME;` as an empty value.
    words.push(`-H ${line.word(value === '' ? `${name};` : `${name}: ${value}`, label)}`);
  };
  const own = (name: string) => target.headers.find(([one]) => one.toLowerCase() === name)?.[1];
  const { servername } = target.tls;
  const host = own('host') ?? (servername === null ? undefined : hostAndPort(target.host, target));
  if (host !== undefined) header('Host', host);
  header('Upgrade', 'websocket');
  header('Connection', 'Upgrade');
  header('Sec-WebSocket-Key', keyOf(plan.seed));
  header('Sec-WebSocket-Version', '13');
  if (target.origin !== null) header('Origin', target.origin);
  if (target.subprotocols.length > 0) header('Sec-WebSocket-Protocol', target.subprotocols.join(', '), 'SUBPROTOCOL');
  if (target.compression) header('Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits');
  header('User-Agent', own('user-agent') ?? userAgent);
  for (const [name, value] of target.headers) if (!/^(host|user-agent)$/i.test(name)) header(name, value);
  words.push("-H 'Accept:'", ...connectionWords(target, line));
  const scheme = target.scheme === 'wss' ? 'https' : 'http';
  const authority = servername === null ? hostAndPort(target.host, target) : `${servername}:${target.port}`;
  words.push(line.word(`${scheme}://${authority}${target.path}`, 'URL', encodeTarget));
  return words.join(' ');
}

function connectionWords(target: Target, line: Line): string[] {
  const { tls, connectTo, sourceIps } = target;
  const words: string[] = [];
  const option = (name: string, value: string | null) => {
    if (value !== null) words.push(`${name} ${line.word(value, 'FILE')}`);
  };
  if (tls.insecure) words.push('-k');
  option('--cacert', tls.ca);
  option('--cert', tls.cert);
  option('--key', tls.key);
  const to = connectTo ?? (tls.servername === null ? null : target);
  if (to !== null) option('--connect-to', `::${bracketed(to.host)}:${to.port}`);
  option('--interface', sourceIps[0] ?? null);
  return words;
}

function hostAndPort(host: string, { scheme, port }: Target): string {
  return port === (scheme === 'wss' ? 443 : 80) ? bracketed(host) : `${bracketed(host)}:${port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * 16 bytes, not random: enough for one handshake by hand (RFC 6455 section 4.1 point 7 asks clients for a fresh one).
 */
function keyOf(seed: number): string {
  const bytes = Array.from({ length: 16 }, (_, i) => String.fromCharCode(Math.floor(randomAt(seed, i, 1) * 256)));
  return btoa(bytes.join(''));
}

/** Words of one command line; each generated variable name is used only once. */
class Line {
  readonly #seed: number;
  readonly #secrets: readonly string[];
  readonly #names = new Set<string>();

  constructor(seed: number, secrets: readonly string[]) {
    this.#seed = seed;
    this.#secrets = secrets;
  }

  /**
   * One word for a POSIX shell: in single quotes, or in double quotes when it holds a variable.
   * @param label what a secret in it is named after
   */
  word(text: string, label: string, encoded: (literal: string) => string = (literal) => literal): string {
    const pieces = text
      .split(HOLE_OR_MASK)
      .flatMap((piece) => (HOLE_OR_MASK.test(piece) ? [piece] : maskText(piece, this.#secrets).split(HOLE_OR_MASK)))
      .map((piece) => this.#piece(piece, label, encoded));
    if (pieces.every(({ isVariable }) => !isVariable)) {
      return `'${pieces
        .map((piece) => piece.text)
        .join('')
        .replaceAll("'", "'\\''")}'`;
    }
    const quoted = pieces.map(({ text: one, isVariable }) => (isVariable ? one : one.replace(/[\\"$`]/g, '\\$&')));
    return `"${quoted.join('')}"`;
  }

  #piece(piece: string, label: string, encoded: (literal: string) => string): { text: string; isVariable: boolean } {
    if (piece === MASK) return { text: this.#fresh(label), isVariable: true };
    const inside = /^\{\{\s*(.*?)\s*\}\}$/s.exec(piece)?.[1];
    if (inside === undefined) return { text: encoded(piece), isVariable: false };
    if (inside === 'index') return { text: '0', isVariable: false };
    if (inside === 'uuid') return { text: uuidAt(this.#seed, 0), isVariable: false };
    const [kind, ...rest] = inside.split('.');
    const name = rest.join('.');
    return { text: kind === 'env' ? `\${${name}}` : `\${${variable(`ROW_${name}`)}}`, isVariable: true };
  }

  #fresh(label: string): string {
    const name = variable(label);
    let fresh = name;
    for (let n = 2; this.#names.has(fresh); n++) fresh = `${name}_${n}`;
    this.#names.add(fresh);
    return `\${${fresh}}`;
  }
}

function variable(name: string): string {
  return `SECRET_${name}`
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^SECRET_ROW_/, 'ROW_');
}

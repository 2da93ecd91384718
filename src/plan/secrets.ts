/**
 * What must not be shown: decides by name and shape which parts of a text, a URL or a header are secret and replaces
 * them by ***. Template holes stay visible, because their values are never part of a plan. Does not know where the text
 * is shown.
 *
 * In subprotocols only what differs from a plain name is hidden: the text after a word that announces a secret, and a
 * long random word, alone or after any label (`acme.TOKEN`). A short word without announcement (`--subprotocol s3cret`)
 * looks like any subprotocol and stays visible; to hide it, take it from data or environment, whose values are always
 * hidden.
 */
import { encodeTarget } from './syntax.js';

export const MASK = '***';
// Masking shorter values would make ordinary text unreadable, because they occur in it by chance.
export const SHORTEST_SECRET = 4;

/** What to put in the place of a secret. */
export type Hide = (literal: string) => string;

export const masked: Hide = () => MASK;

// Captures holes, so that everything between them is a literal.
const HOLE = /(\{\{.*?\}\})/s;

const SECRET_WORDS: ReadonlySet<string> = new Set(
  'auth authorization authentication bearer cookie credential credentials csrf xsrf jwt key apikey pass passcode passwd password passphrase pwd secret session sessionid sid sig signature ticket token otp'.split(
    ' ',
  ),
);
const SECRET_INSIDE = /token|secret|passw|api_?key|credential|jwt|session_?id/i;
/** Headers with `auth` in their name whose value is a method, not a credential. */
const TELLING_HEADERS: ReadonlySet<string> = new Set(['www-authenticate', 'proxy-authenticate']);

/** Whether a header, parameter or cookie of that name holds a secret: `access_token`, `X-Api-Key`, `sig`. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.some((word) => SECRET_WORDS.has(word)) || SECRET_INSIDE.test(name);
}

/** Every literal part hidden, every hole kept. */
function hideLiterals(text: string, hide: Hide): string {
  return mapLiterals(text, (literal) => (literal.trim() === '' ? literal : hide(literal)));
}

function mapLiterals(text: string, change: (literal: string) => string): string {
  return text
    .split(HOLE)
    .map((part, i) => (i % 2 === 1 || part === '' ? part : change(part)))
    .join('');
}

const JWT = /eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2}/g;
const LONG_WORD = /[A-Za-z0-9_~+/=-]{24,}/g;

function looksRandom(word: string): boolean {
  return /^[0-9a-f-]{32,}$/i.test(word) || (/\d/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word));
}

/** Hides what is certainly a token, anywhere in the text: JSON Web Tokens only, nothing that needs guessing. */
function hideTokens(text: string, hide: Hide): string {
  return mapLiterals(text, (literal) => literal.replace(JWT, hide));
}

export function hideUrl(url: string, hide: Hide): string {
  const plain = url.replace(
    /^([a-z][a-z0-9+.-]*:\/\/)([^/?#@]*)@/i,
    (_, scheme: string, user: string) => `${scheme}${hide(user)}@`,
  );
  const queried = plain.replace(
    /([?&;#])([^=&;#?{}]+)=((?:\{\{.*?\}\}|[^&;#{])*)/gs,
    (all, mark: string, name: string, value: string) =>
      isSecretName(name) ? `${mark}${name}=${hideLiterals(value, hide)}` : all,
  );
  return hideTokens(queried, hide);
}

/** A value that is secret whatever it holds. */
export function hideValue(text: string, hide: Hide): string {
  return hideLiterals(text, hide);
}

const NAMED_IN_MESSAGE = /("([\w-]+)"\s*:\s*")((?:[^"\\]|\\.)*)|(^([\w-]+):)([^\n]*)/gm;

/** A message of a protocol: in its JSON or header lines, values under the name of a secret; tokens anywhere. */
export function hideMessage(text: string, hide: Hide): string {
  const named = text.replace(
    NAMED_IN_MESSAGE,
    (all, json?: string, key?: string, value?: string, line?: string, header?: string, rest?: string) => {
      if (json !== undefined) return isSecretName(key ?? '') ? `${json}${hideLiterals(value ?? '', hide)}` : all;
      return isSecretName(header ?? '') ? `${line ?? ''}${hideLiterals(rest ?? '', hide)}` : all;
    },
  );
  return hideTokens(hideCredentials(named, hide), hide);
}

/** A text under a key of JSON. */
export function hideNamed(key: string, text: string, hide: Hide): string {
  return isSecretName(key) ? hideLiterals(text, hide) : hideMessage(text, hide);
}

const SCHEMES = /^(Basic|Bearer|Digest|DPoP|Negotiate|NTLM|Token|ApiKey|AWS4-HMAC-SHA256)\s+(.+)$/is;

export function hideHeader(name: string, value: string, hide: Hide): string {
  switch (name.toLowerCase()) {
    case 'authorization':
    case 'proxy-authorization': {
      const [, scheme, rest] = SCHEMES.exec(value) ?? [];
      return scheme === undefined || rest === undefined
        ? hideLiterals(value, hide)
        : `${scheme} ${hideLiterals(rest, hide)}`;
    }
    case 'cookie':
      return value
        .split(/;\s*/)
        .map((pair) => hidePair(pair, hide))
        .join('; ');
    case 'set-cookie':
      return value
        .split(/;\s*/)
        .map((pair, i) => (i === 0 ? hidePair(pair, hide) : pair))
        .join('; ');
    case 'sec-websocket-protocol':
      return hideSubprotocols(value.split(/\s*,\s*/), hide).join(', ');
    case 'location':
    case 'content-location':
    case 'referer':
    case 'origin':
      return hideUrl(value, hide);
    default:
      if (TELLING_HEADERS.has(name.toLowerCase())) return value;
      if (isSecretName(name)) return hideLiterals(value, hide);
      return hideTokens(
        mapLiterals(value, (literal) => hideCredentials(literal, hide)),
        hide,
      );
  }
}

function hidePair(pair: string, hide: Hide): string {
  const at = pair.indexOf('=');
  return at === -1 ? hideLiterals(pair, hide) : `${pair.slice(0, at + 1)}${hideLiterals(pair.slice(at + 1), hide)}`;
}

/**
 * Browsers can set no other header than Sec-WebSocket-Protocol, so tokens travel in it: after a word that announces one
 * (`access_token, TOKEN`; `bearer.TOKEN`), or as one long random word.
 */
export function hideSubprotocols(list: readonly string[], hide: Hide): string[] {
  let announced = false;
  return list.map((item) => {
    if (announced) {
      announced = false;
      return hideLiterals(item, hide);
    }
    announced = /^[A-Za-z_-]{1,24}$/.test(item) && isSecretName(item);
    return announced ? item : hideSubprotocol(item, hide);
  });
}

function hideSubprotocol(item: string, hide: Hide): string {
  return mapLiterals(item, (literal) => {
    const [, label = '', rest = ''] = /^([A-Za-z_-]+[.:=~|-])(.+)$/s.exec(literal) ?? [];
    if (rest !== '' && isSecretName(label)) return `${label}${hide(rest)}`;
    return literal
      .replace(JWT, hide)
      .replace(LONG_WORD, (word) => (looksRandom(word) ? hide(word) : word))
      .replace(LABELLED, (word) => (isMixed(word) ? hide(word) : word));
  });
}

/** The text after any label: `acme.TOKEN`, `v1:TOKEN`. */
const LABELLED = /(?<=[.:=~|])[A-Za-z0-9_+/-]{8,}/g;

/** Contains both letters and digits, not counting a version at its end (`protocol-v2`). */
function isMixed(word: string): boolean {
  const unversioned = word.replace(/[-_]?v?\d{1,2}$/i, '');
  return /\d/.test(unversioned) && /[A-Za-z]/.test(unversioned);
}

/** A URL that is safe to show: no user name, and no value of a parameter whose name suggests a token, key or secret. */
export function maskUrl(url: string): string {
  return hideUrl(url, masked);
}

/** The value of a request or response header, safe to show. */
export function maskHeader(name: string, value: string): string {
  return hideHeader(name, value, masked);
}

const SHORTEST_BASIC = 8;
const CREDENTIALS = /\b(Basic|Bearer|DPoP|Negotiate|NTLM)(\s+)([^\s"',;]+)/gi;

/**
 * A text found where something else was expected, safe to repeat in an error: treated as a URL, as `NAME: VALUE` and as
 * credentials, because any of these end up in the wrong place.
 */
export function maskLoose(text: string): string {
  const [, name, value] = /^\s*([\w-]+)\s*:(?!\/\/)\s*(.+)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined && isSecretName(name)) return `${name}: ${maskHeader(name, value)}`;
  return maskUrl(text).replace(CREDENTIALS, `$1$2${MASK}`);
}

/** Hides `Bearer TOKEN` and the like anywhere in the text (`X-Forwarded-Authentication: Bearer …`). */
function hideCredentials(text: string, hide: Hide): string {
  return text.replace(CREDENTIALS, (all, scheme: string, gap: string, rest: string) =>
    // "Basic plan" is ordinary English.
    /^basic$/i.test(scheme) && rest.length < SHORTEST_BASIC ? all : `${scheme}${gap}${hide(rest)}`,
  );
}

/** The name of a column, safe to repeat in an error: without a header row, the names are the first row's secrets. */
export function maskWords(text: string): string {
  return maskLoose(text).replace(LONG_WORD, (word) => (looksRandom(word) ? MASK : word));
}

/**
 * The text with every known secret of 4 or more characters replaced: in any letter case, escaped for a URL, JSON or
 * HTML, and decoded if it is the Base64 of a name and a password.
 */
export function maskText(text: string, secrets: readonly string[]): string {
  return formsOf(secrets).reduce((out, form) => out.replace(anyCase(form), MASK), text);
}

function anyCase(form: string): RegExp {
  return new RegExp(form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'gi');
}

/**
 * As maskText, for a text that may be cut off: a part of a secret (4 or more characters) at its end is replaced too.
 */
export function maskCutText(text: string, secrets: readonly string[]): string {
  const masked = maskText(text, secrets);
  const torn = formsOf(secrets).map((form) => tornLength(masked, form));
  const longest = Math.max(0, ...torn);
  return longest === 0 ? masked : `${masked.slice(0, -longest)}${MASK}`;
}

/** How many characters at the end of `text` are the start of `form`. */
function tornLength(text: string, form: string): number {
  for (let length = Math.min(form.length - 1, text.length); length >= SHORTEST_SECRET; length--) {
    if (text.slice(-length).toLowerCase() === form.slice(0, length).toLowerCase()) return length;
  }
  return 0;
}

/** Longest first: otherwise the end of a secret that contains a shorter one would remain. */
function formsOf(secrets: readonly string[]): string[] {
  const forms = secrets
    .flatMap((secret) => [secret, ...decodedCredentials(secret)])
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap(escapedForms);
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

/** Of the Base64 of `name:password` (RFC 7617): the decoded pair, and the password alone. */
function decodedCredentials(secret: string): string[] {
  const [base64] = /[A-Za-z0-9+/]{8,}={0,2}$/.exec(secret) ?? [];
  if (base64 === undefined || base64.length % 4 !== 0) return [];
  const decoded = atob(base64);
  if (!/^[\x20-\x7e]*:[\x20-\x7e]*$/.test(decoded)) return [];
  return [decoded, decoded.slice(decoded.indexOf(':') + 1)];
}

/** All forms in which a target may send it back: escaped for a URL, JSON or HTML. */
export function escapedForms(secret: string): string[] {
  // encodeURIComponent throws on half a surrogate pair.
  const wellFormed = secret.replace(/\p{Surrogate}/gu, '\ufffd');
  const html = secret.replace(
    /[&<>"']/g,
    (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? '&#39;',
  );
  return [secret, encodeTarget(secret), encodeURIComponent(wellFormed), JSON.stringify(secret).slice(1, -1), html];
}

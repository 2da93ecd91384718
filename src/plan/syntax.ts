/**
 * What a request may contain: tokens and field values (RFC 9110 sections 5.5 and 5.6.2) and request targets (RFC 3986).
 * Checks and encodes text; does not know where it came from or what it means.
 */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** An RFC 9110 token, as header names and subprotocols must be. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * What is wrong with a header value, or null. CR, LF and NUL would let a value inject headers. Non-ASCII text is
 * refused too: RFC 9110 leaves its meaning open, and U+010A cut to one byte is a line feed.
 */
export function fieldValueProblem(value: string): string | null {
  const bad = /[^\t\x20-\x7e]/u.exec(value)?.[0];
  if (bad === undefined) return null;
  if (bad === '\r' || bad === '\n' || bad === '\0') {
    const name = { '\r': 'CR', '\n': 'LF', '\0': 'NUL' }[bad];
    return `a header value must not hold ${name} (header injection)`;
  }
  const code = (bad.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `a header value must be printable ASCII, U+${code} is not; percent-encode or Base64 it`;
}

const ORIGIN = /^(null|[a-z][a-z0-9+.-]*:\/\/([a-z0-9._~%{}-]+|\[[0-9a-f:.]+\])(:\d{1,5})?)$/i;

/** What is wrong with an Origin, or null (RFC 6454 section 7); holes match anything. The value is never repeated. */
export function originProblem(value: string): string | null {
  const problem = fieldValueProblem(value);
  if (problem !== null) return problem;
  const filled = value.replace(/\{\{.*?\}\}/gs, '1');
  if (/^1+$/.test(filled) || ORIGIN.test(filled)) return null;
  const path = /^[^/]*:\/\/[^/]+\//.test(filled) ? ': no path, no slash at its end' : '';
  return `expected null or SCHEME://HOST[:PORT]${path} (RFC 6454); what is no origin goes in as a header, Origin`;
}

// Unreserved, reserved and % (RFC 3986 section 2), less #, which would begin a fragment.
const ILLEGAL_IN_TARGET = /[^A-Za-z0-9\-._~:/?@!$&'()*+,;=%[\]]/;
const EACH_ILLEGAL = /[^A-Za-z0-9\-._~:/?@!$&'()*+,;=%[\]]+/g;
const encoder = new TextEncoder();

/**
 * Percent-encodes what a request target may not contain (spaces, controls, non-ASCII, `#`); `%` and reserved characters
 * stay.
 */
export function encodeTarget(text: string): string {
  if (!ILLEGAL_IN_TARGET.test(text)) return text;
  return text.replace(EACH_ILLEGAL, (run) =>
    Array.from(encoder.encode(run), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/**
 * The error pages of real stacks, byte for byte as far as a fingerprint looks: nginx for every gateway of the lab, ws
 * and Express for the backends that a gateway hides. Whole HTTP answers that end their connection.
 */

const REASONS = new Map([
  ['200', 'OK'],
  ['400', 'Bad Request'],
  ['404', 'Not Found'],
  ['426', 'Upgrade Required'],
  ['429', 'Too Many Requests'],
  ['431', 'Request Header Fields Too Large'],
  ['502', 'Bad Gateway'],
  ['503', 'Service Temporarily Unavailable'],
  ['504', 'Gateway Time-out'],
]);

/** A status that a lab target can give. */
export type PageStatus = '200' | '400' | '404' | '426' | '429' | '431' | '502' | '503' | '504';

/** nginx's own page of a status. `extra` headers go before the empty line, e.g. `Retry-After: 1`. */
export function nginxPage(status: PageStatus, extra: readonly string[] = []): string {
  const title = `${status} ${REASONS.get(status)}`;
  const body =
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n` +
    `<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
  return answer(status, 'text/html', body, extra);
}

/** What ws answers to a GET that asks for no upgrade, seen through nginx. */
export function wsUpgradeRequired(): string {
  return answer('426', 'text/plain', 'Upgrade Required', []);
}

/** What Express answers to a path without a route, seen through nginx. */
export function expressNotFound(path: string): string {
  const shown = path.split('?')[0].replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const body =
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n<body>\n' +
    `<pre>Cannot GET ${shown}</pre>\n</body>\n</html>\n`;
  return answer('404', 'text/html; charset=utf-8', body, [
    'X-Powered-By: Express',
    "Content-Security-Policy: default-src 'none'",
    'X-Content-Type-Options: nosniff',
  ]);
}

/** The start page of a site that knows no WebSocket. */
export function sitePage(): string {
  const body = '<!DOCTYPE html>\n<html>\n<head><title>Welcome</title></head>\n<body><h1>Welcome</h1></body>\n</html>\n';
  return answer('200', 'text/html', body, []);
}

function answer(status: PageStatus, type: string, body: string, extra: readonly string[]): string {
  return [
    `HTTP/1.1 ${status} ${REASONS.get(status)}`,
    'Server: nginx',
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}`,
    'Connection: close',
    ...extra,
    '',
    body,
  ].join('\r\n');
}

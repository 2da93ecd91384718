/**
 * Recognises which hop answered, from the Server and Via headers, from headers that only one product sends, and from
 * the pages that gateways write. Measured with Debian's packages of nginx, HAProxy, Apache, Caddy, Varnish, Squid,
 * lighttpd and h2o, and with ws on Node; the others are from their public documentation. Knows nothing of causes.
 */
import type { Sample } from '../result/result.js';

export interface Hop {
  /** Stable id: `nginx`, `haproxy`, `envoy`, ... */
  readonly id: string;
  /** Its usual spelling. */
  readonly name: string;
  /** The hop wrote the response itself; false: it may have passed on its backend's response. */
  readonly own: boolean;
}

interface Fingerprint {
  readonly id: string;
  readonly name: string;
  /** Value of the Server header. */
  readonly server?: RegExp;
  readonly via?: RegExp;
  /** A header, `name: value`, that only this hop sends. */
  readonly header?: RegExp;
  /** A page that the hop writes itself. */
  readonly page?: RegExp;
  /** Other products use the same words: the page identifies the hop only together with its header. */
  readonly isPlain?: true;
}

/** In order: hops that stand in front of others come first. */
const FINGERPRINTS: readonly Fingerprint[] = [
  { id: 'cloudflare', name: 'Cloudflare', server: /^cloudflare/i, header: /^cf-ray: /i, page: /cloudflare/i },
  { id: 'cloudfront', name: 'Amazon CloudFront', server: /^CloudFront/i, header: /^x-amz-cf-id: /i },
  { id: 'alb', name: 'AWS ALB', server: /^awselb\//i, page: /awselb/i },
  { id: 'api-gateway', name: 'AWS API Gateway', header: /^x-amz(n-errortype|-apigw-id): /i },
  {
    id: 'heroku',
    name: 'Heroku router',
    via: /\bvegur\b/i,
    header: /^server: (Cowboy|vegur|Heroku)/i,
    page: /herokucdn\.com|heroku/i,
  },
  { id: 'azure', name: 'Azure Application Gateway', server: /^Microsoft-Azure-Application-Gateway/i },
  { id: 'google', name: 'Google Cloud load balancer', server: /^Google Frontend/i, via: /\bgoogle\b/i },
  {
    id: 'envoy',
    name: 'Envoy',
    server: /^(istio-)?envoy/i,
    header: /^x-envoy-/i,
    page: /^(upstream connect error|no healthy upstream|upstream request timeout)/i,
  },
  {
    id: 'varnish',
    name: 'Varnish',
    server: /^Varnish/i,
    via: /varnish/i,
    page: /Varnish cache server|Backend fetch failed/i,
  },
  {
    id: 'squid',
    name: 'Squid',
    server: /^squid/i,
    via: /\(squid/i,
    header: /^x-squid-error: /i,
    page: /\(squid|Squid Software Foundation/i,
  },
  {
    id: 'h2o',
    name: 'h2o',
    server: /^h2o\//i,
    page: /^(not found|connection failed|I\/O (timeout|error)[^<]*)\s*$/,
    isPlain: true,
  },
  {
    id: 'lighttpd',
    name: 'lighttpd',
    server: /^lighttpd\//i,
    page: /^<\?xml version="1\.0" encoding="iso-8859-1"\?>\s*<!DOCTYPE html PUBLIC "-\/\/W3C\/\/DTD XHTML 1\.0/,
  },
  { id: 'caddy', name: 'Caddy', server: /^Caddy/i, via: /\bCaddy\b/i },
  { id: 'nginx', name: 'nginx', server: /^(nginx|openresty)/i, page: /<center>(nginx|openresty)/i },
  {
    id: 'apache',
    name: 'Apache',
    server: /^Apache/i,
    page: /<address>Apache|<title>\d{3} [^<]*<\/title>\s*<\/head><body>\s*<h1>/i,
  },
  { id: 'haproxy', name: 'HAProxy', page: /^\s*<html><body><h1>\d{3} [^<]+<\/h1>/ },
  { id: 'traefik', name: 'Traefik', page: /^(404 page not found|Bad Gateway|Gateway Timeout|Service Unavailable)\s*$/ },
  { id: 'express', name: 'Express', header: /^x-powered-by: Express/i, page: /<pre>Cannot GET / },
];

/** null when no hop can be recognised. */
export function recogniseHop(sample: Sample): Hop | null {
  for (const { id, name, server, via, header, page, isPlain = false } of FINGERPRINTS) {
    const named = sample.headers.some(
      ([key, value]) =>
        (server?.test(value) === true && /^server$/i.test(key)) ||
        (via?.test(value) === true && /^via$/i.test(key)) ||
        header?.test(`${key}: ${value}`) === true,
    );
    // ws and others also send plain texts such as "Service Unavailable", with different headers.
    const hasPage = page?.test(sample.body ?? '') === true && (id !== 'traefik' || isBare(sample));
    const own = hasPage && (named || !isPlain);
    if (named || own) return { id, name, own: own || (page === undefined && isEmpty(sample)) };
  }
  return null;
}

/** Traefik's responses have neither Server nor Connection: close. */
function isBare({ headers }: Sample): boolean {
  return !headers.some(([key]) => /^(server|connection)$/i.test(key));
}

function isEmpty({ body }: Sample): boolean {
  return body === null || body === '';
}

/**
 * A response of the ws server (abortHandshake): `Content-Type: text/html` and one plain sentence, by default the reason
 * phrase. Without a gateway it also has Connection: close; a gateway removes that.
 */
export function isWsAnswer({ statusLine, headers, body }: Sample): boolean {
  if (body === null || body === '' || body.length > 120 || /[<>]/.test(body)) return false;
  const value = (name: string) => headers.find(([key]) => key.toLowerCase() === name)?.[1].toLowerCase();
  if (value('content-type') !== 'text/html') return false;
  return value('connection') === 'close' || statusLine?.replace(/^\S+ \d{3} /, '') === body;
}

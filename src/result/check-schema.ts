/** The part of the published JSON Schema that describes a check, the same thing that check.ts says to the compiler. */
import { PROBE_IDS } from './check-facts.js';
import { count, define, described, flag, listOf, nullable, number, objectOf, text } from './schema-terms.js';
import type { Schema } from './shape.js';

const ms: Schema = number;
const sample: Schema = define('sample');

const dns = objectOf({
  name: text,
  addresses: described('Empty when the look-up failed', listOf(text)),
  tookMs: ms,
  failure: described('Error code; null when it worked', nullable(text)),
});

const tcp = objectOf({
  address: text,
  port: count,
  tookMs: described('null: it did not connect', nullable(ms)),
  failure: described('An outcome; null when it connected', nullable(text)),
  synRetries: described('SYNs without an answer, as the time betrays them', count),
});

const certificate = objectOf({
  subject: text,
  issuer: text,
  names: listOf(text),
  validFrom: text,
  validTo: text,
});

const tls = objectOf({
  tookMs: ms,
  protocol: nullable(text),
  cipher: nullable(text),
  alpn: described('What the server picks of h2 and http/1.1', nullable(text)),
  chain: described('The server’s own certificate first', listOf(certificate)),
  failure: described('Code of the first thing that is wrong', nullable(text)),
  problems: described('Each thing that is wrong, in words', listOf(text)),
});

const clause = objectOf({
  id: text,
  section: described('Of RFC 6455', text),
  text: described('What it asks for', text),
  ok: described('null: there was nothing to judge', nullable(flag)),
  found: nullable(text),
});

const exchange = objectOf({
  ok: flag,
  tookMs: nullable(ms),
  found: described('pong, close 1000, or what went wrong', text),
});

const probe = objectOf({
  id: { enum: PROBE_IDS },
  asks: described('What was changed, and what for', text),
  url: text,
  outcome: text,
  detail: nullable(text),
  tookMs: ms,
  sample: nullable(sample),
  says: described('What that means beside the handshake itself', text),
});

const idle = objectOf({
  forMs: described('How long it was watched', ms),
  livedMs: described('null: it was still open then', nullable(ms)),
  cutBy: described('close-frame CODE, closed or reset', nullable(text)),
  pings: described('Of the target, answered meanwhile', count),
});

export const checkSchema: Schema = objectOf({
  dns: described('null: the target is an address', nullable(dns)),
  tcp: described('The dialled address first', listOf(tcp)),
  tls: nullable(tls),
  request: described('As it was sent, masked', nullable(text)),
  curl: described('The line that repeats the request; secrets are variables', text),
  outcome: text,
  detail: nullable(text),
  answer: described('With all of its headers', nullable(sample)),
  firstByteMs: described('From the request', nullable(ms)),
  headMs: described('From the request', nullable(ms)),
  clauses: described('Of RFC 6455 section 4.1', listOf(clause)),
  ping: nullable(exchange),
  close: nullable(exchange),
  probes: described('The same handshake with one thing changed', listOf(probe)),
  idle: nullable(idle),
});

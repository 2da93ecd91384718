/** The part of the published JSON Schema that describes a check, the same thing that check.ts says to the compiler. */
import { PROBE_IDS } from './check.js';
import type { Schema } from './shape.js';

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const ms: Schema = { type: 'number' };
const sample: Schema = { $ref: '#/$defs/sample' };

function said(description: string, schema: Schema): Schema {
  return { description, ...schema };
}

function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

function objectOf(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: true };
}

const dns = objectOf({
  name: text,
  addresses: said('Empty when the look-up failed', listOf(text)),
  tookMs: ms,
  failure: said('Error code; null when it worked', orNull(text)),
});

const tcp = objectOf({
  address: text,
  port: count,
  tookMs: said('null: it did not connect', orNull(ms)),
  failure: said('An outcome; null when it connected', orNull(text)),
  synRetries: said('SYNs without an answer, as the time betrays them', count),
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
  protocol: orNull(text),
  cipher: orNull(text),
  alpn: said('What the server picks of h2 and http/1.1', orNull(text)),
  chain: said('The server’s own certificate first', listOf(certificate)),
  failure: said('Code of the first thing that is wrong', orNull(text)),
  problems: said('Each thing that is wrong, in words', listOf(text)),
});

const clause = objectOf({
  id: text,
  section: said('Of RFC 6455', text),
  text: said('What it asks for', text),
  ok: said('null: there was nothing to judge', orNull(flag)),
  found: orNull(text),
});

const exchange = objectOf({ ok: flag, tookMs: orNull(ms), found: said('pong, close 1000, or what went wrong', text) });

const probe = objectOf({
  id: { enum: PROBE_IDS },
  asks: said('What was changed, and what for', text),
  url: text,
  outcome: text,
  detail: orNull(text),
  tookMs: ms,
  sample: orNull(sample),
  says: said('What that means beside the handshake itself', text),
});

const idle = objectOf({
  forMs: said('How long it was watched', ms),
  livedMs: said('null: it was still open then', orNull(ms)),
  cutBy: said('close-frame CODE, closed or reset', orNull(text)),
  pings: said('Of the target, answered meanwhile', count),
});

export const checkSchema: Schema = objectOf({
  dns: said('null: the target is an address', orNull(dns)),
  tcp: said('The dialled address first', listOf(tcp)),
  tls: orNull(tls),
  request: said('As it was sent, masked', orNull(text)),
  curl: said('The line that repeats the request; secrets are variables', text),
  outcome: text,
  detail: orNull(text),
  answer: said('With all of its headers', orNull(sample)),
  firstByteMs: said('From the request', orNull(ms)),
  headMs: said('From the request', orNull(ms)),
  clauses: said('Of RFC 6455 section 4.1', listOf(clause)),
  ping: orNull(exchange),
  close: orNull(exchange),
  probes: said('The same handshake with one thing changed', listOf(probe)),
  idle: orNull(idle),
});

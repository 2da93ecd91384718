/**
 * The part of a result that `check` fills: facts about one handshake. Times are in ms; every text from the target is
 * masked and safe to print.
 */
import { z } from 'zod';
import { sampleSchema } from './counted.js';
import { count, flag, ms, type Of, text } from './terms.js';

const dnsSchema = z.object({
  name: text,
  addresses: z.array(text).describe('Empty when the look-up failed'),
  tookMs: ms,
  failure: text.nullable().describe('Error code, e.g. ENOTFOUND; null when it worked'),
});
/** The DNS lookup. */
export type CheckDns = Of<typeof dnsSchema>;

const tcpSchema = z.object({
  address: text,
  port: count,
  tookMs: ms.nullable().describe('null: it did not connect'),
  failure: text.nullable().describe('An outcome (refused, timeout-connect, …); null when it connected'),
  // Linux retransmits a SYN after 1, 2, 3, 4, 5, 7, 11 and 19.5 s.
  synRetries: count.describe('SYNs without an answer, as the time betrays them'),
});
/** One TCP connect to one address. */
export type CheckTcp = Of<typeof tcpSchema>;

const certificateSchema = z.object({
  subject: text,
  issuer: text,
  names: z.array(text).describe('Names that it is valid for'),
  validFrom: text.describe('ISO 8601'),
  validTo: text.describe('ISO 8601'),
});
export type CheckCertificate = Of<typeof certificateSchema>;

const tlsSchema = z.object({
  tookMs: ms,
  protocol: text.nullable().describe('null: the handshake failed before it was agreed upon'),
  cipher: text.nullable(),
  alpn: text.nullable().describe('What the server picks of h2 and http/1.1'),
  chain: z.array(certificateSchema).describe('The server’s own certificate first'),
  failure: text
    .nullable()
    .describe('Code of the first thing that is wrong (CERT_HAS_EXPIRED, EPROTO, …); null: nothing'),
  problems: z.array(text).describe('Each thing that is wrong, in words'),
});
export type CheckTls = Of<typeof tlsSchema>;

const clauseSchema = z.object({
  id: text.describe('Stable: status, upgrade, connection, accept, extensions, subprotocol, …'),
  section: text.describe('Of RFC 6455'),
  text: text.describe('What it asks for'),
  ok: flag.nullable().describe('null: there was nothing to judge'),
  found: text.nullable().describe('What was found'),
});
/** One clause of RFC 6455 section 4.1 that the response is checked against. */
export type CheckClause = Of<typeof clauseSchema>;

export const PROBE_IDS = [
  'firefox-connection',
  'own-origin',
  'without-subprotocol',
  'still-served',
  'without-upgrade',
  'version-8',
  // own-origin, as older results call it.
  'with-origin',
  'without-origin',
  'other-scheme',
  'other-slash',
  'open-close-open',
  'direct',
] as const;
export type ProbeId = (typeof PROBE_IDS)[number];
export type SentProbeId = Exclude<ProbeId, 'with-origin'>;

const endedSchema = z.object({
  by: text.describe('close-frame CODE, closed, reset, or broken frame'),
  said: text.nullable().describe('The reason of the close frame, or what was no frame; masked'),
  afterMs: ms.describe('From its 101'),
});
/** How the target ended a tunnel while it was watched. */
export type CheckEnded = Of<typeof endedSchema>;

const receivedSchema = z.object({
  is: z.enum(['text', 'binary', 'other']).describe('other: no frame of a message'),
  text: text.describe('Masked; of what is no text the bytes in hex'),
});
/** The first that came after the 101. */
export type CheckReceived = Of<typeof receivedSchema>;

const probeSchema = z.object({
  id: z.enum(PROBE_IDS),
  asks: text.describe('What was changed, and what for; one sentence'),
  url: text,
  outcome: text,
  detail: text.nullable(),
  tookMs: ms,
  sample: sampleSchema.nullable().describe('What was answered; null when nothing was'),
  headBytes: count.nullable().optional().describe('Size of the head that came; null: none came'),
  ended: endedSchema
    .nullable()
    .optional()
    .describe('How its tunnel was ended; null: it was not, in the time that was watched'),
  says: text.describe('What that means beside the handshake itself; one sentence'),
});
/** The same handshake with one change, to find the cause of a failure. */
export type CheckProbe = Of<typeof probeSchema>;

const idleSchema = z.object({
  forMs: ms.describe('How long it was to be watched'),
  livedMs: ms.nullable().describe('null: it was still open then'),
  cutBy: text.nullable().describe('close-frame CODE, closed or reset; null when it lived'),
  pings: count.describe('Of the target meanwhile, all answered: with some the tunnel was not idle'),
});
/** How an idle tunnel ended. */
export type CheckIdle = Of<typeof idleSchema>;

const exchangeSchema = z.object({
  ok: flag,
  tookMs: ms.nullable(),
  found: text.describe('pong, close 1000, or what went wrong'),
});
export type CheckExchange = Of<typeof exchangeSchema>;

const sessionSchema = z.object({
  name: text.nullable().describe('Of a shipped session; null: of its own'),
  steps: z.array(
    z.object({
      step: text.describe('What is sent or expected, masked'),
      tookMs: ms.nullable().describe('From the 101 until it was done; null: it was not'),
      message: text.nullable().describe('The message that it waited for, masked'),
    }),
  ),
  readyMs: ms.nullable().describe('From the 101 until the client was ready; null: it was not'),
  end: text.nullable().describe('Why it was not ready, a word of sessions.notReady'),
  reason: text.nullable().describe('Of the close frame, or what was no frame; masked'),
  rule: text.nullable().describe('The answer (when) that ended it'),
  message: text.nullable().describe('The message that ended it, or the last one that the step did not want; masked'),
});
/** How far a session came: the first step without a time is the one that stopped it. */
export type CheckSession = Of<typeof sessionSchema>;

export const checkSchema = z.object({
  dns: dnsSchema.nullable().describe('null: the target is an address'),
  tcp: z.array(tcpSchema).describe('The dialled address first'),
  tls: tlsSchema.nullable(),
  request: text.nullable().describe('The request’s bytes as text, masked; null when none was sent'),
  curl: text.describe('The line that repeats the request; secrets are variables'),
  outcome: text,
  detail: text.nullable(),
  answer: sampleSchema.nullable().describe('With all of its headers; null without a head'),
  firstByteMs: ms.nullable().describe('From the request to the first byte'),
  headMs: ms.nullable().describe('From the request to the whole head'),
  clauses: z.array(clauseSchema).describe('Of RFC 6455 section 4.1'),
  ping: exchangeSchema.nullable(),
  close: exchangeSchema.nullable(),
  probes: z.array(probeSchema).describe('The same handshake with one thing changed'),
  idle: idleSchema.nullable(),
  ended: endedSchema.nullable().optional().describe('How the target ended the tunnel; null: it did not'),
  received: receivedSchema
    .nullable()
    .optional()
    .describe('The first message or bytes after the 101; null: nothing came'),
  session: sessionSchema.nullable().optional().describe('Its steps; null: the plan has none, or there was no 101'),
});
export type Check = Of<typeof checkSchema>;

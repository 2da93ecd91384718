/**
 * The plan inside a result. The published schema promises less than the program's own Plan: words that later versions
 * may extend are plain texts, and the keys of a stage depend on its kind.
 */
import { z } from 'zod';
import type { PlanRecord } from '../plan/plan-record.js';
import { gateSchema } from './burst.js';
import { count, flag, ms, number, type Of, text } from './terms.js';

const endpoint = z.object({ host: text, port: count });

const target = z.object({
  url: text,
  scheme: z.enum(['ws', 'wss']),
  host: text,
  port: count,
  path: text,
  headers: z.array(z.tuple([text, text])),
  origin: text.nullable(),
  subprotocols: z.array(text),
  compression: flag,
  tls: z.object({
    ca: text.nullable(),
    cert: text.nullable(),
    key: text.nullable(),
    servername: text.nullable(),
    insecure: flag,
    resume: flag,
  }),
  connectTo: endpoint.nullable(),
  sourceIps: z.array(text),
});

const said = z.array(z.record(text, z.unknown()));

const script = z.object({
  name: text.nullable().describe('Of a shipped session; null: of its own'),
  variables: z.record(text, text).describe('Masked'),
  standing: said.describe('Answers (when) and beats (everyMs), from a number of steps on'),
  steps: said.describe('send, expect, holdMs or close, in order'),
  messageTimeoutMs: ms,
});

const plan = z.object({
  name: text.nullable(),
  about: text.nullable(),
  target,
  data: z.object({ file: text, pick: text }).nullable(),
  gate: gateSchema,
  timeoutMs: ms,
  stages: z.array(z.object({ kind: text }).describe('Its other keys depend on the kind')),
  session: z.object({ holdMs: ms.nullable(), script: script.nullable().default(null) }),
  thresholds: z.array(text),
  abort: text.nullable(),
  allowHosts: z.array(text),
  close: text.nullable(),
  resolve: text,
  preflight: flag,
  calibrate: flag,
  workers: count.nullable(),
  transport: text,
  releaseChunk: count.nullable(),
  seed: number,
  afterMs: ms.nullable().default(null).describe('Probes for this long once a burst is over'),
});

/** This line does not compile when the Plan no longer matches the schema. */
export const savedPlanSchema = plan as z.ZodType as z.ZodType<Narrowed<Of<typeof plan>, PlanRecord>>;

type Narrowed<_Wide, Narrow extends _Wide> = Narrow;

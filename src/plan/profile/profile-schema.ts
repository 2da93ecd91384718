/**
 * The profile's schema: every key, what it means, and its bounds. The one source of validation, of the Profile type and
 * of the JSON Schema. URLs and expressions are returned parsed. Rules over two keys are in cross-checks.ts.
 */
import { z } from 'zod';
import { expandSourceIps, parseEndpoint } from '../address.js';
import { parseAbort, parseThreshold } from '../expressions/rules.js';
import { maskHeader } from '../secrets.js';
import { isToken, originProblem } from '../syntax.js';
import { parseUrl } from '../url.js';
import { converted, count, duration, flag, list, map, templated, text, word } from './field.js';
import { headers } from './headers.js';
import { beatTime, holdTime, session } from './session/lines.js';
import { sessionVars } from './session/variables.js';
import { HOUR_MS, rest } from './stages/bounds.js';
import { stageSchema } from './stages/stage-table.js';

const LONGEST_URL = 8192;
const LONGEST_VALUE = 16_384;
const LONGEST_PATH = 4096;

const subprotocol = templated(LONGEST_VALUE, 'A token (RFC 6455 section 4.1), or a template of one', (value) => {
  const literal = value.replace(/\{\{.*?\}\}/gs, '');
  return literal === '' || isToken(literal)
    ? null
    : "a subprotocol is a token: letters, digits and !#$%&'*+-.^_`|~, no spaces, no commas (RFC 6455 section 4.1)";
});

const tls = map(
  {
    ca: text(LONGEST_PATH, 'File with the certificates to trust (PEM)').optional(),
    cert: text(LONGEST_PATH, 'File with the client certificate (PEM)').optional(),
    key: text(LONGEST_PATH, 'File with the key of the client certificate (PEM)').optional(),
    servername: text(255, 'Name for SNI and for the check of the certificate; default: the host').optional(),
    insecure: flag('Accept any certificate; default false').optional(),
    resume: flag('Offer TLS session resumption; default false').optional(),
  },
  'tls',
);

const url = text(LONGEST_URL, 'ws:// or wss:// address; path and query may hold templates').transform(
  (written, context) => converted(context, () => ({ url: written, ...parseUrl(written) })),
);

const targetShape = {
  headers: headers.optional(),
  origin: templated(2048, 'Origin header (RFC 6454): null or scheme://host[:port]', originProblem).optional(),
  subprotocols: list(subprotocol, 0, 50, 'subprotocols')
    .superRefine((values, context) => {
      values.forEach((value, i) => {
        if (values.indexOf(value) < i) {
          const shown = JSON.stringify(maskHeader('Sec-WebSocket-Protocol', value));
          context.addIssue({ code: 'custom', message: `${shown} is offered twice (RFC 6455 section 4.1)`, path: [i] });
        }
      });
    })
    .optional()
    .meta({ description: 'Offered subprotocols, the preferred first' }),
  compression: flag('Offer permessage-deflate; default false').optional(),
  tls: tls.optional(),
  connectTo: text(300, 'Dial HOST:PORT instead of the host of the url; Host, SNI and certificate stay')
    .transform((value, context) => converted(context, () => parseEndpoint(value)))
    .optional(),
  sourceIps: list(text(100, 'An address or a block such as 127.0.0.0/24'), 0, 1000, 'addresses')
    .transform((value, context) => converted(context, () => expandSourceIps(value)))
    .optional()
    .meta({ description: 'Local addresses to connect from, in turn; blocks are expanded, at most 65,536 in all' }),
};

/** The target, merged with the parts of its URL. */
const target = map({ url, ...targetShape }, 'a target').transform(({ url: parts, ...others }) => ({
  ...parts,
  ...others,
}));

/** The same when another layer may set the URL. */
const targetParts = map({ url: url.optional(), ...targetShape }, 'a target').transform(
  ({ url: parts, ...others }): Partial<z.output<typeof target>> => ({ ...parts, ...others }),
);

const threshold = text(500, 'An expression such as share(101) >= 99.9%').transform((written, context) =>
  converted(context, () => parseThreshold(written)),
);

const abort = text(500, 'Ends the run when true, e.g. share(5xx) > 50% for 2 bursts').transform((written, context) =>
  converted(context, () => parseAbort(written)),
);

const dataShape = {
  file: text(LONGEST_PATH, 'CSV file with a header row; its columns are {{ row.COLUMN }}'),
  pick: word(['cycle', 'random', 'once'], 'How attempts take rows; default cycle').optional(),
};

const shape = {
  name: text(100, 'Short name of the profile').optional(),
  about: text(2000, 'The question that the profile answers').optional(),
  data: map(dataShape, 'data').optional(),
  gate: word(
    ['connect', 'tls', 'upgrade'],
    'The step at which all attempts wait for the release; default connect',
  ).optional(),
  timeout: duration(1, HOUR_MS, 'Total deadline of an attempt, from the release; default 75s').optional(),
  session: session.optional(),
  sessionVars: sessionVars.optional(),
  messageTimeout: duration(1, HOUR_MS, 'Time limit of an expect; default 5s').optional(),
  after: duration(
    0,
    HOUR_MS,
    'Once a burst is over, start one single handshake every 0.5s for this long: how long others keep suffering; default none',
  ).optional(),
  thresholds: list(threshold, 0, 100, 'expressions').optional().meta({ description: 'Missed: exit code 3' }),
  abort: abort.optional(),
  allowHosts: list(text(255, 'A host name or address'), 0, 100, 'hosts').optional().meta({
    description:
      'Public hosts that the profile is meant for; a run needs --allow-host for each: only for your own, or with consent',
  }),
  seed: count(0, Number.MAX_SAFE_INTEGER, 'Rules everything random but keys and masks; default 1').optional(),
  workers: count(1, 256, 'Worker threads; default the number of cores, fewer for small bursts').optional(),
  transport: word(
    ['auto', 'epoll', 'node'],
    'How sockets are driven: epoll calls the kernel itself (Linux, ws://), node works everywhere, auto takes epoll where it works; default auto',
  ).optional(),
  releaseChunk: count(
    1,
    1_000_000,
    'Releases in a slice before a thread reads answers; default 64, and all at once where the kernel stamps arrivals',
  ).optional(),
  resolve: word(['first', 'all'], 'Use the first address of a name, or spread over all; default first').optional(),
  close: word(['clean', 'reset'], 'How connections end; default clean for bursts, reset for churn').optional(),
  preflight: flag('Up to 5 handshakes before the first burst; default true').optional(),
  calibrate: flag("Measure this generator's own floor first; default true").optional(),
  $schema: z.string().optional().meta({ description: 'For editors; ignored' }),
};

const LATER_KEYS = ['preset'];

const stages = list(stageSchema, 1, 100, 'stages').meta({ description: 'In order' });

/** A whole profile, as editors see it. */
export const profileSchema = map({ target, stages, ...shape }, 'a profile', LATER_KEYS);

const parts = {
  target: targetParts.optional(),
  stages: stages.optional(),
  ...shape,
};

/** One layer of a profile: nothing is required, because another layer may contain it. */
export const partsSchema = map(parts, 'a profile', LATER_KEYS);

/** What flags and environment can set: the parts of a profile, and values that apply to all of its stages. */
export const flagsSchema = map(
  {
    ...parts,
    data: map({ file: dataShape.file.optional(), pick: dataShape.pick }, 'data').optional(),
    rest: rest.optional(),
    hold: holdTime.optional(),
    ping: beatTime.optional(),
  },
  'a profile',
  LATER_KEYS,
);

/** Checked parts of a profile: units are converted (times to ms), blocks expanded, stages compiled. */
export type ProfileParts = z.output<typeof flagsSchema>;

/** A profile built by a program: the keys of a profile file, with their units. */
export type ProfileDocument = z.input<typeof profileSchema>;

/** A checked profile with all required keys, and what flags say of its session; defaults are not filled in. */
export type Profile = z.output<typeof profileSchema> & Pick<ProfileParts, 'hold' | 'ping'>;

/**
 * Every target of the lab at every gate that applies, through the command line: exactly the outcomes that the catalogue
 * promises, and the target's own book says the same. The catalogue is the table of this test. Gates and transports take
 * turns, so that every target that speaks ws is met over both transports.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import { CATALOGUE } from '#dist/lab/catalogue/catalogue.js';
import { LAB_CERTIFICATE } from '#dist/lab/server/certificate.js';
import type { LabTarget } from '#dist/lab/server/target.js';
import { readSettings } from '#dist/lab/server/target-options.js';
import { labFor, resultOf, wstampede } from '../cli.js';

const SIZE = 100;
/** Attempts that are never answered wait for the short one, and it must do for those beside them that are answered. */
const TIMEOUT = '3s';
const PATIENT_TIMEOUT = '30s';
/** The lab sees the last client leave within this, and only then is the next burst a later one. */
const REST = '300ms';

type Options = Readonly<Record<string, string | number | boolean>>;
type Gate = 'connect' | 'tls' | 'upgrade';
type Scheme = 'ws' | 'wss';
type Transport = 'epoll' | 'node';
type Counts = Readonly<Record<string, number | undefined>>;

/** So that a burst of 100 goes beyond the limit, or just fits, where the defaults would not show it. */
const SETTINGS: Readonly<Record<string, Options>> = {
  'simultaneous-504': { timeout: '600ms', service: '10ms' },
  'slow-concurrent': { timeout: '700ms', service: '200ms', width: 8 },
  'negative-cache': { timeout: '600ms', service: '10ms' },
  'cpu-bound': { service: '2ms' },
  'rate-limit': { rate: 0 },
  limit: { queue: '300ms' },
  'slow-accept': { backlog: SIZE, block: '200ms' },
  'phantom-connections': { backlog: SIZE, block: '100ms' },
  'backend-unreachable': { connect: '100ms' },
  'backend-hangs': { timeout: '400ms' },
  'upgrade-not-forwarded': { timeout: '400ms' },
  'close-kills-server': { timeout: '3s' },
  'client-deadline': { service: '5ms' },
  flaky: { failures: 0, capacity: 60 },
  hysteretic: { capacity: 60 },
};

/** Only the bytes of their answer differ by their choices, and those are the unit tests' affair. */
const ONE_WORD = [
  'redirect',
  'wrong-path',
  'version-mismatch',
  'header-too-large',
  'idle-cut',
  'idle-drop',
  ...['restarts', 'rolling', 'accept-then-kick', 'herd-fragile'],
  'cut-after-upgrade',
  'http2-only',
  'subprotocol-required',
];

/** Every word of every choice that the plain matrix does not use. */
const VARIANTS = CATALOGUE.filter(({ name }) => !ONE_WORD.includes(name)).flatMap((target) =>
  target.options
    .filter(({ name, type }) => type === 'choice' && name !== 'gateway')
    .flatMap(({ name, choices, default: plain }) =>
      choices.filter((word) => word !== plain).map((word) => ({ target, options: { [name]: word } })),
    ),
);

let host = 1;
/** TIME_WAIT pairs of the last test must not stand in the way of the next. */
function nextHost(): string {
  host = (host % 8) + 1;
  return `127.0.0.${host}`;
}

/** The lab's own certificate is good for this address alone of all that the tests take. */
const CERTIFIED_HOST = '127.0.0.1';
/** Targets whose clients verify certificates, and trust the lab's or nobody's. */
const VERIFIED = ['tls-self-signed', 'tls-wrong'];
/** They see nothing of their clients. */
const UNSEEN = ['nothing-listens', 'syn-dropped'];
/** What becomes of a handshake does not depend on how far it was when all came together: one gate each, in turns. */
const ONE_GATE = [
  ...['plain-site', 'wrong-path', 'version-mismatch', 'origin-refused', 'auth-refused', 'forbidden', 'redirect'],
  ...['bad-request', 'header-too-large', 'application-error', 'bad-accept', 'not-http', 'half-head', 'tls-wrong'],
  ...['response-too-large', 'ports-exhausted', 'descriptor-limit', 'cut-after-upgrade', 'idle-cut', 'cpu-bound'],
  ...['backend-unreachable', 'backend-died', 'backend-hangs', 'negative-cache', 'tls-port', 'accept-then-fin'],
  ...['gateway-misconfigured', 'header-case', 'head-over-proxy-buffer', 'http2-only', 'proxy-protocol-mismatch'],
  ...['auth-subrequest-failed', 'health-check-fails', 'credentials-partly-refused', 'subprotocol-required'],
  ...['sticky-session-missing', 'socket-queue-full', 'rejected-after-accept', 'server-restart', 'two-servers-answered'],
  ...['client-deadline', 'restarts', 'rolling', 'accept-then-kick', 'herd-fragile', 'idle-drop', 'echo'],
];
function isSecureOnly(target: LabTarget): boolean {
  return target.options.some(({ name, default: plain }) => name === 'tls' && plain === true);
}

interface Row {
  readonly target: LabTarget;
  readonly scheme: Scheme;
  readonly gate: Gate;
  readonly transport: Transport;
  readonly options: Options;
}

/** What `auto` takes here over ws. */
const FASTEST: Transport =
  typeof (await openKernel(`${process.platform}-${process.arch}`)) === 'string' ? 'node' : 'epoll';

async function check(t: TestContext, { target, scheme, gate, transport, options: own }: Row): Promise<void> {
  const verifies = VERIFIED.includes(target.name);
  const host = verifies ? CERTIFIED_HOST : nextHost();
  const options = { ...SETTINGS[target.name], ...own, tls: scheme === 'wss', host };
  const settings = readSettings(target.name, target.options, options);
  const expected = target.expects(SIZE, settings) as Counts | null;
  assert.ok(expected, 'these settings have an exact prediction');
  const later = (target.expectsLater?.(SIZE, settings) ?? null) as Counts | null;
  const timeout = Object.keys(expected).some((id) => id.startsWith('timeout')) ? TIMEOUT : PATIENT_TIMEOUT;
  const lab = await labFor(t, target.name, options);
  const ran = await wstampede([
    ...['burst', lab.url, '-c', `${SIZE}`, '-b', later === null ? '1' : '2', '--rest', REST, '-t', timeout],
    ...[
      '--gate',
      gate,
      '--transport',
      transport === 'epoll' ? 'auto' : 'node',
      '--no-preflight',
      '--no-calibrate',
      '--json',
    ],
    ...(verifies || scheme === 'ws' ? [] : ['-k']),
    ...(target.name === 'tls-wrong' ? ['--ca', ca] : []),
  ]);
  const report = await lab.stop();
  const result = resultOf(ran);
  assert.equal(result.generators[0].transport, transport === 'epoll' ? FASTEST : 'node');
  const wanted = later === null ? [expected] : [expected, later];
  assert.deepEqual(
    result.bursts.map(({ outcomes }) => outcomes),
    wanted,
  );
  const total = merged(wanted);
  const seen = !UNSEEN.includes(target.name);
  assert.deepEqual(report.byOutcome, seen ? total : {}, 'what the target saw');
  assert.equal(report.accepted, seen ? SIZE * wanted.length : 0);
  assert.notEqual(result.validity.verdict, 'invalid', result.validity.reasons.join('; '));
  assert.equal(ran.code, total['101'] === undefined ? 3 : 0);
}

function merged(all: readonly Counts[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const counts of all) for (const [id, n = 0] of Object.entries(counts)) total[id] = (total[id] ?? 0) + n;
  return total;
}

const folder = mkdtempSync(join(tmpdir(), 'wst-matrix-'));
const ca = join(folder, 'ca.pem');
writeFileSync(ca, LAB_CERTIFICATE);
after(() => rmSync(folder, { recursive: true, force: true }));

/** Each gate that applies; those over ws, or the only one, once with each transport. */
function rowsOf(target: LabTarget, i: number): Row[] {
  const row = (scheme: Scheme, gate: Gate, transport: Transport): Row => ({
    ...{ target, scheme, gate, transport, options: {} },
  });
  const isSecure = isSecureOnly(target);
  const secure = isSecure ? target.gates : target.gates.filter((gate) => gate === 'tls');
  const [turn, isOne] = [target.gates[i % target.gates.length], ONE_GATE.includes(target.name)];
  const overTls = secure.filter((gate) => !isOne || gate === turn).map((gate) => row('wss', gate, 'node'));
  if (isSecure) return overTls;
  const [first, second = first] = target.gates.filter((gate) => gate !== 'tls');
  const transports: readonly Transport[] = i % 2 === 0 ? ['epoll', 'node'] : ['node', 'epoll'];
  return [row('ws', first, transports[0]), row('ws', second, transports[1]), ...overTls];
}

function titleOf({ target, options, gate, scheme, transport }: Row): string {
  const words = Object.entries(options).map(([name, word]) => ` --${name} ${word}`);
  return `${target.name}${words.join('')}, gate ${gate}, ${scheme}${scheme === 'ws' ? ` over ${transport}` : ''}`;
}

const WSS_TOO = ['healthy', 'limit', 'reset', 'silent', 'close-kills-server', 'not-http'];

const ROWS: readonly Row[] = [
  ...CATALOGUE.flatMap(rowsOf),
  ...CATALOGUE.filter(({ name }) => WSS_TOO.includes(name)).flatMap((target) =>
    (['connect', 'upgrade'] as const).map(
      (gate): Row => ({ target, gate, scheme: 'wss', transport: 'node', options: {} }),
    ),
  ),
  ...VARIANTS.map(({ target, options }, i): Row => {
    const gate = i % 2 === 0 && target.gates.includes('upgrade') ? 'upgrade' : 'connect';
    const isSecure = isSecureOnly(target);
    const transport = isSecure || i % 4 < 2 ? 'node' : 'epoll';
    return { target, options, gate, scheme: isSecure ? 'wss' : 'ws', transport };
  }),
];

// Three at a time: most of each run is the start of a process, or waiting.
describe('lab × gates × transports', { concurrency: 3 }, () => {
  for (const row of ROWS) test(titleOf(row), (t) => check(t, row));
});

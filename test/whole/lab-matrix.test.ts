/**
 * Every target of the lab at every gate that applies, through the command line: exactly the outcomes that the catalogue
 * promises, and the target's own book says the same. The catalogue is the table of this test.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { CATALOGUE, type LabTarget } from '#dist/lab/catalogue.js';
import { readSettings } from '#dist/lab/options.js';
import { labFor, resultOf, wstampede } from '../cli.js';

const SIZE = 100;
/**
 * Longer than 100 TLS handshakes need on two busy cores; only attempts that are never answered wait for it. What is
 * counted does not depend on it.
 */
const TIMEOUT = '1500ms';
/** The lab sees the last client leave within this, and only then is the next burst a later one. */
const REST = '300ms';

type Options = Readonly<Record<string, string | number | boolean>>;
type Gate = 'connect' | 'tls' | 'upgrade';
type Scheme = 'ws' | 'wss';
type Counts = Readonly<Record<string, number | undefined>>;

/** So that a burst of 100 goes beyond the limit, or just fits, where the defaults would not show it. */
const SETTINGS: Readonly<Record<string, Options>> = {
  'simultaneous-504': { timeout: '400ms', service: '5ms' },
  'slow-accept': { backlog: SIZE, block: '200ms' },
};

/** Every word of every choice that the plain matrix does not use. */
const VARIANTS = CATALOGUE.flatMap((target) =>
  target.options
    .filter(({ type }) => type === 'choice')
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

async function check(t: TestContext, target: LabTarget, scheme: Scheme, gate: Gate, own: Options): Promise<void> {
  const options = { ...SETTINGS[target.name], ...own, tls: scheme === 'wss', host: nextHost() };
  const settings = readSettings(target.name, target.options, options);
  const expected = target.expects(SIZE, settings) as Counts | null;
  assert.ok(expected, 'these settings have an exact prediction');
  const later = target.expectsLater === null ? null : (target.expectsLater(SIZE, settings) as Counts);
  const lab = await labFor(t, target.name, options);
  const ran = await wstampede([
    ...['burst', lab.url, '-c', `${SIZE}`, '-b', later === null ? '1' : '2', '--rest', REST, '-t', TIMEOUT],
    ...['--gate', gate, '--no-preflight', '--no-calibrate', '--json'],
    // The one target whose clients are meant not to trust it.
    ...(scheme === 'wss' && target.name !== 'tls-self-signed' ? ['-k'] : []),
  ]);
  const report = await lab.stop();
  const result = resultOf(ran);
  const wanted = later === null ? [expected] : [expected, later];
  assert.deepEqual(
    result.bursts.map(({ outcomes }) => outcomes),
    wanted,
  );
  const total = merged(wanted);
  assert.deepEqual(report.byOutcome, total, 'what the target saw');
  assert.equal(report.accepted, SIZE * wanted.length);
  assert.notEqual(result.validity.verdict, 'invalid', result.validity.reasons.join('; '));
  assert.equal(ran.code, total['101'] === undefined ? 3 : 0);
}

function merged(all: readonly Counts[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const counts of all) for (const [id, n = 0] of Object.entries(counts)) total[id] = (total[id] ?? 0) + n;
  return total;
}

// Two at a time: most of each run is the start of a process, or waiting.
describe('lab × gates', { concurrency: 2 }, () => {
  for (const target of CATALOGUE) {
    const isSecureOnly = target.name === 'tls-self-signed';
    for (const gate of target.gates) {
      const scheme = gate === 'tls' || isSecureOnly ? 'wss' : 'ws';
      test(`${target.name}, gate ${gate}, ${scheme}`, (t) => check(t, target, scheme, gate, {}));
    }
  }
  for (const name of ['healthy', 'limit', 'reset', 'silent', 'close-kills-server', 'not-http']) {
    const target = CATALOGUE.find((one) => one.name === name);
    assert.ok(target);
    for (const gate of ['connect', 'upgrade'] as const) {
      test(`${name}, gate ${gate}, wss`, (t) => check(t, target, 'wss', gate, {}));
    }
  }
  for (const [i, { target, options }] of VARIANTS.entries()) {
    const gate = i % 2 === 0 ? 'upgrade' : 'connect';
    const words = Object.entries(options)
      .map(([name, word]) => `--${name} ${word}`)
      .join(' ');
    test(`${target.name} ${words}, gate ${gate}, ws`, (t) => check(t, target, 'ws', gate, options));
  }
});

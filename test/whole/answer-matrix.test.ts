/**
 * Every answer of the matrix, sent by a raw server to the tool (plain ones to its command line, in a burst of all of them;
 * those to a ClientHello to its engine), to ws and to Chromium. The tool's outcome and
 * detail are those of the row, by the RFCs' words; what the other two see is what was recorded (UPDATE_GOLDEN=1 records
 * anew), and a row in which one of them differs from the tool says why.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'csv-parse/sync';
import { type Answer, type Asked, CHAT } from '../answers/answer.js';
import {
  launchChromium,
  PAGE,
  Page,
  patienceFor,
  type Recorded,
  readRecorded,
  type Seen,
  seenByWs,
  writeRecorded,
} from '../answers/clients.js';
import { ANSWERS, CHAPTERS } from '../answers/rows.js';
import { answersTable, verdictOf, verdictSeen } from '../answers/table.js';
import { startSecureTarget, startTarget, type Target } from '../answers/target.js';
import { ROOT, resultOf, wstampede } from '../cli.js';
import { needsProgram } from '../needs.js';
import { fire } from '../unit/fire-raw.js';

const PLAIN = ANSWERS.filter(({ isSecure }) => isSecure !== true);
const SECURE = ANSWERS.filter(({ isSecure }) => isSecure === true);
const TABLE = `${ROOT}test/answers/ANSWERS.md`;
const UPDATES = process.env.UPDATE_GOLDEN === '1';
/** Only answers that never come wait for it. */
const TIMEOUT_MS = 2500;
/** Pages of Chromium, each with a target of its own: one handshake at a time and address. */
const LANES = 6;

/** Sets up a target for the plain answers and one for each that answers TLS; stops them with the test. */
async function targetsFor(t: TestContext, answers: readonly Answer[]): Promise<(answer: Answer) => Target> {
  const plain = await startTarget(PLAIN, PAGE);
  t.after(() => plain.server.close());
  const secure = new Map<string, Target>();
  for (const answer of answers.filter(({ isSecure }) => isSecure)) {
    const target = await startSecureTarget(answer);
    secure.set(answer.name, target);
    t.after(() => target.server.close());
  }
  return (answer) => secure.get(answer.name) ?? plain;
}

interface Judged {
  readonly outcome: string;
  readonly detail: string | null;
}

function expected(answers: readonly Answer[]): Record<string, Judged> {
  return Object.fromEntries(answers.map(({ name, outcome, detail }) => [name, { outcome, detail }]));
}

/** Fails with the rows that differ and with no others: the whole matrix would hide them. */
function assertSame<T>(actual: Readonly<Record<string, T>>, wanted: Readonly<Record<string, T>>): void {
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(wanted).sort());
  const differing = Object.keys(wanted).filter((name) => !isDeepStrictEqual(actual[name], wanted[name]));
  const only = (all: Readonly<Record<string, T>>) => Object.fromEntries(differing.map((name) => [name, all[name]]));
  assert.deepEqual(only(actual), only(wanted));
}

interface Run {
  readonly rows: readonly Readonly<Record<string, string>>[];
  readonly lost: number;
}

/** One burst of the command line with the attempts' rows. */
async function burst(url: string, data: readonly string[], target: Readonly<Record<string, unknown>>): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'wst-answers-'));
  try {
    writeFileSync(join(folder, 'names.csv'), ['name', ...data, ''].join('\n'));
    const profile = {
      name: 'answers',
      target: { url, ...target },
      data: { file: 'names.csv' },
      timeout: `${TIMEOUT_MS}ms`,
      // A clean close would wait for servers that know nothing of close frames.
      close: 'reset',
      stages: [{ burst: data.length }],
    };
    writeFileSync(join(folder, 'answers.json'), JSON.stringify(profile));
    const attempts = join(folder, 'attempts.csv');
    const flags = ['--no-preflight', '--no-calibrate', '--json', '--attempts', attempts];
    const result = resultOf(await wstampede(['run', join(folder, 'answers.json'), ...flags]));
    const rows = parse(readFileSync(attempts), { columns: true }) as Record<string, string>[];
    return { rows, lost: result.totals.lostWhileHeld };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function judged({ outcome, detail }: Readonly<Record<string, string>>): Judged {
  return { outcome, detail: detail === '' ? null : detail };
}

const TARGETS: Readonly<Record<Asked, Readonly<Record<string, unknown>>>> = {
  nothing: {},
  chat: { subprotocols: CHAT },
  deflate: { compression: true },
};

for (const [asked, target] of Object.entries(TARGETS)) {
  const answers = PLAIN.filter((answer) => (answer.asked ?? 'nothing') === asked);
  test(`${answers.length} answers where ${asked} was asked for: the outcome and detail of each`, async (t) => {
    const targetOf = await targetsFor(t, []);
    const { server, answered } = targetOf(answers[0]);
    const names = answers.map(({ name }) => name);
    const { rows, lost } = await burst(`ws://${server.host}:${server.port}/{{ row.name }}`, names, target);
    const seen = Object.fromEntries(rows.map((row) => [answered.get(Number(row.local_port)), judged(row)]));
    assertSame(seen, expected(answers));
    assert.equal(lost, answers.filter(({ isLost }) => isLost).length, 'lost while held');
  });
}

test(`${SECURE.length} answers to a TLS ClientHello: the outcome and detail of each`, async (t) => {
  const targetOf = await targetsFor(t, SECURE);
  const seen = await Promise.all(
    SECURE.map(async (answer) => {
      const { outcomes, details } = await fire(targetOf(answer).url(answer), { timeoutMs: TIMEOUT_MS });
      const [outcome] = Object.keys(outcomes);
      const [detail = ''] = Object.keys(details[outcome] ?? {});
      return [answer.name, judged({ outcome, detail })] as const;
    }),
  );
  assertSame(Object.fromEntries(seen), expected(SECURE));
});

/** What was seen, with words only where they are of the version that was recorded. */
function comparable(seen: Readonly<Record<string, Seen>>, isSameVersion: boolean): Record<string, string> {
  const told = Object.entries(seen).map(([name, { events, words }]) => [
    name,
    isSameVersion ? `${events}: ${words}` : events,
  ]);
  return Object.fromEntries(told);
}

const recorded = readRecorded();
const fresh: { ws: Record<string, Seen>; chromium: Record<string, Seen> } = { ws: {}, chromium: {} };
const versions = { ...recorded.versions, node: process.versions.node };
const major = (version: string) => version.split('.')[0];

function compare(client: 'ws' | 'chromium', isSameVersion: boolean): void {
  if (UPDATES) return;
  const before = Object.fromEntries(ANSWERS.map(({ name }) => [name, recorded.rows[name]?.[client]]));
  assertSame(comparable(fresh[client], isSameVersion), comparable(before, isSameVersion));
}

test('ws sees what was recorded', async (t) => {
  const targetOf = await targetsFor(t, SECURE);
  const seen = await Promise.all(
    ANSWERS.map(async (answer) => {
      const patience = patienceFor(answer, UPDATES ? undefined : recorded.rows[answer.name]?.ws);
      return [answer.name, await seenByWs(targetOf(answer).url(answer), answer, patience)] as const;
    }),
  );
  fresh.ws = Object.fromEntries(seen);
  versions.ws = (
    JSON.parse(readFileSync(`${ROOT}node_modules/ws/package.json`, 'utf8')) as { version: string }
  ).version;
  const isSame = versions.ws === recorded.versions.ws && major(versions.node) === major(recorded.versions.node);
  compare('ws', isSame);
});

test('Chromium sees what was recorded', async (t) => {
  if (!needsProgram(t, 'chromium')) return;
  const browser = await launchChromium();
  t.after(() => browser.close());
  versions.chromium = browser.version();
  const queue = [...ANSWERS];
  const seen = new Map<string, Seen>();
  const lanes = Array.from({ length: LANES }, async () => {
    const targetOf = await targetsFor(t, SECURE);
    const { server } = targetOf(PLAIN[0]);
    const page = await Page.open(browser, `http://${server.host}:${server.port}/`);
    for (let answer = queue.shift(); answer !== undefined; answer = queue.shift()) {
      const patience = patienceFor(answer, UPDATES ? undefined : recorded.rows[answer.name]?.chromium);
      seen.set(answer.name, await page.seen(targetOf(answer).url(answer), answer, patience));
    }
  });
  await Promise.all(lanes);
  fresh.chromium = Object.fromEntries(ANSWERS.map(({ name }) => [name, seen.get(name) as Seen]));
  compare('chromium', major(versions.chromium) === major(recorded.versions.chromium));
});

test('the table is that of the rows and the record, and every difference in it is explained', () => {
  let record: Recorded = recorded;
  if (UPDATES) {
    const rows = ANSWERS.map(({ name }) => {
      const chromium = fresh.chromium[name] ?? recorded.rows[name]?.chromium;
      return [name, { ws: fresh.ws[name], chromium }] as const;
    });
    record = { versions, rows: Object.fromEntries(rows) };
    writeRecorded(record);
    writeFileSync(TABLE, answersTable(CHAPTERS, record));
  }
  const names = ANSWERS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length, 'names are unique');
  assert.deepEqual(Object.keys(record.rows).sort(), [...names].sort(), 'run this test with UPDATE_GOLDEN=1');
  assert.equal(readFileSync(TABLE, 'utf8'), answersTable(CHAPTERS, record), 'run this test with UPDATE_GOLDEN=1');
  const unexplained = ANSWERS.filter((answer) => {
    const seen = record.rows[answer.name];
    const isDifferent = [seen.ws, seen.chromium].some((one) => verdictSeen(one) !== verdictOf(answer));
    return isDifferent !== (answer.why !== undefined);
  });
  assert.deepEqual(
    unexplained.map(({ name }) => {
      const { ws, chromium } = record.rows[name];
      return `${name}: ws ${ws.events} (${ws.words}), Chromium ${chromium.events} (${chromium.words})`;
    }),
    [],
  );
});

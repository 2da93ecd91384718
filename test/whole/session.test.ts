/** Sessions through the whole program: ready or not in the result, the summary, the rows and the exit code. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { Result } from '#dist/result/result.js';
import { wstampede } from '../cli.js';
import { serve } from '../unit/fire-raw.js';
import { type Talk, talking } from '../unit/fire-talk.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'wst-session-'));
after(() => rmSync(folder, { recursive: true }));

const SESSION = [
  { every: '1s', send: { $ping: '' } },
  { send: { type: 'hello', token: '{{ row.token }}' } },
  { expect: { type: 'welcome' } },
  { hold: '200ms' },
];

async function run(talk: Talk, ...flags: string[]) {
  const server = await serve(talking(talk));
  const profile = path.join(folder, 'session.json');
  const data = path.join(folder, 'tokens.csv');
  const [rows, saved] = [path.join(folder, 'rows.csv'), path.join(folder, 'result.json')];
  writeFileSync(data, `token\n${Array.from({ length: 40 }, (_, i) => `secret-token-${i}`).join('\n')}\n`);
  writeFileSync(
    profile,
    JSON.stringify({
      target: { url: server.url },
      stages: [{ burst: 40 }],
      data: { file: data },
      session: SESSION,
      messageTimeout: '1s',
    }),
  );
  try {
    const quick = ['--no-calibrate', '--no-preflight', '--no-progress', '-w', '2', '--attempts', rows];
    const ran = await wstampede(['run', profile, '--no-color', '-o', saved, ...quick, ...flags]);
    const csv = readFileSync(rows, 'utf8').trimEnd().split('\n');
    const result = JSON.parse(readFileSync(saved, 'utf8')) as Result;
    return { result, code: ran.code, csv, text: ran.stdout.replace(/\s+/g, ' ') };
  } finally {
    await server.close();
  }
}

function columnOf(csv: readonly string[], name: string): string[] {
  const place = (csv[0] ?? '').split(',').indexOf(name);
  return csv.slice(1).map((line) => line.split(',')[place] ?? '');
}

function sessionsOf({ totals }: Result) {
  assert.ok(totals.sessions !== null);
  return totals.sessions;
}

describe('a session of a profile', () => {
  test('all are ready: told in the summary, judged by thresholds', async () => {
    const talk: Talk = { hear: (client) => client.send('{"type":"welcome"}') };
    const asked = [
      '--threshold',
      'share(ready) == 100%',
      '--threshold',
      'p99(ready) < 30s',
      '--threshold',
      'p99(message) < 30s',
    ];
    const { result, code, csv, text } = await run(talk, ...asked);
    assert.equal(code, 0, text);
    const { ready, closed, messages } = sessionsOf(result);
    assert.deepEqual([ready, closed], [40, { 1000: 40 }]);
    assert.deepEqual(messages, { sent: 40, received: 40, skipped: 0 });
    assert.ok(columnOf(csv, 'ready_us').every((cell) => Number(cell) > 0));
    assert.match(text, /All 40 simultaneous handshakes got their 101, .*; all were ready, the slowest after /);
    assert.match(text, /ready 40 of 40 clients: half within /);
  });

  test('some are refused: the code, the reason and the step, without the secret that the target echoes', async () => {
    const talk: Talk = {
      hear: (client, message) => {
        const { token } = JSON.parse(message) as { token: string };
        if (Number(token.split('-')[2]) % 2 === 0) client.send('{"type":"welcome"}');
        else client.close(4401, `Unauthorized: ${token}`);
      },
    };
    const { result, code, csv, text } = await run(talk, '--threshold', 'count(close:4401) == 0');
    assert.equal(code, 3);
    assert.deepEqual(sessionsOf(result).notReady, { 4401: 20 });
    assert.equal(result.thresholds[0]?.actual, 20);
    assert.equal(columnOf(csv, 'end').filter((end) => end === '4401').length, 20);
    assert.match(text, /20 were ready, 20 were closed with 4401 \("Unauthorized: \*\*\*"\)\. /);
    assert.match(text, /at expect #1 \{"type":"welcome"\}/);
    assert.ok(!JSON.stringify(result).includes('secret-token'), 'masked');
  });

  test('nobody answers: no client is ready, exit 3 without any threshold', async () => {
    const { result, code, text } = await run({});
    assert.equal(code, 3);
    assert.deepEqual(sessionsOf(result).notReady, { 'timeout-message': 40 });
    assert.match(text, /none was ready, 40 waited in vain for expect #1 \{"type":"welcome"\}/);
    assert.match(text, /40: expect #1 \{"type":"welcome"\} was not answered within 1s/);
  });
});

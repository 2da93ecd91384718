/** What a run of the library leaves behind in the process that called it: nothing, and the process itself. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { UserError } from '#dist/errors.js';
import { planOf, run } from '#dist/index.js';
import { onRequest, pause, serve, switching } from '../unit/fire-raw.js';

const FDS = '/proc/self/fd';
const RUNS = 20;
/** Two threads are a moment apart when they end, so a leak of one now and then is seen too. */
const WORKERS = 2;

const open = (): number => readdirSync(FDS).length;

test(`${RUNS} runs leave no descriptor open`, { skip: existsSync(FDS) ? false : 'needs Linux' }, async () => {
  const server = await serve(onRequest((socket, request) => socket.end(switching(request))));
  try {
    const plan = planOf({ target: { url: server.url }, stages: [{ burst: 5 }], calibrate: false, workers: WORKERS });
    // What is opened once for good.
    await run(plan);
    const before = open();
    for (let i = 0; i < RUNS; i++) assert.equal((await run(plan)).totals.outcomes['101'], 5);
    for (let tries = 0; open() > before && tries < 200; tries++) await pause(10);
    assert.ok(open() <= before, `${open()} open, ${before} before`);
  } finally {
    await server.close();
  }
});

test('a public host is dialled with allowHosts of the options alone, and the refusal names that', async () => {
  // An address of 192.0.2.0/24 belongs to nobody (RFC 5737); the plan names it, which is no consent, and nothing is sent.
  const profile = { target: { url: 'ws://192.0.2.1/' }, stages: [{ burst: 1 }], allowHosts: ['192.0.2.1'] };
  const plan = planOf({ ...profile, preflight: false, calibrate: false });
  await assert.rejects(run(plan), (error: UserError) => {
    assert.deepEqual([error.code, error.exitCode], ['guard', 2]);
    assert.match(error.hint ?? '', /--allow-host 192\.0\.2\.1; .* \(in a program: allowHosts in the options of run\)$/);
    return true;
  });
  // Stopped before it begins: it passes the guard and sends nothing.
  const result = await run(plan, { allowHosts: ['192.0.2.1'], signal: AbortSignal.abort('the test') });
  assert.deepEqual([result.totals.attempted, result.bursts.length], [0, 0]);
});

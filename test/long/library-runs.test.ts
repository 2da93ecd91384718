/** What a run of the library leaves behind in the process that called it: nothing, and the process itself. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
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

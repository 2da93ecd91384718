/**
 * Storms against real stacks: a ws server behind nginx that is dropped as by a deploy, connections that nginx and
 * HAProxy cut for their silence, and a fragile service that some policies recover from and others do not: predicted
 * before, measured after.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Storm } from '#dist/result/storm.js';
import { labFor, resultOf, sum, wstampede } from '../cli.js';
import { freePorts, startDaemon } from '../gateways/child.js';
import { COMMANDS } from '../gateways/configs.js';
import { needsProgram } from '../needs.js';
import { stormServer } from '../storm-server.js';

/** How long the gateways let a silent connection live. */
const SILENCE_MS = 2000;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wst-storm-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const CONFIGS = {
  nginx: (
    folder: string,
    port: number,
    backend: number,
    silenceMs: number,
  ) => `worker_processes 1; daemon off; pid ${folder}/pid;
events { worker_connections 4096; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${backend};
      proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
      proxy_read_timeout ${silenceMs}ms;
    }
  }
}
`,
  haproxy: (_folder: string, port: number, backend: number, silenceMs: number) => `defaults
  mode http
  timeout connect 2s
  timeout client 20s
  timeout server 20s
  timeout tunnel ${silenceMs}ms
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server one 127.0.0.1:${backend}
`,
};

/** A gateway before the server at `url`; its own URL. */
async function before(t: TestContext, name: keyof typeof CONFIGS, url: string, silenceMs: number): Promise<string> {
  const folder = folderOf(t);
  const [port] = await freePorts(1);
  writeFileSync(join(folder, 'config'), CONFIGS[name](folder, port, Number(new URL(url).port), silenceMs));
  const daemon = await startDaemon(COMMANDS[name](folder), ['ignore', 'ignore', 'ignore'], [port], {
    complaints: () => name,
  });
  t.after(() => daemon.stop());
  return `ws://127.0.0.1:${port}/`;
}

function stormOf(result: { readonly storm: readonly Storm[] | null }): Storm {
  const [storm] = result.storm ?? [];
  assert.ok(storm !== undefined);
  return storm;
}

for (const transport of ['epoll', 'node']) {
  test(`a deploy behind nginx by --drop-by: refusals are 502s, and the server counts the same (${transport})`, async (t) => {
    if (!needsProgram(t, 'nginx')) return;
    const server = await stormServer({ awayMs: 1500 });
    t.after(() => server.close());
    const url = await before(t, 'nginx', server.url, 60_000);
    const ran = await wstampede([
      ...['storm', url, '-c', '100', '--open', '500ms', '--settle', '200ms', '--policy', 'y-websocket'],
      ...['--drop-by', `${process.execPath} -e "fetch('${server.dropUrl}')"`, '--window', '8s'],
      ...['--no-preflight', '--transport', transport, '--json', '--threshold', 'count(never) == 0'],
    ]);
    const result = resultOf(ran);
    const storm = stormOf(result);
    assert.deepEqual([storm.fleet, storm.dropped, server.dropped], [100, 100, 100]);
    assert.ok((storm.attempts['502'] ?? 0) >= 100, JSON.stringify(storm.attempts));
    assert.equal(100 + (storm.attempts['101'] ?? 0), server.opened);
    assert.deepEqual([sum(storm.ends), storm.dropsPerClient], [100, { mean: 1, max: 1 }]);
    assert.deepEqual(storm.never, { gaveUp: 0, stopped: 0, stillTrying: 0 });
  });
}

for (const gateway of ['nginx', 'haproxy'] as const) {
  test(`idle through ${gateway}: it cuts after its timeout, and the storm is that of the opening`, async (t) => {
    if (!needsProgram(t, gateway)) return;
    const server = await stormServer();
    t.after(() => server.close());
    const url = await before(t, gateway, server.url, SILENCE_MS);
    const ran = await wstampede([
      ...['storm', url, '-c', '60', '--open', '1s', '--settle', '0s', '--drop', 'idle:10s', '--policy', 'y-websocket'],
      ...['--window', '1500ms', '--no-preflight', '--json'],
    ]);
    const result = resultOf(ran);
    const storm = stormOf(result);
    assert.deepEqual([storm.fleet, storm.dropped], [60, 60]);
    // All were opened within a second, so they are cut within about one.
    assert.ok((storm.dropSpreadMs ?? 0) > 300, `${storm.dropSpreadMs}`);
    const { minMs, maxMs } = result.bursts[0].sessions?.ends?.fin ?? { minMs: 0, maxMs: 0 };
    assert.ok(minMs >= SILENCE_MS - 100, `${minMs} to ${maxMs}`);
    // At the end of the window some have come back to the server and do not know it yet.
    const { '101': opened = 0, aborted = 0 } = storm.attempts;
    assert.ok(server.opened >= 60 + opened && server.opened <= 60 + opened + aborted, JSON.stringify(storm.attempts));
  });
}

test('a fragile service: socket.io’s numbers recover, 4 s with a cap of 10 s does not, patience does', async (t) => {
  const target = await labFor(t, 'herd-fragile', { rate: 20 });
  const file = join(folderOf(t), 'herd.yaml');
  // The fleet needs 20 s of the service: as 5,000 clients before one of 250 a second.
  writeFileSync(
    file,
    `target: { url: "${target.url}" }
stages:
  - storm:
      clients: 400
      open: { over: 24s }
      settle: 1s
      drop: server
      window: 60s
      capacity: 20/s
      reconnect:
        - socket.io
        - { name: impatient, waits: { first: 1s, grow: 2, max: 10s }, timeout: 4s }
        - { name: patient, waits: { first: 1s, grow: 2, max: 20s, jitter: [0, 1] }, timeout: 30s }
    rest: 10s
`,
  );
  const dropUrl = `http://${new URL(target.url).host}/drop`;
  const drop = ['--drop-by', `${process.execPath} -e "fetch('${dropUrl}')"`];
  const result = resultOf(await wstampede(['run', file, ...drop, '--json'], { patienceMs: 480_000 }));
  const [socketIo, impatient, patient] = result.storm ?? [];
  assert.deepEqual(
    [socketIo, impatient, patient].map(({ bound }) => bound?.recovers),
    [true, false, true],
  );
  for (const storm of [socketIo, patient]) {
    assert.equal(storm.dropped, 400);
    assert.deepEqual(storm.never, { gaveUp: 0, stopped: 0, stillTrying: 0 }, storm.policy);
  }
  // Most are not back after three times as long as the service needs for all of them.
  assert.ok(impatient.never.stillTrying > 200, `${impatient.never.stillTrying}`);
  assert.ok(impatient.abandoned > 400, `${impatient.abandoned}`);
  if (impatient.validity.verdict !== 'invalid') {
    const found = result.diagnosis.find(({ cause }) => cause === 'retry-storm');
    assert.match(found?.remedy ?? '', /spread the first attempt over 20s/);
  }
});

/**
 * Exact against real gateways, many times over: nginx at three sizes over ws and wss, and HAProxy. Every single run must
 * agree with the gateway's access log; a table shows the splits.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { agreedBurst, type Counts } from '../gateways/agree.js';
import { eventually } from '../gateways/child.js';
import { logLines } from '../gateways/configs.js';
import { type Gateway, SERVICE_MS, startHaproxy, startNginx, TIMEOUT_MS } from '../gateways/gateway.js';
import { startStack } from '../gateways/stack.js';
import { needsProgram } from '../needs.js';

const SIZES = [50, 500, 2000];
const RUNS = 8;
const SECURE_RUNS = 3;

/** Every burst throws where the two do not agree, so a row that is printed says `runs of runs`. */
async function rows(t: TestContext, gateway: Gateway, sizes: readonly number[], runs: number, secure: boolean) {
  for (const size of sizes) {
    const all: Counts[] = [];
    for (let run = 0; run < runs; run += 1) {
      // A preflight's handshakes are in the log as well, and counted apart.
      all.push(await agreedBurst(gateway, size, { secure, preflight: run % 2 === 1 }));
    }
    const statuses = [...new Set(all.flatMap((counts) => Object.keys(counts)))].sort();
    const spans = statuses.map((status) => `${status}: ${span(all.map((counts) => counts[status] ?? 0))}`);
    t.diagnostic(
      `${secure ? 'wss' : 'ws '} ${`${size}`.padStart(5)}  ${all.length} of ${runs} equal  ${spans.join('  ')}`,
    );
  }
}

function span(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? `${low}` : `${low}-${high}`;
}

test(`nginx over ws: ${SIZES.join(', ')}, ${RUNS} runs each`, async (t) => {
  if (!needsProgram(t, 'nginx')) return;
  const gateway = await startNginx();
  try {
    await rows(t, gateway, SIZES, RUNS, false);
  } finally {
    await gateway.stop();
  }
});

test(`nginx over wss: ${SIZES.join(', ')}, ${SECURE_RUNS} runs each`, async (t) => {
  if (!needsProgram(t, 'nginx')) return;
  const gateway = await startNginx();
  try {
    await rows(t, gateway, SIZES, SECURE_RUNS, true);
  } finally {
    await gateway.stop();
  }
});

test('haproxy: 50 and 500, ws and wss, 504s by its server timeout', async (t) => {
  if (!needsProgram(t, 'haproxy')) return;
  const gateway = await startHaproxy();
  try {
    await rows(t, gateway, [50, 500], SECURE_RUNS, false);
    await rows(t, gateway, [500], 2, true);
  } finally {
    await gateway.stop();
  }
});

test('a gateway is waited for from ports that no burst is given', async (t) => {
  if (!needsProgram(t, 'haproxy')) return;
  const stack = await startStack({
    gateway: 'haproxy',
    settings: { readMs: TIMEOUT_MS, connectMs: 5000 },
    backend: { kind: 'serial', serviceMs: SERVICE_MS },
  });
  try {
    const lines = () => logLines('haproxy', readFileSync(`${stack.folder}/access.log`, 'utf8'));
    // Of a probe without TLS HAProxy has a line, a bad request.
    const logged = await eventually(() => lines()[0] ?? null);
    const [first] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t');
    assert.equal(logged?.status, '400');
    assert.ok(logged.port < Number(first), `${logged.port} is an ephemeral port`);
  } finally {
    await stack.stop();
  }
});

/**
 * Counts that a real nginx confirms: bursts through it at a backend that serves one upgrade in 5 ms, with a read timeout
 * of 1 s, against its own access log. What the split is depends on the machine; that both say the same does not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreedBurst } from '../gateways/agree.js';
import { startNginx } from '../gateways/gateway.js';
import { needsProgram } from '../needs.js';

test('nginx: 101s, 504s and 502s by number and by port as in its access log', async (t) => {
  if (!needsProgram(t, 'nginx')) return;
  const gateway = await startNginx();
  try {
    for (const size of [50, 500]) {
      for (const preflight of [false, true]) {
        const counts = await agreedBurst(gateway, size, { preflight });
        t.diagnostic(`ws, ${size}: ${JSON.stringify(counts)}`);
        assert.ok((counts['101'] ?? 0) > 0);
        // 500 of 5 ms each are 2.5 s of work for a gateway that waits 1 s.
        assert.equal((counts['504'] ?? 0) > 0, size === 500);
      }
    }
    const atGate = await agreedBurst(gateway, 500, { gate: 'upgrade' });
    t.diagnostic(`ws, 500, gate upgrade: ${JSON.stringify(atGate)}`);
    const secure = await agreedBurst(gateway, 500, { secure: true, gate: 'upgrade' });
    t.diagnostic(`wss, 500, gate upgrade: ${JSON.stringify(secure)}`);
    await gateway.stopBackends();
    assert.deepEqual(await agreedBurst(gateway, 500), { '502': 500 }, 'nobody behind nginx');
  } finally {
    await gateway.stop();
  }
});

test('nginx before a backend that works for the dead: a burst spoils the next, and the log agrees', async (t) => {
  if (!needsProgram(t, 'nginx')) return;
  const gateway = await startNginx({ servesDead: true });
  try {
    const first = await agreedBurst(gateway, 1500);
    const second = await agreedBurst(gateway, 50);
    t.diagnostic(`${JSON.stringify(first)}, then ${JSON.stringify(second)}`);
    assert.ok((first['101'] ?? 0) > 0);
    // Of 7.5 s of work most is left when the second burst comes, 2 to 3 s after the first.
    assert.deepEqual(second, { '504': 50 }, 'the dead came first');
  } finally {
    await gateway.stop();
  }
});

/** The tests' own backend tells how long its upgrades took; what it tells is a truth that others are judged by. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { serialQueue } from '../gateways/backend-queues.js';
import { pause } from '../gateways/child.js';

const SERVICE_MS = 10;

test('a pause after clients that are gone is no service', async () => {
  const queue = serialQueue(SERVICE_MS, false, false);
  let served = 0;
  const burst = (alive: number, gone: number): void => {
    for (let i = 0; i < alive + gone; i += 1) {
      const socket = new PassThrough();
      if (i >= alive) socket.destroy();
      queue.add({
        socket,
        grant: () => {
          served += 1;
        },
      });
    }
  };
  burst(5, 3);
  await pause(500);
  burst(5, 0);
  await pause(200);
  assert.equal(served, 10);
  const measured = queue.measured() ?? 0;
  // Eight gaps; with the pause among them their mean would be over 50 ms.
  // A machine that stood still serves what it missed at once: no lower bound but 0.
  assert.ok(measured > 0 && measured < 3 * SERVICE_MS, `${measured}`);
});

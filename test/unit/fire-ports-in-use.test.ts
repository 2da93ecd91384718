/** Local ports that are taken already count against a burst, whoever holds them and in whatever state. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { readMachine } from '#dist/engine/machine/machine.js';
import { unmetNeeds } from '#dist/engine/run/machine-needs.js';
import { type Machine, portsPerSource } from '#dist/plan/machine-facts.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { freePorts } from '../gateways/child.js';

const HOST = '127.0.0.57';
const OPEN = 50;

test('ports in use towards the target are found among all sockets of the machine', async () => {
  const [port] = await freePorts(1);
  const server = createServer().listen(port, HOST);
  await once(server, 'listening');
  const sockets = Array.from({ length: OPEN }, () => connect({ host: HOST, port, autoSelectFamily: false }));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  try {
    // Nothing but ports can be short.
    const machine: Machine = { ...readMachine(), fds: null, memoryFree: null };
    const most = portsPerSource(machine);
    const needs = (burst: number) => {
      const plan = compilePlan(checkProfile({ target: { url: `ws://${HOST}:${port}` }, stages: [{ burst }] }, 'test'));
      return unmetNeeds(plan, machine, 1, [{ address: HOST, port, family: 4 }]);
    };
    assert.deepEqual(needs(most - OPEN), []);
    const [reason, ...others] = needs(most);
    assert.deepEqual(others, []);
    assert.match(reason, /, 50 in use\)/);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

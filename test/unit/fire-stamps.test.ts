import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { now } from '#dist/engine/machine/clock.js';
import { Stamps } from '#dist/engine/transport/stamps.js';
import { anyHost, anyPort, pause } from './fire-raw.js';

/**
 * Writes 8 bytes at times of its own choosing: its clock before the write. On loopback the receiver's kernel has them when
 * the write returns, and that moment is kept too.
 */
const SENDER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const net = require('node:net');
  import(workerData.clock).then(({ now }) => {
    const socket = net.connect({ host: workerData.host, port: workerData.port, noDelay: true });
    const after = [];
    let left = workerData.writes;
    const write = () => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(now());
      socket.write(bytes);
      after.push(now());
      if (--left > 0) setTimeout(write, Math.random() * 6);
      else { parentPort.postMessage(after); socket.end(); }
    };
    // Not before it was accepted: what is sent earlier was there in a poll that did not watch it yet.
    socket.once('data', write);
  });`;

test('the true arrival lies between lower and upper bound, always, in a loop that is busy, idle and between', async () => {
  const stamps = new Stamps();
  const seen: { before: number; lower: number; upper: number }[] = [];
  const server = net.createServer((socket) => {
    let rest = Buffer.alloc(0);
    socket.write('go');
    socket.on('data', (chunk) => {
      const upper = now();
      stamps.touch(upper);
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= 8; rest = rest.subarray(8)) {
        seen.push({ before: rest.readDoubleBE(0), lower: stamps.lower, upper });
      }
    });
  });
  const host = anyHost();
  server.listen(anyPort(), host);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  stamps.start();
  const clock = new URL('../../../dist/engine/machine/clock.js', import.meta.url).href;
  const worker = new Worker(SENDER, { eval: true, workerData: { host, port, clock, writes: 300 } });
  let isOver = false;
  const done = once(worker, 'message').then(([after]) => {
    isOver = true;
    return after as number[];
  });
  // Work in timers, in immediates and in microtasks, of up to 8 ms, with pauses long enough to fall asleep.
  const spin = (ms: number) => {
    const until = now() + ms;
    while (now() < until);
  };
  let longestTurnMs = 0;
  while (!isOver) {
    const begun = now();
    spin(Math.random() * 8);
    await new Promise((resolve) => setImmediate(resolve));
    spin(Math.random() * 3);
    await pause(Math.random() * 12);
    longestTurnMs = Math.max(longestTurnMs, now() - begun);
  }
  const after = await done;
  while (seen.length < 300) await pause(5);
  stamps.stop();
  server.close();
  await worker.terminate();
  assert.equal(seen.length, 300);
  seen.forEach(({ before, lower, upper }, i) => {
    assert.ok(lower <= upper, `${i}: ${lower} > ${upper}`);
    // Two threads read one clock through bases of their own, measured to some µs.
    assert.ok(lower <= (after[i] ?? 0) + 0.1, `${i}: not before ${lower}, but sent by ${after[i]}`);
    assert.ok(upper >= before - 0.1, `${i}: seen at ${upper}, sent after ${before}`);
  });
  // A bound that says nothing would pass all of the above: half of them are no wider than the loop was ever busy at once.
  const widths = seen.map(({ lower, upper }) => upper - lower).sort((a, b) => a - b);
  assert.ok(widths[150] <= 2 * longestTurnMs, `median width ${widths[150]} ms, longest turn ${longestTurnMs} ms`);
  assert.ok(stamps.longestGapMs > 1, 'spins are seen as gaps');
});

test('stamps that were stopped keep no process alive and hold their last bound', async () => {
  const stamps = new Stamps();
  stamps.start();
  await pause(20);
  stamps.stop();
  const { lower } = stamps;
  await pause(20);
  assert.equal(stamps.lower, lower);
  assert.ok(lower <= now());
});

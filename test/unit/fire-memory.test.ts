import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { anyHost, anyPort, type Fired, type FireOptions, fire } from './fire-raw.js';
import { buffersKept } from './kept-buffers.js';

const KIB = 1024;
const MIB = KIB * KIB;

/** Fires at a target in a process of its own, whose memory is none of ours; `answer` is its code, with the socket as `c`. */
async function fireAtProcess(answer: string, options: FireOptions): Promise<Fired> {
  const [host, port] = [anyHost(), anyPort()];
  const source = `require('net').createServer((c) => {
      c.on('error', () => {});
      c.once('data', () => { ${answer} });
    }).listen({ host: '${host}', port: ${port}, backlog: 4096 }, () => require('fs').writeSync(1, 'up'));`;
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  try {
    await once(child.stdout, 'data');
    return await fire(`ws://${host}:${port}/`, options);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

test('a head of 10 MiB, to each of 200 attempts, costs its 64 KiB and no more', async () => {
  const head = `c.write('HTTP/1.1 200 OK\\r\\nX: '); const part = Buffer.alloc(1 << 16, 97); let left = 160;
    const more = () => { while (left-- > 0) if (!c.write(part)) return c.once('drain', more); }; more();`;
  await fireAtProcess(head, { n: 20 });
  const before = buffersKept();
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 5);
  const start = process.memoryUsage().rss;
  const { outcomes } = await fireAtProcess(head, { n: 200 });
  clearInterval(watch);
  assert.deepEqual(outcomes, { malformed: 200 });
  // 200 times 64 KiB are 13 MiB; copies that wait for a collection come on top. 2,000 MiB were sent.
  assert.ok(peak - start < 100 * MIB, `grew by ${(peak - start) / MIB} MiB`);
  assert.ok(buffersKept() - before < MIB, 'nothing is kept afterwards');
});

test('half a head is kept in at most 64 KiB an attempt, while all 200 wait for the rest', async () => {
  for (const size of [100, 5000, 40_000, 65_000]) {
    const half = `c.write(Buffer.from('HTTP/1.1 200 OK\\r\\nX: '.padEnd(${size}, 'a')));`;
    const before = buffersKept();
    let kept = 0;
    const measure = () =>
      setTimeout(() => {
        kept = (buffersKept() - before) / 200;
      }, 500);
    const { outcomes, details } = await fireAtProcess(half, { n: 200, timeoutMs: 800, released: measure });
    assert.deepEqual(outcomes, { 'timeout-upgrade': 200 }, JSON.stringify(details));
    // Columns and the read buffer that all share are a few hundred bytes an attempt.
    assert.ok(kept >= size && kept <= 64 * KIB + KIB, `${size} bytes: ${kept} kept`);
    assert.ok(kept <= 2 * size + 2 * KIB, `${size} bytes: ${kept} kept`);
  }
});

test('interim answers without end cost their 64 KiB', async () => {
  const forever = `const part = Buffer.from('HTTP/1.1 102 Processing\\r\\n\\r\\n'.repeat(2000));
    const more = () => { while (c.write(part)); c.once('drain', more); }; more();`;
  const { outcomes } = await fireAtProcess(forever, { n: 50 });
  assert.deepEqual(outcomes, { malformed: 50 });
});

test('a body without end is read no further than its sample', async () => {
  const answer = `c.write('HTTP/1.1 200 No\\r\\n\\r\\n'); const part = Buffer.alloc(1 << 16, 97);
    const more = () => { while (c.write(part)); c.once('drain', more); }; more();`;
  const before = buffersKept();
  const { outcomes } = await fireAtProcess(answer, { n: 100 });
  assert.deepEqual(outcomes, { '200': 100 });
  assert.ok(buffersKept() - before < MIB);
});

/** What a target does after its 101, from the raw socket to the sentence: the counts are the server's own. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { resultOf, wstampede } from '../cli.js';
import { onRequest, serve, switching } from '../unit/fire-raw.js';

/** A close frame as a server sends it (RFC 6455 section 5.5.1). */
function closeFrame(code: number, reason: string): Buffer {
  const body = Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason)]);
  return Buffer.concat([Buffer.of(0x88, body.length), body]);
}

const counts = (ends: Readonly<Record<string, number>>) => Object.values(ends).reduce((sum, count) => sum + count, 0);

for (const transport of ['epoll', 'node']) {
  test(`burst and churn count a rejection after the 101 as the server does (${transport})`, async (t) => {
    let closed = 0;
    const server = await serve(
      onRequest((socket, request) => {
        socket.on('error', () => {});
        socket.on('data', () => socket.end());
        socket.write(switching(request));
        closed++;
        socket.write(closeFrame(4401, 'token expired'));
      }),
    );
    t.after(() => server.close());
    const common = ['--no-calibrate', '--no-preflight', '--transport', transport, '-t', '20s', '--json'];
    const burst = resultOf(
      await wstampede([
        ...['burst', server.url, '-c', '40', '--hold', '300ms', ...common],
        ...['--threshold', 'share(101) >= 99%', '--threshold', 'share(close:4401) < 1%'],
      ]),
    );
    assert.deepEqual(burst.totals.outcomes, { 101: 40 });
    assert.deepEqual([burst.totals.sessions?.cut, burst.totals.lostWhileHeld], [{ 4401: closed }, closed]);
    assert.equal(burst.totals.sessions?.ends?.['4401']?.reason, 'token expired');
    assert.deepEqual([burst.thresholds.map(({ ok }) => ok), burst.exitCode], [[true, false], 3]);
    assert.equal(burst.diagnosis[0]?.cause, 'rejected-after-accept');
    closed = 0;
    const churn = resultOf(
      await wstampede(['churn', server.url, '-n', '300', '-c', '10', '--close', 'clean', ...common]),
    );
    const { cut = {}, closed: fromHere = {} } = churn.totals.sessions ?? {};
    assert.deepEqual([churn.totals.outcomes, counts(cut) + counts(fromHere)], [{ 101: 300 }, closed]);
    assert.deepEqual([cut, churn.totals.lostWhileHeld], [{ 4401: 300 }, 300]);
  });
}

test('check: code, reason and the first message are told; Origin that decides after the 101 is the cause', async (t) => {
  const server = await serve(
    onRequest((socket, request) => {
      socket.on('error', () => {});
      socket.write(switching(request));
      socket.write(Buffer.concat([Buffer.of(0x81, 5), Buffer.from('hello')]));
      if (!/^Origin: http:/m.test(request)) socket.write(closeFrame(1008, 'origin not allowed'));
    }),
  );
  t.after(() => server.close());
  const { check, diagnosis, exitCode } = resultOf(await wstampede(['check', server.url, '-t', '2s', '--json']));
  assert.equal(exitCode, 3);
  assert.deepEqual([check?.ended?.by, check?.ended?.said], ['close-frame 1008', 'origin not allowed']);
  assert.deepEqual(check?.received, { is: 'text', text: 'hello' });
  assert.equal(check?.probes.find(({ id }) => id === 'own-origin')?.ended, null);
  assert.equal(diagnosis[0]?.cause, 'origin-refused');
});

test('check: bytes after the 101 that are no frames are shown', async (t) => {
  const server = await serve(
    onRequest((socket, request) => {
      socket.on('error', () => {});
      socket.end(`${switching(request)}HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n`);
    }),
  );
  t.after(() => server.close());
  const { check, diagnosis } = resultOf(await wstampede(['check', server.url, '-t', '2s', '--no-probes', '--json']));
  assert.equal(check?.ended?.by, 'broken frame');
  assert.match(check?.ended?.said ?? '', /^HTTP\/1\.1 400 Bad Request Connection: close$/);
  assert.equal(diagnosis[0]?.cause, 'two-servers-answered');
});

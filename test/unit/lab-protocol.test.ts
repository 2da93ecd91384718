/** The parts of the lab that read and write the protocol, and the schedule, byte by byte and µs by µs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptOf,
  HEAD_LIMIT_BYTES,
  parseRequest,
  RequestHeadReader,
  upgradeProblem,
} from '#dist/lab/server/request-head.js';
import { capacity, RateLimit, SharedCpu, UpgradeQueue } from '#dist/lab/server/schedule.js';
import { readSettings } from '#dist/lab/server/target-options.js';
import { TunnelReader } from '#dist/lab/server/tunnel.js';

const GOOD =
  'GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, WebSocket\r\nConnection: keep-alive, Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

function frame(opcode: number, payload: Buffer, masked = true): Buffer {
  const mask = Buffer.of(1, 2, 3, 4);
  const bit = masked ? 0x80 : 0;
  const size =
    payload.length < 126
      ? Buffer.of(bit | payload.length)
      : payload.length < 65_536
        ? Buffer.of(bit | 126, payload.length >> 8, payload.length & 0xff)
        : Buffer.concat([
            Buffer.of(bit | 127, 0, 0, 0, 0, 0),
            Buffer.of(payload.length >> 16, (payload.length >> 8) & 0xff, payload.length & 0xff),
          ]);
  const body = masked ? payload.map((byte, i) => byte ^ mask[i % 4]) : payload;
  return Buffer.concat([Buffer.of(0x80 | opcode), size, masked ? mask : Buffer.alloc(0), body]);
}

function read(bytes: Buffer, step: number): { sent: string[]; last: string | null } {
  const sent: string[] = [];
  let last: string | null = null;
  const reader = new TunnelReader(
    (one) => sent.push(one.toString('hex')),
    (one) => {
      assert.equal(last, null, 'finished twice');
      last = one.toString('hex');
    },
    () => {},
  );
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
  return { sent, last };
}

test('frames: pings are answered, data is skipped, a close frame is returned with its code, however they are cut', () => {
  const bytes = Buffer.concat([
    frame(0x9, Buffer.from('hi')),
    frame(0x1, Buffer.alloc(3, 'x')),
    frame(0x2, Buffer.alloc(300, 0x89)),
    frame(0x2, Buffer.alloc(70_000, 0x89)),
    frame(0xa, Buffer.from('unasked')),
    frame(0x9, Buffer.alloc(125, 'y')),
    frame(0x9, Buffer.alloc(0)),
    frame(0x8, Buffer.concat([Buffer.of(0x03, 0xe8), Buffer.from('bye')])),
    frame(0x9, Buffer.from('after the end')),
  ]);
  const pongs = ['8a026869', `8a7d${'79'.repeat(125)}`, '8a00'];
  for (const step of [1, 2, 7, 138, 139, 140, 4096, bytes.length]) {
    assert.deepEqual(read(bytes, step), { sent: pongs, last: '880203e8' }, `cut by ${step}`);
  }
});

test('frames: a close without a code, an unmasked frame, a long or fragmented control frame', () => {
  assert.deepEqual(read(frame(0x8, Buffer.alloc(0)), 99), { sent: [], last: '8800' });
  assert.deepEqual(read(frame(0x9, Buffer.from('a'), false), 99), { sent: [], last: '880203ea' });
  assert.deepEqual(read(frame(0x9, Buffer.alloc(126)), 999), { sent: [], last: '880203ea' });
  assert.deepEqual(read(Buffer.of(0x09, 0x80, 0, 0, 0, 0), 99), { sent: [], last: '880203ea' });
});

test('a head ends at its empty line, however it is cut, and the rest is kept', () => {
  const bytes = Buffer.from(`${GOOD}rest\r\n\r\n`);
  for (let cut = 1; cut < GOOD.length; cut += 1) {
    const reader = new RequestHeadReader();
    assert.equal(reader.push(bytes.subarray(0, cut)), null);
    const done = reader.push(bytes.subarray(cut));
    assert.ok(done !== null && done !== 'too-long');
    assert.equal(done.head.toString(), GOOD);
    assert.equal(done.rest.toString(), 'rest\r\n\r\n');
  }
  const tricky = new RequestHeadReader().push(Buffer.from('a\r\r\n\r\r\n\r\nb'));
  assert.ok(tricky !== null && tricky !== 'too-long');
  assert.equal(tricky.rest.toString(), 'b');
});

test('a head over the limit is refused, one at the limit is not', () => {
  const fill = (size: number): Buffer => Buffer.concat([Buffer.alloc(size - 4, 'a'), Buffer.from('\r\n\r\n')]);
  assert.equal(new RequestHeadReader().push(fill(HEAD_LIMIT_BYTES + 1)), 'too-long');
  assert.notEqual(new RequestHeadReader().push(fill(HEAD_LIMIT_BYTES)), 'too-long');
  const reader = new RequestHeadReader();
  for (let i = 0; i < 64; i += 1) assert.equal(reader.push(Buffer.alloc(1024, 'a')), null);
  assert.equal(reader.push(Buffer.from('a')), 'too-long');
});

test('the accept of RFC 6455 section 1.3, and what makes a request no opening handshake', () => {
  assert.equal(acceptOf('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  const problem = (from: string | RegExp, to: string): string | null =>
    upgradeProblem(parseRequest(Buffer.from(GOOD.replace(from, to))));
  assert.equal(problem('', ''), null);
  assert.match(problem('GET', 'POST') ?? '', /method/);
  assert.match(problem('HTTP/1.1', 'HTTP/1.0') ?? '', /version/);
  assert.match(problem('Host', 'Hast') ?? '', /Host/);
  assert.match(problem('WebSocket', 'xwebsocket') ?? '', /Upgrade/);
  assert.match(problem(', Upgrade', '') ?? '', /Connection/);
  assert.match(problem('13', '8') ?? '', /Version/);
  assert.match(problem('dGhl', '') ?? '', /Key/);
});

function serial(serviceMs: number, timeoutMs: number, togetherMs: number): UpgradeQueue {
  return new UpgradeQueue({ serviceMs, width: 1, worksForDead: false }, timeoutMs, togetherMs);
}

function verdicts(queue: UpgradeQueue, arrivals: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const at of arrivals) {
    const { status } = queue.admit(at);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

test('schedule: a burst gets min(N, T/S), whatever its spread and its gaps', () => {
  for (const spread of [0, 1, 37, 150]) {
    const at = Array.from({ length: 1000 }, (_, i) => 5_000_000 + i * spread);
    assert.deepEqual(verdicts(serial(5, 1000, 500), at), { 101: 200, 504: 800 }, `spread ${spread}`);
    assert.deepEqual(verdicts(serial(5, 1000, 500), at.slice(0, 200)), { 101: 200 });
  }
  // The second client comes after the first was served: still one burst.
  const gap = [0, ...Array.from({ length: 999 }, () => 40_000)];
  assert.deepEqual(verdicts(serial(5, 1000, 500), gap), { 101: 200, 504: 800 });
  assert.equal(capacity(5, 1000), 200);
  assert.equal(capacity(0.3, 1), 3);
  assert.equal(capacity(7, 5), 0);
});

test('schedule: the k-th is due at k·S on an absolute schedule, a 504 T after its own arrival, each in order', () => {
  const queue = serial(10, 300, 500);
  const due = Array.from({ length: 60 }, (_, i) => queue.admit(1000 + i));
  due.slice(0, 30).forEach((admission, k) => {
    assert.equal(admission.status, '101');
    assert.equal(admission.dueUs, Math.max(1000 + (k + 1) * 10_000, 1000 + k + 10_000));
  });
  due.slice(30).forEach((admission, k) => {
    assert.equal(admission.status, '504');
    assert.equal(admission.dueUs, 1000 + 30 + k + 300_000);
  });
});

test('schedule: a drained queue owes the next burst nothing', () => {
  const queue = serial(10, 300, 500);
  const now = (at: number): readonly number[] => Array.from({ length: 60 }, () => at);
  assert.deepEqual(verdicts(queue, now(0)), { 101: 30, 504: 30 });
  assert.deepEqual(verdicts(queue, now(301_000)), { 101: 30, 504: 30 });
  // Half of the work is left when the third comes: half of the room is.
  assert.deepEqual(verdicts(queue, now(301_000 + 150_001 + 150_000)), { 101: 30, 504: 30 });
  const half = serial(10, 300, 1);
  assert.deepEqual(verdicts(half, now(0)), { 101: 30, 504: 30 });
  assert.deepEqual(verdicts(half, now(150_000)), { 101: 15, 504: 45 });
});

test('schedule: who leaves ends the group, so clients one after another are each judged alone', () => {
  const queue = serial(5, 100, 500);
  let now = 0;
  for (let i = 0; i < 100; i += 1) {
    const admission = queue.admit(now);
    assert.equal(admission.status, '101');
    now = admission.dueUs + 100;
    queue.clientLeft();
  }
  assert.deepEqual(
    verdicts(
      queue,
      Array.from({ length: 40 }, () => now),
    ),
    { 101: 20, 504: 20 },
  );
  // A closed loop with less in flight than T/S never sees a 504.
  const loop = serial(5, 100, 500);
  const flying = Array.from({ length: 15 }, () => loop.admit(0));
  for (let i = 0; i < 500; i += 1) {
    const first = flying.shift();
    assert.ok(first);
    assert.equal(first.status, '101');
    loop.clientLeft();
    flying.push(loop.admit(first.dueUs));
  }
});

test('schedule: C at a time come in steps of D, C·floor(T/D) of them', () => {
  const at = Array.from({ length: 100 }, (_, i) => 1000 + i * 200);
  const queue = new UpgradeQueue({ serviceMs: 100, width: 7, worksForDead: false }, 350, 500);
  const due = at.map((now) => queue.admit(now));
  due.slice(0, 21).forEach(({ status, dueUs }, k) => {
    assert.equal(status, '101');
    const step = Math.floor(k / 7) + 1;
    assert.equal(dueUs, Math.max(1000 + step * 100_000, at[k] + 100_000));
  });
  assert.ok(due.slice(21).every(({ status }, k) => status === '504' && due[k + 21].dueUs === at[k + 21] + 350_000));
  assert.equal(capacity(100, 350, 7), 21);
  const unbounded = (timeout: number): UpgradeQueue =>
    new UpgradeQueue({ serviceMs: 100, width: 0, worksForDead: false }, timeout, 500);
  assert.deepEqual(verdicts(unbounded(350), at), { 101: 100 });
  assert.deepEqual(verdicts(unbounded(99), at), { 504: 100 });
  assert.equal(capacity(100, 350, 0), Number.POSITIVE_INFINITY);
  assert.equal(capacity(100, 99, 0), 0);
});

test('schedule: a backend that works for the dead lets the next wait until N·S − T, one that skips them does not', () => {
  const now = (at: number, n: number): readonly number[] => Array.from({ length: n }, () => at);
  for (const worksForDead of [true, false]) {
    const queue = new UpgradeQueue({ serviceMs: 10, width: 1, worksForDead }, 300, 1);
    // 1 s of work for 100, of which 30 are in time.
    assert.deepEqual(verdicts(queue, now(0, 100)), { 101: 30, 504: 70 });
    const left = worksForDead ? 500_000 : 0;
    if (worksForDead) assert.deepEqual(verdicts(queue, [500_000]), { 504: 1 }, 'the probe adds its own work');
    // N·S − T = 700 ms, and 10 ms for the probe.
    const { status, dueUs } = queue.admit(711_000 + 10_000);
    assert.equal(status, '101');
    assert.equal(dueUs, left === 0 ? 731_000 : 1_020_000);
  }
});

test('schedule: a rate limit lets b + 1 of a burst in, and b + r·t of a stream', () => {
  const burst = (limit: RateLimit, at: readonly number[]): number => at.filter((now) => limit.admits(now)).length;
  const spread = Array.from({ length: 100 }, (_, i) => i * 900);
  assert.equal(burst(new RateLimit(10, 20, 100), spread), 21);
  assert.equal(burst(new RateLimit(0, 20, 0), spread), 21);
  // Oracle: 200 at 100/s through b = 20, r = 50/s let 120 in; one more or less is the first instant's.
  const stream = Array.from({ length: 200 }, (_, i) => i * 10_000);
  const admitted = burst(new RateLimit(50, 20, 20), stream);
  assert.ok(admitted >= 118 && admitted <= 121, `${admitted}`);
  const limit = new RateLimit(10, 20, 100);
  assert.equal(burst(limit, spread), 21);
  limit.clientLeft();
  assert.equal(
    burst(
      limit,
      spread.map((at) => at + 1_000_000),
    ),
    10,
  );
});

test('schedule: a CPU that is shared has all who came together done at k·S', () => {
  const cpu = new SharedCpu(4);
  assert.deepEqual([cpu.arrive(1000), cpu.arrive(1500), cpu.arrive(4000)], [5000, 9000, 13_000]);
  assert.equal(cpu.dueUs, 13_000);
  cpu.done();
  assert.equal(cpu.arrive(50_000), 54_000);
});

test('settings: defaults, units, and every problem at once', () => {
  const options = [
    { name: 'max', type: 'count', choices: [], default: 5, help: '' },
    { name: 'wait', type: 'duration', choices: [], default: '1s', help: '' },
    { name: 'answer', type: 'choice', choices: ['a', 'b'], default: 'a', help: '' },
    { name: 'tls', type: 'switch', choices: [], default: false, help: '' },
    { name: 'log', type: 'text', choices: [], default: null, help: '' },
  ] as const;
  assert.deepEqual(readSettings('x', options, {}), { max: 5, wait: 1000, answer: 'a', tls: false, log: null });
  const given = { max: '7', wait: '2m', answer: 'b', tls: 'true', log: 'f' };
  assert.deepEqual(readSettings('x', options, given), { max: 7, wait: 120_000, answer: 'b', tls: true, log: 'f' });
  for (const [wait, ms] of [
    ['250us', 0.25],
    ['5ms', 5],
    [1.5, 1.5],
    ['0.2s', 200],
  ] as const) {
    assert.equal(readSettings('x', options, { wait }).wait, ms);
  }
  const wrong = { max: -1, wait: '0s', answer: 'c', tls: 'maybe', log: '', mux: 1 };
  assert.throws(
    () => readSettings('x', options, wrong, (word) => (word === 'mux' ? 'max' : null)),
    (error: Error) => {
      for (const name of ['max', 'wait', 'answer', 'tls', 'log'])
        assert.match(error.message, new RegExp(`x --${name}: expected`));
      assert.match(error.message, /no option --mux \(did you mean --max\?\)/);
      return true;
    },
  );
});

/**
 * What stands between the transport `epoll` and the kernel: memory whose edges are watched, layouts that are tried before
 * they are relied on, and the choice of a transport with its reason in a sentence.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseTransport } from '#dist/engine/run/choose-transport.js';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import { selfTest } from '#dist/engine/transport/epoll/self-test.js';
import { Kernel } from '#dist/engine/transport/epoll/system-calls.js';
import { UserError } from '#dist/errors.js';
import { planOf } from '#dist/index.js';
import { LAYOUTS } from '#dist/native/layouts.js';
import { loadLibc } from '#dist/native/libc.js';
import { NativeMemory } from '#dist/native/native-memory.js';
import { withoutEpoll } from '../needs.js';

/** Blocks, and what lies between them, where no native code is. */
function memoryOf(bytes: number): NativeMemory {
  return new NativeMemory(bytes, () => 4096n);
}

describe('native memory', () => {
  test('blocks are zeroed, aligned to 64 bytes and apart; their addresses are those of their bytes', () => {
    const memory = memoryOf(4096);
    const blocks = [memory.block('a', 1), memory.block('b', 64), memory.block('c', 65), memory.block('d', 12)];
    let end = 0;
    for (const { address, offset, bytes } of blocks) {
      assert.equal(address, 4096 + offset);
      assert.equal(offset % 64, 0);
      assert.ok(offset - end >= 64, 'a guard before each');
      assert.ok(bytes.every((byte) => byte === 0));
      end = offset + bytes.length;
    }
    assert.equal(memory.damaged(), null);
    for (const { bytes } of blocks) bytes.fill(0xff);
    assert.equal(memory.damaged(), null, 'a block may be filled to its end');
  });

  test('a byte before, behind and far behind a block is found, with the name of the block', () => {
    const size = 20;
    for (const past of [-1, size, size + 1, size + 63]) {
      const memory = memoryOf(1024);
      const block = memory.block('epoll_event', size);
      memory.view.setUint8(block.offset + past, 0);
      assert.equal(memory.damaged(), 'epoll_event', `${past} bytes from its beginning`);
    }
    const memory = memoryOf(1024);
    memory.block('first', size);
    const second = memory.block('second', size);
    memory.view.setUint8(second.offset + size, 1);
    assert.equal(memory.damaged(), 'second');
  });

  test('what does not fit is refused by its name, the guard behind it included', () => {
    const memory = memoryOf(512);
    memory.block('fits', 64);
    assert.throws(() => memory.block('too large', 512), /RangeError: no native memory left for too large/);
    assert.throws(() => memory.block('no guard', 512 - 192), RangeError);
    memory.block('the rest', 512 - 192 - 64);
  });

  test('memory without an address is no memory', () => {
    assert.throws(() => new NativeMemory(1024, () => 0n), /no address/);
    assert.throws(() => new NativeMemory(1024, () => 2n ** 60n), /no address/);
  });
});

const opened = await openKernel(`${process.platform}-${process.arch}`);
const trouble = typeof opened === 'string' ? opened : selfTest(opened);

describe('the self-test', { skip: withoutEpoll(trouble) }, () => {
  test('passes again and again, leaves nothing open and no byte beside a block', async () => {
    const kernel = opened as Kernel;
    const before = await descriptors();
    for (let i = 0; i < 20; i++) assert.equal(selfTest(kernel), null);
    assert.equal(await descriptors(), before);
    assert.equal(kernel.damaged(), null);
  });

  test('takes less than 30 ms', () => {
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      selfTest(opened as Kernel);
      return performance.now() - start;
    });
    // The least: a busy machine is none of its cost.
    assert.ok(Math.min(...times) < 30, `${Math.min(...times)} ms`);
  });

  test('a wrong layout of epoll_event is told in a sentence, not relied on', async () => {
    for (const epollEvent of [
      { size: 12, data: 8 },
      { size: 16, data: 8 },
      { size: 12, data: 4 },
      { size: 8, data: 0 },
    ]) {
      const right = LAYOUTS[process.arch].epollEvent;
      if (epollEvent.size === right.size && epollEvent.data === right.data) continue;
      const kernel = new Kernel(await loadLibc(), { epollEvent });
      const said = selfTest(kernel);
      assert.match(said ?? 'nothing', /^(epoll_event has another layout here|memory next to .* was overwritten)$/);
      kernel.close();
    }
  });

  test('a library that answers nonsense is told in a sentence', async () => {
    const libc = await loadLibc();
    const cases: readonly (readonly [lie: Partial<typeof libc>, said: RegExp])[] = [
      [{ getsockname: () => -1 }, /^getsockname tells no address$/],
      [{ getsockname: () => 0 }, /^getsockname tells no address$/],
      [{ epollWait: () => 0 }, /^epoll_wait tells nothing of an open connection$/],
      [{ getsockopt: () => 0 }, /^tcp_info has another layout here$/],
      [{ recvmsg: () => 3 }, /^recvmsg brings nothing$/],
      [{ socket: () => -1, errno: () => 24 }, /^socket: EMFILE$/],
    ];
    for (const [lie, said] of cases) {
      const kernel = new Kernel({ ...libc, ...lie }, LAYOUTS[process.arch]);
      assert.match(selfTest(kernel) ?? 'nothing', said);
      kernel.close();
    }
  });
});

/** Descriptors of this process now. */
async function descriptors(): Promise<number> {
  const { readdirSync } = await import('node:fs');
  return readdirSync('/proc/self/fd').length;
}

describe('the choice of a transport', () => {
  const planFor = (transport: 'auto' | 'epoll' | 'node', url = 'ws://127.0.0.1:9/') =>
    planOf({ target: { url }, transport, stages: [{ burst: 1 }] });
  const elsewhere = {
    'darwin-arm64': 'it needs Linux, and this is darwin',
    'win32-x64': 'it needs Linux, and this is win32',
    'freebsd-x64': 'it needs Linux, and this is freebsd',
    'linux-ia32': 'it needs x86-64 or arm64, and this is ia32',
    'linux-arm': 'it needs x86-64 or arm64, and this is arm',
    'linux-s390x': 'it needs x86-64 or arm64, and this is s390x',
  };
  for (const [platform, reason] of Object.entries(elsewhere)) {
    test(`${platform}: auto takes node and says why, epoll is refused with the same reason`, async () => {
      assert.deepEqual(await chooseTransport(planFor('auto'), platform), {
        name: 'node',
        note: `not epoll: ${reason}`,
      });
      await assert.rejects(chooseTransport(planFor('epoll'), platform), (error) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.message, `--transport epoll does not work here: ${reason}`);
        assert.equal(error.exitCode, 2);
        return true;
      });
      assert.deepEqual(await chooseTransport(planFor('node'), platform), { name: 'node', note: null });
    });
  }

  test('here: auto takes epoll for ws and node for wss, and nobody is told', {
    skip: withoutEpoll(trouble),
  }, async () => {
    const platform = `${process.platform}-${process.arch}`;
    assert.deepEqual(await chooseTransport(planFor('auto'), platform), { name: 'epoll', note: null });
    assert.deepEqual(await chooseTransport(planFor('epoll'), platform), { name: 'epoll', note: null });
    assert.deepEqual(await chooseTransport(planFor('node'), platform), { name: 'node', note: null });
    assert.deepEqual(await chooseTransport(planFor('auto', 'wss://127.0.0.1:9/'), platform), {
      name: 'node',
      note: null,
    });
  });
});

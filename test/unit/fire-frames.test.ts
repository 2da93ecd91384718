/** Frames after a 101, read from bytes that are cut at any place: what a server of ws writes is what a session gets. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { constants, createDeflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { agreedDeflate, NO_DEFLATE } from '#dist/engine/protocol/deflate.js';
import { FrameReaders } from '#dist/engine/protocol/frame-reader.js';
import { closeFrame, messageFrame, pingFrame } from '#dist/engine/protocol/frames.js';
import { buffersKept } from './kept-buffers.js';

const { Sender } = createRequire(import.meta.url)('ws') as {
  Sender: { frame(data: Buffer, options: Record<string, unknown>): Buffer[] };
};

/** As a server sends it: unmasked. */
function frame(opcode: number, data: Buffer, fin = true, rsv1 = false): Buffer {
  return Buffer.concat(Sender.frame(data, { fin, rsv1, opcode, mask: false, readOnly: true }));
}

type Event =
  | {
      readonly is: 'message';
      readonly slot: number;
      readonly bytes: string;
      readonly isText: boolean;
      readonly isWhole: boolean;
    }
  | { readonly is: 'pong'; readonly slot: number; readonly body: string }
  | { readonly is: 'ping'; readonly slot: number }
  | { readonly is: 'closed'; readonly slot: number; readonly code: number; readonly reason: string }
  | { readonly is: 'broken'; readonly slot: number; readonly code: number };

/** Readers that write down what they tell. */
function recording(readsContents = true): { readers: FrameReaders; events: Event[] } {
  const events: Event[] = [];
  const readers = new FrameReaders(
    {
      reply: (slot) => events.push({ is: 'ping', slot }),
      pong: (slot, body) => events.push({ is: 'pong', slot, body: body.toString('latin1') }),
      message: (slot, bytes, isText, isWhole) =>
        events.push({ is: 'message', slot, bytes: Buffer.from(bytes).toString('latin1'), isText, isWhole }),
      closed: (slot, code, reason) => events.push({ is: 'closed', slot, code, reason: Buffer.from(reason).toString() }),
      broken: (slot, _bytes, code) => events.push({ is: 'broken', slot, code }),
    },
    readsContents,
  );
  return { readers, events };
}

/** In pieces that end at the given places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

const KEEPS_CONTEXT = agreedDeflate(headOf('permessage-deflate'));
const RESETS_CONTEXT = agreedDeflate(headOf('permessage-deflate; server_no_context_takeover'));

function headOf(extension: string): Parameters<typeof agreedDeflate>[0] {
  const headers: [string, string][] = [['Sec-WebSocket-Extensions', extension]];
  return { status: 101, statusLine: '', headers, bodyAt: 0, bareLf: false, minor: '1' };
}

/** Compresses messages one after another, each with those before it as context. */
async function inOneContext(texts: readonly string[]): Promise<Buffer[]> {
  const deflate = createDeflateRaw();
  const compressed: Buffer[] = [];
  for (const text of texts) {
    const parts: Buffer[] = [];
    const keep = (part: Buffer) => parts.push(part);
    deflate.on('data', keep);
    deflate.write(text);
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    deflate.off('data', keep);
    compressed.push(Buffer.concat(parts).subarray(0, -4));
  }
  return compressed;
}

const message = fc.record({
  isText: fc.boolean(),
  // Lengths around 125 and 65,535, where the head of a frame grows (RFC 6455 section 5.2).
  text: fc.oneof(
    fc.string({ maxLength: 200, unit: 'grapheme' }),
    fc.constantFrom(124, 125, 126, 127, 65_535, 65_536).map((length) => 'x'.repeat(length)),
  ),
  fragments: fc.array(fc.nat(400), { maxLength: 4 }),
  ping: fc.boolean(),
});

describe('frames of messages', () => {
  test('whatever the fragments and the pieces, each message is told once, whole, with control frames between', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(70_000), { maxLength: 6 }), (messages, cuts) => {
        const bytes = Buffer.concat(
          messages.flatMap(({ isText, text, fragments, ping }) => {
            const parts = pieces(Buffer.from(text), fragments);
            return parts.flatMap((part, i) => [
              frame(i === 0 ? (isText ? 1 : 2) : 0, part, i === parts.length - 1),
              ...(ping ? [frame(10, Buffer.from('between'))] : []),
            ]);
          }),
        );
        const { readers, events } = recording();
        for (const piece of pieces(bytes, cuts)) readers.read(7, piece, NO_DEFLATE);
        const told = events.filter(({ is }) => is === 'message');
        const expected = messages.map(({ isText, text }) => ({
          is: 'message',
          slot: 7,
          bytes: Buffer.from(text).toString('latin1'),
          isText,
          isWhole: true,
        }));
        assert.deepEqual(told, expected);
        assert.ok(events.every(({ is }) => is === 'message' || is === 'pong'));
      }),
      { numRuns: 200 },
    );
  });

  test('at every single split, of several connections in turn', () => {
    const bytes = Buffer.concat([
      frame(1, Buffer.from('{"type":"welcome"}'), false),
      frame(9, Buffer.from('p')),
      frame(0, Buffer.from(' and more')),
      frame(2, Buffer.alloc(300, 1)),
    ]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { readers, events } = recording();
      for (const slot of [1, 2, 3]) readers.read(slot, bytes.subarray(0, cut), NO_DEFLATE);
      for (const slot of [3, 1, 2]) readers.read(slot, bytes.subarray(cut), NO_DEFLATE);
      for (const slot of [1, 2, 3]) {
        const told = events.filter((event) => event.slot === slot && event.is === 'message');
        assert.equal(told.length, 2, `cut at ${cut}`);
        const [first] = told;
        assert.ok(first?.is === 'message' && first.bytes === '{"type":"welcome"} and more', `cut at ${cut}`);
      }
    }
  });

  test('a text that is no UTF-8 is told as broken, with 1007 (RFC 6455 section 8.1), wherever it is cut', () => {
    const bad = Buffer.from([0x68, 0xc3, 0x28]);
    for (let cut = 0; cut <= 5; cut++) {
      const { readers, events } = recording();
      const bytes = frame(1, bad);
      readers.read(0, bytes.subarray(0, cut), NO_DEFLATE);
      readers.read(0, bytes.subarray(cut), NO_DEFLATE);
      readers.read(0, frame(1, Buffer.from('after')), NO_DEFLATE);
      assert.deepEqual(events, [{ is: 'broken', slot: 0, code: 1007 }]);
    }
    const { readers, events } = recording();
    readers.read(0, frame(2, bad), NO_DEFLATE);
    assert.equal(events[0]?.is, 'message', 'a binary message may hold anything');
  });

  test('of a message without end a bounded part is kept, and the next message is whole again', () => {
    const { readers, events } = recording();
    const size = 3 * 1024 * 1024;
    readers.read(0, Buffer.concat([Buffer.of(0x81, 127), uint64(size)]), NO_DEFLATE);
    for (let sent = 0; sent < size; sent += 65_536) readers.read(0, Buffer.alloc(65_536, 0x61), NO_DEFLATE);
    readers.read(0, frame(1, Buffer.from('next')), NO_DEFLATE);
    const [long, next] = events;
    assert.ok(long?.is === 'message' && !long.isWhole && long.bytes.length === 1024 * 1024);
    assert.ok(next?.is === 'message' && next.isWhole && next.bytes === 'next');
  });

  test('unfinished messages of many connections take no more than the budget of all', () => {
    const { readers } = recording();
    const before = buffersKept();
    const piece = Buffer.alloc(512 * 1024, 0x61);
    for (let slot = 0; slot < 500; slot++) {
      readers.read(slot, Buffer.concat([Buffer.of(0x82, 127), uint64(2 ** 40), piece]), NO_DEFLATE);
    }
    const grown = (buffersKept() - before) / 1024 / 1024;
    // 500 times half a MiB would be 250; the budget is 32, and one piece is alive besides.
    assert.ok(grown < 40, `${grown.toFixed(0)} MiB`);
    for (let slot = 0; slot < 500; slot++) readers.forget(slot);
    const { readers: others, events } = recording();
    others.read(0, frame(1, Buffer.from('x')), NO_DEFLATE);
    assert.equal(events.length, 1);
  });

  test('a connection that is forgotten while it is read is read no further', () => {
    const told: string[] = [];
    const readers: FrameReaders = new FrameReaders(
      {
        reply: () => told.push('ping'),
        message: (slot, bytes) => {
          told.push(Buffer.from(bytes).toString());
          readers.forget(slot);
        },
        closed: () => told.push('closed'),
        broken: () => told.push('broken'),
      },
      true,
    );
    readers.read(
      4,
      Buffer.concat([frame(1, Buffer.from('a')), frame(1, Buffer.from('b')), frame(9, Buffer.alloc(0))]),
      NO_DEFLATE,
    );
    readers.read(4, frame(1, Buffer.from('of the next')), NO_DEFLATE);
    assert.deepEqual(told, ['a', 'of the next']);
  });
});

describe('permessage-deflate (RFC 7692)', () => {
  test('messages that refer to those before them, in fragments and pieces', async () => {
    const texts = ['{"type":"tick","n":1}', '{"type":"tick","n":2}', '', 'x'.repeat(100_000), '{"type":"tick","n":3}'];
    const compressed = await inOneContext(texts);
    const bytes = Buffer.concat(
      compressed.flatMap((data) => {
        const middle = Math.floor(data.length / 2);
        return [frame(1, data.subarray(0, middle), false, true), frame(0, data.subarray(middle), true)];
      }),
    );
    for (const step of [1, 7, 4096, bytes.length]) {
      const { readers, events } = recording();
      for (let at = 0; at < bytes.length; at += step) readers.read(0, bytes.subarray(at, at + step), KEEPS_CONTEXT);
      assert.deepEqual(
        events.map((event) => event.is === 'message' && event.isWhole && event.bytes),
        texts,
      );
    }
  });

  test('what inflates to far more than a message may have is not kept, and costs that connection its context only', () => {
    const bomb = deflateRawSync(Buffer.alloc(200 * 1024 * 1024, 0x61), {
      finishFlush: constants.Z_SYNC_FLUSH,
    }).subarray(0, -4);
    const small = deflateRawSync('small', { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    const { readers, events } = recording();
    for (const [slot, agreed] of [
      [0, KEEPS_CONTEXT],
      [1, RESETS_CONTEXT],
    ] as const) {
      readers.read(slot, frame(1, bomb, true, true), agreed);
      readers.read(slot, frame(1, small, true, true), agreed);
    }
    assert.deepEqual(
      events.map((event) => event.is === 'message' && [event.slot, event.bytes, event.isWhole]),
      [
        [0, '', false],
        [0, '', false],
        [1, '', false],
        [1, 'small', true],
      ],
    );
  });

  test('what is no compressed data is broken, and so is a compressed frame that nobody agreed to', () => {
    const { readers, events } = recording();
    readers.read(0, frame(1, Buffer.from('no deflate at all'), true, true), KEEPS_CONTEXT);
    readers.read(1, frame(1, Buffer.from('x'), true, true), NO_DEFLATE);
    assert.deepEqual(events, [
      { is: 'broken', slot: 0, code: 1007 },
      { is: 'broken', slot: 1, code: 1002 },
    ]);
  });

  test('what is sent compressed inflates to what was meant, within the window that was agreed to', () => {
    const text = Buffer.from(JSON.stringify({ type: 'subscribe', padding: 'abc'.repeat(1000) }));
    for (const [parameters, isCompressed] of [
      ['', true],
      ['; client_max_window_bits=9', true],
      ['; client_max_window_bits=8', false],
    ] as const) {
      const sent = unmasked(messageFrame(text, true, agreedDeflate(headOf(`permessage-deflate${parameters}`))));
      assert.equal(sent.rsv1, isCompressed, parameters);
      const payload = isCompressed
        ? inflateRawSync(Buffer.concat([sent.payload, Buffer.of(0, 0, 255, 255)]), {
            finishFlush: constants.Z_SYNC_FLUSH,
          })
        : sent.payload;
      assert.ok(payload.equals(text), parameters);
    }
  });
});

test('what a client sends is masked with another key each time, and whole at every length of a head', () => {
  for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
    const body = Buffer.alloc(length, 0x61);
    const [first, second] = [messageFrame(body, false, NO_DEFLATE), messageFrame(body, false, NO_DEFLATE)];
    assert.ok(unmasked(first).payload.equals(body));
    assert.ok(length < 8 || !first.equals(second));
  }
  assert.deepEqual(unmasked(closeFrame(4401)).payload, Buffer.of(0x11, 0x31));
  assert.equal(unmasked(pingFrame(Buffer.from('hi'))).payload.toString(), 'hi');
});

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function unmasked(bytes: Buffer): { opcode: number; rsv1: boolean; payload: Buffer } {
  const short = (bytes[1] ?? 0) & 0x7f;
  assert.ok(((bytes[1] ?? 0) & 0x80) !== 0, 'masked');
  const at = short === 126 ? 4 : short === 127 ? 10 : 2;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4).map((byte, i) => byte ^ (mask[i % 4] ?? 0)));
  return { opcode: (bytes[0] ?? 0) & 0x0f, rsv1: ((bytes[0] ?? 0) & 0x40) !== 0, payload };
}

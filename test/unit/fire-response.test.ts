import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HeadReader, readWhole } from '#dist/engine/protocol/head-reader.js';
import type { Offer } from '#dist/engine/protocol/request.js';
import { type Head, judgeUpgrade, MAX_HEAD_BYTES, type Reading, readHead } from '#dist/engine/protocol/response.js';
import { ACCEPT, REAL_HEADS } from './fire-heads.js';

const NOTHING: Offer = { subprotocols: [], deflate: false };
const bytesOf = (text: string) => Buffer.from(text, 'latin1');
const whole = (bytes: Buffer) => readHead(bytes, bytes.length);

function headOf(text: string): Head {
  const reading = whole(bytesOf(text));
  assert.ok(reading.kind === 'head', JSON.stringify(reading));
  return reading.head;
}

/** The verdict on an answer that comes in pieces, through one buffer that is overwritten after each of them. */
function inPieces(bytes: Buffer, cuts: readonly number[]): Reading {
  const shared = Buffer.alloc(bytes.length);
  let reader: HeadReader | null = null;
  let from = 0;
  const inside = cuts.filter((at) => at < bytes.length);
  for (const to of [...new Set([...inside, bytes.length])].sort((a, b) => a - b)) {
    if (to <= from) continue;
    bytes.copy(shared, 0, from, to);
    const { reading, all }: { reading: Reading; all: Buffer } =
      reader === null ? readWhole(shared, to - from) : reader.read(shared, to - from);
    if (reading.kind !== 'more') return reading;
    reader ??= new HeadReader(all, reading.progress);
    assert.ok(reader.length <= MAX_HEAD_BYTES, `${reader.length} bytes kept`);
    shared.fill(0xff);
    from = to;
  }
  return { kind: 'more', progress: { head: 0, scanned: 0 } };
}

/** What a reading says, without how far it got. */
function verdict(reading: Reading): unknown {
  return reading.kind === 'more' ? 'more' : reading;
}

describe('real heads (RFC 9112 section 2.1)', () => {
  for (const { stack, status, text } of REAL_HEADS) {
    test(`${stack}: "more" at every byte before the end, then ${status}, wherever it is split`, () => {
      const bytes = bytesOf(`${text}BODY\r\n\r\n`);
      const end = bytes.length - 'BODY\r\n\r\n'.length;
      const expected = verdict(whole(bytes));
      for (let at = 1; at <= bytes.length; at++) {
        const reading = readHead(bytes, at);
        assert.equal(reading.kind, at < end ? 'more' : 'head', `${at} of ${end} bytes`);
        assert.deepEqual(inPieces(bytes, [at]), expected, `split at ${at}`);
      }
      const head = headOf(text);
      assert.equal(head.status, status);
      assert.equal(head.bodyAt, end);
      assert.deepEqual(inPieces(bytes, [...bytes.keys()]), verdict(whole(bytes.subarray(0, end))), 'a byte at a time');
      if (status === 101) assert.equal(judgeUpgrade(head, ACCEPT, NOTHING), null);
    });
  }
});

type Mutation = { readonly at: number; readonly kind: number; readonly byte: number; readonly count: number };

/** Flips, cuts out, doubles or inserts at a place given as a share of the length. */
function mutate(bytes: Buffer, { at, kind, byte, count }: Mutation): Buffer {
  const place = Math.min(bytes.length - 1, Math.floor(at * bytes.length));
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  const part = after.subarray(0, count);
  const into: readonly (() => readonly Uint8Array[])[] = [
    () => [before, Buffer.of(byte), after.subarray(1)],
    () => [before, after.subarray(count)],
    () => [before, part, after],
    () => [before, Buffer.alloc(count, byte), after],
    () => [before, Buffer.from('\r\n'), after],
    () => [before],
  ];
  return Buffer.concat(into[kind % into.length]());
}

const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.nat(5),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 9, 10, 13, 32, 44, 58, 127, 128, 255)),
  count: fc.integer({ min: 1, max: 40 }),
});
const mutated: fc.Arbitrary<Buffer> = fc
  .tuple(fc.constantFrom(...REAL_HEADS), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([{ text }, mutations]) =>
    mutations.reduce<Buffer>((all, one) => (all.length === 0 ? all : mutate(all, one)), bytesOf(text)),
  );

/** A verdict is one of three, in bounds, and an outcome that exists. */
function isSound(reading: Reading, length: number): void {
  if (reading.kind === 'malformed') assert.ok(reading.detail.length > 0 && /^[\x20-\x7e]*$/.test(reading.detail));
  if (reading.kind !== 'head') return;
  const { status, bodyAt, headers } = reading.head;
  assert.ok(Number.isInteger(status) && status >= 100 && status <= 999 && (status === 101 || status >= 200));
  assert.ok(bodyAt <= length && bodyAt <= MAX_HEAD_BYTES);
  for (const [name, value] of headers) assert.ok(!/[\r\n]/.test(name + value), 'no line end in a header');
  const judged = judgeUpgrade(reading.head, ACCEPT, NOTHING);
  assert.ok(judged === null || judged.length > 0);
}

describe('hostile bytes', () => {
  test('a mutated head gives one sound verdict, the same however it is split, and never throws', () => {
    fc.assert(
      fc.property(mutated, fc.array(fc.nat(2000), { maxLength: 8 }), (bytes, cuts) => {
        const reading = whole(bytes);
        isSound(reading, bytes.length);
        assert.deepEqual(verdict(inPieces(bytes, cuts)), verdict(reading));
        const single = inPieces(bytes, [...bytes.keys()]);
        assert.equal(single.kind, reading.kind);
      }),
      { numRuns: 2000 },
    );
  });

  test('once there is a verdict, more bytes never change it', () => {
    fc.assert(
      fc.property(mutated, fc.uint8Array({ maxLength: 60 }), (bytes, more) => {
        const before = whole(bytes);
        if (before.kind === 'more') return;
        assert.deepEqual(whole(Buffer.concat([bytes, more])), before);
      }),
      { numRuns: 1000 },
    );
  });

  test('random bytes, and random bytes behind the right prefix', () => {
    const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    const behind = random.map((bytes) => Buffer.concat([Buffer.from('HTTP/1.1 '), bytes]));
    fc.assert(
      fc.property(fc.oneof(random, behind), (bytes) => {
        isSound(whole(bytes), bytes.length);
        assert.equal(inPieces(bytes, [...bytes.keys()]).kind, whole(bytes).kind);
      }),
      { numRuns: 2000 },
    );
  });

  test('the answer of judging is the same whatever the case of names and the space around values (RFC 9110 section 5.1)', () => {
    const space = fc.constantFrom('', ' ', '\t', '  \t ');
    const cased = (name: string) =>
      fc
        .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
        .map((up) => [...name].map((c, i) => (up[i] ? c.toUpperCase() : c.toLowerCase())).join(''));
    const parts = fc.tuple(cased('upgrade'), cased('connection'), cased('sec-websocket-accept'), cased('websocket'));
    fc.assert(
      fc.property(parts, space, space, ([upgrade, connection, accept, websocket], a, b) => {
        const text = `HTTP/1.1 101 X\r\n${connection}:${a}${upgrade}${b}\r\n${accept}:${b}${ACCEPT}${a}\r\n${upgrade}:${a}${websocket}${b}\r\n\r\n`;
        assert.equal(judgeUpgrade(headOf(text), ACCEPT, NOTHING), null);
      }),
    );
  });
});

describe('bounds (64 KiB of heads, interim ones included)', () => {
  const padded = (size: number) => {
    const [before, after] = ['HTTP/1.1 200 OK\r\nX: ', '\r\n\r\n'];
    return bytesOf(before + 'a'.repeat(size - before.length - after.length) + after);
  };

  for (const over of [-1, 0, 1]) {
    test(`a head of 64 KiB ${over < 0 ? '- 1' : `+ ${over}`} byte, in one piece, in two and in a thousand`, () => {
      const bytes = padded(MAX_HEAD_BYTES + over);
      const kind = over > 0 ? 'malformed' : 'head';
      assert.equal(whole(bytes).kind, kind);
      for (const at of [1, 7, 1000, MAX_HEAD_BYTES - 1, MAX_HEAD_BYTES]) assert.equal(inPieces(bytes, [at]).kind, kind);
      assert.equal(
        inPieces(
          bytes,
          Array.from({ length: 1000 }, (_, i) => i * 65),
        ).kind,
        kind,
      );
    });
  }

  test('interim answers count: 64 KiB of them and then a 200 are malformed', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\n';
    const many = interim.repeat(Math.ceil(MAX_HEAD_BYTES / interim.length));
    assert.equal(whole(bytesOf(`${many}HTTP/1.1 200 OK\r\n\r\n`)).kind, 'malformed');
    const exact = interim.repeat(Math.floor(MAX_HEAD_BYTES / interim.length) - 4);
    assert.equal(headOf(`${exact}HTTP/1.1 200 OK\r\n\r\n`).status, 200);
  });

  test('a head costs time linear in its length, whatever it is made of', () => {
    // The bound is wide: quadratic work on 60 KiB takes seconds, linear work a few ms.
    const blanks = ' '.repeat(60_000);
    const hostile = {
      'a value of blanks': `HTTP/1.1 200 OK\r\nX: a${blanks}b\r\n\r\n`,
      'a name of blanks': `HTTP/1.1 200 OK\r\n${blanks}: b\r\n\r\n`,
      'blanks folded': `HTTP/1.1 200 OK\r\nX: a\r\n ${blanks}b\r\n\r\n`,
      'a reason of blanks': `HTTP/1.1 200 ${blanks}\r\n\r\n`,
      'thirty thousand folds': `HTTP/1.1 200 OK\r\nX: a\r\n${' \n'.repeat(30_000)}\r\n`,
      'thirteen thousand headers': `HTTP/1.1 101 OK\r\n${'a:b\r\n'.repeat(13_000)}\r\n`,
      'a list of commas': `HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: ${','.repeat(60_000)}\r\n\r\n`,
    };
    for (const [what, text] of Object.entries(hostile)) {
      const start = performance.now();
      isSound(whole(bytesOf(text)), text.length);
      const ms = performance.now() - start;
      assert.ok(ms < 500, `${what}: ${ms} ms`);
    }
  });

  test('a byte at a time costs no more than linear time either', () => {
    const hostile = {
      'many interim answers': 'HTTP/1.1 100 C\r\n\r\n'.repeat(3600),
      'many short lines': `HTTP/1.1 200 OK\r\n${'a:\n'.repeat(20_000)}`,
      'one long line': `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(60_000)}`,
    };
    for (const [what, text] of Object.entries(hostile)) {
      const bytes = bytesOf(text);
      const start = performance.now();
      const single = inPieces(bytes, [...bytes.keys()]);
      const ms = performance.now() - start;
      assert.equal(single.kind, 'more');
      // 60,000 readings: a look at everything each time would take from 20 s to minutes.
      assert.ok(ms < 3000, `${what}: ${ms} ms`);
    }
  });
});

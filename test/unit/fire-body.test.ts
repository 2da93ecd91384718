/** Where the body of an answer ends, and what a chunked one says: however its bytes are cut. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Body } from '#dist/engine/protocol/body.js';
import { type Head, readHead } from '#dist/engine/protocol/response.js';

function headOf(lines: string, status = 403): Head {
  const bytes = Buffer.from(`HTTP/1.1 ${status} X\r\n${lines}\r\n`, 'latin1');
  const reading = readHead(bytes, bytes.length);
  assert.equal(reading.kind, 'head');
  return (reading as { head: Head }).head;
}

/** Read in pieces of these lengths, the rest in one. */
function read(head: Head, bytes: Buffer, cuts: readonly number[] = []): { text: string; isOver: boolean } {
  const body = new Body(head);
  const content: Buffer[] = [];
  let at = 0;
  for (const length of [...cuts, bytes.length]) {
    body.read(bytes.subarray(at, at + length), (part) => content.push(Buffer.from(part)));
    at += length;
  }
  return { text: Buffer.concat(content).toString('latin1'), isOver: body.isOver };
}

const CHUNKED = headOf('Transfer-Encoding: chunked\r\n');

describe('the end of a body', () => {
  const cases: readonly (readonly [what: string, head: Head, bytes: string, text: string, isOver: boolean])[] = [
    ['a length', headOf('Content-Length: 4\r\n'), 'body', 'body', true],
    ['a length, and more than that', headOf('Content-Length: 4\r\n'), 'body and more', 'body', true],
    ['a length, and less than that', headOf('Content-Length: 9\r\n'), 'body', 'body', false],
    ['length 0', headOf('Content-Length: 0\r\n'), '', '', true],
    ['a length sent twice, alike', headOf('Content-Length: 4\r\nContent-Length: 4\r\n'), 'body', 'body', true],
    ['two lengths', headOf('Content-Length: 4\r\nContent-Length: 5\r\n'), 'body', 'body', false],
    ['a length that is none', headOf('Content-Length: -4\r\n'), 'body', 'body', false],
    ['no length', headOf(''), 'body', 'body', false],
    ['204', headOf('', 204), '', '', true],
    ['304', headOf('', 304), '', '', true],
    ['101, behind which another protocol begins', headOf('', 101), '\x81\x00', '', true],
    ['chunks win over a length', headOf('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n'), '0\r\n\r\n', '', true],
    ['chunks with extensions and trailers', CHUNKED, '4;a="b"\r\nbody\r\n0;c\r\nX: 1\r\nY: 2\r\n\r\n', 'body', true],
    ['bare LF', CHUNKED, '4\nbody\n0\n\n', 'body', true],
    ['sizes with capitals and leading zeros', CHUNKED, '000A\r\n0123456789\r\n0\r\n\r\n', '0123456789', true],
    ['the empty line is missing', CHUNKED, '4\r\nbody\r\n0\r\n', 'body', false],
    ['no chunk at all is shown as it is', CHUNKED, 'Forbidden', 'Forbidden', false],
    ['a chunk that goes on past its size', CHUNKED, '4\r\nbodywork', 'bodywork', false],
    ['a size of 9 digits is none', CHUNKED, '123456789\r\nx', '123456789\r\nx', false],
    ['gzip, then chunked', headOf('Transfer-Encoding: gzip, chunked\r\n'), '1\r\nx\r\n0\r\n\r\n', 'x', true],
    ['chunked is not the last', headOf('Transfer-Encoding: chunked, gzip\r\n'), 'x', 'x', false],
  ];
  for (const [what, head, bytes, text, isOver] of cases) {
    test(what, () => {
      const all = Buffer.from(bytes, 'latin1');
      assert.deepEqual(read(head, all), { text, isOver });
      assert.deepEqual(read(head, all, new Array(all.length).fill(1)), { text, isOver }, 'byte by byte');
    });
  }
});

test('chunks of any content, cut anywhere, say what was put into them', () => {
  const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 });
  fc.assert(
    fc.property(parts, fc.array(fc.nat(40)), (contents, cuts) => {
      const frames = contents.flatMap((one) => [`${one.length.toString(16)}\r\n`, Buffer.from(one), '\r\n']);
      const bytes = Buffer.concat([...frames, '0\r\n\r\n'].map((part) => Buffer.from(part as string, 'latin1')));
      const text = Buffer.concat(contents).toString('latin1');
      assert.deepEqual(read(CHUNKED, bytes, cuts), { text, isOver: true });
    }),
  );
});

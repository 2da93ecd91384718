import assert from 'node:assert/strict';
import type net from 'node:net';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { fireAt, onRequest, rowMs, switching, turns } from './fire-raw.js';

/** A frame as a server sends it: unmasked, at most 125 bytes (RFC 6455 section 5.2). */
function frame(first: number, payload: Buffer | string = ''): Buffer {
  const body = Buffer.from(payload);
  assert.ok(body.length < 126);
  return Buffer.concat([Buffer.of(first, body.length), body]);
}
const TEXT = 0x81;
const CLOSE = 0x88;
const PING = 0x89;
const closeBody = (code: number) => Buffer.of(code >> 8, code & 0xff);

interface ClientFrame {
  readonly opcode: number;
  readonly payload: string;
}

/** Frames of a client; they must be masked (RFC 6455 section 5.1). */
function clientFrames(bytes: Buffer): ClientFrame[] {
  const frames: ClientFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = (bytes[at + 1] ?? 0) & 0x7f;
    assert.ok(((bytes[at + 1] ?? 0) & 0x80) !== 0, 'masked');
    assert.ok(length < 126);
    const mask = bytes.subarray(at + 2, at + 6);
    const payload = Buffer.from(bytes.subarray(at + 6, at + 6 + length).map((byte, i) => byte ^ (mask[i % 4] ?? 0)));
    frames.push({ opcode: (bytes[at] ?? 0) & 0x0f, payload: payload.toString('latin1') });
    at += 6 + length;
  }
  return frames;
}

interface Peer {
  bytes: Buffer;
  ended: boolean;
  reset: boolean;
  /** Calls back with each piece after the request. */
  onData: (peer: Peer) => void;
  readonly socket: net.Socket;
}

/** Answers 101, then `greet`, in one segment; what comes afterwards is kept. */
function upgrading(peers: Peer[], greet: Buffer = Buffer.alloc(0), onData: Peer['onData'] = () => {}) {
  return onRequest((socket, request) => {
    const peer: Peer = { bytes: Buffer.alloc(0), ended: false, reset: false, onData, socket };
    peers.push(peer);
    socket.on('data', (chunk) => {
      peer.bytes = Buffer.concat([peer.bytes, chunk]);
      peer.onData(peer);
    });
    socket.on('end', () => {
      peer.ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      peer.reset ||= error.code === 'ECONNRESET';
    });
    socket.write(Buffer.concat([Buffer.from(switching(request)), greet]));
  });
}

/** The server's part of closing: it ends TCP once it has read a close frame. */
const answersClose: Peer['onData'] = (peer) => {
  if (clientFrames(peer.bytes).some(({ opcode }) => opcode === 8)) {
    peer.socket.end(frame(CLOSE, closeBody(1000)));
  }
};

describe('the 101 and what is glued to it', () => {
  test('frames in the segment of the 101 are frames, not a head', async () => {
    const peers: Peer[] = [];
    const greet = Buffer.concat([frame(TEXT, 'hello'), frame(PING, 'glued')]);
    const fired = await fireAt(upgrading(peers, greet), { n: 3, held: () => turns(25) });
    assert.deepEqual(fired.outcomes, { '101': 3 });
    assert.equal(fired.lost, 0);
    for (const peer of peers) assert.deepEqual(clientFrames(peer.bytes), [{ opcode: 10, payload: 'glued' }]);
  });

  test('an answer and a ping that come a byte a segment', async () => {
    let pongs = Buffer.alloc(0);
    const drip = onRequest((socket, request) => {
      const bytes = Buffer.concat([Buffer.from(switching(request)), frame(PING, 'slow')]);
      socket.on('data', (chunk) => {
        pongs = Buffer.concat([pongs, chunk]);
      });
      let at = 0;
      const next = () => {
        if (at < bytes.length) socket.write(bytes.subarray(at, ++at), () => setImmediate(next));
      };
      next();
    });
    const fired = await fireAt(drip, { held: () => turns(120) });
    assert.deepEqual(fired.outcomes, { '101': 1 });
    assert.ok(rowMs(fired.rows[0], 'first_byte_us') < rowMs(fired.rows[0], 'done_us'));
    assert.deepEqual(clientFrames(pongs), [{ opcode: 10, payload: 'slow' }]);
  });

  test('compressed messages of a negotiated extension are read, not taken for broken frames (RFC 7692 section 6.1)', async () => {
    const peers: Peer[] = [];
    const compressed = frame(TEXT | 0x40, deflateRawSync('hello hello', { finishFlush: 2 }).subarray(0, -4));
    const handler = onRequest((socket, request) => {
      const peer: Peer = { bytes: Buffer.alloc(0), ended: false, reset: false, onData: () => {}, socket };
      peers.push(peer);
      socket.on('data', (chunk) => {
        peer.bytes = Buffer.concat([peer.bytes, chunk]);
      });
      const head = switching(request, 'Sec-WebSocket-Extensions: permessage-deflate');
      socket.write(Buffer.concat([Buffer.from(head), compressed, compressed, frame(PING, 'behind'), compressed]));
    });
    const fired = await fireAt(handler, { n: 3, target: { compression: true }, held: () => turns(120) });
    assert.deepEqual(fired.outcomes, { '101': 3 });
    assert.equal(fired.lost, 0);
    for (const { bytes } of peers) assert.deepEqual(clientFrames(bytes), [{ opcode: 10, payload: 'behind' }]);
  });

  test('a compressed message of an extension that was not asked for breaks the connection', async () => {
    const peers: Peer[] = [];
    const greet = frame(TEXT | 0x40, 'abc');
    const fired = await fireAt(upgrading(peers, greet, answersClose), { n: 3, held: () => turns(25) });
    assert.deepEqual(fired.outcomes, { '101': 3 });
    assert.equal(fired.lost, 3);
  });
});

describe('while it is held', () => {
  test('a ping is answered by a pong with the same payload (RFC 6455 section 5.5.3), fragments of messages are no matter', async () => {
    const peers: Peer[] = [];
    const talk = async () => {
      for (const peer of peers) {
        peer.socket.write(frame(0x01, 'a half'));
        peer.socket.write(frame(PING, 'between'));
        peer.socket.write(frame(0x80, ' and the rest'));
      }
      await turns(30);
      for (const peer of peers) peer.socket.write(frame(PING));
      await turns(30);
    };
    const fired = await fireAt(upgrading(peers), { n: 5, held: talk });
    assert.equal(fired.lost, 0);
    for (const peer of peers) {
      assert.deepEqual(clientFrames(peer.bytes), [
        { opcode: 10, payload: 'between' },
        { opcode: 10, payload: '' },
      ]);
    }
  });

  test('of pings that come together only the last is answered, so that a flood of them costs no more', async () => {
    const peers: Peer[] = [];
    const together = Buffer.concat(Array.from({ length: 500 }, (_, i) => frame(PING, `${i}`)));
    const fired = await fireAt(upgrading(peers, together), { n: 2, held: () => turns(25) });
    assert.equal(fired.lost, 0);
    for (const peer of peers) {
      const pongs = clientFrames(peer.bytes);
      assert.equal(pongs.at(-1)?.payload, '499');
      assert.ok(pongs.length < 10, `${pongs.length} pongs`);
    }
  });

  const losses: Readonly<Record<string, { end: string; said?: string; lose: (socket: net.Socket) => void }>> = {
    'a close frame 1001': { end: '1001', lose: (socket) => socket.write(frame(CLOSE, closeBody(1001))) },
    'a close frame of the application and a FIN at once': {
      end: '4401',
      said: 'auth timeout',
      lose: (socket) => socket.end(frame(CLOSE, Buffer.concat([closeBody(4401), Buffer.from('auth timeout')]))),
    },
    'a close frame without a code': { end: '1005', lose: (socket) => socket.write(frame(CLOSE)) },
    'a close frame with half a code': { end: 'protocol', said: 'x', lose: (socket) => socket.write(frame(CLOSE, 'x')) },
    'a close frame with a code that no frame may carry (RFC 6455 section 7.4.1)': {
      end: 'protocol',
      said: '\\x03\ufffd',
      lose: (socket) => socket.write(frame(CLOSE, closeBody(1006))),
    },
    'a FIN': { end: 'fin', lose: (socket) => socket.end() },
    'an RST': { end: 'rst', lose: (socket) => socket.resetAndDestroy() },
    'a broken frame (RFC 6455 section 5.2: reserved bits)': {
      end: 'protocol',
      said: '\ufffd\\x01x',
      lose: (socket) => socket.write(frame(0xf1, 'x')),
    },
    'a masked frame (RFC 6455 section 5.1)': {
      end: 'protocol',
      said: '\ufffd\ufffd\\x01\\x02\\x03\\x04\\x05',
      lose: (socket) => socket.write(Buffer.of(TEXT, 0x81, 1, 2, 3, 4, 5)),
    },
    'another answer in the tunnel': {
      end: 'protocol',
      said: 'HTTP/1.1 400 Bad Request',
      lose: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    },
  };
  for (const transport of [undefined, null]) {
    for (const [what, { end, said = null, lose }] of Object.entries(losses)) {
      const over = transport === null ? 'node' : 'the transport of this machine';
      test(`${what} makes it lost, it stays a 101, and how it ended is told (${over})`, async () => {
        const peers: Peer[] = [];
        const some = async () => {
          for (const peer of peers.slice(0, 2)) lose(peer.socket);
          await turns(25);
        };
        const handler = upgrading(peers, undefined, answersClose);
        const fired = await fireAt(handler, { n: 5, kernel: transport, held: some });
        assert.deepEqual(fired.outcomes, { '101': 5 });
        assert.equal(fired.lost, 2);
        const { ready, cut, closed, aborted, ends, heldMs, cutMs } = fired.sessions;
        assert.deepEqual(
          { ready, cut, closed, aborted },
          { ready: 5, cut: { [end]: 2 }, closed: { rst: 3 }, aborted: 0 },
        );
        assert.equal(ends?.[end]?.reason ?? null, said);
        assert.deepEqual([heldMs?.count, cutMs?.count], [5, 2]);
        assert.deepEqual(fired.rows.map((row) => row.end).sort(), [end, end, 'closed', 'closed', 'closed'].sort());
        for (const row of fired.rows) {
          assert.equal(row.ready_us, row.done_us);
          assert.ok(rowMs(row, 'end_us') >= rowMs(row, 'ready_us'));
        }
      });
    }
  }

  test('a reason is masked and printable', async () => {
    const peers: Peer[] = [];
    const close = async () => {
      const reason = Buffer.from('\u001b[31mno s3cret-token here');
      for (const { socket } of peers) socket.write(frame(CLOSE, Buffer.concat([closeBody(1008), reason])));
      await turns(25);
    };
    const target = { headers: { Authorization: 's3cret-token' } };
    const fired = await fireAt(upgrading(peers), { target, held: close });
    const reason = fired.sessions.ends?.['1008']?.reason ?? '';
    assert.match(reason, /no \*\*\* here$/);
    assert.doesNotMatch(reason, /\p{C}/u);
  });

  test('messages are counted, a fragmented one once', async () => {
    const greet = Buffer.concat([frame(TEXT, 'a'), frame(0x01, 'b'), frame(PING), frame(0x80, 'c'), frame(0x82)]);
    const fired = await fireAt(upgrading([], greet), { n: 2, held: () => turns(25) });
    assert.deepEqual(fired.sessions.messages, { sent: 0, received: 6, skipped: 0 });
  });

  test('a stop during the hold: what is open is aborted, what the target ended before is not', async () => {
    const peers: Peer[] = [];
    const handler = upgrading(peers);
    let stop = false;
    const some = async () => {
      peers[0]?.socket.end();
      await turns(25);
      stop = true;
    };
    const fired = await fireAt(handler, { n: 3, held: some, stopHold: () => stop });
    const { ready, cut, closed, aborted } = fired.sessions;
    assert.deepEqual({ ready, cut, closed, aborted }, { ready: 3, cut: { fin: 1 }, closed: {}, aborted: 2 });
  });

  test('a close frame is echoed with its code (RFC 6455 section 5.5.1)', async () => {
    const peers: Peer[] = [];
    const close = async () => {
      for (const { socket } of peers) socket.write(frame(CLOSE, closeBody(1001)));
      await turns(25);
    };
    const fired = await fireAt(upgrading(peers, undefined, answersClose), { n: 2, held: close });
    assert.equal(fired.lost, 2);
    for (const peer of peers) assert.deepEqual(clientFrames(peer.bytes), [{ opcode: 8, payload: '\x03\xe9' }]);
  });
});

describe('closing', () => {
  test('clean: close frame 1000, the server closes TCP first (RFC 6455 section 7.1.1), no RST, nothing lost', async () => {
    const peers: Peer[] = [];
    const fired = await fireAt(upgrading(peers, undefined, answersClose), {
      n: 10,
      close: 'clean',
      seen: () => peers.every(({ ended, reset }) => ended || reset),
    });
    assert.equal(fired.lost, 0);
    assert.ok(fired.closingMs < 1500, `${fired.closingMs} ms`);
    for (const peer of peers) {
      assert.deepEqual(clientFrames(peer.bytes), [{ opcode: 8, payload: '\x03\xe8' }]);
      assert.ok(peer.ended && !peer.reset, 'FIN after FIN');
    }
  });

  test('a server that never answers the close frame is reset after 2 s', async () => {
    const peers: Peer[] = [];
    const fired = await fireAt(upgrading(peers), {
      n: 3,
      close: 'clean',
      seen: () => peers.every(({ reset }) => reset),
    });
    assert.deepEqual(fired.outcomes, { '101': 3 });
    assert.equal(fired.lost, 0);
    // The grace is 2 s by contract; the rest is for timers on two noisy cores.
    assert.ok(fired.closingMs >= 1990 && fired.closingMs < 2500, `${fired.closingMs} ms`);
    for (const peer of peers) assert.ok(peer.reset, 'RST');
  });

  test('a server that closes by its frame and keeps TCP open is reset after 2 s as well', async () => {
    const peers: Peer[] = [];
    const half: Peer['onData'] = (peer) => peer.socket.write(frame(CLOSE, closeBody(1000)));
    const fired = await fireAt(upgrading(peers, undefined, half), {
      n: 3,
      close: 'clean',
      seen: () => peers.every(({ reset }) => reset),
    });
    assert.ok(fired.closingMs >= 1990 && fired.closingMs < 2500, `${fired.closingMs} ms`);
    for (const peer of peers) assert.ok(peer.reset, 'RST');
  });

  test('reset: an RST at once, no frame', async () => {
    const peers: Peer[] = [];
    const fired = await fireAt(upgrading(peers), {
      n: 5,
      close: 'reset',
      seen: () => peers.every(({ reset }) => reset),
    });
    assert.ok(fired.closingMs < 500, `${fired.closingMs} ms`);
    for (const peer of peers) assert.ok(peer.reset && peer.bytes.length === 0);
  });

  test('clean: a close frame of the application that crosses ours is the end that counts', async () => {
    const peers: Peer[] = [];
    const crosses: Peer['onData'] = (peer) => peer.socket.end(frame(CLOSE, closeBody(4401)));
    const fired = await fireAt(upgrading(peers, undefined, crosses), { n: 3, close: 'clean' });
    assert.deepEqual([fired.lost, fired.sessions.cut, fired.sessions.closed], [3, { '4401': 3 }, {}]);
  });
});

describe('a churn', () => {
  for (const close of ['clean', 'reset'] as const) {
    test(`sees the close frame that comes with the 101 (${close})`, async () => {
      const greet = frame(CLOSE, Buffer.concat([closeBody(4401), Buffer.from('no')]));
      const handler = upgrading([], greet, (peer) => peer.socket.end());
      const fired = await fireAt(handler, { n: 40, inFlight: 4, close });
      assert.deepEqual(fired.outcomes, { '101': 40 });
      assert.deepEqual([fired.lost, fired.sessions.ready, fired.sessions.cut], [40, 40, { '4401': 40 }]);
      assert.equal(fired.sessions.ends?.['4401']?.reason, 'no');
      assert.deepEqual([...new Set(fired.rows.map(({ end }) => end))], ['4401']);
    });

    test(`waits for the close frame that comes a moment after the 101, once one has come (${close})`, async () => {
      let count = 0;
      const handler = onRequest((socket, request) => {
        socket.on('error', () => {});
        socket.on('data', () => socket.end());
        socket.write(switching(request));
        const end = () => socket.destroyed || socket.end(frame(CLOSE, closeBody(4401)));
        if (count++ < 5) end();
        else setTimeout(end, 1);
      });
      const fired = await fireAt(handler, { n: 60, inFlight: 2, close });
      assert.equal(fired.sessions.ready, 60);
      assert.ok((fired.sessions.cut['4401'] ?? 0) >= 40, JSON.stringify(fired.sessions.cut));
    });

    test(`counts as closed by this side what the target leaves open (${close})`, async () => {
      const fired = await fireAt(upgrading([], undefined, answersClose), { n: 40, inFlight: 4, close });
      const word = close === 'clean' ? '1000' : 'rst';
      assert.deepEqual([fired.lost, fired.sessions.cut, fired.sessions.closed], [0, {}, { [word]: 40 }]);
    });
  }
});

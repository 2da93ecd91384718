/**
 * How an attempt that failed is ended, as the server sees it: FIN once its answer is read, and an RST only where the server
 * does not end it too, or where it was asked for. Some servers die of an RST in answer to their refusal.
 */
import assert from 'node:assert/strict';
import type net from 'node:net';
import { describe, test } from 'node:test';
import { now } from '#dist/engine/machine/clock.js';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import type { Kernel } from '#dist/engine/transport/epoll/system-calls.js';
import { withoutEpoll } from '../needs.js';
import { type FireAtOptions, type Fired, fire, fireAt, onRequest, pause, serve, switching } from './fire-raw.js';

const opened = await openKernel(`${process.platform}-${process.arch}`);
const INSECURE = { tls: { allowHalfOpen: true }, target: { tls: { insecure: true } } };

interface Way {
  readonly name: string;
  readonly kernel: Kernel | null;
  readonly options: FireAtOptions;
}
const WAYS: readonly Way[] = [
  { name: 'ws over node', kernel: null, options: {} },
  { name: 'wss over node', kernel: null, options: INSECURE },
  ...(typeof opened === 'string' ? [] : [{ name: 'ws over epoll', kernel: opened, options: {} }]),
];
if (typeof opened === 'string') test('refusals over epoll', { skip: withoutEpoll(opened) }, () => {});

/** What a server saw of one connection after the request. */
interface Seen {
  fin: number | null;
  rst: number | null;
  /** Ended in both directions, or reset. */
  closed: number | null;
}

/** A server that does as told with each request, notes how the client ends, and ends too once the client has. */
class Watching {
  readonly seen: Seen[] = [];
  readonly #answer: (socket: net.Socket, request: string) => void;
  readonly #endsToo: boolean;

  constructor(answer: (socket: net.Socket, request: string) => void, endsToo = true) {
    this.#answer = answer;
    this.#endsToo = endsToo;
  }

  readonly handler = (socket: net.Socket): void => {
    const seen: Seen = { fin: null, rst: null, closed: null };
    this.seen.push(seen);
    socket.on('end', () => {
      seen.fin = now();
      if (this.#endsToo) socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') seen.rst = now();
    });
    socket.on('close', () => {
      seen.closed = now();
    });
    onRequest((it, request) => {
      it.resume();
      this.#answer(it, request);
    })(socket);
  };

  readonly allClosed = (): boolean => this.seen.every(({ closed }) => closed !== null);

  /** By FIN, each of them. */
  endedInOrder(count: number): void {
    assert.equal(this.seen.length, count);
    for (const { fin, rst } of this.seen) {
      assert.equal(rst, null, 'no RST');
      assert.ok(fin !== null, 'a FIN');
    }
  }
}

interface Refusal {
  readonly what: string;
  readonly answer: (socket: net.Socket) => void;
  readonly outcome: string;
  readonly options?: FireAtOptions;
}

const HEAD = 'HTTP/1.1 403 Forbidden\r\n';
const REFUSALS: readonly Refusal[] = [
  {
    what: 'a length, and the connection kept open',
    answer: (socket) => void socket.write(`${HEAD}Content-Length: 2\r\n\r\nno`),
    outcome: '403',
  },
  {
    what: 'a FIN right behind it',
    answer: (socket) => void socket.end(`${HEAD}Connection: close\r\nContent-Length: 2\r\n\r\nno`),
    outcome: '403',
  },
  {
    what: 'a body that ends with the connection, a moment later',
    answer: (socket) => {
      socket.write(`${HEAD}\r\nno, `);
      setTimeout(() => socket.end('not you'), 60);
    },
    outcome: '403',
  },
  {
    what: 'no body',
    answer: (socket) => void socket.write('HTTP/1.1 204 No Content\r\n\r\n'),
    outcome: '204',
  },
  {
    what: 'neither a length nor an end',
    answer: (socket) => void socket.write(`${HEAD}\r\nno`),
    outcome: '403',
  },
  {
    what: 'a 101 that is none',
    answer: (socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n'),
    outcome: 'invalid-101',
  },
  { what: 'no HTTP', answer: (socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n'), outcome: 'malformed' },
  { what: 'silence until the deadline', answer: () => {}, outcome: 'timeout-upgrade', options: { timeoutMs: 600 } },
  {
    what: 'half a head until the deadline',
    answer: (socket) => void socket.write('HTTP/1.1 40'),
    outcome: 'timeout-upgrade',
    options: { timeoutMs: 600 },
  },
  {
    what: 'half a head and a FIN',
    answer: (socket) => void socket.end('HTTP/1.1 40'),
    outcome: 'closed',
  },
];

for (const { name, kernel, options } of WAYS) {
  describe(`how a refusal is ended: ${name}`, () => {
    const at = (server: Watching, more: FireAtOptions = {}): Promise<Fired> =>
      fireAt(server.handler, { close: 'clean', kernel, seen: server.allClosed, ...options, ...more });

    for (const { what, answer, outcome, options: more } of REFUSALS) {
      test(what, async () => {
        const server = new Watching(answer);
        const { outcomes } = await at(server, { n: 20, ...more });
        assert.deepEqual(outcomes, { [outcome]: 20 });
        server.endedInOrder(20);
      });
    }

    test('an answer in chunks is read to its last one before FIN', async () => {
      const lastAt: number[] = [];
      const server = new Watching((socket) => {
        socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nno,\r\n`);
        setTimeout(() => {
          lastAt.push(now());
          socket.write('4\r\n you\r\n0\r\n\r\n');
        }, 150);
      });
      const { outcomes, samples } = await at(server, { n: 5 });
      assert.deepEqual(outcomes, { 403: 5 });
      server.endedInOrder(5);
      const first = Math.min(...lastAt);
      for (const { fin } of server.seen) assert.ok((fin ?? 0) >= first, 'FIN comes behind the last chunk');
      assert.equal(samples['403']?.body, 'no, you');
    });

    test('the outcome’s time is that of its head', async () => {
      const server = new Watching((socket) => {
        socket.write(`${HEAD}Content-Length: 2\r\n\r\n`);
        setTimeout(() => socket.write('no'), 300);
      });
      const { rows } = await at(server, { n: 2 });
      for (const { done_us } of rows) assert.ok(Number(done_us) < 250_000, `${done_us} µs`);
    });

    test('RST where the server does not end it within 2 s', async () => {
      const server = new Watching((socket) => {
        socket.write(`${HEAD}Content-Length: 0\r\n\r\n`);
        // Only a write tells a socket that has read its end that the far side is gone.
        const writing = setInterval(() => socket.write('.'), 50);
        socket.on('close', () => clearInterval(writing));
      }, false);
      const { outcomes } = await at(server, { n: 3 });
      assert.deepEqual(outcomes, { 403: 3 });
      for (const { fin, rst } of server.seen) {
        assert.ok(fin !== null && rst !== null, 'FIN, then RST');
        assert.ok(rst - fin > 1800, `after ${rst - fin} ms`);
      }
    });

    test('RST at once where it was asked for', async () => {
      const server = new Watching((socket) => void socket.write(`${HEAD}Content-Length: 0\r\n\r\n`));
      const begin = now();
      const { outcomes } = await at(server, { n: 20, close: 'reset' });
      assert.deepEqual(outcomes, { 403: 20 });
      for (const { fin, rst } of server.seen) assert.ok(fin === null && rst !== null, 'RST without FIN');
      assert.ok(now() - begin < 1800);
    });

    test('what is sent on and on is not read for the whole grace', async () => {
      const part = Buffer.alloc(64 * 1024, 97);
      const server = new Watching((socket) => {
        socket.write(`${HEAD}\r\n`);
        const more = (): void => {
          while (socket.writable && socket.write(part));
        };
        socket.on('drain', more);
        more();
      });
      const fired = await at(server, { n: 2 });
      assert.deepEqual(fired.outcomes, { 403: 2 });
      for (const { rst, closed } of server.seen) assert.ok(rst !== null || closed !== null);
    });

    test('a churn is not slowed down by refusals that drain, and ends them alike without being told', async () => {
      const server = new Watching((socket) => {
        socket.write(`${HEAD}Content-Length: 0\r\n\r\n`);
        socket.removeAllListeners('end');
        socket.on('end', () => setTimeout(() => socket.end(), 400));
      });
      const begin = now();
      const { outcomes } = await at(server, { n: 60, inFlight: 20, close: null });
      const tookMs = now() - begin;
      assert.deepEqual(outcomes, { 403: 60 });
      assert.ok(tookMs < 1800, `${tookMs} ms for three rounds`);
      assert.equal(server.seen.length, 60);
    });

    test('a churn’s 101s are reset by default, its refusals are not', async () => {
      let count = 0;
      const refused = new Set<Seen>();
      const server = new Watching((socket, request) => {
        if (count++ % 2 === 0) socket.write(switching(request));
        else {
          refused.add(server.seen[server.seen.length - 1]);
          socket.write(`${HEAD}Content-Length: 0\r\n\r\n`);
        }
      });
      const { outcomes } = await at(server, { n: 10, inFlight: 1, close: null });
      assert.deepEqual(outcomes, { 101: 5, 403: 5 });
      for (const seen of server.seen) {
        assert.equal(seen.rst === null, refused.has(seen), 'RST for a 101, FIN for a refusal');
      }
    });

    test('stopped in the middle: FIN', async () => {
      let asked = 0;
      const server = new Watching(() => asked++);
      const { outcomes } = await at(server, { n: 10, stopWhen: () => asked === 10 });
      assert.deepEqual(outcomes, { aborted: 10 });
      server.endedInOrder(10);
    });
  });
}

describe('how TLS that fails is ended', () => {
  test('a deadline in the middle of it: FIN', async () => {
    const server = new Watching(() => {});
    const plain = await serve(server.handler);
    try {
      const fired = await fire(plain.url.replace('ws:', 'wss:'), { n: 5, close: 'clean', timeoutMs: 200 });
      assert.deepEqual(fired.outcomes, { 'timeout-tls': 5 });
      for (let tries = 0; !server.allClosed() && tries < 500; tries++) await pause(2);
      server.endedInOrder(5);
    } finally {
      await plain.close();
    }
  });

  test('while waiting at the gate for it: FIN', async () => {
    const server = new Watching(() => {});
    const plain = await serve(server.handler);
    try {
      const options = { n: 5, close: 'clean', gate: 'tls', timeoutMs: 200 } as const;
      const fired = await fire(plain.url.replace('ws:', 'wss:'), { ...options, stopWhen: () => true });
      assert.equal((fired.outcomes['timeout-tls'] ?? 0) + (fired.outcomes.aborted ?? 0), 5);
      for (let tries = 0; !server.allClosed() && tries < 500; tries++) await pause(2);
      server.endedInOrder(5);
    } finally {
      await plain.close();
    }
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`a certificate that is not trusted, ${version}: no RST`, async () => {
      const errors: string[] = [];
      const options = { tls: { minVersion: version, maxVersion: version, allowHalfOpen: true } };
      const server = await serve((socket) => {
        socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''));
        socket.resume();
        socket.on('end', () => socket.end());
      }, options);
      try {
        const fired = await fire(server.url, { n: 20, close: 'clean' });
        assert.deepEqual(fired.outcomes, { tls: 20 });
        await pause(50);
        assert.deepEqual(errors, []);
      } finally {
        await server.close();
      }
    });
  }
});

test('a server whose sockets have no error listener once it has refused lives on', async () => {
  // As the npm packages websocket and sockjs do it: they let go of the socket, which then dies of its own error.
  for (const { kernel, options } of WAYS) {
    let deaths = 0;
    const handler = onRequest((socket) => {
      socket.removeAllListeners('error');
      socket.on('error', () => deaths++);
      socket.resume();
      socket.end(`${HEAD}Connection: close\r\n\r\nno`);
    });
    const server = await serve(handler, options);
    try {
      const fired = await fire(server.url, { n: 200, kernel, close: 'clean', ...options });
      assert.deepEqual(fired.outcomes, { 403: 200 });
      const again = await fire(server.url, { n: 1, kernel, close: 'clean', ...options });
      assert.deepEqual(again.outcomes, { 403: 1 });
      await pause(50);
      assert.equal(deaths, 0);
    } finally {
      await server.close();
    }
  }
});

/**
 * A stack as its answers: what a gateway and the backend behind it write on the wire to a request, byte for byte as real
 * ones were seen to. Two ports: the gateway, and the backend itself for `--direct`.
 */
import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';

export interface RawRequest {
  readonly target: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly isUpgrade: boolean;
}

/** Bytes of an answer, after which the connection is ended unless it stays a tunnel. */
export type RawAnswer =
  | { readonly text: string }
  | { readonly finAfterMs: number }
  | { readonly silent: true }
  /** A 101, with more headers, and bytes after it, after which it is ended. */
  | { readonly accept: true; readonly headers?: string; readonly after?: Buffer };

export interface RawStack {
  readonly name: string;
  readonly gateway: (request: RawRequest) => RawAnswer;
  readonly backend?: (request: RawRequest) => RawAnswer;
}

export interface RunningRaw {
  readonly url: string;
  readonly direct: string;
  stop(): Promise<void>;
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export async function startRaw({ gateway, backend = () => ({ accept: true }) }: RawStack): Promise<RunningRaw> {
  const servers = [await listen(gateway), await listen(backend)];
  const [url, direct] = servers.map(({ server }) => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return {
    url,
    direct,
    async stop() {
      for (const { server, sockets } of servers) {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

async function listen(
  answerOf: (request: RawRequest) => RawAnswer,
): Promise<{ readonly server: Server; readonly sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    let head = '';
    socket.on('data', (bytes) => {
      if (head.endsWith('\r\n\r\n')) return answerFrame(socket, bytes);
      // A TLS hello: plaintext servers answer 400.
      if (head === '' && bytes[0] === 0x16)
        return void socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      head += bytes.toString('latin1');
      if (head.endsWith('\r\n\r\n')) give(socket, answerOf(requestOf(head)), head);
    });
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0, backlog: 2000 }, resolve));
  return { server, sockets };
}

function requestOf(head: string): RawRequest {
  const [first, ...lines] = head.trimEnd().split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { target: first.split(' ')[1], headers, isUpgrade: /websocket/i.test(headers.get('upgrade') ?? '') };
}

function give(socket: Socket, answer: RawAnswer, head: string): void {
  if ('text' in answer) socket.end(answer.text, 'latin1');
  else if ('finAfterMs' in answer) setTimeout(() => socket.end(), answer.finAfterMs);
  else if ('accept' in answer) {
    const { headers } = requestOf(head);
    const accept = createHash('sha1')
      .update(`${headers.get('sec-websocket-key')}${GUID}`)
      .digest('base64');
    const offered = headers.get('sec-websocket-protocol')?.split(',')[0].trim();
    const protocol = offered === undefined ? '' : `Sec-WebSocket-Protocol: ${offered}\r\n`;
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${protocol}${answer.headers ?? ''}\r\n`,
    );
    if (answer.after !== undefined) socket.end(answer.after);
  }
}

/** A ping gets its pong, a close frame a close frame; both short and masked. */
function answerFrame(socket: Socket, bytes: Buffer): void {
  const opcode = bytes[0] & 0x0f;
  const length = bytes[1] & 0x7f;
  const payload = Buffer.from(bytes.subarray(6, 6 + length)).map((byte, i) => byte ^ bytes[2 + (i % 4)]);
  if (opcode === 9) socket.write(Buffer.concat([Buffer.of(0x8a, length), payload]));
  if (opcode === 8) socket.end(Buffer.concat([Buffer.of(0x88, length), payload]));
}

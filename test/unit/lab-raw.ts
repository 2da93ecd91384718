/**
 * Raw clients for the tests of the lab: handshakes written and judged here, on bare sockets, so that neither the product's
 * client nor ws's can agree with a mistake of the target.
 */
import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { LAB_CERTIFICATE } from '#dist/lab/server/certificate.js';
import type { LabReport } from '#dist/lab/server/ledger.js';

/** What a client reads of an answer's head before it gives up. */
const LONGEST_HEAD = 65_536;

export interface Raw {
  readonly socket: Socket;
  /** Local port, while it was open. */
  readonly port: number;
  /** What came, in latin1. */
  received: string;
  outcome: string;
}

export interface BurstOptions {
  /** Trust the certificate of the lab; false: the system's roots only. */
  readonly trust?: boolean;
  /** How many attempts are let wait for ever: the burst is over when all others have ended. */
  readonly silent?: number;
  /** Asked before the silent ones are given up: has the target read every request? */
  readonly heard?: () => boolean;
}

/** `n` clients connect, then all write their request in one go; resolves when every one has its outcome. */
export async function burst(url: string, n: number, options: BurstOptions = {}): Promise<Raw[]> {
  const raws = await Promise.all(Array.from({ length: n }, () => open(url, options.trust ?? true)));
  for (const raw of raws) if (raw.outcome === '') ask(raw);
  const silent = options.silent ?? 0;
  // By events and not by a clock: on a busy machine a short timeout would take a slow answer for none.
  await until(() => raws.filter((raw) => raw.outcome === '').length <= silent && (options.heard?.() ?? true));
  // A word too many has this long to arrive.
  if (silent > 0) await new Promise((resolve) => setTimeout(resolve, 30));
  for (const raw of raws) if (raw.outcome === '') raw.outcome = 'timeout-upgrade';
  return raws;
}

export function count(raws: readonly Raw[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of raws) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** Every client leaves by RST; resolves when the sockets are closed on this side. */
export async function leave(raws: readonly Raw[]): Promise<void> {
  await Promise.all(
    raws.map(({ socket }) => {
      if (socket.destroyed) return null;
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.destroy();
      return closed;
    }),
  );
}

/** Polls until `read` holds: for what the other side of a connection notices in its own time. */
export async function until(read: () => boolean): Promise<void> {
  for (let tries = 0; !read(); tries += 1) {
    if (tries > 10_000) throw new Error('waited for too long');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The part of a report that must equal what the clients counted. */
export function byOutcome(report: LabReport): Record<string, number> {
  return { ...report.byOutcome };
}

async function open(url: string, trust: boolean): Promise<Raw> {
  const { hostname, port, protocol } = new URL(url);
  const secure = protocol === 'wss:';
  const at = { host: hostname, port: Number(port) };
  const socket = secure
    ? connectTls({ ...at, servername: 'localhost', ca: trust ? LAB_CERTIFICATE : undefined })
    : connect(at);
  const raw: Raw = { socket, port: 0, received: '', outcome: '' };
  await new Promise<void>((resolve) => {
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      Object.assign(raw, { port: socket.localPort });
      resolve();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (raw.outcome === '') raw.outcome = error.code === 'ECONNRESET' ? 'reset' : secure ? 'tls' : `${error.code}`;
      resolve();
    });
  });
  return raw;
}

function ask(raw: Raw): void {
  const key = randomBytes(16).toString('base64');
  raw.socket.write(
    `GET /chat?x=1 HTTP/1.1\r\nHost: lab\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\n` +
      'Sec-WebSocket-Version: 13\r\n\r\n',
  );
  const end = (outcome: string): void => {
    if (raw.outcome === '') raw.outcome = outcome;
  };
  raw.socket.on('data', (chunk: Buffer) => {
    raw.received += chunk.toString('latin1');
    if (!'HTTP/1.'.startsWith(raw.received.slice(0, 7))) end('malformed');
    if (raw.received.includes('\r\n\r\n')) end(judge(raw.received, key));
  });
  raw.socket.once('end', () => end('closed'));
  raw.socket.once('close', () => end('closed'));
}

/** RFC 6455 section 4.1 for a request that offered neither subprotocol nor extension. */
function judge(text: string, key: string): string {
  const head = text.slice(0, text.indexOf('\r\n\r\n'));
  const status = /^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1] ?? 'malformed';
  if (status !== '101') return status;
  if (head.length > LONGEST_HEAD) return 'malformed';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const valid =
    head.startsWith('HTTP/1.1') &&
    /^upgrade: websocket$/im.test(head.replaceAll('\r', '')) &&
    /^connection: upgrade$/im.test(head.replaceAll('\r', '')) &&
    head.split('\r\n').includes(`Sec-WebSocket-Accept: ${accept}`) &&
    !/^sec-websocket-(protocol|extensions):/im.test(head);
  return valid ? '101' : 'invalid-101';
}

/**
 * A process: a target made of bare sockets that answers every handshake, and every ping, at once and remembers when it
 * received it.
 * Prints its URL; to a line `report` on its stdin it prints one JSON line (`Report`) and forgets what it received; ends
 * with its stdin. Arguments: the address and port to listen on, and a mode: `counts`; `stamps` to remember when; `awake`
 * to do that without ever sleeping, and before everything else on the machine.
 */
import { createHash } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import os from 'node:os';
import { createInterface } from 'node:readline';

export interface Report {
  /** Handshakes since the start. */
  readonly handshakes: number;
  /** Most connections that were open at once. */
  readonly peakOpen: number;
  /** Pings without a payload, all answered. */
  readonly pings: number;
  /** Since the last report, in order of receipt: the client's port, and µs since the Unix epoch. */
  readonly received: readonly (readonly [port: number, us: number])[];
}

const LONGEST_BACKLOG = 65_535;
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY = /\r\nsec-websocket-key: *(\S+)\r\n/i;
const CLOSE_FRAME = Buffer.of(0x88, 2, 3, 0xe8);
const PING = 0x89;
const PONG_FRAME = Buffer.of(0x8a, 0);
/** Masked, without a payload. */
const PING_BYTES = 6;

const [, , host, port, mode] = process.argv;
const wantsStamps = mode !== 'counts';
const epochMs = wallOffset();
const upgraded = new WeakSet<Socket>();
let handshakes = 0;
let open = 0;
let peakOpen = 0;
let pings = 0;
let received: [number, number][] = [];
/** Read, stamped, and not yet answered: an answer takes longer than a stamp, and would make the next one late. */
let unanswered: { socket: Socket; key: string }[] = [];

/**
 * Wall clock minus `performance.now()`. `Date.now()` has ms only, so it is read at its ticks; whatever disturbs a
 * reading makes it too small, hence the largest of several.
 */
function wallOffset(): number {
  return Math.max(
    ...Array.from({ length: 20 }, () => {
      const start = Date.now();
      let tick = Date.now();
      while (tick === start) tick = Date.now();
      return tick - performance.now();
    }),
  );
}

function onData(this: Socket, bytes: Buffer): void {
  const at = performance.now();
  if (upgraded.has(this)) {
    const said = pong(this, bytes);
    // What a client says besides is a close frame; RFC 6455 section 7.1.1: the server closes TCP first.
    if (said < bytes.length) this.end(CLOSE_FRAME);
    return;
  }
  const key = KEY.exec(bytes.toString('latin1'))?.[1];
  if (key === undefined) return;
  handshakes += 1;
  if (wantsStamps) received.push([this.remotePort ?? 0, Math.round((epochMs + at) * 1000)]);
  upgraded.add(this);
  unanswered.push({ socket: this, key });
  if (unanswered.length === 1) setImmediate(answer);
}

/** Answers the pings that the bytes begin with. @returns how many bytes those were */
function pong(socket: Socket, bytes: Buffer): number {
  let at = 0;
  for (; bytes[at] === PING; at += PING_BYTES) {
    pings += 1;
    socket.write(PONG_FRAME);
  }
  return at;
}

function answer(): void {
  for (const { socket, key } of unanswered) {
    const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
      'latin1',
    );
  }
  unanswered = [];
}

function stayAwake(): void {
  setImmediate(stayAwake);
}

/** The ruler must not be late because others are busy; without the right to, it is as late as they are. */
function takePriority(): void {
  try {
    os.setPriority(os.constants.priority.PRIORITY_HIGHEST);
  } catch {}
}

function onClose(): void {
  open -= 1;
}

if (mode === 'awake') {
  takePriority();
  stayAwake();
}
const server = createServer({ noDelay: true }, (socket) => {
  open += 1;
  if (open > peakOpen) peakOpen = open;
  socket.on('data', onData);
  socket.on('error', () => {});
  socket.on('close', onClose);
});
server.listen({ host, port: Number(port), backlog: LONGEST_BACKLOG }, () => {
  process.stdout.write(`ws://${host}:${(server.address() as AddressInfo).port}/\n`);
});
createInterface({ input: process.stdin })
  .on('line', () => {
    const report: Report = { handshakes, peakOpen, pings, received };
    received = [];
    process.stdout.write(`${JSON.stringify(report)}\n`);
  })
  .on('close', () => process.exit(0));

/**
 * Local ports already in use, by any process and in any state, from the kernel's list of sockets. Zero if there is no
 * such list.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { addressBytes } from '../../plan/address.js';
import type { Machine } from '../../plan/machine-facts.js';

const PIECE_BYTES = 64 * 1024;

/** The far end of connections. */
interface Remote {
  readonly address: string;
  readonly port: number;
}

/** Sockets in any state, including TIME_WAIT, that use a port of the range towards one of the destinations. */
export function portsInUse({ portRange: [low, high] }: Machine, to: readonly Remote[]): number {
  // A line is "SLOT: ADDRESS:PORT ADDRESS:PORT STATE …", first this side, then the far one.
  const remotes = to.map(({ address, port }) => ` ${hexAddress(address)}:${hexPort(port)} `);
  let used = 0;
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const lines of wholeLinesOf(file)) {
      for (const remote of new Set(remotes)) {
        for (let at = lines.indexOf(remote); at >= 0; at = lines.indexOf(remote, at + 1)) {
          const port = Number.parseInt(lines.slice(at - 4, at), 16);
          if (port >= low && port <= high) used++;
        }
      }
    }
  }
  return used;
}

/** A file in pieces of whole lines: tens of thousands of sockets in TIME_WAIT are several MB of text. */
function* wholeLinesOf(file: string): Generator<string> {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch {
    return;
  }
  try {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    let rest = '';
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) {
      const text = rest + buffer.toString('latin1', 0, n);
      const end = text.lastIndexOf('\n') + 1;
      yield text.slice(0, end);
      rest = text.slice(end);
    }
  } finally {
    closeSync(fd);
  }
}

/** The format of /proc/net/tcp: 32-bit words in host order (little endian on every platform of Node). */
export function hexAddress(address: string): string {
  const bytes = addressBytes(address);
  const words: string[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    words.push(
      ...bytes
        .slice(at, at + 4)
        .reverse()
        .map((byte) => byte.toString(16).padStart(2, '0')),
    );
  }
  return words.join('').toUpperCase();
}

function hexPort(port: number): string {
  return port.toString(16).padStart(4, '0').toUpperCase();
}

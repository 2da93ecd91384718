/**
 * What this machine allows, looked at before anything is sent: descriptors, local ports, memory. A need that can't be
 * met is said in one sentence with the limit, the number it allows and the command that lifts it, because such a limit
 * would otherwise read as one of the target's.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import os from 'node:os';
import { addressBytes, isWithin } from '../../plan/address.js';
import { probesOpen } from '../../plan/needs.js';
import { fixedOpen, type Plan } from '../../plan/plan.js';
import { formatCount } from '../../plan/units.js';
import type { Destination } from '../transport/transport.js';

/** Descriptors that threads, output files and modules loaded late may still take. */
const SPARE_FDS = 24;
const FDS_PER_WORKER = 12;
/** Socket object, handle and kernel socket of a connection that is held. */
const BYTES_PER_CONNECTION = 16 * 1024;
const PIECE_BYTES = 64 * 1024;
const DEFAULT_PORTS = [32768, 60999] as const;

/** null: this platform does not say. */
export interface Machine {
  readonly cpus: number;
  /** Soft limit as it is now; Node raises it to the hard one when it starts. */
  readonly fds: number | null;
  readonly fdsHard: number | null;
  readonly fdsOpen: number | null;
  /** Ephemeral port range, inclusive. */
  readonly portRange: readonly [low: number, high: number];
  readonly memoryFree: number | null;
  readonly somaxconn: number | null;
}

export function readMachine(): Machine {
  const range = numbersIn('/proc/sys/net/ipv4/ip_local_port_range');
  const files = /^Max open files\s+(\S+)\s+(\S+)/m.exec(textOf('/proc/self/limits') ?? '');
  const limit = (text: string | undefined) => (text === undefined || text === 'unlimited' ? null : Number(text));
  return {
    cpus: os.availableParallelism(),
    fds: limit(files?.[1]),
    fdsHard: limit(files?.[2]),
    fdsOpen: countOpen(),
    portRange: range !== null && range.length === 2 ? [range[0], range[1]] : DEFAULT_PORTS,
    memoryFree: memoryFree(),
    somaxconn: numbersIn('/proc/sys/net/core/somaxconn')?.[0] ?? null,
  };
}

/** Local ports that one source address has. */
export function portsPerSource(machine: Machine): number {
  return machine.portRange[1] - machine.portRange[0] + 1;
}

/** Connections that fit into the free descriptors beside what the program itself needs; null when unlimited. */
export function connectionsByFds(machine: Machine, workers: number): number | null {
  if (machine.fds === null) return null;
  return Math.max(0, machine.fds - (machine.fdsOpen ?? 0) - SPARE_FDS - workers * FDS_PER_WORKER);
}

/** A need that can't be met: so many connections fit, and why not as many as were asked for. */
export interface Shortage {
  readonly fit: number;
  /** One sentence with the way out. */
  readonly reason: string;
  /** It goes away by itself: ports in TIME_WAIT. */
  readonly passes: boolean;
}

/** One sentence for each need that can't be met; empty: the plan fits this machine. A search takes what it can get. */
export function unmetNeeds(
  plan: Plan,
  machine: Machine,
  workers: number,
  destinations: readonly Destination[],
): string[] {
  const open = Math.max(fixedOpen(plan), probesOpen(plan));
  const sources = plan.target.sourceIps.map(sourceNeed).filter((reason) => reason !== null);
  return [...sources, ...shortages(open, plan, machine, workers, destinations).map(({ reason }) => reason)];
}

/** What stands most in the way of `open` connections at once, as this machine is now; null: nothing does. */
export function shortageOf(
  open: number,
  plan: Plan,
  machine: Machine,
  workers: number,
  destinations: readonly Destination[],
): Shortage | null {
  const [first, ...others] = shortages(open, plan, machine, workers, destinations);
  return others.reduce<Shortage | null>(
    (least, one) => (least === null || one.fit < least.fit ? one : least),
    first ?? null,
  );
}

function shortages(
  open: number,
  plan: Plan,
  machine: Machine,
  workers: number,
  destinations: readonly Destination[],
): Shortage[] {
  const all = [fdNeed(open, machine, workers), portNeed(open, plan, machine, destinations), memoryNeed(open, machine)];
  return all.filter((shortage) => shortage !== null);
}

/** A source address must be one of this machine's; on Linux the whole block of the loopback interface is. */
function sourceNeed(address: string): string | null {
  const own = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
  if (own.some((one) => one.address === address)) return null;
  if (own.some(({ internal, cidr }) => internal && cidr !== null && isWithin(address, cidr))) return null;
  return (
    `no interface of this machine has the source address ${address}; ` +
    `it has ${own.map((one) => one.address).join(', ')}`
  );
}

function fdNeed(open: number, machine: Machine, workers: number): Shortage | null {
  const fit = connectionsByFds(machine, workers);
  if (fit === null || open <= fit) return null;
  const need = open - fit + (machine.fds as number);
  const reason =
    `${formatCount(open)} connections at once need ${formatCount(need)} file descriptors, and this process may open ` +
    `${formatCount(machine.fds as number)} (hard limit ${machine.fdsHard === null ? 'none' : formatCount(machine.fdsHard)}): ` +
    `at most ${formatCount(fit)} connections fit; raise it with: ulimit -n ${need}`;
  return { fit, reason, passes: false };
}

function portNeed(open: number, plan: Plan, machine: Machine, to: readonly Destination[]): Shortage | null {
  if (to.length === 0) return null;
  const sources = Math.max(1, plan.target.sourceIps.length);
  const perSource = portsPerSource(machine);
  const used = portsInUse(machine, to);
  const fit = Math.max(0, perSource * sources * to.length - used);
  if (open <= fit) return null;
  const [low, high] = machine.portRange;
  const reason =
    `${formatCount(open)} connections at once need as many local ports, and ${formatCount(sources)} source ` +
    `address${sources === 1 ? '' : 'es'} to ${formatCount(to.length)} destination${to.length === 1 ? '' : 's'} ` +
    `${sources * to.length === 1 ? 'has' : 'have'} ${formatCount(fit)} free (${low}-${high}` +
    `${used > 0 ? `, ${formatCount(used)} in use` : ''}): at most ${formatCount(fit)} fit; ` +
    'add source addresses (--source-ip, repeatable, CIDR) or widen it with: sysctl net.ipv4.ip_local_port_range="1024 65535"';
  return { fit, reason, passes: open <= fit + used };
}

function memoryNeed(open: number, machine: Machine): Shortage | null {
  if (machine.memoryFree === null) return null;
  const fit = Math.floor(machine.memoryFree / BYTES_PER_CONNECTION);
  if (open <= fit) return null;
  const reason =
    `${formatCount(open)} connections at once need about ${Math.ceil((open * BYTES_PER_CONNECTION) / 2 ** 20)} MiB, and ` +
    `${Math.floor(machine.memoryFree / 2 ** 20)} MiB are free: at most ${formatCount(fit)} fit; free memory or use fewer`;
  return { fit, reason, passes: false };
}

/** Sockets in any state, TIME_WAIT included, that hold a port of the range towards one of the destinations. */
function portsInUse(machine: Machine, to: readonly Destination[]): number {
  const [low, high] = machine.portRange;
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

/** A file piece by piece, each of whole lines: tens of thousands of TIME_WAIT pairs are several MB of text. */
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

/** As /proc/net/tcp writes it: 32-bit words in host order (little endian on every platform Node has there). */
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

function memoryFree(): number | null {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(textOf('/proc/meminfo') ?? '');
  const machine = available === null ? null : Number(available[1]) * 1024;
  const max = numbersIn('/sys/fs/cgroup/memory.max')?.[0];
  const current = numbersIn('/sys/fs/cgroup/memory.current')?.[0];
  if (max === undefined || current === undefined) return machine;
  return Math.min(machine ?? Number.POSITIVE_INFINITY, Math.max(0, max - current));
}

function countOpen(): number | null {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}

/** A file's text, or null where there is none: not Linux, or not allowed. */
export function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function numbersIn(file: string): number[] | null {
  const numbers = textOf(file)?.trim().split(/\s+/).map(Number);
  return numbers?.every(Number.isFinite) ? numbers : null;
}

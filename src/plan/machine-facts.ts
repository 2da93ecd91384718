/** What a machine allows one process, as facts. How they are found out is the engine's business. */
import { isLoopback, isWithin } from './address.js';

/** null: this platform does not say. */
export interface Machine {
  readonly cpus: number;
  /** Soft limit as it is now; Node raises it to the hard one when it starts. */
  readonly fds: number | null;
  readonly fdsHard: number | null;
  readonly fdsOpen: number | null;
  /** Ephemeral port range, inclusive. */
  readonly portRange: readonly [low: number, high: number];
  /** Bytes that this process may have in all: what is free, and what it has already. */
  readonly memoryFree: number | null;
  /** Longest accept queue (net.core.somaxconn). */
  readonly somaxconn: number | null;
  /** Of its interfaces, each with its prefix: 127.0.0.1/8. */
  readonly addresses: readonly string[] | null;
}

/** Local ports that one source address has. */
export function portsPerSource({ portRange: [low, high] }: Pick<Machine, 'portRange'>): number {
  return high - low + 1;
}

/** Those of `addresses` that no interface has, so that no connection can be made from them. */
export function foreignAddresses(addresses: readonly string[], machine: Machine): string[] {
  if (machine.addresses === null) return [];
  const own = new Set(machine.addresses.map(withoutPrefix));
  // On Linux the whole block of the loopback interface is this machine's.
  const loopback = machine.addresses.filter((one) => isLoopback(withoutPrefix(one)));
  return addresses.filter((address) => !own.has(address) && !loopback.some((block) => isWithin(address, block)));
}

export function withoutPrefix(address: string): string {
  return address.split('/', 1)[0] ?? address;
}

/** What a machine allows one process, as facts. The engine measures them. */
import { isLoopback, isWithin } from './address.js';

/** null: this platform does not report it. */
export interface Machine {
  readonly cpus: number;
  /** The current soft limit; Node raises it to the hard limit at start. */
  readonly fds: number | null;
  readonly fdsHard: number | null;
  readonly fdsOpen: number | null;
  /** Ephemeral port range, inclusive. */
  readonly portRange: readonly [low: number, high: number];
  /** Bytes that this process may use in total: free memory plus what it already uses. */
  readonly memoryFree: number | null;
  /** Longest accept queue (net.core.somaxconn). */
  readonly somaxconn: number | null;
  /** Addresses of all interfaces, with their prefix: 127.0.0.1/8. */
  readonly addresses: readonly string[] | null;
}

/** Local ports available to one source address. */
export function portsPerSource({ portRange: [low, high] }: Pick<Machine, 'portRange'>): number {
  return high - low + 1;
}

/** Those of `addresses` that no interface has, so that no connection can start from them. */
export function foreignAddresses(addresses: readonly string[], machine: Machine): string[] {
  if (machine.addresses === null) return [];
  const own = new Set(machine.addresses.map(withoutPrefix));
  // On Linux the whole block of the loopback interface belongs to this machine.
  const loopback = machine.addresses.filter((one) => isLoopback(withoutPrefix(one)));
  return addresses.filter((address) => !own.has(address) && !loopback.some((block) => isWithin(address, block)));
}

export function withoutPrefix(address: string): string {
  return address.split('/', 1)[0] ?? address;
}

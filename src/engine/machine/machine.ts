/**
 * What this machine allows, read from the operating system: descriptors, local ports, memory, addresses. Facts only;
 * plan/resources.ts compares them with what a plan needs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import type { Machine } from '../../plan/machine-facts.js';

const DEFAULT_PORTS = [32768, 60999] as const;

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
    addresses: ownAddresses(),
  };
}

function ownAddresses(): string[] {
  const interfaces = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
  return interfaces.map(({ address, cidr }) => cidr ?? address);
}

/** Free memory, within the control group's limit if there is one, plus what this process already uses. */
function memoryFree(): number | null {
  const available = kilobytesIn('/proc/meminfo', 'MemAvailable');
  const max = numbersIn('/sys/fs/cgroup/memory.max')?.[0];
  const current = numbersIn('/sys/fs/cgroup/memory.current')?.[0];
  const ofGroup = max === undefined || current === undefined ? null : Math.max(0, max - current);
  const bounds = [available, ofGroup].filter((bytes) => bytes !== null);
  return bounds.length === 0 ? null : Math.min(...bounds) + (kilobytesIn('/proc/self/status', 'VmRSS') ?? 0);
}

/** Bytes. */
function kilobytesIn(file: string, name: string): number | null {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(textOf(file) ?? '');
  return found === null ? null : Number(found[1]) * 1024;
}

function countOpen(): number | null {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}

/** A file's text, or null when it cannot be read: not Linux, or no permission. */
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

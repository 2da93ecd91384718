/**
 * What this machine allows, read from the operating system: descriptors, local ports, memory, addresses. Facts only;
 * plan/resources.ts compares them with what a plan needs.
 */
import { readdirSync } from 'node:fs';
import os from 'node:os';
import type { Machine } from '../../plan/machine-facts.js';
import { groupFolders } from './control-groups.js';
import { textOf } from './text-of.js';

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

/**
 * What is free, within the bounds of the control groups of this process, and what this process holds of it.
 * @param root of the file system
 */
export function memoryFree(root = ''): number | null {
  const available = kilobytesIn(`${root}/proc/meminfo`, 'MemAvailable');
  const bounds = [available, ...groupFolders('memory', root).map(leftOfGroup)].filter((bytes) => bytes !== null);
  return bounds.length === 0 ? null : Math.min(...bounds) + (kilobytesIn(`${root}/proc/self/status`, 'VmRSS') ?? 0);
}

/** Up to the limit of a group; null without one. Pages of files that nothing uses are given back before it is reached. */
function leftOfGroup(folder: string): number | null {
  const first = (...names: string[]) =>
    names.map((name) => numbersIn(`${folder}/${name}`)?.[0]).find((value) => value !== undefined);
  const max = first('memory.max', 'memory.limit_in_bytes');
  const used = first('memory.current', 'memory.usage_in_bytes');
  if (max === undefined || used === undefined) return null;
  const unused = /^(?:total_)?inactive_file (\d+)$/gm;
  // Version 1 counts what is below a group in lines of their own, after the others.
  const idle = [...(textOf(`${folder}/memory.stat`) ?? '').matchAll(unused)].at(-1)?.[1] ?? 0;
  return Math.max(0, max - used + Number(idle));
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

function numbersIn(file: string): number[] | null {
  const numbers = textOf(file)?.trim().split(/\s+/).map(Number);
  return numbers?.every(Number.isFinite) ? numbers : null;
}

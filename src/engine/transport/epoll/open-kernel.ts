/**
 * Opens the way to the kernel for one thread, or says in a sentence why there is none: another system, or a package that is
 * absent. What follows from that is the caller's to decide.
 */
import { LAYOUTS } from '../../../native/layouts.js';
import { loadLibc } from '../../../native/libc.js';
import { Kernel } from './system-calls.js';

/** @param platform as `Host` tells it: `linux-x64` */
export async function openKernel(platform: string): Promise<Kernel | string> {
  const [system, architecture] = platform.split('-');
  if (system !== 'linux') return `it needs Linux, and this is ${system}`;
  const layout = LAYOUTS[architecture];
  if (layout === undefined) return `it needs x86-64 or arm64, and this is ${architecture}`;
  try {
    return new Kernel(await loadLibc(), layout);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ERR_MODULE_NOT_FOUND' ? 'the package koffi is not installed' : `no way to libc: ${message}`;
  }
}

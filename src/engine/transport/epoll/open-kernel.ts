/**
 * Loads the system calls for one thread, or returns a sentence why that is impossible: another operating system, or a
 * missing package. The caller decides what follows.
 */
import { LAYOUTS } from '../../../native/layouts.js';
import { loadLibc } from '../../../native/libc.js';
import { Kernel } from './system-calls.js';

/** @param platform as in `Host`: `linux-x64` */
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

/**
 * Opens the way to the kernel for one thread, or says in a sentence why there is none: another system, a package that is
 * absent, a self-test that fails. Who asked decides what follows from that.
 */
import { Kernel } from './kernel.js';
import { loadLibc } from './libc.js';
import { LAYOUTS } from './native-layout.js';
import { selfTest } from './self-test.js';

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

/** Whether the `epoll` transport works here: null, or why not. */
export async function epollTrouble(platform: string): Promise<string | null> {
  const kernel = await openKernel(platform);
  if (typeof kernel === 'string') return kernel;
  const trouble = selfTest(kernel);
  kernel.close();
  return trouble;
}

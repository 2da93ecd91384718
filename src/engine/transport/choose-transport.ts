/**
 * Opens the way to the kernel for one thread, or says in a sentence why there is none: another system, a package that is
 * absent, a self-test that fails. Who asked decides what follows from that.
 */
import { UserError } from '../../errors.js';
import { LAYOUTS } from '../../native/layouts.js';
import { loadLibc } from '../../native/libc.js';
import type { Plan } from '../../plan/plan.js';
import { selfTest } from './epoll/self-test.js';
import { Kernel } from './epoll/system-calls.js';
import type { TransportName } from './transport.js';

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

/** Which transport a run takes; `note`: why it is not the faster one. */
export interface Choice {
  readonly name: TransportName;
  readonly note: string | null;
}

/** @throws UserError when the plan asks for the transport `epoll` and it does not work here */
export async function chooseTransport({ transport, target }: Plan, platform: string): Promise<Choice> {
  if (transport === 'node' || target.scheme === 'wss') return { name: 'node', note: null };
  const trouble = await epollTrouble(platform);
  if (trouble === null) return { name: 'epoll', note: null };
  if (transport === 'auto') return { name: 'node', note: `not epoll: ${trouble}` };
  throw new UserError(`--transport epoll does not work here: ${trouble}`, {
    code: 'transport',
    hint: '--transport auto takes the transport node where epoll does not work',
  });
}

async function epollTrouble(platform: string): Promise<string | null> {
  const kernel = await openKernel(platform);
  if (typeof kernel === 'string') return kernel;
  const trouble = selfTest(kernel);
  kernel.close();
  return trouble;
}

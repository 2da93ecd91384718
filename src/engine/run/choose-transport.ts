/**
 * Which transport a run takes: the faster one where it works, which is found out by trying. Says in a sentence why it is not
 * the faster one.
 */
import { UserError } from '../../errors.js';
import type { Plan } from '../../plan/plan.js';
import { openKernel } from '../transport/epoll/open-kernel.js';
import { selfTest } from '../transport/epoll/self-test.js';
import type { TransportName } from '../transport/transport.js';

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

/**
 * Chooses the transport of a run: the faster one if a self-test shows that it works here; otherwise it says why not.
 */
import { UserError } from '../../errors.js';
import type { Plan } from '../../plan/plan.js';
import { openKernel } from '../transport/epoll/open-kernel.js';
import { selfTest } from '../transport/epoll/self-test.js';
import type { TransportName } from '../transport/transport.js';

/** The transport of a run; `note`: why it is not the faster one. */
export interface Choice {
  readonly name: TransportName;
  readonly note: string | null;
}

/** @throws UserError when the plan asks for the `epoll` transport and it does not work here */
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

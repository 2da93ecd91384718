/** A dozen random plans through both transports; two hundred of them are in the long tests. */
import { after, describe, test } from 'node:test';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import { withoutEpoll } from '../needs.js';
import { checkBoth, Labs, randomPlans, titleOf } from './random-plans.js';

const kernel = await openKernel(`${process.platform}-${process.arch}`);
const labs = new Labs();
after(() => labs.stop());

describe('both transports count the same', { skip: withoutEpoll(typeof kernel === 'string' ? kernel : null) }, () => {
  for (const plan of randomPlans(12, 12)) {
    test(titleOf(plan), () => checkBoth(plan, labs, kernel as Exclude<typeof kernel, string>));
  }
});

/**
 * Two hundred random plans (size, gate, target, settings, deadline, way of closing, source addresses) through both
 * transports against targets whose outcomes are certain: identical counts, and those that the catalogue promises.
 */
import { after, describe, test } from 'node:test';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import { needs } from '../needs.js';
import { checkBoth, Labs, randomPlans, titleOf } from '../unit/random-plans.js';

const PLANS = 200;
const SEED = 20;

const kernel = await openKernel(`${process.platform}-${process.arch}`);
const labs = new Labs();
after(() => labs.stop());

describe(`${PLANS} random plans, seed ${SEED}`, () => {
  for (const plan of randomPlans(PLANS, SEED)) {
    test(titleOf(plan), async (t) => {
      if (typeof kernel === 'string') needs(t, false, `the transport epoll: ${kernel}`);
      else await checkBoth(plan, labs, kernel);
    });
  }
});

/** Everything that raw servers demand of the engine, once more over the transport `epoll`: one suite that both pass. */
import { test } from 'node:test';
import { withoutEpoll } from '../needs.js';
import { useEpoll } from './fire-raw.js';

const skip = withoutEpoll(await useEpoll());
if (skip === false) {
  for (const suite of ['held', 'memory', 'outcomes', 'pieces', 'samples', 'stamps']) {
    await import(`./fire-${suite}.test.js`);
  }
} else test('the transport epoll', { skip }, () => {});

/** Everything that raw servers demand of the engine, once more over the transport `epoll`: one suite that both pass. */
import { test } from 'node:test';
import { useEpoll } from './fire-raw.js';

const trouble = await useEpoll();
if (trouble === null) {
  for (const suite of ['held', 'memory', 'outcomes', 'pieces', 'samples', 'stamps']) {
    await import(`./fire-${suite}.test.js`);
  }
} else test('the transport epoll', { skip: trouble }, () => {});

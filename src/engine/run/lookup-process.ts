/**
 * Does one DNS lookup, in a separate process: the system's resolver has no timeout option, and a process cannot exit
 * before a lookup ends (libuv joins the waiting thread). Prints one line when it starts and one with the answer.
 */
import { lookup } from 'node:dns/promises';
import { monotonicMs, processHost } from '../../host.js';

const host = processHost();
const [name = ''] = host.argv;
host.stdout.write('asking\n');
const start = monotonicMs();
const found = await lookup(name, { all: true, verbatim: true }).then(
  (addresses) => ({ addresses, failure: null }),
  (error: NodeJS.ErrnoException) => ({ addresses: [], failure: error.code ?? 'UNKNOWN' }),
);
host.stdout.write(`${JSON.stringify({ ...found, tookMs: monotonicMs() - start })}\n`);

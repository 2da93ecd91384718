/**
 * Looks one name up, in a process of its own: the system's resolver can't be told to give up, and a process does not end
 * before it has (libuv joins the thread that waits). Says when it begins and what it found, a line each.
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

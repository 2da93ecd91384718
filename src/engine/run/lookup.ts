/**
 * Asks the system's resolver for the addresses of a name, with a time limit: an answer after it is not waited for.
 */
import { fork } from 'node:child_process';
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { now } from '../machine/clock.js';

const PROGRAM = new URL('./lookup-process.js', import.meta.url);
/** A process that has not started the lookup by then never will. */
const START_MS = 10_000;

/** The code of a lookup without an answer in time, as node:dns names it (dns.TIMEOUT). */
export const SILENT = 'ETIMEOUT';

/** A finished lookup; `failure` is an error code. */
export interface LookedUp {
  readonly addresses: readonly LookupAddress[];
  readonly failure: string | null;
  readonly tookMs: number;
}

/** @param program for tests: a program to run instead of this module's own */
export function lookUp(
  name: string,
  timeoutMs: number,
  signal: AbortSignal,
  program: URL = PROGRAM,
): Promise<LookedUp> {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(program), [name], { stdio: ['ignore', 'pipe', 'ignore', 'ipc'], execArgv: [] });
    let askedAt = now();
    let isOver = false;
    const end = (found: LookedUp): void => {
      isOver = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      child.kill('SIGKILL');
      resolve(found);
    };
    const fail = (failure: string): void => end({ addresses: [], failure, tookMs: now() - askedAt });
    const silent = (): void => fail(SILENT);
    const stop = (): void => fail('ECANCELLED');
    let timer = setTimeout(silent, START_MS);
    signal.addEventListener('abort', stop);
    // If no process can be started, the lookup is made in this one, without a limit.
    child.on('error', () => {
      if (!isOver) void lookUpHere(name).then(end);
    });
    child.once('exit', () => fail('UNKNOWN'));
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      if (line !== 'asking') {
        end(JSON.parse(line) as LookedUp);
        return;
      }
      askedAt = now();
      clearTimeout(timer);
      timer = setTimeout(silent, timeoutMs);
    });
    if (signal.aborted) stop();
  });
}

async function lookUpHere(name: string): Promise<LookedUp> {
  const start = now();
  try {
    const addresses = await lookup(name, { all: true, verbatim: true });
    return { addresses, failure: null, tookMs: now() - start };
  } catch (error) {
    const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException;
    return { addresses: [], failure: code, tookMs: now() - start };
  }
}

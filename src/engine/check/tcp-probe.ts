/** A TCP connect only: whether an address that the handshake did not use is open, and how fast it connects. */
import net from 'node:net';
import { nextTick } from '../../host.js';
import type { CheckTcp } from '../../result/check-facts.js';
import { connectOutcome } from '../attempt/connect-outcome.js';
import { now, toMicros } from '../machine/clock.js';
import { synRetries } from '../machine/syn-schedule.js';
import type { Destination } from '../transport/transport.js';

interface ConnectOptions {
  readonly to: Destination;
  readonly localAddress: string | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export function probeTcp({ to, localAddress, timeoutMs, signal }: ConnectOptions): Promise<CheckTcp> {
  const { address, port, family } = to;
  return new Promise((resolve) => {
    const start = now();
    const socket = net.connect({
      host: address,
      port,
      family,
      localAddress: localAddress ?? undefined,
      autoSelectFamily: false,
    });
    // node:net makes the call in the tick that was just queued; an error after that comes from the network.
    let atOnce = false;
    nextTick(() => {
      atOnce = socket.errored !== null;
    }, null);
    const finish = (failure: string | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      socket.destroy();
      const tookMs = toMicros(now() - start);
      const hasOpened = failure === null;
      const retries = synRetries(tookMs, hasOpened);
      resolve({ address, port, tookMs: hasOpened ? tookMs : null, failure, synRetries: retries });
    };
    const stop = (): void => finish('aborted');
    const timer = setTimeout(() => finish('timeout-connect'), timeoutMs);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    socket.once('connect', () => finish(null));
    socket.on('error', (error: NodeJS.ErrnoException) => finish(connectOutcome(error.code ?? 'UNKNOWN', atOnce)));
  });
}

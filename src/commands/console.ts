/**
 * What commands and a person say to each other beside the summary: text out, the signals that end a run.
 */
import { EXIT } from '../errors.js';
import { type Host, monotonicMs } from '../host.js';

/** timeout(1) signals a process and then its group: signals this close together are one request. */
const ONE_REQUEST_MS = 50;

/** Resolves when the text is out, so that no exit cuts it short; a closed pipe ends quietly (cli.ts). */
export function write(host: Host, text: string): Promise<void> {
  return new Promise((resolve) => {
    host.stdout.write(text.endsWith('\n') ? text : `${text}\n`, () => resolve());
  });
}

/** First signal: stop launching, keep what was measured. Second: leave at once. */
export function listenForSignals(host: Host, note: (text: string) => void): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  let askedAt = Number.NaN;
  const stop = host.onSignal((name) => {
    const at = monotonicMs();
    if (at - askedAt < ONE_REQUEST_MS) return;
    askedAt = at;
    if (controller.signal.aborted) host.exit(name === 'SIGINT' ? EXIT.sigint : EXIT.sigterm);
    note('stopping: closing what is open, the result so far follows (again: leave at once)');
    controller.abort(name);
  });
  return { signal: controller.signal, stop };
}

/**
 * What commands and a person say to each other beside the summary: text out, the signals that end a run.
 */
import { SIGNAL_EXIT } from '../errors.js';
import { type Host, monotonicMs } from '../host.js';

/** timeout(1) signals a process and then its group: signals this close together are one request. */
const ONE_REQUEST_MS = 50;

/** Resolves when the text is out, so that no exit cuts it short; a closed pipe ends quietly (cli.ts). */
export function write(host: Host, text: string): Promise<void> {
  return new Promise((resolve) => {
    host.stdout.write(text.endsWith('\n') ? text : `${text}\n`, () => resolve());
  });
}

export interface Signals {
  /** Aborted by the first signal: nothing more is launched, what is open is closed. Its reason is the signal's name. */
  readonly signal: AbortSignal;
  /** Aborted by the second: closings are not waited for. */
  readonly hurry: AbortSignal;
  /** From now on signals do what they do without a listener. */
  stop(): void;
}

/** First signal: stop and close. Second: do not wait for closings. Third: leave at once. */
export function listenForSignals(
  host: Host,
  { note, leave }: { readonly note: (text: string) => void; readonly leave: () => void },
): Signals {
  const [first, second] = [new AbortController(), new AbortController()];
  let askedAt = Number.NaN;
  const stop = host.onSignal((name) => {
    const at = monotonicMs();
    if (at - askedAt < ONE_REQUEST_MS) return;
    askedAt = at;
    if (second.signal.aborted) {
      leave();
      host.exit(SIGNAL_EXIT[name]);
    }
    if (first.signal.aborted) {
      note('stopping now: the result so far follows without waiting for closes (again: exit at once)');
      second.abort(name);
      return;
    }
    note('stopping: closing what is open, the result so far follows (again: do not wait for closes)');
    first.abort(name);
  });
  return { signal: first.signal, hurry: second.signal, stop };
}

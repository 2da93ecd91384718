/**
 * Communication between commands and the user besides the summary: text output, and the signals that end a run.
 */
import { SIGNAL_EXIT } from '../errors.js';
import { type Host, monotonicMs } from '../host.js';

/** timeout(1) signals a process and then its group: signals this close together count as one. */
const ONE_REQUEST_MS = 50;

/**
 * Resolves when the text has been written, so that an exit cannot cut it off; a closed pipe is not an error (cli.ts).
 */
export function write(host: Host, content: string | Uint8Array): Promise<void> {
  return written(host.stdout, content);
}

/** The same on stderr, for what people read while standard output is data. */
export function writeAside(host: Host, text: string): Promise<void> {
  return written(host.stderr, text);
}

function written(stream: Host['stdout'], content: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const isOpen = typeof content === 'string' && !content.endsWith('\n');
    stream.write(isOpen ? `${content}\n` : content, () => resolve());
  });
}

export interface Signals {
  /**
   * Aborted by the first signal: nothing more is launched, open connections are closed. Its reason is the signal's
   * name.
   */
  readonly signal: AbortSignal;
  /** Aborted by the second signal: closing connections are not waited for. */
  readonly hurry: AbortSignal;
  /** Restores the default handling of signals. */
  stop(): void;
}

/** First signal: stop and close. Second: do not wait for connections to close. Third: exit at once. */
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

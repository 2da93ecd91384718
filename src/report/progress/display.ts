/** The interface of a progress display, and the choice of one for a run: a bar, plain lines or none. */
import type { Host } from '../../host.js';
import type { LoadKind } from '../../plan/stages/loads.js';
import type { RunNews } from '../outputs/output.js';
import type { Terminal } from '../terminal/style.js';

/** `off`: no progress, but notes; `quiet`: warnings alone. */
export type ProgressMode = 'bar' | 'plain' | 'off' | 'quiet';

/** The state of a run, without its burst: that is passed to `burst`. */
export interface ProgressNumbers extends Omit<RunNews, 'index' | 'of' | 'size'> {
  /** 0 when only time ends it. */
  readonly size: number;
}

export interface BurstInfo {
  /** 0-based, as in the result. */
  readonly index: number;
  /** Bursts of the whole run. */
  readonly bursts: number;
  readonly size: number;
  readonly kind: LoadKind;
}

export interface ProgressDisplay {
  /** A line worth keeping, such as the files written: shown unless all is quiet. */
  note(text: string): void;
  /** A line about what the result is worth: shown in every mode. */
  warn(text: string): void;
  stage(title: string): void;
  burst(info: BurstInfo): void;
  /** Cheap; as often as there is news. */
  update(numbers: ProgressNumbers): void;
  /** Ends what is drawn; may be called again. */
  stop(): void;
}

export interface ProgressOptions {
  readonly enabled: ProgressMode;
  readonly terminal: Terminal;
  /** Monotonic, ms. */
  readonly now?: () => number;
}

/** A bar on a terminal; lines in a pipe and in CI, where a redrawn line would be noise; neither when asked. */
export function progressMode(
  host: Pick<Host, 'stderr' | 'env'>,
  flags: { readonly noProgress?: boolean; readonly quiet?: boolean },
): ProgressMode {
  if (flags.quiet === true) return 'quiet';
  if (flags.noProgress === true) return 'off';
  const inCi = !['', '0', 'false'].includes(host.env.CI ?? '');
  return host.stderr.isTTY === true && !inCi && host.env.TERM !== 'dumb' ? 'bar' : 'plain';
}

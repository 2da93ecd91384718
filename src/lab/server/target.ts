/**
 * What a lab target is, as data, and the few words with which the catalogue's files are written. How a target does what it
 * does is its own file's affair.
 */
import type { OutcomeId } from '../../names/outcomes.js';
import type { LabEnv, RunningLab } from './listener.js';
import { COMMON_OPTIONS, type LabOption, type LabSettings } from './target-options.js';

/** Exact counts; zeros left out. */
export type Expected = Readonly<Partial<Record<OutcomeId, number>>>;

export interface LabTarget {
  readonly name: string;
  /** What happens in the real stack that this stands for; one or two sentences. */
  readonly story: string;
  /** The common options included. */
  readonly options: readonly LabOption[];
  /** Gates at which a burst shows the expected outcomes; `tls` over wss only. */
  readonly gates: readonly ('connect' | 'tls' | 'upgrade')[];
  /**
   * Id of the cause that a diagnosis should name for what goes wrong here (src/diagnose/causes.ts); null where nothing
   * does. Whether a burst is large enough to show it is another matter.
   */
  readonly cause: (settings: LabSettings) => string | null;
  /**
   * The outcomes of a burst of `n` simultaneous handshakes without preflight against a fresh target, by clients that
   * trust the certificate of the lab and stay until the last of them has its answer. Exact, zeros left out; null where
   * chance has a part.
   */
  readonly expects: (n: number, settings: LabSettings) => Expected | null;
  /** The same for a burst that follows when the first one has just been closed; null when it is as the first. */
  readonly expectsLater: ((n: number, settings: LabSettings) => Expected | null) | null;
  readonly start: (settings: LabSettings, env: LabEnv) => Promise<RunningLab>;
}

export const ALL_GATES = ['connect', 'tls', 'upgrade'] as const;

export function option(
  name: string,
  type: LabOption['type'],
  value: LabOption['default'],
  help: string,
  choices: readonly string[] = [],
): LabOption {
  return { name, type, choices, default: value, help };
}

/** The common options of a target that speaks TLS unless told otherwise. */
export const SECURE_OPTIONS: readonly LabOption[] = COMMON_OPTIONS.map((common) =>
  common.name === 'tls' ? { ...common, default: true } : common,
);

/** All of `n` end as `outcome`, save the first `good`, which get their 101. */
export function split(n: number, good: number, outcome: OutcomeId): Expected {
  const upgraded = Math.min(n, good);
  return { ...(upgraded > 0 && { 101: upgraded }), ...(n > upgraded && { [outcome]: n - upgraded }) };
}

/** The word of an option such as `--answer` as the outcome that it leads to. */
export function outcomeOfAnswer(answer: string): OutcomeId {
  if (answer === 'silent' || answer === 'hold') return 'timeout-upgrade';
  if (answer === 'fin' || answer === 'closed') return 'closed';
  if (answer === 'queue') return '503';
  return answer === 'reset' ? 'reset' : `${Number(answer)}`;
}

type Told = Pick<LabTarget, 'name' | 'story' | 'start'> & Partial<LabTarget>;

/** A target that answers each and every handshake with `outcome`. */
export function always(outcome: OutcomeId, cause: string | null, target: Told): LabTarget {
  return withDefaults({ cause: () => cause, expects: (n) => split(n, 0, outcome), ...target });
}

/** Every gate, the common options, and no difference between one burst and the next. */
export function withDefaults(target: Told & Pick<LabTarget, 'cause' | 'expects'>): LabTarget {
  return { gates: ALL_GATES, expectsLater: null, ...target, options: [...(target.options ?? COMMON_OPTIONS)] };
}

/** The common options and `own`. */
export function withOptions(...own: readonly LabOption[]): readonly LabOption[] {
  return [...COMMON_OPTIONS, ...own];
}

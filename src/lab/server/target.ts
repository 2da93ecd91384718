/**
 * A lab target as data, and functions with which the catalogue's files build targets. Each target's behaviour is in its
 * own file.
 */
import type { OutcomeId } from '../../names/outcomes.js';
import type { LabEnv, RunningLab } from './listener.js';
import { COMMON_OPTIONS, type LabOption, type LabSettings } from './target-options.js';

/** Exact counts; outcomes with 0 are left out. */
export type Expected = Readonly<Partial<Record<OutcomeId, number>>>;

export interface LabTarget {
  readonly name: string;
  /** What happens in the real stack that this target imitates; one or two sentences. */
  readonly story: string;
  /** Includes the common options. */
  readonly options: readonly LabOption[];
  /** Gates at which a burst shows the expected outcomes; `tls` over wss only. */
  readonly gates: readonly ('connect' | 'tls' | 'upgrade')[];
  /**
   * Id of the cause that a diagnosis should name (src/diagnose/causes.ts); null if nothing is wrong. Whether a burst is
   * large enough to show it is a separate question.
   */
  readonly cause: (settings: LabSettings) => string | null;
  /**
   * The outcomes of a burst of `n` simultaneous handshakes without preflight against a newly started target, by clients
   * that trust the lab's certificate and stay until the last one has its answer. Exact, without zeros; null if chance
   * matters.
   */
  readonly expects: (n: number, settings: LabSettings) => Expected | null;
  /** The same for the next burst, right after the first has been closed; null when it is the same as for the first. */
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

/** All of `n` end as `outcome`, except the first `good`, which get their 101. */
export function split(n: number, good: number, outcome: OutcomeId): Expected {
  const upgraded = Math.min(n, good);
  return { ...(upgraded > 0 && { 101: upgraded }), ...(n > upgraded && { [outcome]: n - upgraded }) };
}

/** The outcome for a word of an option such as `--answer`. */
export function outcomeOfAnswer(answer: string): OutcomeId {
  if (answer === 'silent' || answer === 'hold') return 'timeout-upgrade';
  if (answer === 'fin' || answer === 'closed') return 'closed';
  if (answer === 'queue') return '503';
  return answer === 'reset' ? 'reset' : `${Number(answer)}`;
}

type TargetDraft = Pick<LabTarget, 'name' | 'story' | 'start'> & Partial<LabTarget>;

/** A target that answers every handshake with `outcome`. */
export function always(outcome: OutcomeId, cause: string | null, target: TargetDraft): LabTarget {
  return withDefaults({ cause: () => cause, expects: (n) => split(n, 0, outcome), ...target });
}

/** With every gate, the common options, and the same outcomes for every burst. */
export function withDefaults(target: TargetDraft & Pick<LabTarget, 'cause' | 'expects'>): LabTarget {
  return { gates: ALL_GATES, expectsLater: null, ...target, options: [...(target.options ?? COMMON_OPTIONS)] };
}

/** The common options and `own`. */
export function withOptions(...own: readonly LabOption[]): readonly LabOption[] {
  return [...COMMON_OPTIONS, ...own];
}

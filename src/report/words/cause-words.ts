/**
 * A diagnosis in words: how likely a cause is, what it means, what speaks for it, what to change, and what would tell
 * it from another. Every text may hold what a target sent, and leaves this file harmless.
 */
import { CAUSES } from '../../diagnose/causes.js';
import { printable } from '../../plan/printable.js';
import type { Diagnosis } from '../../result/result.js';
import type { Fact } from './fact.js';

export interface CauseWords {
  /** `likely`, `possible`; `cause` where none is known. */
  readonly label: string;
  /** `slow-serial-upgrade (90%)`. */
  readonly name: string;
  /** What that is, in a few words. */
  readonly title: string;
  readonly facts: readonly Fact[];
}

/** From here on a cause is called likely; below, possible. */
const LIKELY = 0.6;

export function causeWords({ cause, evidence, remedy, confidence, apart }: Diagnosis): CauseWords {
  const isKnown = cause !== 'unknown';
  const facts: Fact[] = [
    { label: 'evidence', text: printable(evidence) },
    { label: 'remedy', text: printable(remedy) },
  ];
  return {
    label: !isKnown ? 'cause' : confidence >= LIKELY ? 'likely' : 'possible',
    name: printable(`${cause}${isKnown ? ` (${Math.round(100 * confidence)}%)` : ''}`),
    title: CAUSES.find(({ id }) => id === cause)?.title ?? '',
    facts: apart === null ? facts : [...facts, { label: 'apart', text: printable(apart) }],
  };
}

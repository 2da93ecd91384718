/**
 * A diagnosis in words: how likely a cause is, what it means, its evidence, what to change, and how to tell it from
 * another cause. Texts may contain what a target sent; this file makes them harmless.
 */
import { CAUSES } from '../../diagnose/causes.js';
import { printable } from '../../plan/printable.js';
import type { Diagnosis } from '../../result/result.js';
import type { Fact } from './fact.js';

export interface CauseWords {
  /** `likely`, `possible`; `unknown` where no cause is known. */
  readonly label: string;
  /** `slow-serial-upgrade (90%)`; for `unknown`, what that means. */
  readonly name: string;
  /** Its meaning in a few words; empty if the name is enough. */
  readonly title: string;
  readonly facts: readonly Fact[];
}

/** From this confidence on a cause is called likely; below, possible. */
const LIKELY = 0.6;

export function causeWords({ cause, evidence, remedy, confidence, apart }: Diagnosis): CauseWords {
  const isKnown = cause !== 'unknown';
  const facts: Fact[] = [
    { label: 'evidence', text: printable(evidence) },
    { label: 'remedy', text: printable(remedy) },
  ];
  const title = CAUSES.find(({ id }) => id === cause)?.title ?? '';
  return {
    label: !isKnown ? 'unknown' : confidence >= LIKELY ? 'likely' : 'possible',
    name: isKnown ? printable(`${cause} (${Math.round(100 * confidence)}%)`) : title,
    title: isKnown ? title : '',
    facts: apart === null ? facts : [...facts, { label: 'apart', text: printable(apart) }],
  };
}

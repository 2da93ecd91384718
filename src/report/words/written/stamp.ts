/**
 * What must not get lost when a part of a report travels alone: the verdict, what was fired, at what, and when. One line
 * for each picture and for the title of a page.
 */
import { printable } from '../../../plan/printable.js';
import { startsTogether } from '../../../plan/stages/loads.js';
import { formatCount } from '../../../plan/units.js';
import type { Result } from '../../../result/result.js';
import { LOAD_WORDS } from '../load-words.js';
import { burstsText } from '../numbers.js';
import { titleOf } from '../title.js';

/** `VALID`. */
export function verdictWord({ validity: { verdict } }: Result): string {
  return verdict.toUpperCase();
}

/** The verdict before the sentence, unless that begins with it. */
export function judgedTitle(result: Result): string {
  const { text } = titleOf(result);
  return text.startsWith(verdictWord(result)) ? text : `${verdictWord(result)} · ${text}`;
}

/** `VALID · burst · 1 burst of 500, gate upgrade · 2026-11-30 17:52 UTC · ws://10.0.0.5:8080/ws`: what may be cut is last. */
export function stampOf(result: Result): string {
  const { command, plan, startedAt } = result;
  const scope = scopeOf(result);
  return [
    verdictWord(result),
    ...(result.validity.verdict === 'invalid' ? ['about this generator, not the target'] : []),
    ...(result.finished === false ? ['NOT FINISHED'] : []),
    printable(command),
    ...(scope === '' ? [] : [scope]),
    startText(startedAt),
    printable(plan.target.url, 80),
  ].join(' · ');
}

/** `2026-11-30 17:52 UTC`. */
export function startText(startedAt: string): string {
  return `${startedAt.slice(0, 10)} ${startedAt.slice(11, 16)} UTC`;
}

/** What the numbers rest on: `2 bursts of 500, gate upgrade`; empty where no burst was fired. */
export function scopeOf({ bursts, check, plan: { gate } }: Result): string {
  if (bursts.length === 0 || check !== null) return '';
  const sizes = bursts.map(({ size }) => size);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const size = least === most ? formatCount(most) : `${formatCount(least)}–${formatCount(most)}`;
  const kinds = new Set(bursts.map(({ kind }) => kind));
  const [kind = 'burst'] = kinds.size === 1 ? kinds : [];
  if (!startsTogether(kind))
    return `${bursts.length === 1 ? '' : `${bursts.length} × `}${LOAD_WORDS[kind].noun} of ${size}`;
  return `${burstsText(bursts.length)} of ${size}, gate ${gate}`;
}

/** A session in words: what each client says and waits for after its 101, one line a step. The script comes masked. */

import { matchWords } from '../../plan/session/match.js';
import { payloadWords } from '../../plan/session/payload.js';
import type {
  Match,
  Payload,
  Script,
  ScriptStep,
  SessionClose,
  StandingRule,
} from '../../plan/session/session-script.js';
import { formatDuration } from '../../plan/units.js';

const LONGEST_CONTENT = 100;

/** In the order in which it happens; what holds from a step on stands before that step. */
export function sessionLines(script: Script): string[] {
  const { steps, standing, messageTimeoutMs } = script;
  const readyAt = steps.findIndex((step) => 'holdMs' in step || 'close' in step);
  const rulesAt = (at: number) => standing.filter(({ from }) => from === at).map(ruleWords);
  const lines = steps.flatMap((step, i) => [
    ...rulesAt(i),
    ...(i === readyAt ? ['ready'] : []),
    stepWords(step, messageTimeoutMs),
  ]);
  return [...lines, ...rulesAt(steps.length), ...(readyAt === -1 ? ['ready'] : [])];
}

function ruleWords(rule: StandingRule): string {
  if ('everyMs' in rule) return `from now on sends ${said(rule.send)} every ${formatDuration(rule.everyMs)}`;
  const acts = [
    ...(rule.send === null ? [] : [`sends ${said(rule.send)}`]),
    ...(rule.close === null ? [] : [closeWords(rule.close)]),
  ];
  return `from now on ${acts.join(' and ')} when ${wanted(rule.when)} comes`;
}

function stepWords(step: ScriptStep, messageTimeoutMs: number): string {
  if ('send' in step) return `sends ${said(step.send)}`;
  if ('holdMs' in step) return `holds the connection for ${formatDuration(step.holdMs)}`;
  if ('close' in step) return closeWords(step.close);
  const kept = step.capture === null ? '' : `, keeps ${Object.keys(step.capture).join(', ')}`;
  return `waits up to ${formatDuration(messageTimeoutMs)} for ${wanted(step.expect)}${kept}`;
}

function closeWords(close: SessionClose): string {
  return close === 'abort' ? 'resets the connection' : `closes with ${close}`;
}

function said(payload: Payload): string {
  return shortened(payloadWords(payload));
}

function wanted(match: Match): string {
  return shortened(matchWords(match));
}

function shortened(text: string): string {
  return text.length > LONGEST_CONTENT ? `${text.slice(0, LONGEST_CONTENT)}…` : text;
}

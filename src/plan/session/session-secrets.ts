/**
 * What of a session must not be shown: every session variable, binary messages, and in texts and JSON what stands under
 * the name of a secret or is certainly a token.
 */
import { type Hide, hideMessage, hideNamed, hideValue } from '../secrets.js';
import type { Match, Payload, ScriptStep, SessionPlan, StandingRule } from './session-script.js';

export function hideSession(session: SessionPlan, hide: Hide): SessionPlan {
  const { script } = session;
  if (script === null) return session;
  const variables = Object.entries(script.variables).map(([name, text]) => [name, hideValue(text, hide)] as const);
  return {
    ...session,
    script: {
      ...script,
      variables: Object.fromEntries(variables),
      standing: script.standing.map((one) => hideStanding(one, hide)),
      steps: script.steps.map((step) => hideStep(step, hide)),
    },
  };
}

function hideStanding(one: StandingRule, hide: Hide): StandingRule {
  if ('everyMs' in one) return { ...one, send: hideContent(one.send, hide) };
  return { ...one, when: hideContent(one.when, hide), send: one.send === null ? null : hideContent(one.send, hide) };
}

function hideStep(step: ScriptStep, hide: Hide): ScriptStep {
  if ('send' in step) return { send: hideContent(step.send, hide) };
  return 'expect' in step ? { ...step, expect: hideContent(step.expect, hide) } : step;
}

function hideContent<T extends Payload | Match>(content: T, hide: Hide): T {
  if ('json' in content) return { ...content, json: hideJson(content.json, null, hide) };
  // A packet may hold a password that can not be told from the rest.
  if ('binary' in content) return { ...content, binary: hide(content.binary) };
  if ('text' in content) return { ...content, text: hideMessage(content.text, hide) };
  if ('equal' in content) return { ...content, equal: hideMessage(content.equal, hide) };
  return content;
}

function hideJson(value: unknown, key: string | null, hide: Hide): unknown {
  if (typeof value === 'string') return key === null ? hideMessage(value, hide) : hideNamed(key, value, hide);
  if (Array.isArray(value)) return value.map((one) => hideJson(one, key, hide));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hideJson(one, name, hide)]));
}

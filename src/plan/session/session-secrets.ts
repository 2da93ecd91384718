/**
 * What of a session must not be shown: every session variable, what is sent as binary, and in texts and JSON what stands under
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
  if ('everyMs' in one) return { ...one, send: hidePayload(one.send, hide) };
  return { ...one, when: hideMatch(one.when, hide), send: one.send === null ? null : hidePayload(one.send, hide) };
}

function hideStep(step: ScriptStep, hide: Hide): ScriptStep {
  if ('send' in step) return { send: hidePayload(step.send, hide) };
  return 'expect' in step ? { ...step, expect: hideMatch(step.expect, hide) } : step;
}

function hidePayload(payload: Payload, hide: Hide): Payload {
  if ('json' in payload) return { json: hideJson(payload.json, null, hide) };
  if ('text' in payload) return { text: hideMessage(payload.text, hide) };
  // A packet may hold a password that can not be told from the rest.
  return 'binary' in payload ? { binary: hide(payload.binary) } : payload;
}

/** What a target is expected to say is no secret of this side, but it may hold one. */
function hideMatch(match: Match, hide: Hide): Match {
  if ('json' in match) return { json: hideJson(match.json, null, hide) };
  return 'equal' in match ? { equal: hideMessage(match.equal, hide) } : match;
}

function hideJson(value: unknown, key: string | null, hide: Hide): unknown {
  if (typeof value === 'string') return key === null ? hideMessage(value, hide) : hideNamed(key, value, hide);
  if (Array.isArray(value)) return value.map((one) => hideJson(one, key, hide));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hideJson(one, name, hide)]));
}

/**
 * A script made ready for many clients: templates parsed, constant payloads encoded, matchers built. What a client sends
 * depends on its numbers, its data row and what it captured, so no state is kept here.
 */
import type { Inputs, Plan } from '../plan.js';
import { type Capture, type CompiledMatch, compileCapture, compileMatch } from './match.js';
import { type CompiledPayload, compilePayload } from './payload.js';
import { type ScriptContext, type ScriptTemplates, scriptTemplates } from './script-templates.js';
import type { Script, ScriptStep, SessionClose, StandingRule } from './session-script.js';

export type CompiledStep =
  | { readonly kind: 'send'; readonly payload: CompiledPayload }
  | { readonly kind: 'expect'; readonly match: CompiledMatch; readonly capture: Capture | null }
  | { readonly kind: 'hold'; readonly holdMs: number }
  | { readonly kind: 'close'; readonly close: SessionClose };

/** Active once `from` steps are done. */
export type CompiledStanding = { readonly from: number } & (
  | {
      readonly kind: 'when';
      readonly match: CompiledMatch;
      readonly send: CompiledPayload | null;
      readonly close: SessionClose | null;
    }
  | { readonly kind: 'every'; readonly everyMs: number; readonly send: CompiledPayload }
);

export interface CompiledScript {
  readonly standing: readonly CompiledStanding[];
  readonly steps: readonly CompiledStep[];
  readonly messageTimeoutMs: number;
  /** Values of data and environment that a client's messages hold: to be masked in what the target echoes. */
  secrets(context: ScriptContext): readonly string[];
}

/** `script` is the plan's own; the inputs have passed checkInputs. */
export function compileScript(script: Script, plan: Plan, inputs: Inputs): CompiledScript {
  const templates = scriptTemplates(script, plan, inputs);
  return {
    standing: script.standing.map((one) => compiledStanding(one, templates)),
    steps: script.steps.map((step) => compiledStep(step, templates)),
    messageTimeoutMs: script.messageTimeoutMs,
    secrets: templates.secrets,
  };
}

function compiledStep(step: ScriptStep, templates: ScriptTemplates): CompiledStep {
  if ('send' in step) return { kind: 'send', payload: compilePayload(step.send, templates) };
  if ('holdMs' in step) return { kind: 'hold', holdMs: step.holdMs };
  if ('close' in step) return { kind: 'close', close: step.close };
  return { kind: 'expect', ...compileCapture(step.expect, step.capture, templates) };
}

function compiledStanding(one: StandingRule, templates: ScriptTemplates): CompiledStanding {
  const { from } = one;
  if ('everyMs' in one) {
    return { kind: 'every', from, everyMs: one.everyMs, send: compilePayload(one.send, templates) };
  }
  const send = one.send === null ? null : compilePayload(one.send, templates);
  return { kind: 'when', from, match: compileMatch(one.when, templates), send, close: one.close };
}

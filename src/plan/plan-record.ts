/**
 * A plan as results and users see it, and the list of secrets that this leaves out. secrets.ts knows which parts of a
 * text are secret.
 */
import type { Plan, Target } from './plan.js';
import { type Hide, hideHeader, hideSubprotocols, hideUrl, masked, SHORTEST_SECRET } from './secrets.js';
import { hideSession } from './session/session-secrets.js';

/** Secrets are masked; expressions are the text as written. */
export interface PlanRecord extends Omit<Plan, 'thresholds' | 'abort'> {
  readonly thresholds: readonly string[];
  readonly abort: string | null;
}

/** For functions that work on either. */
export type AnyPlan = Plan | PlanRecord;

function hideTarget(target: Target, hide: Hide): Target {
  return {
    ...target,
    url: hideUrl(target.url, hide),
    path: hideUrl(target.path, hide),
    headers: target.headers.map(([name, value]) => [name, hideHeader(name, value, hide)] as const),
    origin: target.origin === null ? null : hideUrl(target.origin, hide),
    subprotocols: hideSubprotocols(target.subprotocols, hide),
  };
}

/** The plan without secrets, safe to write and to show. */
export function maskPlan(plan: Plan): PlanRecord {
  return {
    ...plan,
    target: hideTarget(plan.target, masked),
    session: hideSession(plan.session, masked),
    thresholds: plan.thresholds.map(({ expression }) => expression),
    abort: plan.abort === null ? null : plan.abort.expression,
  };
}

/** The secrets in the plan itself, so that they can be masked where a target echoes them. */
export function seenSecrets(plan: Plan): readonly string[] {
  const seen = new Set<string>();
  const note: Hide = (literal) => {
    const trimmed = literal.trim();
    if (trimmed.length >= SHORTEST_SECRET) seen.add(trimmed);
    return masked(literal);
  };
  hideTarget(plan.target, note);
  hideSession(plan.session, note);
  return [...seen];
}

/** How long a session can take, for limits and forecasts. */
import { heldMs, type SessionPlan } from './session-script.js';

/** The longest time from a 101 until the session is over, without the closing, ms. */
export function longestSessionMs(session: SessionPlan): number {
  return waitedMs(session) + (heldMs(session) ?? 0);
}

/** The longest time for which its steps wait for messages, ms. */
function waitedMs({ script }: SessionPlan): number {
  if (script === null) return 0;
  return script.steps.filter((step) => 'expect' in step).length * script.messageTimeoutMs;
}

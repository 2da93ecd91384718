/**
 * From what is written about a session, in all layers, to the plan's: a shipped session becomes its lines and completes
 * the target, `--ping` and `--hold` become lines, and the list is parted into steps and what holds beside them.
 */
import type { Script, ScriptStep, SessionPlan, StandingRule } from '../../session/session-script.js';
import { type ShippedSession, shippedSession } from '../../session/shipped.js';
import { completedUrl, parseUrl, type UrlParts } from '../../url.js';
import { type SessionLine, session as sessionSchema, type WrittenSession } from './lines.js';

const DEFAULT_MESSAGE_TIMEOUT_MS = 5000;

/** A checked profile's parts that concern sessions; times in ms. */
export interface SessionSettings {
  readonly session?: WrittenSession | undefined;
  readonly sessionVars?: Readonly<Record<string, string>> | undefined;
  readonly messageTimeout?: number | undefined;
  /** `--hold`: the time of the hold step, or a plain hold. */
  readonly hold?: number | undefined;
  /** `--ping`: a ping this often. */
  readonly ping?: number | undefined;
}

export function sessionPlan(settings: SessionSettings): SessionPlan {
  const { session, sessionVars = {}, messageTimeout, hold, ping } = settings;
  const plainMs = session?.kind === 'hold' ? session.holdMs : null;
  const written = linesOf(session, sessionVars);
  if (written === null && ping === undefined) return { holdMs: hold ?? plainMs, script: null };
  const own = written ?? (plainMs === null ? [] : [{ holdMs: plainMs }]);
  const held = hold === undefined ? own : withHold(own, hold);
  const lines = ping === undefined ? held : [{ everyMs: ping, send: { ping: '' } }, ...held];
  const script: Script = {
    name: session?.kind === 'name' ? session.name : null,
    variables: sessionVars,
    ...parted(lines),
    messageTimeoutMs: messageTimeout ?? DEFAULT_MESSAGE_TIMEOUT_MS,
  };
  return { holdMs: null, script };
}

/** Null: there are none. */
function linesOf(session: WrittenSession | undefined, variables: Script['variables']): readonly SessionLine[] | null {
  if (session === undefined || session.kind === 'hold') return null;
  if (session.kind === 'lines') return session.lines;
  // The table is tested: its lines are as good as a user's after the check.
  const parsed = sessionSchema.parse(shippedSession(session.name)?.lines(variables));
  return parsed.kind === 'lines' ? parsed.lines : null;
}

function withHold(lines: readonly SessionLine[], holdMs: number): readonly SessionLine[] {
  if (lines.some((line) => 'holdMs' in line)) {
    return lines.map((line) => ('holdMs' in line ? { holdMs } : line));
  }
  const last = lines.at(-1);
  const isClosing = last !== undefined && 'close' in last && !('when' in last);
  return isClosing ? [...lines.slice(0, -1), { holdMs }, last] : [...lines, { holdMs }];
}

function parted(lines: readonly SessionLine[]): {
  readonly standing: readonly StandingRule[];
  readonly steps: readonly ScriptStep[];
} {
  const standing: StandingRule[] = [];
  const steps: ScriptStep[] = [];
  for (const line of lines) {
    if ('when' in line || 'everyMs' in line) standing.push({ from: steps.length, ...line });
    else steps.push(line);
  }
  return { standing, steps };
}

interface Completed extends UrlParts {
  readonly url: string;
  readonly subprotocols: readonly string[];
}

/** The target with what a shipped session adds to it: a path, a query and a subprotocol, each where there is none. */
export function completedTarget<T extends Completed>(target: T, settings: SessionSettings): T {
  const { session, sessionVars = {} } = settings;
  const shipped: ShippedSession | null = session?.kind === 'name' ? shippedSession(session.name) : null;
  if (shipped === null) return target;
  const filled = (text: string | null) =>
    text?.replace(/\{\{ var\.(\w+) \}\}/g, (_, name: string) => sessionVars[name] ?? '') ?? null;
  const url = completedUrl(target.url, filled(shipped.path), filled(shipped.query(sessionVars)));
  const subprotocols =
    target.subprotocols.length === 0 && shipped.subprotocol !== null ? [shipped.subprotocol] : target.subprotocols;
  return { ...target, url, ...parseUrl(url), subprotocols };
}

/**
 * From a checked profile to a Plan: fills in the defaults and freezes. draft.ts handles layers and problems; this is
 * the short way for a profile that a program built.
 */

import type { Plan, Stage, Target } from '../plan.js';
import { heldMs, type SessionPlan } from '../session/session-script.js';
import { draftOfParts, profileOf } from './draft.js';
import { valueSource } from './problems.js';
import type { Profile } from './profile-schema.js';
import { completedTarget, sessionPlan } from './session/session-plan.js';

/** Longer than the usual 60 s of gateways, so that their 504 is seen instead of our own timeout. */
const DEFAULT_TIMEOUT_MS = 75_000;
const DEFAULT_SEED = 1;

/** Checks a profile built by a program. Throws UserError `profile` that lists every problem by its path. */
export function checkProfile(value: unknown, where: string): Profile {
  return profileOf(draftOfParts(value, valueSource(where, value)));
}

/** Defaults filled in, deeply frozen; unchanged by a round trip through JSON. */
export function compilePlan(profile: Profile): Plan {
  const session = sessionPlan(profile);
  const plan: Plan = {
    name: profile.name ?? null,
    about: profile.about ?? null,
    target: completedTarget(targetOf(profile), profile),
    data: profile.data === undefined ? null : { file: profile.data.file, pick: profile.data.pick ?? 'cycle' },
    gate: profile.gate ?? 'connect',
    timeoutMs: profile.timeout ?? DEFAULT_TIMEOUT_MS,
    stages: profile.stages.map((stage) => withHold(stage, session)),
    session,
    afterMs: profile.after === undefined || profile.after === 0 ? null : profile.after,
    thresholds: profile.thresholds ?? [],
    abort: profile.abort ?? null,
    allowHosts: profile.allowHosts ?? [],
    close: profile.close ?? null,
    resolve: profile.resolve ?? 'first',
    preflight: profile.preflight ?? true,
    calibrate: profile.calibrate ?? true,
    workers: profile.workers ?? null,
    transport: profile.transport ?? 'auto',
    releaseChunk: profile.releaseChunk ?? null,
    seed: profile.seed ?? DEFAULT_SEED,
  };
  return frozen(structuredClone(plan));
}

function targetOf({ target }: Profile): Target {
  return {
    url: target.url,
    scheme: target.scheme,
    host: target.host,
    port: target.port,
    path: target.path,
    headers: target.headers ?? [],
    origin: target.origin ?? null,
    subprotocols: target.subprotocols ?? [],
    compression: target.compression ?? false,
    tls: {
      ca: target.tls?.ca ?? null,
      cert: target.tls?.cert ?? null,
      key: target.tls?.key ?? null,
      servername: target.tls?.servername ?? null,
      insecure: target.tls?.insecure ?? false,
      resume: target.tls?.resume ?? false,
    },
    connectTo: target.connectTo ?? null,
    sourceIps: target.sourceIps ?? [],
  };
}

/** Arrivals say themselves how long they hold; in a session with a hold it is that one. */
function withHold(stage: Stage, session: SessionPlan): Stage {
  if (stage.kind !== 'arrive') return stage;
  const own = session.script === null ? stage.holdMs : null;
  return { ...stage, holdMs: (own ?? heldMs(session) ?? stage.holdMs) || null };
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

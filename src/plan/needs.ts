/**
 * What a plan will cost before anything is sent: attempts, sockets open at once, ports, bytes, time. Estimates err on
 * the high side. resources.ts turns them into what the machine must provide.
 */
import { burstSizes, findStageOf, fixedOpen, type Plan, peakOpen, type Stage, stageOpen } from './plan.js';
import type { AnyPlan } from './plan-record.js';
import { heldMs } from './session/session-script.js';
import { factsOf, loadOf } from './stages/kinds.js';
import { CLOSE_GRACE_MS } from './stages/stage-facts.js';

/** Handshakes before the first burst, sequentially. */
export const PREFLIGHT_ATTEMPTS = 5;

/** From the start of one probe after a burst to the start of the next. */
export const PROBE_EVERY_MS = 500;

/** Single handshakes after each burst. */
export function probesPerBurst({ afterMs }: Pick<Plan, 'afterMs'>): number {
  return afterMs === null ? 0 : Math.ceil(afterMs / PROBE_EVERY_MS);
}

/** The largest number of probes open at the same time: a probe does not wait for the previous one. */
export function probesOpen(plan: Pick<Plan, 'afterMs' | 'timeoutMs'>): number {
  const lastingMs = plan.timeoutMs + CLOSE_GRACE_MS;
  return Math.min(probesPerBurst(plan), Math.ceil(lastingMs / PROBE_EVERY_MS) + 1);
}

export interface Needs {
  /** In all bursts, without preflight and probes. Null when only time ends a stage, or a search decides. */
  readonly attempts: number | null;
  readonly bursts: number;
  /** After all bursts, in total. */
  readonly probes: number;
  /** Connections open at the same time. */
  readonly sockets: number;
  /**
   * Local ports over all source addresses if we close TCP first: every port used within a minute stays in TIME_WAIT. If
   * the target closes TCP first, as RFC 6455 section 7.1.1 wants, or we reset, no more ports than sockets are needed.
   */
  readonly portsAtWorst: number;
  /** Over the whole run, without TCP and IP headers; null when `attempts` is null. */
  readonly bytesOut: number | null;
  readonly bytesIn: number | null;
  /** The rests, holds and durations that the plan sets; ms. */
  readonly bestMs: number;
  /** If every attempt ends at its deadline; ms. Without calibration. */
  readonly worstMs: number;
}

const TIME_WAIT_MS = 60_000;
const PREFLIGHT_WORST_MS = 11_000;

/** Attempts of all stages, without the preflight; null when only time ends a churn, or a search decides. */
export function plannedAttempts(plan: Pick<Plan, 'stages'>): number | null {
  if (findStageOf(plan.stages) !== null) return null;
  const sizes = plan.stages.flatMap(burstSizes);
  return sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0);
}

function closesClean({ close }: AnyPlan, stage: Stage): boolean {
  return (close ?? loadOf(stage).close) === 'clean';
}

/** Connections that must be open at the same time. Searches are left out: they adapt to what is available. */
export function fixedSockets(plan: AnyPlan): number {
  return Math.max(fixedOpen(plan), probesOpen(plan));
}

export function planNeeds(plan: AnyPlan): Needs {
  const attempts = plannedAttempts(plan);
  const bursts = plan.stages.flatMap(burstSizes).length;
  const probes = bursts * probesPerBurst(plan);
  const sockets = Math.max(peakOpen(plan), probesOpen(plan));
  const total = attempts === null ? null : attempts + probes + (plan.preflight ? PREFLIGHT_ATTEMPTS : 0);
  const bytes = bytesPerAttempt(plan);
  return {
    attempts,
    bursts,
    probes,
    sockets,
    portsAtWorst: Math.max(sockets, timeWaitPeak(plan)),
    bytesOut: total === null ? null : total * bytes.out,
    bytesIn: total === null ? null : total * bytes.in,
    ...durations(plan),
  };
}

interface Timed {
  readonly stage: Stage;
  readonly size: number | null;
  /** Rest after it, ms; 0 after the last one of the plan. */
  readonly restMs: number;
}

function timedBursts(plan: AnyPlan): Timed[] {
  const all = plan.stages.flatMap((stage) =>
    burstSizes(stage).map((size) => ({ stage, size, restMs: stage.restMs ?? 0 })),
  );
  return all.map((burst, i) => (i === all.length - 1 ? { ...burst, restMs: 0 } : burst));
}

/** The most ports used within one minute if bursts took no time; only clean closes leave TIME_WAIT. */
function timeWaitPeak(plan: AnyPlan): number {
  const used: { readonly atMs: number; readonly ports: number }[] = [];
  let atMs = 0;
  let open = 0;
  let peak = 0;
  let oldest = 0;
  for (const { stage, size, restMs } of timedBursts(plan)) {
    // Probes are always closed cleanly, even when bursts are reset.
    const ports = (closesClean(plan, stage) ? (size ?? stageOpen(stage)) : 0) + probesPerBurst(plan);
    used.push({ atMs, ports });
    open += ports;
    for (let first = used[oldest]; first !== undefined && atMs - first.atMs > TIME_WAIT_MS; first = used[oldest]) {
      open -= first.ports;
      oldest += 1;
    }
    peak = Math.max(peak, open);
    atMs += restMs + (heldMs(plan.session) ?? 0) + probingMs(plan);
  }
  return peak;
}

/** From the start of the first probe to the start of the last, ms. */
function probingMs(plan: AnyPlan): number {
  return Math.max(0, probesPerBurst(plan) - 1) * PROBE_EVERY_MS;
}

function durations(plan: AnyPlan): { readonly bestMs: number; readonly worstMs: number } {
  // Arming before the gates tls and upgrade has its own deadline.
  const deadlines = { armingMs: plan.gate === 'connect' ? 0 : plan.timeoutMs, timeoutMs: plan.timeoutMs };
  const probesMs = plan.afterMs === null ? 0 : probingMs(plan) + plan.timeoutMs + CLOSE_GRACE_MS;
  let bestMs = 0;
  let worstMs = plan.preflight ? PREFLIGHT_WORST_MS : 0;
  for (const { stage, restMs } of timedBursts(plan)) {
    const facts = factsOf(stage);
    const holdMs = loadOf(stage).closesEach ? 0 : (heldMs(plan.session) ?? 0);
    const grace = closesClean(plan, stage) ? CLOSE_GRACE_MS : 0;
    bestMs += probingMs(plan) + restMs + holdMs + facts.bestMs(stage);
    worstMs += probesMs + restMs + holdMs + grace + facts.worstMs(stage, deadlines);
  }
  return { bestMs, worstMs };
}

// The fixed lines of the request, and a typical server's response with its own headers.
const REQUEST_FRAME_BYTES = 190;
const ANSWER_BYTES = 180;
const CLOSE_BYTES = 8;
const TLS_OUT_BYTES = 800;
const TLS_IN_BYTES = 3500;
const HOLE_BYTES = 36;

function bytesPerAttempt({ target }: AnyPlan): { readonly out: number; readonly in: number } {
  const texts = [target.host, target.path, target.origin ?? '', ...target.subprotocols, ...target.headers.flat()];
  const written = texts.reduce((sum, text) => sum + text.replace(/\{\{.*?\}\}/gs, ' '.repeat(HOLE_BYTES)).length, 0);
  const secure = target.scheme === 'wss';
  const lines = 4 * target.headers.length;
  return {
    out: REQUEST_FRAME_BYTES + written + lines + CLOSE_BYTES + (secure ? TLS_OUT_BYTES : 0),
    in: ANSWER_BYTES + CLOSE_BYTES + (secure ? TLS_IN_BYTES : 0),
  };
}

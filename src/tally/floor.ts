/**
 * The generator's own floor, measured against the local test server, beside a limit that the target is asked for: which
 * limits a slow generator can miss, when a floor is small, and when a miss may be the generator's. It measures nothing and
 * gives no verdict.
 */
import type { Condition } from '../plan/expressions/condition.js';
import type { AbortRule, Threshold } from '../plan/expressions/rules.js';
import type { Calibration } from '../result/result.js';
import { meets } from './meets.js';

/** What a floor may take up of a limit: beyond it the limit tests the generator (docs/method.md, "Calibration"). */
export const SMALL_FLOOR = 0.2;

/**
 * What a run asks for and a slow generator can miss: a latency of at most so much, a rate of at least so much. An abort
 * rule asks for the opposite of its condition.
 */
export function limitsOf(thresholds: readonly Threshold[], abort: AbortRule | null): Threshold[] {
  const asked = abort === null ? thresholds : [...thresholds, limitOfAbort(abort)];
  return asked.filter(({ parsed }) => isLimit(parsed));
}

export function limitOfAbort({ expression, parsed: { condition } }: AbortRule): Threshold {
  const opposite = { '<': '>=', '<=': '>', '>': '<=', '>=': '<', '==': '==' } as const;
  return { expression, parsed: { ...condition, operator: opposite[condition.operator] } };
}

/** Of what the condition speaks about, ms or handshakes a second; null where it is no limit, or nothing was measured. */
export function floorOf(condition: Condition, calibration: Calibration | null): number | null {
  if (calibration === null || !isLimit(condition)) return null;
  const { subject } = condition;
  if (subject.kind === 'rate') return calibration.rate;
  if (subject.kind !== 'latency') return null;
  const { connectMs, tlsMs, upgradeMs, handshakeMs } = calibration;
  // A look-up of a name has nothing to do with the local test server, and nothing is sent to it after the 101: there a
  // client is ready at once, which is the least of what a session takes.
  const ofPhases = {
    dns: null,
    connect: connectMs,
    tls: tlsMs,
    upgrade: upgradeMs,
    handshake: handshakeMs,
    message: null,
    ready: handshakeMs,
  };
  return ofPhases[subject.phase]?.[subject.stat] ?? null;
}

/** The one that leaves least to the target. */
export function worstFloorOf(condition: Condition, calibrations: readonly (Calibration | null)[]): number | null {
  const floors = calibrations.map((one) => floorOf(condition, one)).filter((floor) => floor !== null);
  if (floors.length === 0) return null;
  return condition.subject.kind === 'rate' ? Math.min(...floors) : Math.max(...floors);
}

export function isSmallFloor(floorMs: number, limitMs: number): boolean {
  return floorMs <= SMALL_FLOOR * limitMs;
}

/** Whether this generator would miss the limit even with a target that answers at once. */
export function floorMisses(condition: Condition, floor: number): boolean {
  return !meets(condition, floor);
}

/**
 * Whether a value that misses the limit may do so for the generator's slowness: the floor misses it too, and the value is
 * no worse than limit and floor together. Rates add up as the times that a handshake takes.
 */
export function floorHides(condition: Condition, floor: number | null, value: number | null): boolean {
  if (floor === null || value === null || meets(condition, value) || !floorMisses(condition, floor)) return false;
  const { subject, limit } = condition;
  return subject.kind === 'rate' ? 1 / value < 1 / limit + 1 / floor : value < limit + floor;
}

function isLimit({ subject, operator }: Condition): boolean {
  if (subject.kind === 'rate') return operator.startsWith('>');
  return subject.kind === 'latency' && operator.startsWith('<');
}

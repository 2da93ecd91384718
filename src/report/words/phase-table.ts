/**
 * The phases of a handshake as a table: the latencies of each, with lower bounds where they differ, what each phase is,
 * and the target's latency without load.
 */

import { BOUNDED_PHASES, type BoundedPhase, type Phase } from '../../names/phases.js';
import type { Gate } from '../../plan/plan.js';
import { areReadyAtOnce } from '../../result/ready.js';
import type { Counted, Preflight, Summary } from '../../result/result.js';

/** In ms. `lower` is null if it adds nothing to `upper`. */
export interface Bounded {
  readonly upper: number;
  readonly lower: number | null;
}

export const PHASE_COLUMNS = ['p50', 'p90', 'p99', 'max'] as const;

export interface PhaseRow {
  readonly name: string;
  /** The latency that a client experiences. */
  readonly isMain: boolean;
  /** One per column; null: too few values. */
  readonly values: readonly (Bounded | null)[];
  /** What the phase is. */
  readonly note: string;
}

export interface PhaseTable {
  readonly rows: readonly PhaseRow[];
  /** Shown below the table if there is no room for all notes. */
  readonly mainNote: string;
  /** Explains the lower bound; null: there is none. */
  readonly boundLegend: string | null;
  /** How arrivals were timed; null: by this process. */
  readonly clockLegend: string | null;
}

/** A lower bound closer than this to the upper one is not shown. */
const MATERIAL_SHARE = 0.05;
const MATERIAL_MS = 0.5;

/** A latency, with its lower bound if the generator may have measured late. */
export function bounded(upper: number, lower: number | null): Bounded {
  const isMaterial = lower !== null && upper - lower > Math.max(MATERIAL_SHARE * upper, MATERIAL_MS);
  return { upper, lower: isMaterial ? lower : null };
}

const MAIN_NOTE = 'what a client felt';
const BOUND_LEGEND = 'lower bound; the generator stamped late, the truth lies between';
const KERNEL_LEGEND = 'kernel stamps: the kernel itself timed each arrival, so there are no bounds';

/** `gate`: the gate of all attempts; null when there was none, or several. */
export function phaseTable(counted: Counted, preflight: Preflight | null, gate: Gate | null): PhaseTable {
  const rows = phaseRows(counted, preflight, gate);
  const hasBounds = rows.some(({ values }) => values.some((value) => value !== null && value.lower !== null));
  return {
    rows,
    mainNote: `handshake: ${MAIN_NOTE}`,
    boundLegend: hasBounds ? BOUND_LEGEND : null,
    clockLegend: counted.kernel !== null && counted.latencyLowerMs === null ? KERNEL_LEGEND : null,
  };
}

function phaseRows(counted: Counted, preflight: Preflight | null, gate: Gate | null): PhaseRow[] {
  const notes = notesOf(gate);
  const rows = (Object.keys(notes) as Phase[]).flatMap((phase): PhaseRow[] => {
    const summary = counted.latencyMs[phase];
    if (summary === null) return [];
    const lower = isBounded(phase) ? (counted.latencyLowerMs?.[phase] ?? null) : null;
    const values = PHASE_COLUMNS.map((column) => bounded(summary[column], lower?.[column] ?? null));
    return [{ name: phase, isMain: phase === 'handshake', values, note: notes[phase] }];
  });
  const unloaded = preflight?.latencyMs ?? null;
  return [...rows, ...readyRow(counted), ...(unloaded === null ? [] : [unloadedRow(unloaded)])];
}

/** Where a session made clients ready later than their 101. */
function readyRow(counted: Counted): PhaseRow[] {
  const readyMs = counted.sessions?.readyMs ?? null;
  if (readyMs === null || areReadyAtOnce(counted)) return [];
  const values = PHASE_COLUMNS.map((column) => bounded(readyMs[column], null));
  return [{ name: 'ready', isMain: false, values, note: 'from the start until the client was ready' }];
}

/** In the order of a handshake. */
function notesOf(gate: Gate | null): Readonly<Record<Phase, string>> {
  const before = ', before the release';
  return {
    dns: 'looking the name up',
    connect: `TCP${gate === 'upgrade' || gate === 'tls' ? before : ''}`,
    tls: `TLS${gate === 'upgrade' ? before : ''}`,
    upgrade: 'request to response head',
    handshake: MAIN_NOTE,
    message: '101 to the first expected message',
  };
}

function unloadedRow({ count, p50, max }: Summary): PhaseRow {
  const values = [bounded(p50, null), null, null, bounded(max, null)];
  return { name: 'unloaded', isMain: false, values, note: `${count} handshakes one by one, before` };
}

function isBounded(phase: Phase): phase is BoundedPhase {
  return BOUNDED_PHASES.some((one) => one === phase);
}

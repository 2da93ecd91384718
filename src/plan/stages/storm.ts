/**
 * The storm stage: clients are opened, stay connected, are dropped, and come back by a reconnect policy. Each policy of
 * the stage has a storm of its own, one after another. A command that causes the drop is never part of a plan.
 */
import type { Policy } from '../policy/policy.js';
import type { TimeRange } from '../policy/time-range.js';
import type { StageFacts } from './stage-facts.js';

/** Who ends the connections: this side, the target (the run waits for it), or whoever cuts connections that are silent. */
export type StormDrop =
  | { readonly by: 'client' }
  | { readonly by: 'server' }
  /** `withinMs`: the longest wait for the cut. */
  | { readonly by: 'idle'; readonly withinMs: number };

export interface StormStage {
  readonly kind: 'storm';
  readonly clients: number;
  /** The clients start over so long. */
  readonly openMs: number;
  /** Rest with all clients connected, before the drop. */
  readonly settleMs: number;
  readonly drop: StormDrop;
  /** One storm each. */
  readonly policies: readonly Policy[];
  /** The longest watch after the drop. */
  readonly windowMs: number;
  /** How late a client learns that its connection is gone. */
  readonly notice: TimeRange;
  /** Handshakes a second that the service completes; null: not told. */
  readonly capacity: number | null;
  readonly restMs: number;
}

/** A client is back for good when it has stayed so long. */
export const BACK_FOR_GOOD_MS = 10_000;

/** The longest wait for the drop: as long as the window, where the target or a command makes it. */
export function dropWaitMs({ drop, windowMs }: Pick<StormStage, 'drop' | 'windowMs'>): number {
  if (drop.by === 'client') return 0;
  return drop.by === 'idle' ? drop.withinMs : windowMs;
}

export const storm: StageFacts<StormStage> = {
  load: 'storm',
  isSearch: false,
  sizes: ({ policies, clients }) => policies.map(() => clients),
  mostOpen: ({ clients }) => clients,
  // While a refusal is read to its end, its client may try again.
  replaced: ({ clients }) => clients,
  bestMs: ({ openMs, settleMs }) => openMs + settleMs + BACK_FOR_GOOD_MS,
  worstMs: (stage, { timeoutMs }) => stage.openMs + timeoutMs + stage.settleMs + dropWaitMs(stage) + stage.windowMs,
};

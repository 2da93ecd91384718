/** The burst stage: handshakes released together, once or several times. */
import type { StageDeadlines, StageFacts } from './stage-facts.js';

export interface BurstStage {
  readonly kind: 'burst';
  readonly size: number;
  readonly times: number;
  readonly restMs: number;
}

/** Facts of every burst, in any kind of stage. */
export const ofEachBurst = {
  load: 'burst',
  replaced: () => 0,
  bestMs: () => 0,
  worstMs: (_stage: unknown, { armingMs, timeoutMs }: StageDeadlines) => armingMs + timeoutMs,
} as const;

export const burst: StageFacts<BurstStage> = {
  ...ofEachBurst,
  isSearch: false,
  sizes: ({ size, times }) => Array.from({ length: times }, () => size),
  mostOpen: ({ size }) => size,
};

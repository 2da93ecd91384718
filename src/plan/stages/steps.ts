/** The steps stage: one burst per size, in order. */
import { ofEachBurst } from './burst.js';
import type { StageFacts } from './stage-facts.js';

export interface StepsStage {
  readonly kind: 'steps';
  /** Burst sizes in order. */
  readonly sizes: readonly number[];
  readonly restMs: number;
}

export const steps: StageFacts<StepsStage> = {
  ...ofEachBurst,
  isSearch: false,
  sizes: ({ sizes }) => sizes,
  mostOpen: ({ sizes }) => Math.max(...sizes),
};

/**
 * The kinds of stages in a profile, one row each: the key of the row is the key that names the stage in a profile. The
 * schema, the errors and the editor support are made from it.
 */
import { z } from 'zod';
import type { Stage, StageKind, StageOf } from '../../stages/kinds.js';
import { arrive } from './arrive.js';
import { burst } from './burst.js';
import { churn } from './churn.js';
import { find } from './find.js';
import { steps } from './steps.js';
import { storm } from './storm.js';

/** What a row makes: mostly a stage of its own name; a burst that is spread is a stage of arrivals. */
type StageFrom<K extends StageKind> = K extends 'burst' ? StageOf<'burst' | 'arrive'> : StageOf<K>;

const STAGE_TABLE: { readonly [K in StageKind]: z.ZodType<StageFrom<K>> } = {
  burst,
  steps,
  churn,
  arrive,
  storm,
  find,
};

/** In the same order as the options of the union. */
export const STAGE_KINDS: readonly string[] = Object.keys(STAGE_TABLE);

/** From a written stage to a Stage. */
export const stageSchema: z.ZodType<Stage> = z.union(Object.values<z.ZodType<Stage>>(STAGE_TABLE));

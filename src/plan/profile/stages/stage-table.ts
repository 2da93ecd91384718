/**
 * The kinds of stage that may be written, one row each: the key that names a stage in a profile is the key of its row. The
 * schema, the errors and the editors follow.
 */
import { z } from 'zod';
import type { Stage, StageKind, StageOf } from '../../stages/kinds.js';
import { burst } from './burst.js';
import { churn } from './churn.js';
import { find } from './find.js';
import { steps } from './steps.js';

const STAGE_TABLE: { readonly [K in StageKind]: z.ZodType<StageOf<K>> } = { burst, steps, churn, find };

/** In the order of the union's options. */
export const STAGE_KINDS: readonly string[] = Object.keys(STAGE_TABLE);

/** Kinds that the documents name and this version does not have. */
export const LATER_STAGES: readonly string[] = ['arrive', 'storm'];

/** A stage as written becomes a Stage. */
export const stageSchema: z.ZodType<Stage> = z.union(Object.values<z.ZodType<Stage>>(STAGE_TABLE));

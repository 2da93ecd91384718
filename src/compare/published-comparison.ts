/** The JSON Schema (draft 2020-12) of a comparison, published as profiles/compare.schema.json. */
import type { z } from 'zod';
import { jsonSchemaOf } from '../result/published-schema.js';
import { comparisonSchema } from './comparison.js';

export const comparisonJsonSchema: z.core.JSONSchema.BaseSchema = jsonSchemaOf(comparisonSchema);

/**
 * The JSON Schema (draft 2020-12) of a result, published as profiles/result.schema.json: made from the zod schema that
 * also gives the types and checks documents.
 */
import { z } from 'zod';
import { resultSchema } from './result.js';

/** Times are in ms unless a name says otherwise; missing values are null. */
export const resultJsonSchema: z.core.JSONSchema.BaseSchema = jsonSchemaOf(resultSchema);

/** As it is published: what it is first, and without what is true of any JSON. */
export function jsonSchemaOf(document: z.ZodType): z.core.JSONSchema.BaseSchema {
  const { $schema, title, ...schema } = z.toJSONSchema(document, {
    target: 'draft-2020-12',
    // Keys with a default were added later: a document without them is valid.
    io: 'input',
    override: ({ jsonSchema }) => {
      // A limit of JavaScript numbers, and a rule true of all JSON: neither says anything about results.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      delete jsonSchema.propertyNames;
    },
  });
  return { $schema, title, ...schema };
}

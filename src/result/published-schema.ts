/**
 * The JSON Schema (draft 2020-12) of a result, as it is published in profiles/result.schema.json: made from the same zod
 * schema that gives the types and checks what is read.
 */
import { z } from 'zod';
import { resultSchema } from './result.js';

/** Times are in ms unless a name says otherwise; absent is null. */
export const resultJsonSchema: z.core.JSONSchema.BaseSchema = published();

function published(): z.core.JSONSchema.BaseSchema {
  const { $schema, title, ...schema } = z.toJSONSchema(resultSchema, {
    target: 'draft-2020-12',
    // Keys with a default came later: a document without them is valid.
    io: 'input',
    override: ({ jsonSchema }) => {
      // Limits of the program that reads, and a truth about all JSON: neither says anything about a result.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      delete jsonSchema.propertyNames;
    },
  });
  return { $schema, title, ...schema };
}

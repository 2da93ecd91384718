/**
 * The JSON Schema of a profile, for editors: draft 7, which YAML and JSON language servers support best, made from the
 * zod schema that validates. This file owns only the head of the document.
 */
import { z } from 'zod';
import { profileSchema } from './profile-schema.js';
import { writtenWays } from './session/told-apart.js';

/** What may be written, units included. Rules over two keys are checked by the program only. */
export function profileJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = draft7(profileSchema);
  return {
    $schema,
    title: 'wstampede profile',
    description: 'A scenario of simultaneous WebSocket handshakes: run it with wstampede run FILE.',
    ...schema,
  };
}

function draft7(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const ways = writtenWays.get(zodSchema);
      if (ways === undefined) return;
      const { $schema: _$schema, ...union } = draft7(ways);
      Object.assign(jsonSchema, { ...union, ...jsonSchema });
    },
  });
}

/**
 * The profile's schema for editors: JSON Schema (draft 7, which the YAML and JSON language servers read best), made from the
 * same zod schema that validates. Owns the document's head and nothing of its content.
 */
import { z } from 'zod';
import { profileSchema } from './profile-schema.js';

/** What may be written, units included; what needs two keys to judge is left to the program. */
export function profileJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(profileSchema, { target: 'draft-7', io: 'input' });
  return {
    $schema,
    title: 'wstampede profile',
    description: 'A scenario of simultaneous WebSocket handshakes: run it with wstampede run FILE.',
    ...schema,
  };
}

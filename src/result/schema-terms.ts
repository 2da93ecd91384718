/**
 * The words that the published JSON Schema is written in: what every part of a document is built of. Objects ask for all
 * of their keys and allow others, so that later versions can add some; a key added later goes through `withLater`,
 * because documents that were written before have none.
 */
import type { Schema } from './shape.js';

export const text: Schema = { type: 'string' };
export const flag: Schema = { type: 'boolean' };
export const count: Schema = { type: 'integer', minimum: 0 };
export const number: Schema = { type: 'number' };
export const share: Schema = { type: 'number', minimum: 0, maximum: 1 };

export function described(description: string, schema: Schema): Schema {
  return { description, ...schema };
}

export function nullable(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

export function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

export function mapOf(values: Schema): Schema {
  return { type: 'object', additionalProperties: values };
}

export function objectOf(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: true };
}

/** Keys that came later: a document without them is valid. */
export function withLater(schema: Schema, later: Readonly<Record<string, Schema>>): Schema {
  return { ...schema, properties: { ...schema.properties, ...later } };
}

/** What the root has under `$defs`. */
export function define(name: string): Schema {
  return { $ref: `#/$defs/${name}` };
}

/**
 * The normal form of a document: the keys of every object in schema order, then the unknown keys; missing keys with a
 * default are filled in. zod's parsers drop unknown keys and a key named `__proto__` (which a target can choose as a
 * detail), so they are used only to check. This file checks nothing.
 */
import type { z } from 'zod';

export function normalForm(schema: z.core.$ZodType, value: unknown): unknown {
  const def = definition(schema);
  switch (def.type) {
    case 'nullable':
    case 'optional':
    case 'default':
      return normalForm(def.innerType, value);
    case 'array':
      return Array.isArray(value) ? value.map((item) => normalForm(def.element, item)) : value;
    case 'record':
      return isRecord(value) ? mapped(value, def.valueType) : value;
    case 'object':
      return isRecord(value) ? inOrder(value, def.shape) : value;
    default:
      return value;
  }
}

/** `Object.fromEntries` defines own properties, so that even `__proto__` is an ordinary key. */
function mapped(value: object, schema: z.core.$ZodType): object {
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, normalForm(schema, child)]));
}

function inOrder(value: Record<string, unknown>, shape: z.core.$ZodShape): object {
  const entries: [string, unknown][] = [];
  for (const [key, schema] of Object.entries(shape)) {
    if (Object.hasOwn(value, key)) {
      entries.push([key, normalForm(schema, value[key])]);
    } else {
      const def = definition(schema);
      if (def.type === 'default') entries.push([key, def.defaultValue]);
    }
  }
  for (const [key, child] of Object.entries(value)) if (!Object.hasOwn(shape, key)) entries.push([key, child]);
  return Object.fromEntries(entries);
}

function definition(schema: z.core.$ZodType): z.core.$ZodTypes['_zod']['def'] {
  return (schema as z.core.$ZodTypes)._zod.def;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

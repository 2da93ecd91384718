/**
 * The part of JSON Schema (2020-12) that our own documents are described in: the type of such a schema, the check of a
 * value against it and the order in which it lists keys. A saved document can come from anywhere, so it is checked by
 * the very schema that is published. It knows no document; the schema of a result is in result-schema.ts,
 * its words in schema-terms.ts.
 */

type TypeName = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';

export interface Schema {
  readonly description?: string;
  readonly $ref?: string;
  readonly type?: TypeName;
  readonly const?: string | number;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | true;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface RootSchema extends Schema {
  readonly $schema: string;
  readonly $id?: string;
  readonly title: string;
  readonly $defs: Readonly<Record<string, Schema>>;
}

/** The first thing in `value` that is not as the schema says, led by its path; null when there is none. */
export function shapeProblem(root: RootSchema, value: unknown): string | null {
  return problemAt(root, root, value, '');
}

/** The same value with the keys of every object in the schema's order; keys that it does not name come last. */
export function inSchemaOrder(root: RootSchema, value: unknown): unknown {
  return orderedBy(root, root, value);
}

function problemAt(root: RootSchema, schema: Schema, value: unknown, path: string): string | null {
  const target = resolved(root, schema);
  if (target.anyOf !== undefined) return problemOfAny(root, target.anyOf, value, path);
  const allowed = target.enum ?? (target.const === undefined ? null : [target.const]);
  if (allowed !== null && !allowed.some((one) => one === value)) {
    return unexpected(allowed.map((one) => JSON.stringify(one)).join(' or '), value, path);
  }
  if (target.type !== undefined && !isOf(target.type, value)) return unexpected(article(target.type), value, path);
  if (typeof value === 'number') {
    if (target.minimum !== undefined && value < target.minimum)
      return unexpected(`${target.minimum} or more`, value, path);
    if (target.maximum !== undefined && value > target.maximum)
      return unexpected(`${target.maximum} or less`, value, path);
  }
  if (Array.isArray(value)) return problemOfItems(root, target, value, path);
  return isRecord(value) ? problemOfKeys(root, target, value, path) : null;
}

/** With one alternative besides null, what is wrong with that one says more than "none of them". */
function problemOfAny(root: RootSchema, schemas: readonly Schema[], value: unknown, path: string): string | null {
  let problem: string | null = null;
  for (const schema of schemas) {
    const found = problemAt(root, schema, value, path);
    if (found === null) return null;
    problem ??= found;
  }
  return problem;
}

function problemOfItems(root: RootSchema, schema: Schema, items: readonly unknown[], path: string): string | null {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (items.length < minItems || items.length > maxItems)
    return `${path}: ${items.length} entries are too few or too many`;
  if (schema.items === undefined) return null;
  for (const [i, item] of items.entries()) {
    const problem = problemAt(root, schema.items, item, `${path}[${i}]`);
    if (problem !== null) return problem;
  }
  return null;
}

function problemOfKeys(root: RootSchema, schema: Schema, value: Record<string, unknown>, path: string): string | null {
  const missing = schema.required?.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return `${joined(path, missing)} is missing`;
  for (const [key, child] of Object.entries(value)) {
    const childSchema = schemaOfKey(schema, key);
    const problem = childSchema === null ? null : problemAt(root, childSchema, child, joined(path, key));
    if (problem !== null) return problem;
  }
  return null;
}

function orderedBy(root: RootSchema, schema: Schema, value: unknown): unknown {
  const target = resolved(root, schema);
  if (target.anyOf !== undefined) {
    const chosen = target.anyOf.find((one) => problemAt(root, one, value, '') === null);
    return chosen === undefined ? value : orderedBy(root, chosen, value);
  }
  if (Array.isArray(value)) {
    const { items } = target;
    return items === undefined ? value : value.map((item) => orderedBy(root, items, item));
  }
  if (!isRecord(value)) return value;
  const named = Object.keys(target.properties ?? {}).filter((key) => Object.hasOwn(value, key));
  const keys = new Set([...named, ...Object.keys(value)]);
  return Object.fromEntries(
    [...keys].map((key) => {
      const childSchema = schemaOfKey(target, key);
      return [key, childSchema === null ? value[key] : orderedBy(root, childSchema, value[key])];
    }),
  );
}

function schemaOfKey(schema: Schema, key: string): Schema | null {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  return additionalProperties === undefined || additionalProperties === true ? null : additionalProperties;
}

function resolved(root: RootSchema, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const target = root.$defs[schema.$ref.replace('#/$defs/', '')];
  if (target === undefined) throw new Error(`the schema has no ${schema.$ref}`);
  return target;
}

function isOf(type: TypeName, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isRecord(value);
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'number':
      return Number.isFinite(value);
    case 'integer':
      return Number.isSafeInteger(value);
    case 'string':
    case 'boolean':
      return typeof value === type;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unexpected(expected: string, value: unknown, path: string): string {
  const found = isRecord(value)
    ? 'an object'
    : Array.isArray(value)
      ? 'an array'
      : String(JSON.stringify(value)).slice(0, 60);
  return `${path === '' ? 'the document' : path}: expected ${expected}, found ${found}`;
}

/** A key that is no plain word is quoted: it comes from the document and ends in an error message. */
function joined(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key.slice(0, 60))}]`;
  return path === '' ? key : `${path}.${key}`;
}

function article(type: TypeName): string {
  if (type === 'null') return 'null';
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

/**
 * The kinds of values in a result, as zod schemas, and the types made from them. Objects accept unknown keys, so that
 * later versions can add some; a key added to version 1 has a default or is optional, because older documents lack it.
 */
import { z } from 'zod';

export const text = z.string();
export const flag = z.boolean();
export const number = z.number();
/** Milliseconds; may be negative for a time on a search's clock or for a difference. */
export const ms = z.number();
export const notNegative = z.number().min(0);
export const count = z.int().min(0);
/** Handshakes released together. */
export const size = z.int().min(1);
export const share = z.number().min(0).max(1);
export const timestamp = text.describe('ISO 8601, UTC, µs');

/** Lower and upper bound. */
export const bounds = z.tuple([number, number]);

/** An object with the same schema for each of `keys`. */
export function eachOf<K extends string, S extends z.ZodType>(
  keys: readonly K[],
  schema: S,
): z.ZodObject<Record<K, S>> {
  return z.object(Object.fromEntries(keys.map((key) => [key, schema])) as Record<K, S>);
}

export function mapOf<S extends z.ZodType>(values: S): z.ZodRecord<z.ZodString, S> {
  return z.record(text, values);
}

/** The type described by a schema, read-only at every level. */
export type Of<S extends z.ZodType> = DeepReadonly<z.output<S>>;

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/**
 * The kinds of value that a result is made of, as zod schemas, and how their types reach the rest of the program. An
 * object takes keys that its schema does not name, so that later versions can add some; a key that was added to version
 * 1 has a default or is optional, because older documents do not have it.
 */
import { z } from 'zod';

export const text = z.string();
export const flag = z.boolean();
export const number = z.number();
/** Milliseconds; an instant on a search's clock, or a difference, may be negative. */
export const ms = z.number();
export const notNegative = z.number().min(0);
export const count = z.int().min(0);
/** Handshakes released together. */
export const size = z.int().min(1);
export const share = z.number().min(0).max(1);
export const timestamp = text.describe('ISO 8601, UTC, µs');

/** Lower and upper bound. */
export const bounds = z.tuple([number, number]);

/** An object with one and the same schema behind each of `keys`. */
export function eachOf<K extends string, S extends z.ZodType>(
  keys: readonly K[],
  schema: S,
): z.ZodObject<Record<K, S>> {
  return z.object(Object.fromEntries(keys.map((key) => [key, schema])) as Record<K, S>);
}

export function mapOf<S extends z.ZodType>(values: S): z.ZodRecord<z.ZodString, S> {
  return z.record(text, values);
}

/** The type of what a schema describes; read-only all the way down. */
export type Of<S extends z.ZodType> = DeepReadonly<z.output<S>>;

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

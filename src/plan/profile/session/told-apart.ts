/**
 * A value that is written in several ways, told apart by its own look rather than by trial, so that its problems are
 * those of the way that was meant. Editors get the union of all ways.
 */
import { z } from 'zod';

/** For the JSON Schema: of each schema that chooses its way itself, the union that an editor needs. */
export const writtenWays = new WeakMap<object, z.ZodType>();

type WayChoice<T> = { readonly way: z.ZodType<T> } | { readonly problem: string };

/**
 * @param ways all that `choose` may return, for the JSON Schema
 * @param choose the way that was meant, or why none was
 */
export function toldApart<T>(
  ways: readonly [z.ZodType, z.ZodType, ...z.ZodType[]],
  choose: (written: unknown) => WayChoice<T>,
  about: string,
): z.ZodType<T> {
  const schema = z
    .unknown()
    .transform((written, context): T => {
      const choice = choose(written);
      if ('problem' in choice) {
        context.addIssue({ code: 'custom', message: choice.problem });
        return z.NEVER;
      }
      return readInto(context, choice.way, written) ?? z.NEVER;
    })
    .meta({ description: about });
  writtenWays.set(schema, z.union(ways));
  return schema;
}

/** The parsed value; null: its problems are in the context, below `path`. */
export function readInto<T>(
  context: z.RefinementCtx,
  schema: z.ZodType<T>,
  written: unknown,
  path: readonly (string | number)[] = [],
): T | null {
  const parsed = schema.safeParse(written);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    // A copy of the path, which zod lengthens in place.
    context.issues.push({ ...issue, path: [...path, ...issue.path] } as z.core.$ZodRawIssue);
  }
  return null;
}

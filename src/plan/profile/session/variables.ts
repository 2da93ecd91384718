/** `sessionVars` of a profile: texts for `{{ var.NAME }}`. No problem repeats a value: it may be a secret. */
import { z } from 'zod';
import { templateProblem } from '../field.js';
import { nameProblem } from './contents.js';

const LONGEST_VALUE = 16_384;
const MOST_VARIABLES = 50;

export const sessionVars = z
  .record(z.string(), z.unknown(), { error: 'expected a map from name to text, such as {token: "…"}' })
  .transform((written, context): Readonly<Record<string, string>> => {
    const refuse = (message: string, path: string[] = []) => context.addIssue({ code: 'custom', message, path });
    const entries = Object.entries(written);
    if (entries.length > MOST_VARIABLES) {
      refuse(`expected at most ${MOST_VARIABLES} variables, found ${entries.length}`);
    }
    for (const [name, value] of entries) {
      const problem = nameProblem(name) ?? valueProblem(value);
      if (problem !== null) refuse(problem, [name]);
    }
    return written as Readonly<Record<string, string>>;
  })
  .meta({
    description: 'Texts for {{ var.NAME }} in the session; they may hold {{ row.COLUMN }}, {{ env.NAME }} and the like',
    additionalProperties: { type: 'string' },
  });

function valueProblem(value: unknown): string | null {
  if (typeof value !== 'string') return 'expected a text: put it in quotes';
  if (value.length > LONGEST_VALUE) return `expected at most ${LONGEST_VALUE} characters, found ${value.length}`;
  return templateProblem(value);
}

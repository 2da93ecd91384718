/**
 * The templates of a script: session variables are filled in beforehand, a client's row, numbers and captured values
 * when it sends. A text without holes is made once and costs nothing afterwards.
 */
import { rowFor } from '../attempt-texts.js';
import type { Inputs, Plan } from '../plan.js';
import { uuidAt } from '../random.js';
import { compileTemplate, renderParts, type TemplatePart } from '../template.js';
import { scriptUses } from './script-uses.js';
import type { Script } from './session-script.js';

/** Which client asks, and what it captured so far. */
export interface ScriptContext {
  /** Number of the attempt in the run. */
  readonly index: number;
  /** Number of the client: `index`, except where a client comes back. Its data row is the client's. */
  readonly client: number;
  readonly captured: Readonly<Record<string, string>>;
}

/** A text of a script, ready for any client. */
export interface Rendering {
  /** The text of every client; null: it differs. */
  readonly constant: string | null;
  text(context: ScriptContext): string;
}

export interface ScriptTemplates {
  /** Literal texts and holes of a text, without holes of session variables. */
  partsOf(text: string): readonly TemplatePart[];
  /** `encode` is applied to the values of the holes. */
  rendering(parts: readonly TemplatePart[], encode?: (value: string) => string): Rendering;
  /** Values of data and environment that the texts use. */
  secrets(context: ScriptContext): readonly string[];
}

const NO_ROW: Readonly<Record<string, string>> = Object.freeze({});

/** The inputs have passed checkInputs. */
export function scriptTemplates(script: Script, plan: Plan, inputs: Inputs): ScriptTemplates {
  const variables = new Map(
    Object.entries(script.variables).map(([name, text]) => [name, compileTemplate(text).parts] as const),
  );
  const uses = scriptUses(script);
  const env = uses.envNames.map((name) => inputs.env[name] ?? '');
  const rowOf = ({ client }: ScriptContext) =>
    uses.rowColumns.length === 0 ? NO_ROW : rowFor(plan.data, plan.seed, inputs.rows, client);
  return {
    partsOf: (text) =>
      compileTemplate(text, 'session').parts.flatMap((part): readonly TemplatePart[] => {
        if (typeof part === 'string' || part.kind !== 'var') return [part];
        const parts = variables.get(part.name);
        if (parts === undefined) throw new Error(`no session variable ${part.name}`);
        return parts;
      }),
    rendering: (parts, encode = (value) => value) => {
      if (parts.every((part) => typeof part === 'string')) return constantly(parts.join(''));
      const usesUuid = parts.some((part) => typeof part !== 'string' && part.kind === 'uuid');
      return {
        constant: null,
        text: (context) => {
          const uuid = usesUuid ? uuidAt(plan.seed, context.index) : '';
          return renderParts(parts, { ...context, row: rowOf(context), env: inputs.env, uuid }, encode);
        },
      };
    },
    secrets: (context) => {
      if (uses.rowColumns.length === 0) return env;
      const row = rowOf(context);
      return [...uses.rowColumns.map((column) => row[column] ?? ''), ...env];
    },
  };
}

function constantly(text: string): Rendering {
  return { constant: text, text: () => text };
}

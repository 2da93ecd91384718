/**
 * What a client says after its 101, as data: part of the plan, serialisable, with templates as written. Who wrote it is
 * known to plan/profile/session; how it is sent and matched to compiled-script.ts.
 */

/** Strings, also those inside `json`, may hold templates. `binary` is Base64. */
export type Payload =
  | { readonly text: string }
  | { readonly json: unknown }
  | { readonly binary: string }
  | { readonly ping: string };

/**
 * `json`: a subset, in which a list stands for its first entries. `binary` is Base64 of the first bytes. `equal`,
 * `starts` and strings inside `json` may hold templates.
 */
export type Match =
  | { readonly equal: string }
  | { readonly json: unknown }
  | { readonly starts: string }
  | { readonly regex: string }
  | { readonly binary: string };

/** A close code, or a TCP reset. */
export type SessionClose = number | 'abort';

/** Name of a captured value → JSON pointer (RFC 6901) to it in the message. */
export type Captures = Readonly<Record<string, string>>;

export type SendStep = { readonly send: Payload };
export type ExpectStep = { readonly expect: Match; readonly capture: Captures | null };
export type HoldStep = { readonly holdMs: number };
export type CloseStep = { readonly close: SessionClose };

/** One after another. */
export type ScriptStep = SendStep | ExpectStep | HoldStep | CloseStep;

export type StandingAnswer = {
  readonly when: Match;
  readonly send: Payload | null;
  readonly close: SessionClose | null;
};
export type StandingBeat = { readonly everyMs: number; readonly send: Payload };

/** Holds beside the steps, from the moment at which `from` of them are done to the end of the connection. */
export type StandingRule = (StandingAnswer | StandingBeat) & { readonly from: number };

export interface Script {
  /** Of a shipped session; null: the user's own. */
  readonly name: string | null;
  /** Session variables, `{{ var.NAME }}`: texts that may hold the templates of a header. */
  readonly variables: Readonly<Record<string, string>>;
  readonly standing: readonly StandingRule[];
  /** At most one hold; nothing follows a close. */
  readonly steps: readonly ScriptStep[];
  /** Time limit of an `expect`, ms. */
  readonly messageTimeoutMs: number;
}

export interface SessionPlan {
  /** Hold every 101 this long after the last attempt of its burst ended; null: only until then. Null with a script. */
  readonly holdMs: number | null;
  /** What each client says and waits for; null: nothing. */
  readonly script: Script | null;
}

/** How long connections are held, by the plain hold or by the hold step, ms; null: they are not. */
export function heldMs({ holdMs, script }: SessionPlan): number | null {
  if (script === null) return holdMs;
  return script.steps.find((step) => 'holdMs' in step)?.holdMs ?? null;
}

/** A string inside a payload or a match, with the keys that lead to it. */
export interface ScriptText {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/** The texts of a payload or a match that may hold templates; their paths are those of the written form. */
export function templatedTexts(content: Payload | Match): ScriptText[] {
  if ('json' in content) return jsonTexts(content.json, []);
  if ('text' in content) return [{ path: [], text: content.text }];
  if ('equal' in content) return [{ path: [], text: content.equal }];
  if ('ping' in content) return [{ path: ['$ping'], text: content.ping }];
  if ('starts' in content) return [{ path: ['$starts'], text: content.starts }];
  return [];
}

/** Every string value inside a JSON value, with its path. */
function jsonTexts(value: unknown, path: ScriptText['path']): ScriptText[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  const entries: (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return entries.flatMap(([key, one]) => jsonTexts(one, [...path, key]));
}

/** Every text of a script that may hold templates, but for its variables. */
export function scriptTexts({ standing, steps }: Script): string[] {
  const contents = [...standing, ...steps].flatMap((one): (Payload | Match)[] => [
    ...('send' in one && one.send !== null ? [one.send] : []),
    ...('when' in one ? [one.when] : []),
    ...('expect' in one ? [one.expect] : []),
  ]);
  return contents.flatMap((content) => templatedTexts(content).map(({ text }) => text));
}

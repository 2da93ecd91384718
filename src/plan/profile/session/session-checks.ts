/** Checks between a session and its variables: unknown, unused and missing ones, and sessions that do not exist. */
import { SHIPPED_SESSIONS, type ShippedSession, shippedSession, spoilt } from '../../session/shipped.js';
import { didYouMean } from '../../suggest.js';
import { compileTemplate } from '../../template.js';
import { hasPath } from '../../url.js';
import { lineTexts, type WrittenSession } from './lines.js';

interface SessionParts {
  readonly session?: WrittenSession | undefined;
  readonly sessionVars?: Readonly<Record<string, string>> | undefined;
  readonly target?: { readonly url?: string | undefined } | undefined;
}

export interface SessionProblem {
  readonly path: readonly (string | number)[];
  readonly at: 'value';
  readonly message: string;
}

/** `isBroken`: there is a session, but it could not be read. */
export function sessionProblems(parts: SessionParts, isBroken: boolean): SessionProblem[] {
  const { session, sessionVars = {} } = parts;
  const names = Object.keys(sessionVars);
  if (session === undefined || session.kind === 'hold') {
    return isBroken || names.length === 0
      ? []
      : [problem(['sessionVars'], 'there is no session to use them: name one (session, --session)')];
  }
  if (session.kind === 'lines') return lineProblems(session.lines, names);
  const shipped = shippedSession(session.name);
  return shipped === null ? [problem(['session'], unknownSession(session.name))] : shippedProblems(shipped, parts);
}

function problem(path: SessionProblem['path'], message: string): SessionProblem {
  return { path, at: 'value', message };
}

export function unknownSession(name: string): string {
  const names = SHIPPED_SESSIONS.map((one) => one.name);
  return `no shipped session ${JSON.stringify(name)}${didYouMean(name, names) || `, expected one of ${names.join(', ')}`}`;
}

function lineProblems(lines: Extract<WrittenSession, { kind: 'lines' }>['lines'], names: readonly string[]) {
  const uses = lines.flatMap((line, i) =>
    lineTexts(line).flatMap(({ path, text }) =>
      compileTemplate(text, 'session').variables.map((name) => ({ path: ['session', i, ...path], name })),
    ),
  );
  const unknown = uses
    .filter(({ name }) => !names.includes(name))
    .map(({ path, name }) => {
      const hint = didYouMean(name, names) || ': set it (sessionVars, --session-var)';
      return problem(path, `there is no session variable ${name}${hint}`);
    });
  const used = new Set(uses.map(({ name }) => name));
  const unused = names
    .filter((name) => !used.has(name))
    .map((name) =>
      problem(['sessionVars', name], `no line of the session uses {{ var.${name} }}${didYouMean(name, [...used])}`),
    );
  return [...unknown, ...unused];
}

function shippedProblems(shipped: ShippedSession, { sessionVars = {}, target }: SessionParts): SessionProblem[] {
  const known = Object.keys(shipped.variables);
  const strangers = Object.keys(sessionVars)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const hint = didYouMean(name, known) || `, it has ${known.join(', ')}`;
      return problem(['sessionVars', name], `${shipped.name} has no variable ${name}${hint}`);
    });
  const needed = compileTemplate(shipped.path ?? '', 'session').variables;
  const isPathNeeded = target?.url !== undefined && !hasPath(target.url);
  const missing = (isPathNeeded ? needed : [])
    .filter((name) => sessionVars[name] === undefined)
    .map((name) =>
      problem(
        ['session'],
        `${shipped.name} needs the variable ${name} (${shipped.variables[name]?.about ?? ''}), or a path in the URL`,
      ),
    );
  const wrong = Object.entries(sessionVars).flatMap(([name, text]) => {
    const found = valueProblem(shipped, name, text);
    return found === null ? [] : [problem(['sessionVars', name], found)];
  });
  return [...strangers, ...missing, ...wrong];
}

/** Of texts with templates only the place is judged here; inputs.ts judges what they become. */
function valueProblem({ name: session, variables }: ShippedSession, name: string, text: string): string | null {
  const variable = variables[name];
  if (variable === undefined) return null;
  if (compileTemplate(text).constant) return spoilt(variable, text);
  return variable.inside === 'packet'
    ? `${session} puts ${name} into a packet that is made once: no template here`
    : null;
}

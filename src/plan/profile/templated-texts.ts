/**
 * The texts of a target and of a session that may contain templates, each with its path; from a plan or from an
 * incomplete profile.
 */

import { type Script, type SessionPlan, scriptTexts } from '../session/session-script.js';
import { shippedSession, spoilt } from '../session/shipped.js';
import { compileTemplate, type Template } from '../template.js';
import type { Path } from './problems.js';
import { lineTexts, type WrittenSession } from './session/lines.js';

export interface Texts {
  readonly url?: string | undefined;
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly origin?: string | null | undefined;
  readonly subprotocols?: readonly string[] | undefined;
}

export interface TemplatedPlace {
  readonly kind: 'url' | 'value' | 'token' | 'said';
  readonly path: Path;
  readonly template: Template;
  /** For a variable of a shipped session: why its rendered text is not allowed, or null. */
  readonly spoilt?: (text: string) => string | null;
}

/** In the order url, headers, origin, subprotocols. */
export function templatesOf(target: Texts | undefined): TemplatedPlace[] {
  if (target === undefined) return [];
  const place = (kind: TemplatedPlace['kind'], path: Path, text: string): TemplatedPlace => ({
    kind,
    path: ['target', ...path],
    template: compileTemplate(text),
  });
  return [
    ...(target.url === undefined ? [] : [place('url', ['url'], target.url)]),
    ...(target.headers ?? []).map(([name, text]) => place('value', ['headers', name], text)),
    ...(typeof target.origin === 'string' ? [place('value', ['origin'], target.origin)] : []),
    ...(target.subprotocols ?? []).map((text, i) => place('token', ['subprotocols', i], text)),
  ];
}

/** What is said after the 101, as a profile has it. */
export interface SaidTexts {
  readonly session?: WrittenSession | SessionPlan | undefined;
  readonly sessionVars?: Script['variables'] | undefined;
}

/** Of the session's own lines, and of its variables; a shipped session's lines hold no more than the variables. */
export function sessionTemplates({ session, sessionVars = {} }: SaidTexts): TemplatedPlace[] {
  if (session === undefined) return [];
  if ('holdMs' in session && 'script' in session)
    return session.script === null ? [] : scriptTemplatesOf(session.script);
  const place = (path: Path, text: string): TemplatedPlace => ({
    kind: 'said',
    path,
    template: compileTemplate(text, 'session'),
  });
  const lines = session.kind === 'lines' ? session.lines : [];
  const name = session.kind === 'name' ? session.name : null;
  return [
    ...lines.flatMap((line, i) => lineTexts(line).map(({ path, text }) => place(['session', i, ...path], text))),
    ...variableTemplates(name, sessionVars, ['sessionVars']),
  ];
}

function scriptTemplatesOf(script: Script): TemplatedPlace[] {
  return [
    ...scriptTexts(script).map(
      (text): TemplatedPlace => ({ kind: 'said', path: ['session'], template: compileTemplate(text, 'session') }),
    ),
    ...variableTemplates(script.name, script.variables, ['session', 'variables']),
  ];
}

function variableTemplates(session: string | null, variables: Script['variables'], path: Path): TemplatedPlace[] {
  const known = session === null ? {} : (shippedSession(session)?.variables ?? {});
  return Object.entries(variables).map(([name, text]) => {
    const variable = known[name];
    return {
      kind: 'said',
      path: [...path, name],
      template: compileTemplate(text),
      ...(variable === undefined ? {} : { spoilt: (value: string) => spoilt(variable, value) }),
    };
  });
}

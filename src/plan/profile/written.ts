/**
 * A profile, or a session alone, as text, YAML or JSON. In its own file so that the YAML parser, which is large, is loaded only when there
 * is a text to read.
 */
import { type Draft, draftOfParts, profileOf } from './draft.js';
import { shown } from './field.js';
import { type Problem, refuse, type Source } from './problems.js';
import type { Profile } from './profile-schema.js';
import { readDocument } from './yaml-document.js';

/** Throws UserError `profile` when the text is neither YAML nor JSON. */
export function draftOfText(text: string, file: string): Draft {
  const { value, source } = readDocument(text, file);
  return draftOfParts(value, source);
}

/**
 * The session of a file whose whole document is its list, as a layer of a profile. Throws UserError `profile` when the
 * text is neither YAML nor JSON.
 */
export function draftOfSession(text: string, file: string): Draft {
  const { value, source } = readDocument(text, file);
  const own: Source = {
    name: source.name,
    wrote: ([key, ...rest]) => key === 'session' && source.wrote(rest),
    placeOf: (problem) => source.placeOf(inDocument(problem)),
    lineOf: (problem) => source.lineOf(inDocument(problem)),
  };
  if (Array.isArray(value)) return draftOfParts({ session: value }, own);
  const message = `expected a list of steps as the whole document, found ${shown(value)}`;
  return refuse([{ source: own, problem: { path: ['session'], at: 'value', message } }]);
}

function inDocument(problem: Problem): Problem {
  return { ...problem, path: problem.path.slice(1) };
}

/**
 * A profile that needs no files or variables. Throws UserError `profile` that lists every problem as `file:line:col
 * path: …`.
 */
export function readProfile(text: string, file: string): Profile {
  return profileOf(draftOfText(text, file));
}

/**
 * A profile as text, YAML or JSON. In its own file so that the YAML parser, which is large, is loaded only when there
 * is a text to read.
 */
import { type Draft, draftOfParts, profileOf } from './draft.js';
import type { Profile } from './profile-schema.js';
import { readDocument } from './yaml-document.js';

/** Throws UserError `profile` when the text is neither YAML nor JSON. */
export function draftOfText(text: string, file: string): Draft {
  const { value, source } = readDocument(text, file);
  return draftOfParts(value, source);
}

/**
 * A profile that needs no files or variables. Throws UserError `profile` that lists every problem as `file:line:col
 * path: …`.
 */
export function readProfile(text: string, file: string): Profile {
  return profileOf(draftOfText(text, file));
}

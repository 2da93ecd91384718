/**
 * `$regex` in time linear in the message, so that no pattern on no message can stop a generator: RE2's algorithm and its
 * syntax, without back references and lookaround. Only the beginning of a long message is looked at.
 */
import { createRequire } from 'node:module';
import type * as Re2 from 're2js';
import { UserError } from '../../errors.js';

const require = createRequire(import.meta.url);

/** UTF-16 units. */
const LONGEST_SEARCHED = 65_536;

export interface Pattern {
  /** Whether it is found anywhere in the text. */
  test(text: string): boolean;
}

/** Throws UserError `regex` that says what is wrong with the pattern. */
export function compilePattern(source: string): Pattern {
  // Loaded here because most sessions have no pattern.
  const { RE2JS, RE2JSSyntaxException } = require('re2js') as typeof Re2;
  try {
    const compiled = RE2JS.compile(source);
    return { test: (text) => compiled.matcher(text.slice(0, LONGEST_SEARCHED)).find() };
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const reason = error.message.replace(/^error parsing regexp: /, '');
    throw new UserError(`not a regular expression (RE2 syntax): ${reason}`, { code: 'regex' });
  }
}

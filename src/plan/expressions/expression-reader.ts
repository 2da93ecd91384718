/**
 * Reads an expression from left to right and reports the position of an error. It owns positions and the wording of
 * errors; the grammar (condition.ts) knows what an expression means.
 */
import { UserError } from '../../errors.js';

const LONGEST_EXPRESSION = 200;
const LONGEST_QUOTE = 60;
const NAMES = { threshold: 'threshold', abort: 'abort rule', 'fail-on': '--fail-on' } as const;

type ExpressionKind = keyof typeof NAMES;

export class ExpressionReader {
  readonly #kind: ExpressionKind;
  readonly #text: string;
  #at = 0;

  /** `kind` becomes the code of every error. @throws UserError when the text is too long to be an expression. */
  constructor(kind: ExpressionKind, text: string) {
    this.#kind = kind;
    this.#text = text;
    if (text.length > LONGEST_EXPRESSION) {
      throw this.error(`expected at most ${LONGEST_EXPRESSION} characters, found ${text.length}`);
    }
  }

  /** Where the next `take` begins, 1-based. */
  get character(): number {
    return this.#at + 1;
  }

  /**
   * Skips spaces and takes what the sticky `pattern` matches; null when it does not match (the spaces stay skipped).
   */
  take(pattern: RegExp): string | null {
    this.#skipSpaces();
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? null;
    if (taken !== null) this.#at += taken.length;
    return taken;
  }

  /** Moves back to the start of `taken`, the last text that `take` returned, so that an error points at it. */
  putBack(taken: string): void {
    this.#at -= taken.length;
  }

  /** Throws with what was expected and what was found; `meant` is the word that was probably intended. */
  refuse(expected: string, meant: string | null = null): never {
    this.#skipSpaces();
    const rest = this.#text.slice(this.#at);
    const found = rest === '' ? 'the end' : quoted(rest);
    throw this.error(`at character ${this.character}: expected ${expected}, found ${found}`, meant);
  }

  error(message: string, meant: string | null = null): UserError {
    const hint = meant === null ? {} : { hint: `did you mean ${meant}?` };
    return new UserError(`${NAMES[this.#kind]} ${quoted(this.#text)}: ${message}`, { code: this.#kind, ...hint });
  }

  #skipSpaces(): void {
    while (this.#at < this.#text.length && /\s/.test(this.#text[this.#at])) this.#at++;
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);
}

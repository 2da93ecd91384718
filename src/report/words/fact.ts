/**
 * One fact of a report: a short label and its text. Does not know a terminal; a renderer places the label and wraps the
 * text. Text from a target or a user must be made harmless before.
 */

export interface Fact {
  /** At most 11 characters. Empty: the text continues the previous fact. */
  readonly label: string;
  readonly text: string;
  /** It limits what the numbers are worth, so it must stand out. */
  readonly isDoubt?: boolean;
  /** Values over time; a renderer may draw them below the text. */
  readonly curve?: readonly number[];
}

/** Turns a reason, which is a whole sentence, into a part of another sentence. */
export function bare(sentence: string): string {
  return sentence.trim().replace(/[.;:]+$/, '');
}

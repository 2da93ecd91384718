/**
 * A fact as a report tells it: a short label and what there is to say under it. It knows no terminal; a renderer
 * decides where the label stands and how the text is broken. Text from a target or a user is made harmless before it
 * comes here.
 */

export interface Fact {
  /** At most 11 characters. Empty: the text belongs to the fact before it. */
  readonly label: string;
  readonly text: string;
  /** It limits what the numbers are worth, so it has to stand out. */
  readonly isDoubt?: boolean;
  /** Values over time, which a renderer may draw below the text. */
  readonly curve?: readonly number[];
}

/** A reason is a sentence of its own; this makes it a part of another one. */
export function bare(sentence: string): string {
  return sentence.trim().replace(/[.;:]+$/, '');
}

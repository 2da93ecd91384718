/** What to do about one cause, as text. */
export interface Remedy {
  /** What a user sees, for the documentation. */
  readonly symptom: string;
  readonly confirm: string;
  readonly fix: string;
  /**
   * Used instead of `at` if the gateway answered for its backend (502, 504): says which of its settings to change then.
   */
  readonly behind?: string;
  /** By the id of the hop: what to write in which file. */
  readonly at?: Readonly<Record<string, string>>;
}

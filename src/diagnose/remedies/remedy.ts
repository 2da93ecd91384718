/** What to do about one cause, as text. */
export interface Remedy {
  /** What one sees, for the documentation. */
  readonly symptom: string;
  readonly confirm: string;
  readonly fix: string;
  /** In place of `at` where the gateway answered for its backend (502, 504): whose setting it is then. */
  readonly behind?: string;
  /** By the id of the hop: what to write where. */
  readonly at?: Readonly<Record<string, string>>;
}

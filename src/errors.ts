/**
 * Errors that the user can act on, and the one list of exit codes. A handshake that fails is never an error here: it is
 * a counted outcome (src/names/outcomes.ts). Anything thrown that is not a UserError is a bug: exit code 1.
 */

/** Every exit code of the program. Precedence when several apply: internal > signals > invalid > missed > ok. */
export const EXIT = {
  ok: 0,
  internal: 1,
  /** A wrong flag or profile, or a target that is not allowed (`--allow-host`). */
  usage: 2,
  /** A threshold missed, or no attempt got its 101. */
  missed: 3,
  /** The generator was the limit: the run says nothing about the target. */
  invalid: 4,
  /** The target answered nothing at preflight. */
  noAnswer: 5,
  sighup: 129,
  sigint: 130,
  sigterm: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Signals that end a run, in the order of their numbers. */
export const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
export type SignalName = (typeof SIGNALS)[number];

/** 128 plus the number of the signal, as shells do. */
export const SIGNAL_EXIT: Readonly<Record<SignalName, ExitCode>> = {
  SIGHUP: EXIT.sighup,
  SIGINT: EXIT.sigint,
  SIGTERM: EXIT.sigterm,
};

export function isSignalName(value: unknown): value is SignalName {
  return SIGNALS.some((name) => name === value);
}

export interface UserErrorOptions {
  /** Stable machine-readable name, e.g. `profile`, `flag`, `guard`, `limits`. */
  readonly code: string;
  /** The way out, one sentence or command. */
  readonly hint?: string;
  /** Defaults to 2 (usage). */
  readonly exitCode?: ExitCode;
}

/** Something the user can fix. `message` says what is wrong and where; `hint` says what to do. */
export class UserError extends Error {
  readonly code: string;
  readonly hint: string | null;
  readonly exitCode: ExitCode;

  constructor(message: string, options: UserErrorOptions) {
    super(message);
    this.name = 'UserError';
    this.code = options.code;
    this.hint = options.hint ?? null;
    this.exitCode = options.exitCode ?? EXIT.usage;
  }
}

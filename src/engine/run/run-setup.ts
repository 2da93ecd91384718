/** What a run needs besides its plan, and the calls by which it reports. */
import type { Host } from '../../host.js';
import type { Machine } from '../../plan/machine-facts.js';
import type { Burst, Outcomes } from '../../result/result.js';
import type { Director } from '../../search/engine-interface.js';
import type { RunRecord } from '../../tally/assemble.js';
import type { Part } from '../../tally/totals.js';
import type { Fault, Generators } from '../load/generators.js';
import type { Progress } from './live.js';
import type { Consent } from './resolve.js';

/**
 * Called as things happen. Returned promises are awaited, so that a slow disk delays the next burst and not this one.
 */
export interface RunObserver {
  preflight?(outcomes: Outcomes): void;
  progress?(progress: Progress): void;
  /** CSV rows of attempts, whole lines. */
  rows?(rows: string): void;
  /** After each burst, with everything so far. */
  burst?(burst: Burst, record: RunRecord): void | Promise<void>;
  /** In the middle of a long load, or of the probes after it: what has ended so far, and the rows that may still change. */
  during?(record: RunRecord, rows: string): void | Promise<void>;
  /** A search is about to fire: everything so far must be saved first. */
  save?(record: RunRecord): void | Promise<void>;
  /** A line for the user. */
  note?(text: string): void;
  /** Why the faster transport is not used, as the end of a sentence; called before anything is sent. */
  transport?(text: string): void;
}

/** What an earlier process measured for the same plan. */
export interface Earlier {
  readonly startedAt: string;
  readonly bursts: readonly Burst[];
  readonly parts: readonly Part[];
  /** Index of the first burst of the search. */
  readonly firstIndex: number;
  /** Attempt numbers used so far. */
  readonly attempts: number;
}

export interface RunSetup {
  readonly host: Host;
  readonly version: string;
  readonly observer: RunObserver;
  /** Aborted by the first Ctrl-C, with the signal's name as its reason. */
  readonly signal: AbortSignal;
  /** Aborted by the second Ctrl-C: connections that have not closed yet are not waited for. */
  readonly hurry?: AbortSignal;
  readonly wantRows: boolean;
  /** Public hosts that the user allows. */
  readonly consent: Consent;
  /** State of this machine before anything was started. */
  readonly machine: Machine;
  /** The caller that made them ends them after the run. */
  readonly generators: Generators;
  /** The search's director, if the plan has a search. */
  readonly director?: Director | null;
  /** The run is resumed at its search; earlier stages are done. */
  readonly earlier?: Earlier | null;
  /** A shell command that drops the clients of each storm: never from a profile. */
  readonly dropBy?: string | null;
  /** A fault to inject, for tests. */
  readonly fault?: Fault | null;
}

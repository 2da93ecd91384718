/** What a run is given beside its plan, and what it tells as things happen. */
import type { Host } from '../../host.js';
import type { Machine } from '../../plan/machine-facts.js';
import type { Burst, Outcomes } from '../../result/result.js';
import type { Director } from '../../search/engine-interface.js';
import type { RunRecord } from '../../tally/assemble.js';
import type { Part } from '../../tally/totals.js';
import type { Fault, Generators } from '../load/generators.js';
import type { Progress } from './live.js';
import type { Consent } from './resolve.js';

/** Told as things happen; what it returns is awaited, so that a slow disk delays the next burst and not this one. */
export interface RunObserver {
  preflight?(outcomes: Outcomes): void;
  progress?(progress: Progress): void;
  /** CSV rows of attempts, whole lines. */
  rows?(rows: string): void;
  /** After each burst, with everything so far. */
  burst?(burst: Burst, record: RunRecord): void | Promise<void>;
  /** In the middle of a long load, with what has ended by now, and the rows that may still change. */
  during?(record: RunRecord, rows: string): void | Promise<void>;
  /** A search is about to fire: what there is must be safe before that. */
  save?(record: RunRecord): void | Promise<void>;
  /** A line for a person. */
  note?(text: string): void;
  /** Why sockets are not driven as fast as they could be, as the end of a sentence: before anything is sent. */
  transport?(text: string): void;
}

/** What an earlier process measured of the same plan. */
export interface Earlier {
  readonly startedAt: string;
  readonly bursts: readonly Burst[];
  readonly parts: readonly Part[];
  /** Index of the first burst of the search. */
  readonly firstIndex: number;
  /** Handshakes that had a number. */
  readonly attempts: number;
}

export interface RunSetup {
  readonly host: Host;
  readonly version: string;
  readonly observer: RunObserver;
  /** Aborted by the first Ctrl-C, with the signal's name as its reason. */
  readonly signal: AbortSignal;
  /** Aborted by the second: what has not closed by itself is not waited for. */
  readonly hurry?: AbortSignal;
  readonly wantRows: boolean;
  /** Public hosts that the user allows. */
  readonly consent: Consent;
  /** Of this machine as it was before anything was started. */
  readonly machine: Machine;
  /** Whoever made them ends them, when the run is over. */
  readonly generators: Generators;
  /** Of the search, where the plan has one. */
  readonly director?: Director | null;
  /** The run goes on with its search; stages before that are over. */
  readonly earlier?: Earlier | null;
  /** For tests. */
  readonly fault?: Fault | null;
}

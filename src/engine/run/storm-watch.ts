/**
 * What happens between the opening of a storm's clients and their closing: rest, the drop, and the watch until every
 * client is back for good or the window is over. Only looks at live counts; the shards count clients and attempts.
 */
import { resetMs } from '../../plan/policy/policy.js';
import { BACK_FOR_GOOD_MS, dropWaitMs, type StormStage } from '../../plan/stages/storm.js';
import { LIVE } from '../attempt/live-counts.js';
import type { Generators } from '../load/generators.js';
import { now } from '../machine/clock.js';
import { wait, waitUntil } from '../machine/wait.js';
import { startDropCommand } from './drop-command.js';

/** Long enough for the order to reach every thread before the watch begins. */
const AHEAD_MS = 50;
const LOOK_MS = 50;
/** By then each shard has told how many clients it watches. */
const COUNTED_MS = 2000;

export interface StormWatch {
  /** When it began, ms on the clock of `now()`. */
  readonly at: number;
  /** This side made the drop, or its command did: t0 is the beginning of the watch. */
  readonly isOwnDrop: boolean;
  /** What went wrong with the drop, one sentence. */
  readonly problem: string | null;
}

export interface StormOrder {
  readonly generators: Generators;
  readonly stage: StormStage;
  /** Index of the storm within its stage. */
  readonly place: number;
  /** A shell command that makes the drop; null: none. */
  readonly dropBy: string | null;
  readonly signal: AbortSignal;
  /** Called when the watch begins, and again if something goes wrong with the drop. */
  readonly onWatch: (watch: StormWatch) => void;
}

export async function watchStorm(order: StormOrder): Promise<void> {
  const { generators, stage, dropBy, signal, onWatch } = order;
  await wait(stage.settleMs, signal);
  if (signal.aborted) return;
  const at = now() + AHEAD_MS;
  generators.drop(at);
  await waitUntil(at, signal);
  const watch = { at, isOwnDrop: dropBy !== null || stage.drop.by === 'client', problem: null };
  onWatch(watch);
  if (signal.aborted) return;
  const command = dropBy === null ? null : startDropCommand(dropBy);
  const failed = new AbortController();
  void command?.ended.then((problem) => {
    if (problem === null) return;
    onWatch({ ...watch, problem });
    failed.abort();
  });
  await untilOver(order, at, AbortSignal.any([signal, failed.signal]));
  command?.end();
}

/** Looks until every client is back for good or gone for good, or the window is over. */
async function untilOver({ generators, stage, place }: StormOrder, at: number, signal: AbortSignal): Promise<void> {
  const total = (index: number) => generators.counts.total(index);
  const quietMs = Math.max(BACK_FOR_GOOD_MS, resetMs(stage.policies[place]));
  let until = at + (stage.drop.by === 'client' ? stage.windowMs : dropWaitMs(stage));
  let hasDropped = false;
  let quiet = { since: at, returns: 0 };
  for (;;) {
    await wait(LOOK_MS, signal);
    const time = now();
    if (signal.aborted || time >= until) return;
    const fleet = total(LIVE.fleet);
    if (fleet === 0 ? time >= at + COUNTED_MS : total(LIVE.gone) === fleet) return;
    if (!hasDropped && total(LIVE.dropped) > 0) {
      hasDropped = true;
      if (stage.drop.by !== 'client') until = time + stage.windowMs;
    }
    const returns = total(LIVE.returns);
    if (!hasDropped || total(LIVE.awaited) > 0 || returns !== quiet.returns) quiet = { since: time, returns };
    else if (time - quiet.since >= quietMs) return;
  }
}

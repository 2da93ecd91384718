/**
 * Invariants of the numbers in a result, checked before writing and after reading, for files and between threads:
 * attempts are the sum of their outcomes, totals are the sum of the bursts, and the kernel was asked about no more
 * attempts than there are.
 */
import { ABORTED, isCutWord } from '../names/ends.js';
import { isOutcomeId, type OutcomeId, openedOf } from '../names/outcomes.js';
import type { Burst, Counted, KernelCounts, Outcomes, Result, Sessions } from './result.js';

type SessionCounts = Pick<Sessions, 'ready' | 'notReady' | 'cut' | 'closed' | 'aborted'>;

/** @throws Error that names the place of the mismatch */
export function assertAddsUp({ bursts, totals, preflight }: Pick<Result, 'bursts' | 'totals' | 'preflight'>): void {
  const sum = new Map<string, number>();
  for (const burst of bursts) {
    const { index, attempted, outcomes, kernel } = burst;
    named(`burst ${index}`, () => assertSum(attempted, outcomes));
    named(`burst ${index}`, () => assertKernel(attempted, kernel));
    named(`burst ${index}`, () => assertAllEnded(burst));
    named(`burst ${index}`, () => assertArrivals(burst));
    for (const [id, count] of Object.entries(outcomes)) sum.set(id, (sum.get(id) ?? 0) + count);
  }
  named('totals', () => assertSum(totals.attempted, totals.outcomes));
  named('totals', () => assertKernel(totals.attempted, totals.kernel));
  named('totals', () => assertAllEnded(totals));
  if (preflight !== null) named('preflight', () => assertSum(preflight.attempted, preflight.outcomes));
  for (const id of new Set([...sum.keys(), ...Object.keys(totals.outcomes)])) {
    const [inTotals, inBursts] = [totals.outcomes[id] ?? 0, sum.get(id) ?? 0];
    if (inTotals !== inBursts) throw new Error(`totals count ${inTotals} of ${id}, the bursts ${inBursts}`);
  }
  const asked = (kernel: KernelCounts | null) => kernel?.asked ?? 0;
  const inBursts = bursts.reduce((all, { kernel }) => all + asked(kernel), 0);
  if (asked(totals.kernel) !== inBursts) {
    throw new Error(
      `totals count ${asked(totals.kernel)} attempts that the kernel was asked about, the bursts ${inBursts}`,
    );
  }
}

/** @throws Error unless `attempted` is the sum of `outcomes`, every count a non-negative integer of a known outcome. */
export function assertSum(attempted: number, outcomes: Outcomes): void {
  let sum = 0;
  for (const [id, count] of Object.entries(outcomes)) {
    assertOutcome(id);
    sum += checkedCount(count, `outcomes ${id}`);
  }
  if (sum !== checkedCount(attempted, 'attempted')) {
    throw new Error(`attempted is ${attempted}, but the outcomes add up to ${sum}`);
  }
}

/**
 * @throws Error unless every value is a count, no part exceeds its whole, and each attempt that retransmitted did so at
 * least once
 */
export function assertKernel(attempted: number, counts: KernelCounts | null): void {
  if (counts === null) return;
  for (const [name, count] of Object.entries(counts)) checkedCount(count, `kernel.${name}`);
  const { asked, synRetransmitted, synRetransmits, retransmitted, retransmits } = counts;
  if (asked > attempted) throw new Error(`the kernel was asked about ${asked} of ${attempted} attempts`);
  assertPart('synRetransmit', asked, synRetransmitted, synRetransmits);
  assertPart('retransmit', asked, retransmitted, retransmits);
}

function assertArrivals({ attempted, arrivals }: Pick<Burst, 'attempted' | 'arrivals'>): void {
  if (arrivals === null) return;
  const { planned, started, skipped } = arrivals;
  if (started !== attempted) throw new Error(`arrivals.started is ${started}, but ${attempted} were attempted`);
  if (started + skipped > planned) throw new Error(`of ${planned} arrivals ${started + skipped} are accounted for`);
}

/** Of every 101 it is known how it ended, or of none (results of earlier versions). @throws Error otherwise */
function assertAllEnded({
  outcomes,
  lostWhileHeld,
  sessions,
}: Pick<Counted, 'outcomes' | 'lostWhileHeld' | 'sessions'>) {
  if (sessions === null) return;
  assertSessions(openedOf(outcomes), lostWhileHeld, sessions);
  const known = knownOf(sessions);
  if (known !== openedOf(outcomes)) throw new Error(`sessions know of ${known} of ${openedOf(outcomes)} 101s`);
  const cut = sumOf(sessions.cut, 'cut');
  if (cut !== lostWhileHeld) throw new Error(`lostWhileHeld is ${lostWhileHeld}, but sessions.cut adds up to ${cut}`);
}

/**
 * @param opened 101s; of some it may be unknown how they ended (merged with those of earlier versions)
 * @param lost those that the target ended, likewise
 * @throws Error unless every value is a count, every end is one that there is, and the ends add up to those that were ready
 */
export function assertSessions(opened: number, lost: number, sessions: SessionCounts): void {
  const { ready, notReady, cut, closed, aborted } = sessions;
  for (const word of [...Object.keys(cut), ...Object.keys(notReady).filter((one) => one !== ABORTED)]) {
    if (!isCutWord(word)) throw new Error(`no such end of a connection: ${JSON.stringify(word)}`);
  }
  const lostToo = sumOf(cut, 'cut');
  const ended = lostToo + sumOf(closed, 'closed') + checkedCount(aborted, 'sessions.aborted');
  if (ended !== checkedCount(ready, 'sessions.ready')) {
    throw new Error(`sessions.ready is ${ready}, but the ends add up to ${ended}`);
  }
  const known = knownOf(sessions);
  if (known > opened) throw new Error(`sessions know of ${known} of ${opened} that got their 101`);
  if (lostToo > lost) throw new Error(`sessions.cut adds up to ${lostToo}, but lostWhileHeld is ${lost}`);
}

/** 101s of which it is known how they went on. */
export function knownOf({ ready, notReady }: Pick<Sessions, 'ready' | 'notReady'>): number {
  return ready + sumOf(notReady, 'notReady');
}

function sumOf(counts: Readonly<Record<string, number>>, name: string): number {
  return Object.values(counts).reduce((sum, count) => sum + checkedCount(count, `sessions.${name}`), 0);
}

/** @throws Error when `id` is not an outcome */
export function assertOutcome(id: string): asserts id is OutcomeId {
  if (!isOutcomeId(id)) throw new Error(`no such outcome: ${JSON.stringify(id)}`);
}

/** @throws Error unless `count` is a non-negative integer */
export function checkedCount(count: number, what: string): number {
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`${what} is no count: ${count}`);
  return count;
}

function assertPart(name: string, asked: number, attempts: number, times: number): void {
  if (attempts > asked) throw new Error(`kernel.${name}ted is ${attempts}, but the kernel was asked about ${asked}`);
  if (times < attempts || (times > 0 && attempts === 0)) {
    throw new Error(`kernel.${name}s is ${times} of ${attempts} attempts`);
  }
}

function named(where: string, assertion: () => void): void {
  try {
    assertion();
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`);
  }
}

/**
 * Turns the bursts of a saved result back into the parts of a run, so that a resumed run adds to what was measured
 * before. What the document has rounded away (only lower bounds that covered some attempts) is lost.
 */
import { UserError } from '../errors.js';
import type { Burst, Counted, Summary } from '../result/result.js';
import { SessionTally } from './session-tally.js';
import { type EncodedTally, Tally } from './tally.js';
import type { Part } from './totals.js';

/** @throws UserError `result` when a histogram of the burst can't be read. */
export function partOf(burst: Burst, isOfSearch: boolean): Part {
  let tally: Tally;
  try {
    tally = tallyOf(burst);
  } catch (error) {
    throw new UserError(`the result can't be read: burst ${burst.index}: ${(error as Error).message}`, {
      code: 'result',
    });
  }
  return { tally, validity: burst.validity, launched: burst.generator.launched, rate: burst.rate, isOfSearch };
}

function tallyOf(counted: Counted): Tally {
  // A document holds only the sum of clamped values, not which histogram clamped them.
  let { clamped } = counted;
  const encoded = (summaries: Readonly<Record<string, Summary | null>>) =>
    Object.fromEntries(
      Object.entries(summaries).flatMap(([key, summary]) => {
        if (summary === null) return [];
        const one = [key, { hdr: summary.hdr, clamped }] as const;
        clamped = 0;
        return [one];
      }),
    );
  const { attempted, outcomes, samples, details, lostWhileHeld, kernel, sessions } = counted;
  const tally: EncodedTally = {
    attempted,
    outcomes,
    latency: encoded(counted.latencyMs),
    latencyLower: encoded(counted.latencyLowerMs ?? {}),
    failure: encoded(counted.failureMs),
    samples,
    details,
    lostWhileHeld,
    kernel,
    sessions: (sessions === null ? new SessionTally() : SessionTally.of(sessions)).encode(),
  };
  return Tally.decode(tally);
}

/**
 * A few handshakes one after another before anything is released: they show that the target answers at all, and give the
 * unloaded latency that a burst's is read against. Any complete response head passes; silence does not.
 */
import { PREFLIGHT_ATTEMPTS } from '../../plan/needs.js';
import type { Inputs, Plan } from '../../plan/plan.js';
import type { Preflight } from '../../result/result.js';
import { Tally } from '../../tally/tally.js';
import { handshakeOnce, type SingleHandshake } from '../load/single-handshake.js';
import { now } from '../machine/clock.js';
import type { TlsOptions } from '../transport/tls-options.js';
import type { Resolution } from './resolve.js';

const WITHIN_MS = 1000;
const FIRST_TIMEOUT_MS = 10_000;

export interface PreflightOutcome {
  readonly preflight: Preflight;
  /** A complete response head came back at least once. */
  readonly answered: boolean;
  /** TLS session to resume, where one was given. */
  readonly session: Buffer | null;
}

export interface PreflightOptions {
  readonly plan: Plan;
  readonly inputs: Inputs;
  readonly resolution: Resolution;
  readonly tls: TlsOptions | null;
  readonly userAgent: string;
  readonly portRange: readonly [low: number, high: number];
  readonly signal: AbortSignal;
}

export async function preflight(options: PreflightOptions): Promise<PreflightOutcome> {
  const { plan, resolution } = options;
  const tally = new Tally();
  const handshakes: SingleHandshake[] = [];
  if (resolution.failure !== null) tally.addUntimed('dns', resolution.failure, 1);
  else {
    const until = now() + WITHIN_MS;
    for (
      let index = 0;
      index < PREFLIGHT_ATTEMPTS && (index === 0 || now() < until) && !options.signal.aborted;
      index++
    ) {
      const patience = index === 0 ? FIRST_TIMEOUT_MS : Math.max(1, until - now());
      const handshake = await handshakeOnce({
        ...options,
        destinations: resolution.destinations,
        timeoutMs: Math.min(plan.timeoutMs, patience),
        index,
      });
      // One that the end of the second cut short says nothing.
      if (index > 0 && handshake.outcome.startsWith('timeout-')) break;
      handshakes.push(handshake);
      tally.merge(Tally.decode(handshake.tally));
    }
  }
  const counted = tally.counted();
  const tls = handshakes.map((one) => one.tls).find((facts) => facts !== null) ?? null;
  return {
    preflight: {
      attempted: counted.attempted,
      outcomes: counted.outcomes,
      latencyMs: counted.latencyMs.handshake,
      samples: counted.samples,
      tls: tls === null ? null : `${tls.protocol} ${tls.cipher}`,
    },
    answered: Object.keys(counted.outcomes).some((id) => /^\d+$/.test(id) || id === 'invalid-101'),
    session: tls?.session ?? null,
  };
}

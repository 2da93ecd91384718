/**
 * The probes of a checkup as they are sent: one after another, so that what one of them does to the service is known for
 * its doing, and no further once the plain handshake is not served any more. Nothing that a probe has opened is closed before
 * the last is through: a server that closes itself when a client leaves would spoil those after it.
 */
import { blameOf, isOpen, type OutcomeId } from '../../names/outcomes.js';
import type { Plan } from '../../plan/plan.js';
import { printable } from '../../plan/printable.js';
import { maskUrl } from '../../plan/secrets.js';
import type { CheckProbe } from '../../result/check-facts.js';
import { LEAST_WATCH_MS, lastToBeServed } from '../../tally/check-health.js';
import { toMicros } from '../machine/clock.js';
import { wait } from '../machine/wait.js';
import type { Destination } from '../transport/transport.js';
import { Examination, type Setting } from './examination.js';
import { directProbe, endedAs, type ProbePlan, probesFor } from './probe-plans.js';
import { probeSays } from './probe-words.js';
import { probeTcp } from './tcp-probe.js';

/** A server gets this long to do what it does when a client has left, before one comes again. */
const AFTER_CLOSE_MS = 250;
const LONGEST_WATCH_MS = 3000;
const LONGEST_URL = 2048;

export interface ProbingOptions {
  readonly plan: Plan;
  readonly setting: Setting;
  /** The handshake itself; null: its name had no address. */
  readonly main: Examination | null;
  readonly to: Destination | null;
  /** The port has answered in TLS. */
  readonly speaksTls: boolean;
  readonly note: (text: string) => void;
}

/** The other target of `--direct`. */
export interface Direct {
  readonly plan: Plan;
  /** null: its name has no address. */
  readonly to: Destination | null;
  readonly failure: string | null;
}

type Plain = Pick<CheckProbe, 'detail' | 'tookMs' | 'sample'> & { readonly outcome: OutcomeId };

export class Probing {
  readonly #options: ProbingOptions;
  readonly #main: OutcomeId;
  /** Held until the probes are through. */
  readonly #open: Examination[] = [];

  constructor(options: ProbingOptions) {
    this.#options = options;
    this.#main = options.main?.outcome ?? 'dns';
  }

  /** All that tell something after such a handshake, up to the one that harmed the service. */
  async run(direct: Direct | null): Promise<CheckProbe[]> {
    const { plan, main, to } = this.#options;
    const sent: CheckProbe[] = [];
    if (direct !== null) sent.push(...(await this.#directly(direct)));
    if (main === null || to === null) return sent;
    const planned = probesFor(
      plan,
      main.outcome,
      endedAs(main.outcome, main.connectMs !== null, main.request !== null),
    );
    for (const probe of planned) {
      const found = await this.#ask(probe, to);
      if (found === null) return sent;
      sent.push(found);
      const isInDoubt = probe.isRisky === true || isHarmed(this.#main, found.outcome as OutcomeId);
      const harm = isInDoubt ? await this.#stillServed(sent, to) : null;
      if (harm !== null) return [...sent, harm];
    }
    return sent;
  }

  /** Opened, closed, and opened again: the last thing of all. */
  async again(to: Destination): Promise<CheckProbe[]> {
    await this.drop();
    const { plan, setting } = this.#options;
    if (setting.signal.aborted) return [];
    await wait(AFTER_CLOSE_MS, setting.signal);
    const asks = 'Once more, after those before have been closed.';
    const probe = await this.#ask({ id: 'open-close-open', asks, plan }, to);
    return probe === null ? [] : [probe];
  }

  /** Ends all that is still open. */
  async drop(): Promise<void> {
    await Promise.all(this.#open.map((one) => one.drop()));
  }

  async #directly({ plan, to, failure }: Direct): Promise<CheckProbe[]> {
    const probe = directProbe(plan);
    if (to === null) {
      const says = 'The name of the other target could not be looked up.';
      return [{ ...asked(probe), outcome: 'dns', detail: failure, tookMs: 0, sample: null, says }];
    }
    const found = await this.#ask(probe, to);
    return found === null ? [] : [found];
  }

  /** null: stopped before it ended. */
  async #ask(probe: ProbePlan, to: Destination): Promise<CheckProbe | null> {
    const { setting, speaksTls, plan } = this.#options;
    if (setting.signal.aborted) return null;
    const examination = await this.#handshake(probe, to);
    if (examination.outcome === 'aborted') return null;
    const ended = await examination.watch(this.#watchMs(probe));
    const mainEnd = this.#options.main?.ended?.by ?? null;
    const sample = await examination.answer();
    const versions = sample?.headers.find(([name]) => name.toLowerCase() === 'sec-websocket-version')?.[1] ?? null;
    return {
      ...asked(probe),
      outcome: examination.outcome,
      detail: examination.detail,
      tookMs: toMicros(examination.tookMs),
      sample,
      headBytes: examination.headBytes,
      ended,
      says: probeSays(probe.id, {
        main: this.#main,
        probe: examination.outcome,
        mainEnd,
        probeEnd: ended?.by ?? null,
        versions,
        isSecure: plan.target.scheme === 'wss',
        sentOrigin: sendsOrigin(plan),
        speaksTls,
        after: null,
      }),
    };
  }

  /** As long as it takes to see whether the tunnel of a probe is ended like that of the handshake; 0: no need to. */
  #watchMs({ id }: ProbePlan): number {
    const ended = this.#options.main?.ended ?? null;
    if (ended === null && !/-origin$/.test(id)) return 0;
    return Math.min(
      LONGEST_WATCH_MS,
      Math.max(LEAST_WATCH_MS, 2 * (ended?.afterMs ?? 0)),
      this.#options.setting.timeoutMs,
    );
  }

  async #handshake(probe: ProbePlan, to: Destination): Promise<Examination> {
    const { setting, note } = this.#options;
    note(`probe ${probe.id}`);
    const timeoutMs = Math.min(setting.timeoutMs, probe.mostMs ?? setting.timeoutMs);
    const examination = await Examination.open(probe.plan, to, { ...setting, timeoutMs }, probe.rewrite);
    this.#open.push(examination);
    return examination;
  }

  /** The plain handshake again; null: it ends as before, or was stopped. */
  async #stillServed(sent: readonly CheckProbe[], to: Destination): Promise<CheckProbe | null> {
    const { plan, setting } = this.#options;
    await wait(AFTER_CLOSE_MS, setting.signal);
    if (setting.signal.aborted) return null;
    const { outcome, detail, tookMs, sample } = await this.#plain(to);
    if (!isHarmed(this.#main, outcome)) return null;
    const after = lastToBeServed(sent);
    const asks = 'The plain handshake again, before anything more is asked.';
    return {
      ...asked({ id: 'still-served', asks, plan }),
      outcome,
      detail,
      tookMs,
      sample,
      says: probeSays('still-served', {
        main: this.#main,
        probe: outcome,
        mainEnd: null,
        probeEnd: null,
        versions: null,
        isSecure: plan.target.scheme === 'wss',
        sentOrigin: sendsOrigin(plan),
        speaksTls: this.#options.speaksTls,
        after,
      }),
    };
  }

  async #plain(to: Destination): Promise<Plain> {
    const { plan, setting } = this.#options;
    // Who never answered can only be seen to listen.
    if (!isStatus(this.#main)) {
      const { timeoutMs, signal } = setting;
      const localAddress = plan.target.sourceIps[0] ?? null;
      const { failure, tookMs } = await probeTcp({ to, localAddress, timeoutMs, signal });
      // A failure to connect is told as an outcome.
      return { outcome: (failure ?? this.#main) as OutcomeId, detail: null, tookMs: tookMs ?? 0, sample: null };
    }
    const again = await this.#handshake({ id: 'still-served', asks: '', plan }, to);
    const sample = await again.answer();
    return { outcome: again.outcome, detail: again.detail, tookMs: toMicros(again.tookMs), sample };
  }
}

function asked({ id, asks, plan }: ProbePlan): Pick<CheckProbe, 'id' | 'asks' | 'url'> {
  return { id, asks: printable(asks), url: printable(maskUrl(plan.target.url), LONGEST_URL) };
}

function sendsOrigin({ target }: Plan): boolean {
  return target.origin !== null || target.headers.some(([name]) => name.toLowerCase() === 'origin');
}

const isStatus = (outcome: string): boolean => /^\d+$/.test(outcome);
const NOBODY: ReadonlySet<string> = new Set(['refused', 'reset-connect', 'timeout-connect', 'unreachable']);

/** A gateway that has lost its backend, or nobody who answers at all. */
function isWorse(now: string, before: string): boolean {
  if (!isStatus(before)) return NOBODY.has(now);
  const isOfGateway = (outcome: string): boolean => /^5(?:0[234]|2\d)$/.test(outcome);
  return isStatus(now) ? isOfGateway(now) && !isOfGateway(before) : true;
}

/** Whether the plain handshake does not end any more as it did. */
export function isHarmed(before: OutcomeId, now: OutcomeId): boolean {
  const blame = blameOf(now);
  if (now === 'aborted' || blame === 'local') return false;
  return isOpen(before) ? !isOpen(now) : isWorse(now, before);
}

/**
 * A checkup: one handshake examined step by step, then the probes (probing.ts). It owns the order and the bound on every step:
 * the handshake's own connection is closed after the probes. What was found becomes a Check beside a burst of one.
 */

import { isSignalName } from '../../errors.js';
import type { Host } from '../../host.js';
import { isOpen } from '../../names/outcomes.js';
import { curlLine } from '../../plan/curl.js';
import type { Inputs, Plan } from '../../plan/plan.js';
import type { Check, CheckDns, CheckTcp, CheckTls } from '../../result/check-facts.js';
import { isoMicros } from '../../result/iso-time.js';
import type { RunRecord, Stopped } from '../../tally/assemble.js';
import { harmOf } from '../../tally/check-health.js';
import { Tally } from '../../tally/tally.js';
import { RunningSums } from '../../tally/totals.js';
import { now, toMicros, wallOffset } from '../machine/clock.js';
import { type Disturbance, watchMachine } from '../machine/disturbance.js';
import { readMachine } from '../machine/machine.js';
import { synRetries } from '../machine/syn-schedule.js';
import type { Choice } from '../run/choose-transport.js';
import { localGenerator } from '../run/local-generator.js';
import { unmetNeeds } from '../run/machine-needs.js';
import { type Consent, guard, type Resolution, resolveTarget } from '../run/resolve.js';
import { tlsOptions } from '../transport/tls-options.js';
import type { Destination } from '../transport/transport.js';
import { burstOfOne } from './burst-of-one.js';
import { Examination, maskingOfFirst, type Setting } from './examination.js';
import { type Direct, Probing } from './probing.js';
import { SessionWalk } from './session-walk.js';
import { probeTcp } from './tcp-probe.js';
import { failureInWords, probeTls } from './tls-probe.js';

/** A check uses one connection and needs no speed. */
const TRANSPORT: Choice = { name: 'node', note: null };
const IDLE_NEWS_MS = 10_000;
/** Beyond the longest time of a session. */
const SESSION_MARGIN_MS = 1000;

export interface CheckupOptions {
  readonly host: Host;
  readonly version: string;
  readonly plan: Plan;
  readonly inputs: Inputs;
  /** The plan for `--direct`. */
  readonly direct: Plan | null;
  /** null: the idle tunnel is not observed. */
  readonly idleMs: number | null;
  readonly probes: boolean;
  /** Public hosts that the user allows. */
  readonly consent: Consent;
  /** Aborted by the first Ctrl-C, with the signal's name as its reason. */
  readonly signal: AbortSignal;
  /** Told what is being done, in a few words. */
  readonly note: (text: string) => void;
}

export interface CheckupRecord {
  readonly record: RunRecord;
  /** null: stopped before anything began. */
  readonly check: Check | null;
}

/** @throws UserError when the guard refuses an address; everything else is in the record. */
export async function checkup(options: CheckupOptions): Promise<CheckupRecord> {
  return new Checkup(options).run();
}

class Checkup {
  readonly #options: CheckupOptions;
  readonly #plan: Plan;
  readonly #machine = readMachine();
  readonly #setting: Setting;
  readonly #startedAt = isoMicros(now() + wallOffset());
  readonly #watch = watchMachine();

  constructor(options: CheckupOptions) {
    this.#options = options;
    this.#plan = options.plan;
    this.#setting = {
      inputs: options.inputs,
      userAgent: `wstampede/${options.version}`,
      portRange: this.#machine.portRange,
      timeoutMs: options.plan.timeoutMs,
      signal: options.signal,
    };
  }

  async run(): Promise<CheckupRecord> {
    const resolution = await this.#resolve(this.#plan);
    guard(this.#plan, this.#options.consent, resolution.destinations);
    const direct = this.#options.direct === null ? null : await this.#resolve(this.#options.direct);
    if (this.#options.direct !== null && direct !== null)
      guard(this.#options.direct, this.#options.consent, direct.destinations);
    const [to] = resolution.destinations;
    const unmet = unmetNeeds(this.#plan, this.#machine, 1, resolution.destinations.slice(0, 1));
    if (unmet.length > 0) return this.#limited(resolution, unmet.join('; '));
    return to === undefined ? this.#withoutAddress(resolution, direct) : this.#examine(resolution, to, direct);
  }

  async #examine(resolution: Resolution, to: Destination, direct: Resolution | null): Promise<CheckupRecord> {
    const machine = this.#watch;
    this.#options.note(`handshake with ${to.address}`);
    const walk = await SessionWalk.of(this.#plan, maskingOfFirst(this.#plan, this.#setting.inputs).text);
    const main = await Examination.open(this.#plan, to, this.#setting, undefined, walk?.newSession);
    // Read here: later disturbances of this machine do not affect the handshake.
    const disturbance = machine();
    let probing: Probing | null = null;
    try {
      if (walk !== null && main.isOpen) await main.settle(() => walk.isSettled, walk.longestMs + SESSION_MARGIN_MS);
      const ping = main.isOpen ? await main.ping() : null;
      const [tcp, tls] = await Promise.all([this.#tcp(resolution, main), this.#tls(to, main)]);
      // A port that agrees on a version, or sends an alert, speaks TLS.
      const speaksTls = tls !== null && (tls.protocol !== null || /ALERT|TLSV1|SSLV3|CERT/.test(tls.failure ?? ''));
      probing = this.#probing(main, to, speaksTls);
      const idle = this.#options.idleMs === null || !main.isOpen ? null : this.#idle(main, this.#options.idleMs);
      const probes = this.#options.probes ? await probing.run(this.#direct(direct)) : [];
      const idled = await idle;
      const { ended } = main;
      // A tunnel that was closed while idle cannot be closed again.
      const isStopped = walk !== null && !walk.isReady;
      const isCut = idled !== null && idled.cutBy !== null;
      const close = !isOpen(main.outcome) || isCut || isStopped ? null : await main.close();
      const isAskedAgain = this.#options.probes && isOpen(main.outcome) && harmOf(probes) === null;
      const again = isAskedAgain ? await probing.again(to) : [];
      const check: Check = {
        dns: this.#dns(resolution),
        tcp,
        tls,
        request: main.request,
        ...this.#told(main),
        answer: await main.answer(),
        clauses: main.clauses(),
        ping,
        close,
        probes: [...probes, ...again],
        idle: idled,
        ended: isOpen(main.outcome) ? ended : null,
        received: isOpen(main.outcome) ? main.received : null,
      };
      const { tally } = await main.drop();
      const session = walk === null || !isOpen(main.outcome) ? null : walk.facts(tally);
      // What follows a close by this side is no end by the target.
      const isOwnEnd = session?.end === 'rejected' || session?.end === 'timeout-message';
      const whole = { ...check, session, ...(isOwnEnd && { ended: null }) };
      return { record: this.#record(resolution, tally, disturbance), check: whole };
    } finally {
      await Promise.all([main.drop(), probing?.drop()]);
    }
  }

  #told(main: Examination): Pick<Check, 'curl' | 'outcome' | 'detail' | 'firstByteMs' | 'headMs'> {
    return {
      curl: this.#curl(),
      outcome: main.outcome,
      detail: main.detail,
      firstByteMs: main.hasAnswer ? main.firstByteMs : null,
      headMs: main.headMs,
    };
  }

  #curl(): string {
    return curlLine(this.#plan, this.#setting.userAgent, Math.max(1, Math.ceil(this.#plan.timeoutMs / 1000)));
  }

  /** All addresses, not only the one that is dialled. */
  #resolve(plan: Plan): Promise<Resolution> {
    return resolveTarget({ ...plan, resolve: 'all' }, this.#options.signal, this.#options.consent);
  }

  #dns({ dnsMs, addresses, failure }: Resolution): CheckDns | null {
    if (dnsMs === null) return null;
    const name = (this.#plan.target.connectTo ?? this.#plan.target).host;
    return { name, addresses, tookMs: toMicros(dnsMs), failure };
  }

  /** The handshake's own connect, and one to each other address. */
  async #tcp({ destinations }: Resolution, main: Examination): Promise<CheckTcp[]> {
    const [first, ...others] = destinations;
    const { connectMs } = main;
    const own: CheckTcp = {
      address: first.address,
      port: first.port,
      tookMs: connectMs,
      failure: connectMs === null ? main.outcome : null,
      synRetries: synRetries(connectMs ?? main.tookMs, connectMs !== null),
    };
    const { timeoutMs, signal } = this.#setting;
    const localAddress = this.#source();
    return [own, ...(await Promise.all(others.map((to) => probeTcp({ to, localAddress, timeoutMs, signal }))))];
  }

  async #tls(to: Destination, main: Examination): Promise<CheckTls | null> {
    const { inputs, timeoutMs, signal } = this.#setting;
    const tls = tlsOptions(this.#plan, inputs, null);
    if (tls === null || main.connectMs === null) return null;
    const found = await probeTls({ to, tls, localAddress: this.#source(), timeoutMs, signal });
    if (found === null) return null;
    // In TLS 1.3 the server's objection arrives after its handshake is complete, when the TLS probe has already ended.
    const objection = main.outcome === 'tls' && found.failure === null ? (main.detail ?? 'UNKNOWN') : null;
    return {
      ...found,
      tookMs: main.tlsMs ?? found.tookMs,
      failure: found.failure ?? objection,
      problems: objection === null ? found.problems : [...found.problems, failureInWords(objection)],
    };
  }

  #source(): string | null {
    return this.#plan.target.sourceIps[0] ?? null;
  }

  async #idle(main: Examination, forMs: number): Promise<Check['idle']> {
    const start = now();
    const news = setInterval(() => {
      this.#options.note(`idle for ${Math.round((now() - start) / 1000)} of ${Math.round(forMs / 1000)} s`);
    }, IDLE_NEWS_MS);
    try {
      return await main.idle(forMs);
    } finally {
      clearInterval(news);
    }
  }

  #probing(main: Examination | null, to: Destination | null, speaksTls: boolean): Probing {
    const { note } = this.#options;
    return new Probing({ plan: this.#plan, setting: this.#setting, main, to, speaksTls, note });
  }

  #direct(resolution: Resolution | null): Direct | null {
    const { direct: plan } = this.#options;
    if (plan === null || resolution === null) return null;
    return { plan, to: resolution.destinations[0] ?? null, failure: resolution.failure };
  }

  async #withoutAddress(resolution: Resolution, direct: Resolution | null): Promise<CheckupRecord> {
    const failure = resolution.failure ?? 'UNKNOWN';
    const tally = new Tally();
    const isStopped = this.#options.signal.aborted;
    tally.addUntimed(isStopped ? 'aborted' : 'dns', failure, 1);
    if (resolution.dnsMs !== null) tally.addDns(resolution.dnsMs);
    const probing = this.#probing(null, null, false);
    const probes = this.#options.probes ? await probing.run(this.#direct(direct)) : [];
    await probing.drop();
    const check: Check = {
      dns: this.#dns(resolution),
      tcp: [],
      tls: null,
      request: null,
      curl: this.#curl(),
      outcome: isStopped ? 'aborted' : 'dns',
      detail: failure,
      answer: null,
      firstByteMs: null,
      headMs: null,
      clauses: [],
      ping: null,
      close: null,
      probes,
      idle: null,
    };
    return { record: this.#record({ ...resolution, dnsMs: null }, tally, this.#watch()), check };
  }

  #limited({ addresses }: Resolution, reason: string): CheckupRecord {
    const stopped: Stopped = { by: 'limits', reason };
    const sums = new RunningSums().sums();
    return { record: { ...this.#outline(addresses), bursts: [], sums, stopped }, check: null };
  }

  #outline(addresses: readonly string[]): Omit<RunRecord, 'bursts' | 'sums' | 'stopped'> {
    return {
      startedAt: this.#startedAt,
      endedAt: isoMicros(now() + wallOffset()),
      generators: [localGenerator(this.#options.host, this.#machine, TRANSPORT, 0, this.#plan.target.sourceIps.length)],
      addresses,
      preflight: null,
      storms: [],
      found: null,
    };
  }

  /** The handshake as a burst of one, so that everything that reads results can read it. */
  #record({ addresses, dnsMs }: Resolution, tally: Tally, disturbance: Disturbance): RunRecord {
    if (dnsMs !== null) tally.addDns(dnsMs);
    const burst = burstOfOne(this.#plan, tally, disturbance);
    const sums = new RunningSums();
    const { validity, generator } = burst;
    sums.add({ tally, validity, launched: generator.launched, rate: null, isOfSearch: false });
    const { signal } = this.#options;
    const by = isSignalName(signal.reason) ? signal.reason : 'SIGINT';
    return {
      ...this.#outline(addresses),
      bursts: [burst],
      sums: sums.sums(),
      stopped: signal.aborted ? { by, reason: 'stopped by the user' } : null,
    };
  }
}

/**
 * One handshake under observation: the engine's own single handshake with a trace, kept open after its 101 as long as
 * something can be learned from the connection. The checkup decides what to try and interprets the answers.
 */
import { randomBytes } from 'node:crypto';
import { isOpen, type OutcomeId } from '../../names/outcomes.js';
import { compileTarget, othersOf, renderAttempt } from '../../plan/attempt-texts.js';
import { type Masking, maskingOf } from '../../plan/masking.js';
import type { Inputs, Plan } from '../../plan/plan.js';
import { printable } from '../../plan/printable.js';
import { maskHeader, maskUrl } from '../../plan/secrets.js';
import type { CheckClause, CheckEnded, CheckExchange, CheckIdle, CheckReceived } from '../../result/check-facts.js';
import type { Sample } from '../../result/result.js';
import { endText } from '../../tally/check-health.js';
import { sampleOf } from '../attempt/samples.js';
import type { NewSession } from '../load/shard.js';
import { type Held, handshakeOnce, type SingleHandshake } from '../load/single-handshake.js';
import { now, toMicros } from '../machine/clock.js';
import { judgeClauses } from '../protocol/clauses.js';
import { pingFrame } from '../protocol/frames.js';
import { acceptFor } from '../protocol/request.js';
import { CLOSE_GRACE_MS } from '../session/session.js';
import { tlsOptions } from '../transport/tls-options.js';
import type { Destination } from '../transport/transport.js';
import { Trace } from './trace.js';

const MOST_HEADERS = 40;
const LONGEST_REQUEST_LINE = 2048;
const MOST_REQUEST_LINES = 80;
const ANY_NAME = /^/;
const LONGEST_SAID = 200;
const MOST_HEX = 32;
const BROKEN = 'broken frame';

/** What all handshakes of a checkup share. */
export interface Setting {
  readonly inputs: Inputs;
  readonly userAgent: string;
  readonly portRange: readonly [low: number, high: number];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export class Examination {
  readonly #plan: Plan;
  readonly #setting: Setting;
  readonly #trace: Trace;
  readonly #held: Held;
  /** Resolves when the engine has closed everything. */
  readonly #handshake: Promise<SingleHandshake>;
  readonly #letGo: () => void;
  /** Clock of `now()`: when the outcome was known. */
  readonly #since = now();
  readonly #masking: Masking;

  private constructor(
    plan: Plan,
    setting: Setting,
    trace: Trace,
    held: Held,
    handshake: Promise<SingleHandshake>,
    letGo: () => void,
  ) {
    this.#plan = plan;
    this.#setting = setting;
    this.#trace = trace;
    this.#held = held;
    this.#handshake = handshake;
    this.#letGo = letGo;
    this.#masking = maskingOfFirst(plan, setting.inputs);
  }

  /** Resolves when the outcome is known; an upgraded connection stays open until `close`. */
  static async open(
    plan: Plan,
    to: Destination,
    setting: Setting,
    rewrite?: (request: string) => string,
    newSession?: NewSession,
  ): Promise<Examination> {
    const trace = new Trace(rewrite);
    let letGo: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let told: (held: Held) => void = () => {};
    const ended = new Promise<Held>((resolve) => {
      told = resolve;
    });
    const handshake = handshakeOnce({
      plan,
      inputs: setting.inputs,
      destinations: [to],
      tls: tlsOptions(plan, setting.inputs, null),
      userAgent: setting.userAgent,
      timeoutMs: setting.timeoutMs,
      index: 0,
      portRange: setting.portRange,
      signal: setting.signal,
      newSession,
      rewrite: (request) => trace.rewrite(request),
      listen: (engine) => trace.listen(engine),
      held: (held) => {
        told(held);
        return isOpen(held.outcome) ? released : Promise.resolve();
      },
    });
    const held = await Promise.race([ended, handshake.then(() => ended)]);
    const examination = new Examination(plan, setting, trace, held, handshake, letGo);
    // A failed handshake has ended, but its body may still be arriving.
    if (!isOpen(held.outcome)) await handshake;
    return examination;
  }

  get outcome(): OutcomeId {
    return this.#held.outcome;
  }

  get detail(): string | null {
    const { detail } = this.#held;
    return detail === null ? null : printable(this.#masking.text(detail));
  }

  /** Start to outcome. */
  get tookMs(): number {
    return known(this.#held.doneMs) ?? 0;
  }

  /** Start to TCP open; null when it did not open. */
  get connectMs(): number | null {
    return known(this.#held.connectMs);
  }

  get tlsMs(): number | null {
    return known(this.#held.secureMs - this.#held.connectMs);
  }

  get hasAnswer(): boolean {
    return this.#trace.hasAnswer;
  }

  get firstByteMs(): number | null {
    return known(this.#held.firstByteMs - this.#held.sentMs);
  }

  get headMs(): number | null {
    return this.#trace.head === null ? null : known(this.#held.doneMs - this.#held.sentMs);
  }

  /** Size of the response head; null: there was none. */
  get headBytes(): number | null {
    return this.#trace.head?.bodyAt ?? null;
  }

  get isOpen(): boolean {
    return isOpen(this.outcome) && this.#cut() === null;
  }

  /** The request as sent, masked; null when TCP or TLS failed first. */
  get request(): string | null {
    const { sent } = this.#trace;
    return sent === null || known(this.#held.sentMs) === null ? null : maskedRequest(sent, this.#masking);
  }

  /** The response with all of its headers; the first bytes if it is not HTTP; null: no response. */
  async answer(): Promise<Sample | null> {
    const { head, body } = this.#trace;
    if (head === null) return this.#trace.hasAnswer ? (await this.#handshake).sample : null;
    return sampleOf({ head, detail: this.detail, body, atMs: this.tookMs }, this.#masking, MOST_HEADERS, ANY_NAME);
  }

  clauses(): CheckClause[] {
    const { head, sent } = this.#trace;
    const key = /^Sec-WebSocket-Key: (\S+)\r$/m.exec(sent ?? '')?.[1] ?? '';
    const { subprotocols } = renderAttempt(compileTarget(this.#plan), this.#setting.inputs, 0);
    const offer = { subprotocols, deflate: this.#plan.target.compression };
    return judgeClauses(head, acceptFor(key), offer, this.#masking.text);
  }

  /** Sends a ping and reports its pong or what came instead (RFC 6455 section 5.5.2); null: stopped before either. */
  async ping(): Promise<CheckExchange | null> {
    const body = randomBytes(4);
    const start = now();
    this.#held.send(pingFrame(body));
    const isIt = (): boolean => this.#trace.pongs.some((pong) => pong.equals(body));
    await this.#until(() => isIt() || this.#cut() !== null, this.#setting.timeoutMs);
    const tookMs = toMicros(now() - start);
    if (isIt()) return { ok: true, tookMs, found: 'pong' };
    const { ended } = this;
    if (ended !== null) return { ok: false, tookMs, found: `no pong: ${endText(ended)}` };
    if (this.#setting.signal.aborted) return null;
    return { ok: false, tookMs: null, found: this.#trace.pongs.length > 0 ? 'a pong with another payload' : 'no pong' };
  }

  /** Sends nothing for `forMs` and reports whether the tunnel stays open. */
  async idle(forMs: number): Promise<CheckIdle> {
    const { signal } = this.#setting;
    await this.#until(() => this.#cut() !== null, forMs);
    const cut = this.#cut();
    const { pings } = this.#trace;
    if (cut !== null) return { forMs, livedMs: toMicros(cut.at - this.#since), cutBy: cut.by, pings };
    const watchedMs = signal.aborted ? Math.min(forMs, now() - this.#since) : forMs;
    return { forMs: toMicros(watchedMs), livedMs: null, cutBy: null, pings };
  }

  /** How the target has ended the tunnel; null while it lives. */
  get ended(): CheckEnded | null {
    const cut = this.#cut();
    if (cut === null) return null;
    const { closeFrame, notFrames } = this.#trace;
    const said = closeFrame?.reason ?? (cut.by === BROKEN ? (notFrames?.toString('latin1') ?? '') : '');
    return {
      by: cut.by,
      said: said === '' ? null : this.#shown(said),
      afterMs: toMicros(Math.max(0, cut.at - this.#since)),
    };
  }

  /** The first message, or bytes that are none; null: nothing has come. */
  get received(): CheckReceived | null {
    const bytes = this.#trace.received;
    if (bytes.length < 2) return null;
    const short = bytes[1] & 0x7f;
    const payload = bytes.subarray(short === 126 ? 4 : short === 127 ? 10 : 2);
    const body = short < 126 ? payload.subarray(0, short) : payload;
    if (bytes[0] === 0x81 && short < 128) return { is: 'text', text: this.#shown(body.toString('utf8')) };
    if (bytes[0] === 0x82) return { is: 'binary', text: body.subarray(0, MOST_HEX).toString('hex') };
    return this.#trace.notFrames === null ? null : { is: 'other', text: this.#shown(bytes.toString('latin1')) };
  }

  #shown(text: string): string {
    return printable(
      this.#masking
        .text(text)
        .trim()
        .replace(/[\r\n]+/g, ' '),
      LONGEST_SAID,
    );
  }

  /** Waits until `isSettled` holds, looked at whenever something comes, or the target ends the tunnel, for at most `ms`. */
  async settle(isSettled: () => boolean, ms: number): Promise<void> {
    await this.#until(() => isSettled() || this.#cut() !== null, ms);
  }

  /** Waits for the target to end the tunnel, for at most `ms`. */
  async watch(ms: number): Promise<CheckEnded | null> {
    if (this.isOpen) await this.#until(() => this.#cut() !== null, ms);
    return this.ended;
  }

  /** Closes by frame 1000 and waits for the far side's (RFC 6455 section 7.1.2); what is open after 2 s is reset. */
  async close(): Promise<CheckExchange> {
    const before = this.ended;
    const start = now();
    this.#letGo();
    if (before !== null) {
      await this.#handshake;
      return { ok: false, tookMs: null, found: `already ended by the target: ${endText(before)}` };
    }
    // Ctrl-C closes cleanly too; this wait has its own limit.
    const patience = Math.min(this.#setting.timeoutMs, CLOSE_GRACE_MS);
    await this.#trace.until(() => this.#trace.ending !== null, patience, new AbortController().signal);
    const { closeFrame, ending } = this.#trace;
    await this.#handshake;
    if (closeFrame !== null) {
      const tookMs = toMicros(closeFrame.at - start);
      // Section 7.1.1: the server closes TCP first.
      const rest = ending === null ? ', but the connection was left open' : '';
      return { ok: true, tookMs, found: `close ${codeName(closeFrame.code)}${rest}` };
    }
    if (ending === null) return { ok: false, tookMs: null, found: 'no answer to the close frame' };
    return { ok: false, tookMs: toMicros(ending.at - start), found: `${ending.by} without a close frame` };
  }

  /** Ends everything without observing it. */
  async drop(): Promise<SingleHandshake> {
    this.#letGo();
    return this.#handshake;
  }

  #until(seen: () => boolean, ms: number): Promise<boolean> {
    return this.#trace.until(seen, ms, this.#setting.signal);
  }

  /** How the far side ended the tunnel; null while it is open. */
  #cut(): { by: string; at: number } | null {
    const { closeFrame, ending } = this.#trace;
    return closeFrame === null ? ending : { by: `close-frame ${codeName(closeFrame.code)}`, at: closeFrame.at };
  }
}

/** Of a plan's first attempt. */
export function maskingOfFirst(plan: Plan, inputs: Inputs): Masking {
  const compiled = compileTarget(plan);
  const { secrets } = renderAttempt(compiled, inputs, 0);
  return maskingOf(secrets, othersOf(compiled, inputs));
}

/** RFC 6455 section 7.4.1: 1005 stands for a frame without a code. */
function codeName(code: number): string {
  return code === 1005 ? 'without a code' : `${code}`;
}

function known(ms: number): number | null {
  return Number.isNaN(ms) ? null : toMicros(Math.max(0, ms));
}

/** Sec-WebSocket-Key is a nonce and not a secret, despite its name. */
function maskedRequest(text: string, masking: Masking): string {
  const [first = '', ...lines] = Buffer.from(text, 'latin1').toString('utf8').trimEnd().split('\r\n');
  const [method = '', path = '', version = ''] = first.split(' ');
  const headers = lines.slice(0, MOST_REQUEST_LINES).map((line) => {
    const at = line.indexOf(':');
    const name = line.slice(0, at);
    return /^sec-websocket-key$/i.test(name) ? line : `${name}: ${maskHeader(name, line.slice(at + 1).trim())}`;
  });
  return [`${method} ${maskUrl(path)} ${version}`, ...headers]
    .map((line) => printable(masking.text(line), LONGEST_REQUEST_LINE))
    .join('\n');
}

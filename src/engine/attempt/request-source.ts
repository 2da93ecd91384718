/**
 * The requests of a burst's attempts: rendered once if nothing in the plan varies, otherwise per attempt.
 */
import {
  type CompiledTarget,
  compileTarget,
  othersOf,
  type RenderedAttempt,
  renderAttempt,
} from '../../plan/attempt-texts.js';
import type { OtherValues } from '../../plan/other-values.js';
import type { Inputs, Plan } from '../../plan/plan.js';
import { type Offer, type RequestFrame, requestFrame } from '../protocol/request.js';

export class RequestSource {
  /** Values of all rows, to be masked in anything shown. Made here, before the release, because it takes time. */
  readonly others: OtherValues;
  readonly #plan: Plan;
  readonly #inputs: Inputs;
  readonly #compiled: CompiledTarget;
  readonly #base: number;
  readonly #clientBase: number;
  readonly #userAgent: string;
  readonly #rewrite: ((request: string) => string) | null;
  readonly #constant: { frame: RequestFrame; offer: Offer } | null;

  /**
   * @param base number in the run of the burst's first attempt, so that `{{ index }}` is unique
   * @param clientBase number in the run of its first client: data rows go by it
   * @param rewrite receives each request, Latin-1, and returns what is sent
   */
  constructor(
    plan: Plan,
    inputs: Inputs,
    base: number,
    clientBase: number,
    userAgent: string,
    rewrite: ((request: string) => string) | null = null,
  ) {
    this.#plan = plan;
    this.#inputs = inputs;
    this.#compiled = compileTarget(plan);
    this.others = othersOf(this.#compiled, inputs);
    this.#base = base;
    this.#clientBase = clientBase;
    this.#userAgent = userAgent;
    this.#rewrite = rewrite;
    this.#constant = this.#compiled.constant !== null ? { frame: this.#frame(0, 0), offer: this.#offer(0, 0) } : null;
  }

  /** Requests differ only by their key. */
  get isConstant(): boolean {
    return this.#constant !== null;
  }

  /** The request around the key; null when requests differ otherwise, or are rewritten. */
  get frame(): RequestFrame | null {
    return this.#rewrite === null ? (this.#constant?.frame ?? null) : null;
  }

  /** Latin-1, one character per byte. */
  text(attempt: number, client: number, key: string): string {
    const { head, tail } = this.#constant?.frame ?? this.#frame(attempt, client);
    return this.#rewrite === null ? head + key + tail : this.#rewrite(head + key + tail);
  }

  offer(attempt: number, client: number): Offer {
    return this.#constant?.offer ?? this.#offer(attempt, client);
  }

  /** Secrets to mask in anything shown, because the target may echo them. */
  secrets(attempt: number, client: number): readonly string[] {
    return this.#rendered(attempt, client).secrets;
  }

  #rendered(attempt: number, client: number): RenderedAttempt {
    return renderAttempt(this.#compiled, this.#inputs, this.#base + attempt, this.#clientBase + client);
  }

  #frame(attempt: number, client: number): RequestFrame {
    return requestFrame(this.#plan.target, this.#rendered(attempt, client), this.#userAgent);
  }

  #offer(attempt: number, client: number): Offer {
    const { subprotocols } = this.#rendered(attempt, client);
    return { subprotocols, deflate: this.#plan.target.compression };
  }
}

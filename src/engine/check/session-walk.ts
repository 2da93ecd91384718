/**
 * A session walked for a check: which steps were done after how long, by which messages, and where it stopped and why.
 * It goes up to the point at which the client is ready: a check does not hold.
 */
import type { Plan } from '../../plan/plan.js';
import { printable } from '../../plan/printable.js';
import { matchWords } from '../../plan/session/match.js';
import { payloadWords } from '../../plan/session/payload.js';
import type { Script, ScriptStep } from '../../plan/session/session-script.js';
import { longestSessionMs } from '../../plan/session/session-time.js';
import type { CheckSession } from '../../result/check-facts.js';
import type { Tally } from '../../tally/tally.js';
import type { NewSession } from '../load/shard.js';
import { now, toMicros } from '../machine/clock.js';
import type { Session, SessionGround } from '../session/session.js';

const LONGEST_SHOWN = 200;

type MakeSession = (...parts: [...Parameters<NewSession>, done: (message: Uint8Array | null) => void]) => Session;

interface Done {
  readonly tookMs: number;
  readonly message: string | null;
}

export class SessionWalk {
  /** Makes the session of the check's own connection. */
  readonly newSession: NewSession;
  readonly #plan: Plan;
  readonly #script: Script;
  readonly #safe: (text: string) => string;
  readonly #done: Done[] = [];
  #readyMs: number | null = null;
  #isOver = false;

  private constructor(plan: Plan, script: Script, make: MakeSession, safe: (text: string) => string) {
    this.#plan = { ...plan, session: { holdMs: null, script } };
    this.#script = script;
    this.#safe = safe;
    this.newSession = (ground, _, inputs) => {
      const { ends } = ground;
      const sinceMs = (at: number) => toMicros(Math.max(0, at - ends.done[0]));
      const watched: SessionGround = {
        ...ground,
        ready: (slot) => {
          this.#readyMs = sinceMs(ends.readyAt[slot]);
          ground.ready(slot);
        },
        cut: (slot) => {
          this.#isOver = true;
          ground.cut(slot);
        },
      };
      return make(watched, this.#plan, inputs, (message) => {
        const text = message === null ? null : this.#shown(Buffer.from(message).toString('utf8'));
        this.#done.push({ tookMs: sinceMs(now()), message: text });
      });
    };
  }

  /**
   * @param safe masks what the target sent
   * @returns null: the plan has no session with steps
   */
  static async of(plan: Plan, safe: (text: string) => string): Promise<SessionWalk | null> {
    const { script } = plan.session;
    if (script === null) return null;
    const end = script.steps.findIndex((step) => 'holdMs' in step || 'close' in step);
    const steps = end < 0 ? script.steps : script.steps.slice(0, end);
    const { ScriptSession } = await import('../session/script-session.js');
    const make: MakeSession = (...parts) => new ScriptSession(...parts);
    return new SessionWalk(plan, { ...script, steps }, make, safe);
  }

  get isReady(): boolean {
    return this.#readyMs !== null;
  }

  /** The client is ready, or will not be. */
  get isSettled(): boolean {
    return this.isReady || this.#isOver;
  }

  /** No message can be waited for any longer, ms. */
  get longestMs(): number {
    return longestSessionMs(this.#plan.session);
  }

  /** What came of it, with the counts of its connection. */
  facts(tally: Tally): CheckSession {
    const { notReady, notReadyEnds = {} } = tally.sessions.sessions();
    const [word = null] = Object.keys(notReady);
    const end = word === null ? null : (notReadyEnds[word] ?? null);
    return {
      name: this.#script.name,
      steps: this.#script.steps.map((step, place) => ({
        step: this.#shown(this.#wordsOf(step)),
        tookMs: this.#done[place]?.tookMs ?? null,
        message: this.#done[place]?.message ?? null,
      })),
      readyMs: this.#readyMs,
      end: this.#readyMs === null ? word : null,
      reason: end?.reason ?? null,
      rule: end?.step?.startsWith('when ') === true ? end.step : null,
      message: end?.message ?? null,
    };
  }

  #shown(text: string): string {
    return printable(this.#safe(text), LONGEST_SHOWN);
  }

  #wordsOf(step: ScriptStep): string {
    if ('send' in step) return `send ${payloadWords(step.send)}`;
    if (!('expect' in step)) return '';
    const expects = this.#script.steps.filter((one) => 'expect' in one);
    return `expect #${expects.indexOf(step) + 1} ${matchWords(step.expect)}`;
  }
}

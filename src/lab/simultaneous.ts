/**
 * The product's reason to exist, as a target: a gateway that gives a backend T to answer, before a backend that serves
 * upgrades one by one. schedule.ts passes the verdicts; here they are kept until they are due and then given. One timer
 * for all: on every wake-up whatever is due is answered, so the schedule never drifts by what timers are late.
 */
import { monotonicMs } from '../host.js';
import type { Connection } from './connection.js';
import { type LabEnv, openLab, type RunningLab } from './listener.js';
import { type LabSettings, numberOf } from './options.js';
import { nginxPage } from './pages.js';
import type { Request } from './request.js';
import { UpgradeQueue } from './schedule.js';

/** Arrivals this near to the first of a burst count as one instant: more than any burst needs that the lab is made for. */
const TOGETHER_MS = 500;

interface Due {
  readonly dueUs: number;
  readonly give: () => void;
}

/** Gives answers in order of their due times; relies on being filled in that order. */
class DueList {
  #waiting: Due[] = [];
  #next = 0;

  add(due: Due): void {
    this.#waiting.push(due);
  }

  /** Gives all that is due; the due time of the next one, null when there is none. */
  giveUntil(nowUs: number): number | null {
    while (this.#next < this.#waiting.length && this.#waiting[this.#next].dueUs <= nowUs) {
      this.#waiting[this.#next].give();
      this.#next += 1;
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
      return null;
    }
    // What has been given must not be held for as long as the queue never runs dry.
    if (this.#next >= 4096) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return this.#waiting[this.#next].dueUs;
  }
}

export function startSimultaneous504(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const queue = new UpgradeQueue(numberOf(settings, 'service'), numberOf(settings, 'timeout'), TOGETHER_MS);
  const upgrades = new DueList();
  const timeouts = new DueList();
  let timer: NodeJS.Timeout | null = null;
  let wakeUs = Number.POSITIVE_INFINITY;

  const wake = (): void => {
    timer = null;
    wakeUs = Number.POSITIVE_INFINITY;
    const now = nowUs();
    const next = [upgrades.giveUntil(now), timeouts.giveUntil(now)].filter((due) => due !== null);
    if (next.length > 0) wakeAt(Math.min(...next));
  };
  const wakeAt = (dueUs: number): void => {
    if (dueUs >= wakeUs) return;
    if (timer !== null) clearTimeout(timer);
    wakeUs = dueUs;
    timer = setTimeout(wake, Math.max(0, Math.ceil((dueUs - nowUs()) / 1000)));
  };

  return openLab('simultaneous-504', settings, env, {
    onRequest(connection: Connection, request: Request) {
      const { status, dueUs } = queue.admit(nowUs());
      const list = status === '101' ? upgrades : timeouts;
      const give =
        status === '101' ? () => connection.upgrade(request) : () => connection.finish('504', nginxPage('504'));
      // The backend works for a client that is gone as well; there is only nobody left to tell.
      list.add({ dueUs, give: () => connection.open && give() });
      wakeAt(dueUs);
    },
    onLeave: () => queue.clientLeft(),
    onStop() {
      if (timer !== null) clearTimeout(timer);
    },
  });
}

function nowUs(): number {
  return Math.round(monotonicMs() * 1000);
}

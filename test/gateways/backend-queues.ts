/**
 * Upgrades that take their time: one after another, or some at a time, and what that time was, measured here. Knows
 * nothing of how an upgrade is answered.
 */
import type { Duplex } from 'node:stream';

/** An upgrade that waits for its turn. */
export interface Waiting {
  readonly socket: Duplex;
  /** Answers it. */
  readonly grant: () => void;
}

export interface Queue {
  add(waiting: Waiting): void;
  /** Mean time of a service since the last call, ms. */
  measured(): number | null;
}

/** One after another; see `serial` in backend-kinds.ts. */
export function serialQueue(serviceMs: number, servesDead: boolean, burns: boolean): Queue {
  const queue: Waiting[] = [];
  const gaps: number[] = [];
  /** When the one who waits longest will have been served. */
  let dueMs = 0;
  let lastMs = 0;
  let timer: NodeJS.Timeout | null = null;

  const wake = (): void => {
    if (timer === null) timer = setTimeout(serve, Math.max(0, Math.ceil(dueMs - performance.now())));
  };
  const serve = (): void => {
    timer = null;
    while (queue.length > 0 && dueMs <= performance.now()) {
      const { socket, grant } = queue.shift() as Waiting;
      const isDead = socket.destroyed || !socket.readable;
      // Half closed by the gateway: kept, it would cost a descriptor for ever.
      if (isDead) socket.destroy();
      else grant();
      if (isDead && !servesDead) {
        // A queue of the dead ends here, and the next service begins a new one.
        if (queue.length === 0) lastMs = 0;
        continue;
      }
      const now = performance.now();
      if (!isDead && lastMs > 0) gaps.push(now - lastMs);
      lastMs = queue.length > 0 ? now : 0;
      dueMs += serviceMs;
    }
    if (queue.length > 0) wake();
  };
  const burn = ({ grant }: Waiting): void => {
    const begunMs = performance.now();
    while (performance.now() - begunMs < serviceMs);
    grant();
    const now = performance.now();
    // A pause between two bursts is no service.
    if (lastMs > 0 && now - lastMs < 5 * serviceMs) gaps.push(now - lastMs);
    lastMs = now;
  };
  return {
    add(waiting) {
      if (burns) {
        burn(waiting);
        return;
      }
      if (queue.length === 0) dueMs = Math.max(dueMs, performance.now()) + serviceMs;
      queue.push(waiting);
      wake();
    },
    measured: () => mean(gaps.splice(0)),
  };
}

/** At most `atOnce` at a time, `delayMs` each, in the order of arrival. */
export function concurrentQueue(delayMs: number, atOnce: number | null): Queue {
  const queue: Waiting[] = [];
  const took: number[] = [];
  let running = 0;

  const next = (): void => {
    while (queue.length > 0 && (atOnce === null || running < atOnce)) {
      const { socket, grant } = queue.shift() as Waiting;
      if (socket.destroyed || !socket.readable) {
        socket.destroy();
        continue;
      }
      running += 1;
      const begunMs = performance.now();
      setTimeout(() => {
        running -= 1;
        took.push(performance.now() - begunMs);
        if (socket.destroyed || !socket.readable) socket.destroy();
        else grant();
        next();
      }, delayMs);
    }
  };
  return {
    add(waiting) {
      queue.push(waiting);
      next();
    },
    measured: () => mean(took.splice(0)),
  };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((all, value) => all + value, 0) / values.length;
}

/**
 * How many SYNs went unanswered, as the time of a connect betrays it: Linux sends them again on a schedule of its own, and
 * a connection that opens on a point of it was late because SYNs were lost, and for no other reason.
 */
import { textOf } from './machine.js';

/** A connection opens within this of the point: the kernel's timer, and the way there and back. */
const SLACK = { beforeMs: 30, afterMs: 150, afterShare: 0.04 };
const MOST_RETRIES = 8;

/** tcp_syn_linear_timeouts: retries a second apart before the pauses double (Linux 6.5: 4; before that there were none). */
export function linearRetries(): number {
  const text = textOf('/proc/sys/net/ipv4/tcp_syn_linear_timeouts')?.trim() ?? '';
  return /^\d+$/.test(text) ? Number(text) : 0;
}

/** ms after the first SYN; with 4 linear retries 1, 2, 3, 4, 5, 7, 11, 19 s, with none 1, 3, 7, 15 s. */
export function synSchedule(linear: number): number[] {
  const points: number[] = [];
  let at = 0;
  for (let retry = 0; retry < MOST_RETRIES; retry++) {
    at += retry <= linear ? 1000 : 1000 * 2 ** (retry - linear);
    points.push(at);
  }
  return points;
}

/**
 * @param tookMs to the end of the connect
 * @param hasOpened it opened; else the time was up
 */
export function synRetries(tookMs: number, hasOpened: boolean, linear: number = linearRetries()): number {
  const passed = synSchedule(linear).filter((point) => tookMs >= point - SLACK.beforeMs);
  const last = passed.at(-1);
  if (last === undefined || !hasOpened) return passed.length;
  return tookMs <= last * (1 + SLACK.afterShare) + SLACK.afterMs ? passed.length : 0;
}

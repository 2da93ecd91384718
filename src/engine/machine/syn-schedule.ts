/**
 * How many SYNs went unanswered, derived from the duration of a connect: Linux retransmits SYNs on a fixed schedule,
 * and a connection that opens at a point of it was late because SYNs were lost.
 */
import { textOf } from './text-of.js';

/** How close to such a point a connection must open: the kernel's timer plus one round trip. */
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
 * @param tookMs duration of the connect
 * @param hasOpened whether it opened; otherwise it timed out
 */
export function synRetries(tookMs: number, hasOpened: boolean, linear: number = linearRetries()): number {
  const passed = synSchedule(linear).filter((point) => tookMs >= point - SLACK.beforeMs);
  const last = passed.at(-1);
  if (last === undefined || !hasOpened) return passed.length;
  return tookMs <= last * (1 + SLACK.afterShare) + SLACK.afterMs ? passed.length : 0;
}

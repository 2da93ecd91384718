/** Numbers that defaults produce: a limit equal to one of them is probably that default. */

interface LookAlike {
  readonly at: number;
  /** Tolerance of the count, up or down. */
  readonly within: number;
  readonly is: string;
}

/** Default lengths of listen queues, plus one. */
const QUEUES: readonly LookAlike[] = [
  { at: 512, within: 1, is: 'the listen queue of Node (backlog 511, and one more)' },
  { at: 129, within: 1, is: 'a listen queue of 128, and one more' },
  { at: 2049, within: 1, is: 'the listen queue of gunicorn and uvicorn (2,048), and one more' },
  { at: 101, within: 0, is: 'the listen queue of uWSGI (100), and one more' },
  { at: 4097, within: 2, is: 'a listen queue of 4,096 (net.core.somaxconn), and one more' },
];

/** Measured or documented defaults; those with less tolerance first. */
const LOOK_ALIKES: readonly LookAlike[] = [
  ...QUEUES,
  { at: 510, within: 3, is: 'worker_connections 1024 of nginx carries (1024 - 4) / 2 tunnels' },
  { at: 382, within: 3, is: 'worker_connections 768 of nginx (as Debian ships it) carries (768 - 4) / 2 tunnels' },
  { at: 254, within: 3, is: 'worker_connections 512 of nginx (its default) carries (512 - 4) / 2 tunnels' },
  { at: 256, within: 1, is: 'the 256 workers of Apache (MaxRequestWorkers)' },
  { at: 1024, within: 1, is: 'the circuit breaker of Envoy (1,024 connections or requests)' },
  { at: 1004, within: 8, is: 'ulimit -n 1024 less the 20 descriptors that a server keeps open' },
  { at: 2000, within: 1, is: 'maxconn 2000 of HAProxy' },
  { at: 28_232, within: 60, is: 'the 28,232 ephemeral ports of one address (net.ipv4.ip_local_port_range)' },
  { at: 64_511, within: 60, is: 'the 64,511 ports of one address with the widest range' },
];

/** The default length of a listen queue that the count matches; null: none. */
export function queueOf(count: number): string | null {
  return alikeIn(QUEUES, count);
}

/** The default that the count matches; null: none. */
export function lookAlike(count: number): string | null {
  return alikeIn(LOOK_ALIKES, count);
}

function alikeIn(table: readonly LookAlike[], count: number): string | null {
  const found = table.find(({ at, within }) => Math.abs(count - at) <= within);
  return found === undefined ? null : `${count} looks like ${found.is}`;
}

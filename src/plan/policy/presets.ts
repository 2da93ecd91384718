/**
 * The policies of client libraries, each read from the source of the version named. Formulas that a list states
 * exactly are lists. `isApproximate`: the library has more states than the grammar; the comment says which.
 */
import type { AttemptLimit, CodeRange, Policy, PolicyReset, WaitCurve, WaitList } from './policy.js';
import { parseTimeRange, type TimeRange } from './time-range.js';

export interface PolicyPreset {
  readonly policy: Policy;
  /** Library and version, or the document. */
  readonly of: string;
  readonly isApproximate: boolean;
}

const SECOND_MS = 1000;

function fixed(ms: number): TimeRange {
  return { fromMs: ms, toMs: ms };
}

function between(fromMs: number, toMs: number): TimeRange {
  return { fromMs, toMs };
}

/** Times and ranges as a profile writes them, with blanks between. */
function listed(waits: string): WaitList {
  return { kind: 'list', waits: waits.split(' ').map(parseTimeRange) };
}

/** `count` waits from a formula, its variable counted from 0. */
function listedBy(count: number, wait: (n: number) => TimeRange): readonly TimeRange[] {
  return Array.from({ length: count }, (_, n) => wait(n));
}

/** Unless said otherwise: first × 2^n without jitter and limit. */
function curve(first: string, changes: Partial<WaitCurve>): WaitCurve {
  return {
    kind: 'curve',
    first: parseTimeRange(first),
    isPerClient: false,
    growth: { by: 'factor', factor: 2 },
    maxMs: null,
    jitter: { least: 1, most: 1 },
    plus: fixed(0),
    clamp: 'base',
    draw: null,
    ...changes,
  };
}

function factor(factor: number): WaitCurve['growth'] {
  return { by: 'factor', factor };
}

function range(from: number, to: number = from): CodeRange {
  return { from, to };
}

/** The same limit for every attempt. */
function within(seconds: number): AttemptLimit {
  return { firstMs: seconds * SECOND_MS, grow: 1, maxMs: seconds * SECOND_MS };
}

interface Row {
  readonly of: string;
  readonly waits: WaitList | WaitCurve;
  readonly attempts?: number;
  readonly totalMs?: number;
  readonly timeout?: AttemptLimit;
  readonly reset?: PolicyReset;
  readonly stop?: readonly CodeRange[];
  readonly now?: readonly CodeRange[];
  readonly isApproximate?: true;
}

const HALF_AROUND = { least: 0.5, most: 1.5 } as const;
const EVERY_STATUS = range(100, 599);

const ROWS: Readonly<Record<string, Row>> = {
  'socket.io': {
    of: 'socket.io-client 4.8.4',
    waits: curve('1s', { maxMs: 5000, jitter: HALF_AROUND, clamp: 'wait', draw: 'comb' }),
    timeout: within(20),
    reset: 'open',
  },
  // An attempt is two requests there: POST /negotiate and the handshake.
  signalr: {
    of: '@microsoft/signalr 10.0.11',
    waits: listed('0s 2s 10s 30s'),
    attempts: 4,
    timeout: within(30),
    isApproximate: true,
  },
  phoenix: {
    of: 'phoenix.js 1.8.16',
    waits: listed('10ms 50ms 100ms 150ms 200ms 250ms 500ms 1s 2s 5s'),
    reset: 'open',
  },
  supabase: { of: '@supabase/realtime-js 2.109', waits: listed('1s 2s 5s 10s'), reset: 'open' },
  'graphql-ws': {
    of: 'graphql-ws 6.4.2',
    waits: listed('1.3s..4s 2.3s..5s 4.3s..7s 8.3s..11s 16.3s..19s'),
    attempts: 5,
    stop: [
      range(1002, 1004),
      range(1007, 1011),
      range(1015, 1999),
      range(4004, 4005),
      range(4400, 4401),
      range(4406),
      range(4409),
      range(4429),
      range(4500),
    ],
    now: [range(1000)],
  },
  'subscriptions-transport-ws': {
    of: 'subscriptions-transport-ws 0.11',
    waits: curve('100ms', { maxMs: 10_000, jitter: HALF_AROUND, clamp: 'wait', draw: 'comb' }),
    timeout: { firstMs: 1000, grow: 1.2, maxMs: 30_000 },
  },
  'reconnecting-websocket': {
    of: 'reconnecting-websocket 4.4.0',
    waits: curve('1s..5s', { isPerClient: true, growth: factor(1.3), maxMs: 10_000 }),
    timeout: within(4),
    reset: { upMs: 5000 },
  },
  partysocket: {
    of: 'partysocket 1.3.0',
    waits: curve('3s', { growth: factor(1.3), maxMs: 10_000 }),
    timeout: within(4),
    reset: { upMs: 5000 },
  },
  centrifuge: {
    of: 'centrifuge (js) 5.8.0',
    waits: curve('500ms', { maxMs: 20_000, jitter: { least: 0, most: 1 }, plus: fixed(500), clamp: 'both' }),
    timeout: within(5),
    stop: [range(1009), range(3500, 3999), range(4500, 4999)],
  },
  'centrifuge-go': {
    of: 'centrifuge-go (jpillora/backoff)',
    waits: { kind: 'list', waits: listedBy(8, (n) => between(200, Math.min(20_000, 200 * 2 ** n))) },
    timeout: within(1),
    stop: [range(1009), range(3500, 3999), range(4500, 4999)],
  },
  // Its fallbacks over HTTP start 2 s later and are left out.
  pusher: {
    of: 'pusher-js 8.6',
    waits: listed('1s 15s 30s 60s'),
    timeout: { firstMs: 15_000, grow: 2, maxMs: 60_000 },
    stop: [range(4001, 4099), range(4300, 4999)],
    now: [range(4200, 4299)],
    isApproximate: true,
  },
  // From 120 s after the loss on, every 30 s: the seventh wait is the first that is nearly always later.
  ably: {
    of: 'ably-js 2.28',
    waits: listed('0s 16s..20s 20s..25s 24s..30s 24s..30s 24s..30s 30s'),
    timeout: within(10),
    isApproximate: true,
  },
  actioncable: {
    of: '@rails/actioncable 8.1.400',
    waits: curve('6s', {
      growth: factor(1.15),
      maxMs: 6000 * 1.15 ** 10,
      jitter: { least: 1, most: 1.15 },
      draw: 'poll',
    }),
  },
  anycable: {
    of: '@anycable/core 1.1.7',
    waits: curve('3s..6s', { jitter: HALF_AROUND, draw: 'product' }),
  },
  stomp: { of: '@stomp/stompjs 7.5', waits: listed('5s') },
  'mqtt.js': { of: 'mqtt.js 5.16', waits: listed('1s'), timeout: within(30) },
  // Any status that is no success ends it for good; here every answer that is no 101.
  EventSource: { of: 'EventSource (HTML standard)', waits: listed('3s'), stop: [EVERY_STATUS] },
  'react-use': { of: 'react-use-websocket 4.13', waits: listed('5s'), attempts: 20, reset: 'open' },
  nats: { of: '@nats-io/nats-core 3.4', waits: listed('0s 2s..2.1s'), attempts: 10, timeout: within(20) },
  'nats-tls': { of: '@nats-io/nats-core 3.4 over TLS', waits: listed('0s 2s..3s'), attempts: 10, timeout: within(20) },
  paho: { of: 'paho-mqtt 1.1', waits: listed('0s 2s 4s 8s 16s 32s 64s 128s'), timeout: within(30) },
  autobahn: {
    of: 'autobahn-browser 22.11',
    waits: curve('1.5s', {
      growth: factor(1.5),
      maxMs: 300_000,
      jitter: { least: 0.9, most: 1.1 },
      draw: 'gauss',
    }),
    attempts: 15,
    reset: 'open',
  },
  // A connection that was up for less than 5 s is given up there.
  colyseus: {
    of: '@colyseus/sdk 0.18.4',
    waits: listed('200ms 400ms 800ms 1.6s 3.2s 5s'),
    attempts: 15,
    stop: [range(1000), range(1002, 1004), range(1007, 4009), range(4011, 4999)],
    isApproximate: true,
  },
  mattermost: {
    of: '@mattermost/client 11.9',
    waits: listed('3s..5s 3s..5s 3s..5s 3s..5s 3s..5s 3s..5s 3s..5s 192s..194s 243s..245s 300s..302s'),
    reset: 'open',
  },
  meteor: {
    of: 'Meteor DDP (packages/retry)',
    waits: {
      kind: 'list',
      waits: [
        ...listedBy(2, () => fixed(10)),
        ...listedBy(7, (n) => {
          const ms = Math.min(300_000, SECOND_MS * 2.2 ** (n + 2));
          return between(ms * 0.75, ms * 1.25);
        }),
      ],
    },
    timeout: within(10),
  },
  // Its failures are forgotten once the HTTP request before the handshake succeeds.
  slack: {
    of: '@slack/socket-mode 3.1',
    waits: curve('5s', { growth: { by: 'step', stepMs: 5000 } }),
    reset: 'open',
    isApproximate: true,
  },
  // Inside one trigger it tries for 5 s more, with short waits.
  amplify: {
    of: 'aws-amplify api-graphql 4.10',
    waits: listed('5s 60s'),
    timeout: within(15),
    stop: [range(400, 401), range(403)],
    isApproximate: true,
  },
  'home-assistant': { of: 'home-assistant-js-websocket 9.7', waits: listed('0s 1s 2s 3s 4s 5s'), timeout: within(10) },
  'y-websocket': {
    of: 'y-websocket 3.1',
    waits: listed('200ms 400ms 800ms 1.6s 2.5s'),
    stop: [range(4400, 4499)],
  },
  trpc: { of: '@trpc/client 11.25', waits: listed('0s 2s 4s 8s 16s 30s'), reset: 'open' },
  'python-websockets': {
    of: 'Python websockets 17.1',
    waits: {
      kind: 'list',
      waits: [fixed(0), between(0, 5000), ...listedBy(9, (n) => fixed(Math.min(90_000, 3100 * 1.618 ** n)))],
    },
    timeout: within(10),
    reset: 'open',
    stop: [range(100, 499), range(501), range(505, 599)],
  },
  cenkalti: {
    of: 'cenkalti/backoff v4 (Go)',
    waits: curve('500ms', { growth: factor(1.5), maxMs: 60_000, jitter: HALF_AROUND }),
    totalMs: 900_000,
    timeout: within(45),
  },
  rfc6455: { of: 'RFC 6455 section 7.2.3, limited to 30 s', waits: listed('0s..5s 2s 4s 8s 16s 30s') },
  'iana-1012': { of: 'IANA, close code 1012', waits: listed('5s..30s') },
  fixed: { of: 'what guides teach: 2 s, 5 times', waits: listed('2s'), attempts: 5 },
  none: { of: 'sockjs-client, OkHttp: clients that never come back by themselves', waits: listed('0s'), attempts: 0 },
};

export const PRESETS: readonly PolicyPreset[] = Object.entries(ROWS).map(([name, row]) => ({
  policy: {
    name,
    waits: row.waits,
    attempts: row.attempts ?? null,
    totalMs: row.totalMs ?? null,
    timeout: row.timeout ?? null,
    reset: row.reset ?? 'ready',
    stop: row.stop ?? [],
    now: row.now ?? [],
  },
  of: row.of,
  isApproximate: row.isApproximate ?? false,
}));

export const PRESET_NAMES: readonly string[] = PRESETS.map(({ policy }) => policy.name);

export function presetNamed(name: string): PolicyPreset | null {
  return PRESETS.find(({ policy }) => policy.name === name) ?? null;
}

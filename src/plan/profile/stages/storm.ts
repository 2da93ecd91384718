/** The storm stage in a profile: `storm: { clients: 5000, reconnect: socket.io }`. */
import { z } from 'zod';
import type { StormDrop, StormStage } from '../../stages/storm.js';
import { parseRate } from '../../units.js';
import { converted, count, duration, map, shown, word } from '../field.js';
import { reconnect, timeRange } from '../policy-schema.js';
import { DAY_MS, DEFAULT_REST_MS, HOUR_MS, MOST_OPEN, rest } from './bounds.js';

const DEFAULT_OPEN_MS = 20_000;
const DEFAULT_SETTLE_MS = 5000;
const DEFAULT_WINDOW_MS = 300_000;
const MOST_PER_SECOND = 1_000_000;

const drop = z
  .union(
    [
      word(['client', 'server'], 'client: this side cuts the connections; server: the run waits until the target does'),
      map({ idle: duration(1, DAY_MS, 'Longest wait until somebody cuts the silent connections') }, 'drop'),
    ],
    { error: ({ input }) => `expected client, server, or a map such as { idle: 2m }, found ${shown(input)}` },
  )
  .transform(
    (written): StormDrop => (typeof written === 'string' ? { by: written } : { by: 'idle', withinMs: written.idle }),
  );

const capacity = z
  .string({ error: ({ input }) => `expected a rate such as 250/s, found ${shown(input)}` })
  .meta({ pattern: '^\\s*\\d+(\\.\\d+)?[kKmM]?\\s*/\\s*[smh]\\s*$' })
  .transform((text, context) => converted(context, () => parseRate(text)))
  .superRefine((rate, context) => {
    if (rate > 0 && rate <= MOST_PER_SECOND) return;
    context.addIssue({ code: 'custom', message: `expected a rate from above 0 to ${MOST_PER_SECOND}/s` });
  })
  .meta({ description: 'Handshakes that the service completes in a second, such as 250/s: does this policy recover?' });

const written = map(
  {
    clients: count(1, MOST_OPEN, 'Clients that are connected, dropped, and come back'),
    open: map({ over: duration(0, DAY_MS, 'They are opened over so long; default 20s') }, 'open').optional(),
    settle: duration(0, DAY_MS, 'All are connected for so long before the drop; default 5s').optional(),
    drop: drop.optional(),
    reconnect,
    window: duration(100, HOUR_MS, 'Longest watch after the drop; default 5m').optional(),
    notice: timeRange.optional(),
    capacity: capacity.optional(),
  },
  'storm',
);

export const storm = map({ storm: written, rest }, 'a storm stage').transform(
  ({
    storm: { clients, open, settle, drop: by, reconnect: policies, window, notice, capacity: rate },
    rest: restMs,
  }): StormStage => ({
    kind: 'storm',
    clients,
    openMs: open?.over ?? DEFAULT_OPEN_MS,
    settleMs: settle ?? DEFAULT_SETTLE_MS,
    drop: by ?? { by: 'client' },
    policies,
    windowMs: window ?? DEFAULT_WINDOW_MS,
    notice: notice ?? { fromMs: 0, toMs: 0 },
    capacity: rate ?? null,
    restMs: restMs ?? DEFAULT_REST_MS,
  }),
);

/** Sources and destinations: every pair is used, and as often as any other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { connectOutcome } from '#dist/engine/attempt/connect-outcome.js';
import { routeOf } from '#dist/engine/attempt/route.js';
import type { Destination } from '#dist/engine/transport/transport.js';

function counted(attempts: readonly number[], sources: number, targets: number): Map<string, number> {
  const sourceIps = Array.from({ length: sources }, (_, i) => `127.0.1.${i}`);
  const destinations = Array.from({ length: targets }, (_, i): Destination => {
    return { address: `127.0.2.${i}`, port: 80, family: 4 };
  });
  const pairs = new Map<string, number>();
  for (const attempt of attempts) {
    const { from, to } = routeOf(attempt, sourceIps, destinations);
    const pair = `${from} ${to.address}`;
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}

const few = fc.integer({ min: 1, max: 12 });

test('any run of attempts uses all pairs, none more than once more than another', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 12 }), few, fc.nat(200), fc.nat(400), (sources, targets, first, count) => {
      const all = Math.max(1, sources) * targets;
      const attempts = Array.from({ length: count + all }, (_, i) => first + i);
      const pairs = counted(attempts, sources, targets);
      assert.equal(pairs.size, all);
      const counts = [...pairs.values()];
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
    }),
  );
});

test('sources take turns', () => {
  const destinations: Destination[] = [{ address: '127.0.2.0', port: 80, family: 4 }];
  const turn = Array.from({ length: 6 }, (_, attempt) => routeOf(attempt, ['a', 'b', 'c'], destinations).from);
  assert.deepEqual(turn, ['a', 'b', 'c', 'a', 'b', 'c']);
});

test('what the connect call returns is this machine’s, what comes later the network’s', () => {
  const table: readonly (readonly [errno: string, atOnce: string, later: string])[] = [
    ['EPERM', 'local-other', 'unreachable'],
    ['EACCES', 'local-other', 'unreachable'],
    ['EPROTO', 'local-other', 'unreachable'],
    ['ENONET', 'local-other', 'unreachable'],
    ['EHOSTUNREACH', 'unreachable', 'unreachable'],
    ['ENETUNREACH', 'unreachable', 'unreachable'],
    ['ECONNREFUSED', 'refused', 'refused'],
    ['EMFILE', 'local-fds', 'local-fds'],
    ['ENOBUFS', 'local-memory', 'local-memory'],
    ['EADDRNOTAVAIL', 'local-ports', 'local-ports'],
    ['EINVAL', 'local-other', 'unreachable'],
  ];
  for (const [errno, atOnce, later] of table) {
    assert.equal(connectOutcome(errno, true), atOnce, errno);
    assert.equal(connectOutcome(errno, false), later, errno);
  }
});

/**
 * A listen queue that the kernel saw overflow: its length is a count then and no guess. What else makes the kernel send a
 * SYN again (a lossy way, a firewall, a limit before the server) is not taken for one.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { diagnose } from '#dist/diagnose/diagnose.js';
import type { Diagnosis } from '#dist/result/result.js';
import {
  around,
  failed,
  type Group,
  ok,
  resultOf,
  seen,
  serially,
  type Told,
  unconnected,
} from './diagnose-results.js';

function at(ms: number, within: number): (i: number) => number {
  return (i) => ms + (i % 7) * (within / 7);
}

/** `n` that connected with their first SYN and were answered when the server went on. */
function admitted(n: number, stillMs: number): Group {
  return seen(ok(around(n, stillMs, 20), { connectMs: at(0.2, 0.2), upgradeMs: () => stillMs }), 0);
}

/** `n` that connected with a later SYN, and were served then. */
function retried(n: number, connectMs: number, synRetransmits: number): Group {
  const times = { connectMs: at(connectMs, 12), upgradeMs: () => 2 };
  return seen(ok(around(n, connectMs + 12, 12), times), synRetransmits);
}

function told(groups: readonly Group[], more: Partial<Told> = {}): Told {
  return { bursts: [{ groups }], gate: 'connect', ...more };
}

function queueIn(one: Told): Diagnosis | null {
  return diagnose(resultOf(one)).find(({ cause }) => cause === 'listen-queue-full') ?? null;
}

function queueOf(one: Told): Diagnosis {
  const found = queueIn(one);
  assert.ok(found !== null, JSON.stringify(diagnose(resultOf(one)), null, 1));
  return found;
}

describe('a listen queue that the kernel saw', () => {
  it('of 16 before a loop that stands still for 1.5 s: 17 need no second SYN', () => {
    const found = queueOf(told([admitted(17, 1500), retried(83, 2031, 2)]));
    assert.equal(found.figures.backlog, 16);
    assert.deepEqual(
      [found.figures.connectedAtOnce, found.figures.retried, found.figures.synRetransmits],
      [17, 83, 166],
    );
    assert.match(found.evidence, /^Seen, not inferred: 17 of 100 attempts needed no SYN retransmit; of the other 83 /);
    assert.match(found.evidence, /answered nobody for 1\.50 s\. .* so B is 16, less what it had accepted before\.$/);
    assert.ok(found.confidence > 0.9 && found.apart === null);
  });

  it('is surer than what connect times let infer, which stays where the kernel was not asked', () => {
    const groups = [admitted(17, 1500), retried(83, 2031, 2)];
    const unasked = groups.map(({ synRetransmits: _, retransmits: __, ...group }) => group);
    const inferred = queueOf(told(unasked));
    assert.equal(inferred.figures.backlog, 16);
    assert.doesNotMatch(inferred.evidence, /Seen/);
    assert.ok(inferred.confidence < queueOf(told(groups)).confidence);
  });

  it('has its length, whatever it is, and whatever became of the others', () => {
    const cases = fc.record({
      backlog: fc.integer({ min: 1, max: 600 }),
      more: fc.integer({ min: 12, max: 600 }),
      ends: fc.constantFrom('served', 'given up', 'half'),
      stillMs: fc.integer({ min: 300, max: 1900 }),
    });
    const property = fc.property(cases, ({ backlog, more, ends, stillMs }) => {
      const late = ends === 'served' ? more : ends === 'half' ? Math.ceil(more / 2) : 0;
      const groups = [admitted(backlog + 1, stillMs)];
      if (late > 0) groups.push(retried(late, 2031, 2));
      if (late < more) groups.push(seen(unconnected('timeout-connect', around(more - late, 2200, 3)), 2));
      const found = queueOf(told(groups, { timeoutMs: 2200 }));
      assert.equal(found.figures.backlog, backlog);
      assert.ok(found.confidence > 0.9);
    });
    fc.assert(property, { numRuns: 60, seed: 20_261_121 });
  });

  it('is found where connect times lie on no schedule that is known', () => {
    const scattered = Array.from({ length: 60 }, (_, i) => 1300 + 37 * i);
    const late = seen(ok(scattered, { connectMs: (i) => scattered[i] - 2, upgradeMs: () => 2 }), 1, 0);
    const groups = [admitted(33, 700), late];
    assert.equal(queueOf(told(groups)).figures.backlog, 32);
    const unasked = groups.map(({ synRetransmits: _, ...group }) => group);
    assert.equal(queueIn(told(unasked)), null);
  });

  it('is found beside the connections that SYN cookies made', () => {
    const phantoms = seen(failed('timeout-upgrade', around(40, 20_000, 3)), 1, 6);
    const found = diagnose(
      resultOf(
        told(
          [
            admitted(17, 1500),
            { ...phantoms, connectMs: at(1012, 6) },
            { ...seen(ok(around(43, 1620, 6), { connectMs: at(1012, 6), upgradeMs: () => 608 }), 1, 2) },
          ],
          { timeoutMs: 20_000 },
        ),
      ),
    );
    const causes = found.map(({ cause }) => cause);
    // All that failed are connections that the server does not know of; the full queue made others late.
    assert.deepEqual(causes.slice(0, 2), ['phantom-connections', 'listen-queue-full']);
    assert.equal(found.find(({ cause }) => cause === 'listen-queue-full')?.figures.backlog, 16);
  });

  it('has at most so many places where the server went on accepting, or connections came a few at a time', () => {
    const awake = [
      told([seen(ok(around(735, 20, 60), { connectMs: at(1, 5) }), 0), retried(1265, 1022, 1)]),
      told([admitted(735, 1500), retried(1265, 1022, 1)]),
      told([admitted(40, 1500), retried(83, 2031, 2)], { gate: 'upgrade' }),
    ];
    for (const one of awake) {
      const found = queueOf(one);
      assert.match(found.evidence, /so B is \d+ or less\.$/);
      assert.match(found.apart ?? '', /ListenOverflows/);
      assert.ok(found.confidence > 0.87 && found.confidence < 0.9);
    }
  });

  it('is inferred as ever where an attempt ends before a SYN could be sent again', () => {
    const groups = [
      seen({ ...failed('timeout-upgrade', around(17, 500, 3)), connectMs: at(0.2, 0.2) }, 0),
      seen(unconnected('timeout-connect', around(83, 500, 3)), 0),
    ];
    const found = queueOf(told(groups, { timeoutMs: 500 }));
    assert.equal(found.figures.backlog, 16);
    assert.doesNotMatch(found.evidence, /Seen/);
  });

  it('is counted among those that got so far: who was refused is no part of it', () => {
    const refused = seen(unconnected('refused', around(5, 1600, 3)), 0);
    assert.equal(queueOf(told([admitted(17, 1500), retried(83, 2031, 2), refused])).figures.backlog, 16);
  });
});

describe('a SYN that was sent again', () => {
  const quick = (n: number, retransmits = 0): Group =>
    seen(ok(around(n, 4, 20), { connectMs: at(0.2, 0.4) }), 0, retransmits);

  it('is lost on the way like data: no queue, be the server quick or slow', () => {
    for (const share of [0.01, 0.05, 0.1]) {
      const n = 1000 * share;
      assert.deepEqual(diagnose(resultOf(told([quick(1000 - 2 * n), quick(n, 1), retried(n, 1022, 1)]))), []);
      const slow = serially(1000 - 2 * n, 2, 0.1, 600);
      const crowd = seen(ok(slow, { connectMs: at(0.2, 0.4) }), 0);
      const unlucky = seen(ok(around(n, 1400, 800), { connectMs: at(0.2, 0.4) }), 0, 1);
      assert.equal(queueIn(told([crowd, unlucky, retried(n, 1022, 1)])), null, `${share}`);
    }
  });

  it('is nothing where it is one of a thousand, or two of few', () => {
    assert.equal(queueIn(told([quick(998), retried(2, 1022, 1)])), null);
    assert.equal(queueIn(told([quick(8), retried(2, 1022, 1)])), null);
  });

  it('may be a firewall’s doing where the server is awake: that is said, with what tells them apart', () => {
    const waves = [1022, 2034, 3060, 4080].map((ms, i) => retried(20, ms, i + 1));
    const found = queueOf(told([quick(20), ...waves]));
    assert.equal(found.figures.connectedAtOnce, 20);
    assert.ok(found.confidence < 0.9);
    assert.match(found.apart ?? '', /firewall that limits SYNs looks the same/);
  });

  it('waits before a limit: the limit is the cause, not its queue', () => {
    const one = told(
      [
        quick(20),
        seen({ ...failed('timeout-upgrade', around(21, 5000, 2)), connectMs: at(0.2, 0.2) }, 0),
        seen(unconnected('timeout-connect', around(19, 5000, 2)), 5),
      ],
      { timeoutMs: 5000 },
    );
    assert.equal(diagnose(resultOf(one))[0]?.cause, 'connection-limit');
    assert.equal(queueIn(one), null);
  });
});

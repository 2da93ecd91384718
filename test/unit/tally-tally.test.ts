import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';

fc.configureGlobal({ seed: 20261121 });

import { closedWith, END } from '#dist/names/ends.js';
import { OUTCOME_CODES, outcomeCode } from '#dist/names/outcomes.js';
import type { KernelCounts, Sample } from '#dist/result/result.js';
import { type EncodedTally, type Ended, Tally } from '#dist/tally/tally.js';
import { lose } from './lost.js';

const NOT_REACHED: Ended = {
  outcome: 0,
  connectMs: Number.NaN,
  connectLowerMs: Number.NaN,
  tlsMs: Number.NaN,
  tlsLowerMs: Number.NaN,
  upgradeMs: Number.NaN,
  upgradeLowerMs: Number.NaN,
  handshakeMs: Number.NaN,
  handshakeLowerMs: Number.NaN,
  synRetransmits: Number.NaN,
  retransmits: Number.NaN,
  rttMs: Number.NaN,
};

function sample(atMs: number, statusLine = 'HTTP/1.1 504 Gateway Time-out'): Sample {
  return { statusLine, headers: [['Server', 'nginx']], body: null, detail: null, atMs };
}

/** What a tally says, with the order of rows taken out. */
function facts(tally: Tally): unknown {
  return JSON.parse(JSON.stringify(tally.encode()));
}

const reached = fc.oneof(
  fc.constant(Number.NaN),
  fc.integer({ min: 0, max: 5_000_000 }).map((us) => us / 1000),
);
const endedArbitrary: fc.Arbitrary<Ended> = fc.record({
  outcome: fc.oneof(fc.constantFrom(101, 502, 504, 200), fc.integer({ min: 1000, max: OUTCOME_CODES - 1 })),
  connectMs: reached,
  connectLowerMs: reached,
  tlsMs: reached,
  tlsLowerMs: reached,
  upgradeMs: reached,
  upgradeLowerMs: reached,
  handshakeMs: reached,
  handshakeLowerMs: reached,
  synRetransmits: fc.constantFrom(Number.NaN, 0, 1, 6),
  retransmits: fc.constantFrom(Number.NaN, 0, 2),
  rttMs: fc.constantFrom(Number.NaN, 0, 0.08),
});
/** A connection that had its 101: its end (0: none), and how long it lived. */
const openedArbitrary = fc.record({
  end: fc.constantFrom(...Object.values(END), 1000, 1005, 1008, 4401, closedWith(1000)),
  /** NaN: it was not ready. */
  readyMs: reached,
  heldMs: reached,
});
/** A reason without a session. */
const UNSAID = { step: null, message: null } as const;

const tallyArbitrary: fc.Arbitrary<Tally> = fc
  .record({
    ended: fc.array(endedArbitrary, { maxLength: 8 }),
    details: fc.array(fc.tuple(fc.constantFrom(502, 1001), fc.constantFrom('a', 'b', 'c', '__proto__')), {
      maxLength: 5,
    }),
    samples: fc.array(fc.tuple(fc.constantFrom(502, 1001), fc.nat(3), fc.constantFrom('x', 'y')), { maxLength: 3 }),
    lost: fc.nat(5),
    opened: fc.array(openedArbitrary, { maxLength: 6 }),
    reasons: fc.array(fc.tuple(fc.constantFrom(1008, 4401), fc.constantFrom('a', 'b'), fc.nat(3)), { maxLength: 3 }),
    received: fc.nat(9),
  })
  .map(({ ended, details, samples, lost, opened, reasons, received }) => {
    const tally = new Tally();
    for (const one of ended) tally.add(one);
    for (const [code, detail] of details) tally.addDetail(code, detail);
    for (const [code, atMs, line] of samples) tally.addSample(code, sample(atMs, line));
    lose(tally, lost);
    for (const { end, readyMs, heldMs } of opened) {
      tally.add({ ...NOT_REACHED, outcome: 101, handshakeMs: 1 });
      tally.addSession(end, { readyMs, heldMs, silentMs: heldMs / 2, livedMs: heldMs });
    }
    for (const [code, text, atMs] of reasons) tally.sessions.addReason(code, atMs > 1, { ...UNSAID, text, atMs });
    tally.sessions.addMessages({ sent: received, received, skipped: 1 });
    return tally;
  });

function merged(...tallies: Tally[]): Tally {
  const sum = new Tally();
  for (const tally of tallies) sum.merge(tally);
  return sum;
}

test('an attempt is counted once, in the phases it got through, success and failure apart', () => {
  const tally = new Tally();
  const ended = { ...NOT_REACHED, outcome: 101, connectMs: 1, connectLowerMs: 0.9, upgradeMs: 5, upgradeLowerMs: 4 };
  tally.add({ ...ended, handshakeMs: 7, handshakeLowerMs: 6 });
  tally.add({ ...ended, outcome: 504, handshakeMs: 1000, handshakeLowerMs: 999 });
  tally.add({ ...NOT_REACHED, outcome: outcomeCode('refused'), handshakeMs: 2, handshakeLowerMs: 2 });
  tally.addDns(3);
  const { attempted, outcomes, latencyMs, latencyLowerMs, failureMs } = tally.counted();
  assert.equal(attempted, 3);
  assert.deepEqual(outcomes, { 101: 1, 504: 1, refused: 1 });
  const counts = Object.entries(latencyMs).map(([phase, summary]) => [phase, summary?.count ?? null]);
  assert.deepEqual(counts, [
    ['dns', 1],
    ['connect', 2],
    ['tls', null],
    ['upgrade', 1],
    ['handshake', 1],
    ['message', null],
  ]);
  assert.equal(latencyMs.handshake?.max, 7.003);
  assert.equal(latencyLowerMs?.handshake?.max, 6.003);
  assert.deepEqual([latencyLowerMs?.connect?.count, latencyLowerMs?.upgrade?.count, latencyLowerMs?.tls], [2, 1, null]);
  assert.deepEqual(Object.keys(failureMs), ['504', 'refused']);
  assert.ok(Math.abs((failureMs['504']?.p50 ?? 0) - 1000) < 1);
});

test('outcomes hold only what occurred: 101, then statuses, then names in the order of their table', () => {
  const tally = new Tally();
  for (const id of ['aborted', 'closed', '504', '404', '101', 'invalid-101'] as const) {
    tally.add({ ...NOT_REACHED, outcome: outcomeCode(id) });
  }
  assert.deepEqual(Object.keys(tally.counted().outcomes), ['101', '404', '504', 'invalid-101', 'closed', 'aborted']);
  assert.deepEqual([tally.count('404'), tally.count('500'), tally.attempted], [1, 0, 6]);
});

test('a failure without a known time is counted and has no latency', () => {
  const tally = new Tally();
  tally.add({ ...NOT_REACHED, outcome: outcomeCode('local-other') });
  assert.deepEqual(tally.counted().failureMs, { 'local-other': null });
  assert.equal(tally.count('local-other'), 1);
});

test('an attempt that has not ended cannot be counted', () => {
  for (const outcome of [0, 99, OUTCOME_CODES, Number.NaN]) {
    assert.throws(() => new Tally().add({ ...NOT_REACHED, outcome }), /no such outcome code/);
  }
});

test('without a single lower bound there are none, and a bound of some attempts only is left out', () => {
  const kernel = new Tally();
  kernel.add({ ...NOT_REACHED, outcome: 101, connectMs: 1, handshakeMs: 2 });
  assert.equal(kernel.counted().latencyLowerMs, null);
  const both = new Tally();
  both.add({ ...NOT_REACHED, outcome: 101, connectMs: 1, handshakeMs: 2, handshakeLowerMs: 1 });
  assert.equal(both.counted().latencyLowerMs?.handshake?.count, 1);
  assert.equal(merged(kernel, both).counted().latencyLowerMs?.handshake, null);
});

test('what the kernel said is counted in attempts and in times; of whom it was not asked, nothing is', () => {
  const tally = new Tally();
  const ended = { ...NOT_REACHED, outcome: 101 };
  tally.add(ended);
  assert.equal(tally.counted().kernel, null);
  tally.add({ ...ended, rttMs: 0.08, synRetransmits: 0, retransmits: 3 });
  tally.add({ ...ended, rttMs: 0.08, synRetransmits: 2, retransmits: 1 });
  tally.add({ ...NOT_REACHED, outcome: outcomeCode('timeout-connect'), synRetransmits: 6, retransmits: 0 });
  tally.add({ ...ended, rttMs: 0.08, retransmits: 5 });
  const expected = { asked: 3, synRetransmitted: 2, synRetransmits: 8, retransmitted: 2, retransmits: 4 };
  assert.deepEqual(tally.counted().kernel, expected);
  assert.deepEqual(Tally.decode(JSON.parse(JSON.stringify(tally.encode()))).counted().kernel, expected);
  assert.deepEqual(merged(tally, new Tally(), tally).counted().kernel, {
    ...{ asked: 6, synRetransmitted: 4, synRetransmits: 16, retransmitted: 4, retransmits: 8 },
  });
});

test('distinct details are capped, and no attempt is lost by it', () => {
  const tally = new Tally();
  for (let i = 0; i < 100; i++) tally.addDetail(502, `detail ${i % 50}`);
  tally.addDetail(502, 'detail 0');
  const details = tally.counted().details['502'];
  assert.equal(Object.keys(details).length, 21);
  assert.deepEqual([details['detail 0'], details['(other)']], [3, 60]);
  assert.equal(Object.keys(details).at(-1), '(other)');

  const other = new Tally();
  for (let i = 0; i < 30; i++) other.addDetail(502, `another ${i % 3}`);
  const both = merged(other, tally).counted().details['502'];
  assert.deepEqual(both, merged(tally, other).counted().details['502']);
  assert.equal(Object.keys(both).length, 21);
  assert.deepEqual([both['another 0'], Object.values(both).reduce((a, b) => a + b, 0)], [10, 131]);
});

test('a long detail is cut between code points', () => {
  const tally = new Tally();
  tally.addDetail(502, 'é'.repeat(198) + '🚀'.repeat(50));
  const [detail] = Object.keys(tally.counted().details['502']);
  assert.equal(detail, `${'é'.repeat(198)}…`);
});

test('a detail may be named like an object’s internals', () => {
  const tally = new Tally();
  tally.addDetail(502, '__proto__');
  tally.addDetail(502, 'constructor');
  const copy = Tally.decode(JSON.parse(JSON.stringify(tally.encode())));
  assert.deepEqual(Object.entries(copy.counted().details['502']), [
    ['__proto__', 1],
    ['constructor', 1],
  ]);
});

test('the earliest sample of an outcome is kept', () => {
  const tally = new Tally();
  assert.equal(tally.sampleOf(504), null);
  tally.addSample(504, sample(20));
  tally.addSample(504, sample(10));
  tally.addSample(504, sample(15));
  assert.notEqual(tally.sampleOf(504), null);
  assert.equal(tally.counted().samples['504'].atMs, 10);
});

test('clamped values of all histograms are told', () => {
  const tally = new Tally();
  tally.add({ ...NOT_REACHED, outcome: 101, handshakeMs: 700_000, connectMs: -1 });
  tally.add({ ...NOT_REACHED, outcome: 504, handshakeMs: 700_000 });
  assert.equal(tally.counted().clamped, 3);
  assert.equal(Tally.decode(tally.encode()).counted().clamped, 3);
});

function kernel(asked: number, synRetransmitted: number, synRetransmits: number): KernelCounts {
  return { asked, synRetransmitted, synRetransmits, retransmitted: 0, retransmits: 0 };
}

test('decoding refuses what is no tally', () => {
  const tally = new Tally();
  tally.add({ ...NOT_REACHED, outcome: 101, handshakeMs: 1 });
  const good = tally.encode();
  const bad: [string, Partial<Record<keyof EncodedTally, unknown>>, RegExp][] = [
    ['a wrong sum', { attempted: 2 }, /attempted is 2, but the outcomes add up to 1/],
    ['an outcome less', { outcomes: {} }, /add up to 0/],
    ['a negative count', { attempted: 0, outcomes: { 101: 1, 504: -1 } }, /no count: -1/],
    ['a fraction', { attempted: 1.5, outcomes: { 101: 1.5 } }, /no count: 1\.5/],
    ['text', { attempted: 1, outcomes: { 101: '1' } }, /no count/],
    ['an unknown outcome', { attempted: 2, outcomes: { 101: 1, gone: 1 } }, /no such outcome: "gone"/],
    ['an unknown failure', { failure: { gone: good.latency.handshake } }, /no such outcome/],
    ['a broken histogram', { latency: { handshake: { hdr: 'AAAA', clamped: 0 } } }, /./],
    ['a negative loss', { lostWhileHeld: -1 }, /lostWhileHeld/],
    ['more asked than attempted', { kernel: kernel(2, 0, 0) }, /asked about 2 of 1 attempts/],
    [
      'more retransmitted than asked',
      { kernel: kernel(1, 2, 2) },
      /synRetransmitted is 2, but the kernel was asked about 1/,
    ],
    ['attempts without a retransmit', { kernel: kernel(1, 1, 0) }, /synRetransmits is 0 of 1 attempts/],
    ['retransmits of nobody', { kernel: kernel(1, 0, 4) }, /synRetransmits is 4 of 0 attempts/],
    ['a fraction of a retransmit', { kernel: kernel(1, 1, 1.5) }, /kernel\.synRetransmits is no count: 1\.5/],
    ['data without attempts', { kernel: { ...kernel(1, 0, 0), retransmits: 1 } }, /retransmits is 1 of 0 attempts/],
  ];
  for (const [what, change, message] of bad) {
    assert.throws(() => Tally.decode({ ...good, ...change } as EncodedTally), message, what);
  }
  assert.equal(Tally.decode(good).attempted, 1);
});

test('what became of connections is counted by its word, with the first reason and how long they lived', () => {
  const tally = new Tally();
  const open = (end: number, heldMs: number) => {
    tally.add({ ...NOT_REACHED, outcome: 101, handshakeMs: 1 });
    tally.addSession(end, { readyMs: 1, heldMs, silentMs: heldMs / 2, livedMs: heldMs });
  };
  open(4401, 2000);
  open(4401, 2010);
  open(END.fin, 60_000);
  open(closedWith(1000), 70_000);
  open(END.closedByReset, 70_000);
  open(END.aborted, 5);
  tally.sessions.addReason(4401, true, { ...UNSAID, text: 'later', atMs: 2030 });
  const other = new Tally();
  other.merge(tally);
  tally.sessions.addReason(4401, true, { ...UNSAID, text: 'auth timeout', atMs: 2020 });
  tally.sessions.addReason(1008, true, { ...UNSAID, text: 'of no connection', atMs: 1 });
  const both = merged(other, tally);
  assert.equal(both.counted().lostWhileHeld, 6);
  const { ready, cut, closed, aborted, ends, cutMs, heldMs, silentMs } = both.sessions.sessions();
  assert.deepEqual(
    { ready, cut, closed, aborted },
    {
      ...{ ready: 12, cut: { 4401: 4, fin: 2 }, closed: { 1000: 2, rst: 2 }, aborted: 2 },
    },
  );
  assert.deepEqual(ends, {
    4401: { minMs: 2000, maxMs: 2010, reason: 'auth timeout', reasonAtMs: 2020 },
    fin: { minMs: 60_000, maxMs: 60_000, reason: null, reasonAtMs: null },
  });
  assert.deepEqual([cutMs?.count, heldMs?.count, silentMs?.count], [6, 12, 2]);
  assert.equal(Math.round((silentMs?.p50 ?? 0) / 100), 300);
});

test('clients that were not ready stand apart, with what ended them, the step that waited and its message', () => {
  const tally = new Tally();
  const open = (end: number, readyMs: number) => {
    tally.add({ ...NOT_REACHED, outcome: 101, handshakeMs: 1 });
    tally.addMessage(5);
    tally.addSession(end, { readyMs, heldMs: readyMs, silentMs: 1, livedMs: 20 });
  };
  for (let i = 0; i < 3; i++) open(4401, Number.NaN);
  open(END.timeoutMessage, Number.NaN);
  open(END.rejected, Number.NaN);
  open(END.none, Number.NaN);
  open(closedWith(1000), 30);
  open(END.rejected, 40);
  const step = 'expect #1 {"type":"welcome"}';
  tally.sessions.addReason(4401, false, { text: 'Unauthorized', step, message: null, atMs: 9 });
  tally.sessions.addReason(END.timeoutMessage, false, { text: null, step, message: null, atMs: 5 });
  const later = new Tally();
  later.add({ ...NOT_REACHED, outcome: 101 });
  later.addSession(END.timeoutMessage, { readyMs: Number.NaN, heldMs: Number.NaN, silentMs: 1, livedMs: 20 });
  later.sessions.addReason(END.timeoutMessage, false, { text: null, step, message: '{"type":"hello"}', atMs: 7 });
  const both = merged(tally, Tally.decode(JSON.parse(JSON.stringify(later.encode()))));
  const { lostWhileHeld, sessions, latencyMs } = both.counted();
  assert.equal(lostWhileHeld, 1);
  assert.equal(sessions?.ready, 2);
  assert.deepEqual(sessions?.notReady, { 4401: 3, aborted: 1, rejected: 1, 'timeout-message': 2 });
  assert.deepEqual(sessions?.cut, { rejected: 1 });
  assert.equal(sessions?.readyMs?.count, 2);
  assert.equal(latencyMs.message?.count, 8);
  assert.deepEqual(sessions?.notReadyEnds?.['4401'], {
    ...{ minMs: 20, maxMs: 20, reason: 'Unauthorized', reasonAtMs: 9, step },
  });
  // The one with a message tells more, although it is later.
  assert.equal(sessions?.notReadyEnds?.['timeout-message']?.message, '{"type":"hello"}');
});

test('decoding refuses sessions that do not add up', () => {
  const tally = new Tally();
  tally.add({ ...NOT_REACHED, outcome: 101, handshakeMs: 1 });
  tally.addSession(4401, { readyMs: 1, heldMs: 2, silentMs: 2, livedMs: 2 });
  const good = tally.encode();
  const bad: [Partial<EncodedTally['sessions']>, RegExp][] = [
    [{ ready: 2 }, /ready is 2, but the ends add up to 1/],
    [{ ready: 2, aborted: 1 }, /know of 2 of 1 that got their 101/],
    [{ ready: 0, cut: {}, aborted: -1 }, /aborted is no count: -1/],
    [{ ready: 2, cut: { fin: 2 } }, /know of 2 of 1/],
    [{ cut: { 1006: 1 } }, /no such end of a connection: "1006"/],
    [{ notReady: { 1006: 1 } }, /no such end of a connection: "1006"/],
    [{ notReady: { aborted: 1 } }, /know of 2 of 1/],
  ];
  for (const [change, message] of bad) {
    assert.throws(() => Tally.decode({ ...good, sessions: { ...good.sessions, ...change } }), message);
  }
});

test('attempts are the sum of outcomes through merging, encoding and decoding', () => {
  fc.assert(
    fc.property(tallyArbitrary, tallyArbitrary, (a, b) => {
      const sum = Tally.decode(JSON.parse(JSON.stringify(merged(a, b).encode())));
      const { attempted, outcomes } = sum.counted();
      assert.equal(attempted, a.attempted + b.attempted);
      const asked = [a, b, sum].map((one) => one.counted().kernel?.asked ?? 0);
      assert.equal(asked[2], asked[0] + asked[1]);
      assert.equal(
        Object.values(outcomes).reduce((x, y) => x + y, 0),
        attempted,
      );
    }),
    { numRuns: 30 },
  );
});

test('merging has an identity and does not depend on order or grouping', () => {
  fc.assert(
    fc.property(tallyArbitrary, tallyArbitrary, tallyArbitrary, (a, b, c) => {
      assert.deepEqual(facts(merged(a, new Tally())), facts(a));
      assert.deepEqual(facts(merged(new Tally(), a)), facts(a));
      assert.deepEqual(facts(merged(a, b)), facts(merged(b, a)));
      assert.deepEqual(facts(merged(merged(a, b), c)), facts(merged(a, merged(b, c))));
    }),
    { numRuns: 25 },
  );
});

test('decoding gives back the same tally', () => {
  fc.assert(
    fc.property(tallyArbitrary, (tally) => {
      const copy = Tally.decode(JSON.parse(JSON.stringify(tally.encode())));
      assert.deepEqual(copy.encode(), tally.encode());
      assert.deepEqual(copy.counted(), tally.counted());
    }),
    { numRuns: 25 },
  );
});

test('of 799 statuses the 40 most frequent have times of their own, the others one row; a saved result adds up', () => {
  const tally = new Tally();
  const statuses = Array.from({ length: 799 }, (_, i) => 200 + i);
  for (const status of statuses) {
    const times = status % 20 === 0 ? 3 : 1;
    for (let i = 0; i < times; i++) tally.add({ ...NOT_REACHED, outcome: status, handshakeMs: status });
  }
  const { outcomes, failureMs, attempted } = Tally.decode(tally.encode()).counted();
  assert.equal(Object.keys(outcomes).length, 799);
  const frequent = statuses.filter((status) => status % 20 === 0).map(String);
  assert.deepEqual(Object.keys(failureMs), [...frequent, '(other)']);
  assert.equal(failureMs[frequent[0]]?.count, 3);
  assert.equal(failureMs['(other)']?.count, 759);
  const sum = Object.values(failureMs).reduce((total, summary) => total + (summary?.count ?? 0), 0);
  assert.equal(sum, attempted);

  const saved = Object.entries(failureMs).flatMap(([id, summary]) =>
    summary === null ? [] : [[id, { hdr: summary.hdr, clamped: 0 }] as const],
  );
  const resumed = Tally.decode({ ...tally.encode(), failure: Object.fromEntries(saved) });
  resumed.merge(tally);
  const again = resumed.counted().failureMs;
  assert.deepEqual(Object.keys(again), [...frequent, '(other)']);
  assert.equal(again['(other)']?.count, 2 * 759);
});

/** Every cause is found in what it leaves behind, with its numbers, and not in what only looks like it; health has none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CAUSES, type CauseId } from '#dist/diagnose/causes.js';
import { diagnose } from '#dist/diagnose/diagnose.js';
import { remedyOf, remedyText } from '#dist/diagnose/remedies/remedies.js';
import { NAMED_OUTCOMES, type OutcomeId } from '#dist/names/outcomes.js';
import { NOT_RELEASED } from '#dist/names/reasons.js';
import { type Check, PROBE_IDS, type ProbeId } from '#dist/result/check-facts.js';
import { readResult, writeResult } from '#dist/result/document.js';
import type { Diagnosis, Result } from '#dist/result/result.js';
import { nginx, serialBehind, serialDirect } from './diagnose-answers.js';
import { CROWDS } from './diagnose-crowds.js';
import { BESIDE, HEALTHY, NEAR_MISSES } from './diagnose-look-alikes.js';
import { PROBED, REFUTED, WORDED } from './diagnose-probed.js';
import {
  around,
  checkOf,
  failed,
  type Group,
  ok,
  oneByOne,
  resultOf,
  serially,
  type Told,
  unconnected,
} from './diagnose-results.js';
import { NOT_OF_SERVERS, OF_SERVERS, SAID_FOR_SURE } from './diagnose-servers.js';
import { BESIDE_OTHERS, BLUNT, SHARPENED } from './diagnose-sharpened.js';
import { SINGLES } from './diagnose-singles.js';
import { STORMS } from './diagnose-storms.js';

const CASES = [...CROWDS, ...SINGLES, ...SHARPENED, ...PROBED, ...WORDED, ...OF_SERVERS, ...STORMS];
const IDS = new Set<string>(CAUSES.map(({ id }) => id));
/** Of what is measured; of what is counted nothing may be off. */
const TOLERANCE = 0.05;

function assertSound(result: Result, found: readonly Diagnosis[]): void {
  const occurred = new Set(
    [
      result.totals.outcomes,
      result.preflight?.outcomes ?? {},
      ...result.bursts.map(({ outcomes }) => outcomes),
      ...(result.storm ?? []).map(({ attempts }) => attempts),
    ].flatMap(Object.keys),
  );
  for (const burst of result.bursts) for (const { outcome } of burst.after?.probes ?? []) occurred.add(outcome);
  if (result.check !== null) for (const { outcome } of [result.check, ...result.check.probes]) occurred.add(outcome);
  assert.ok(found.length <= 4);
  assert.equal(new Set(found.map(({ cause }) => cause)).size, found.length);
  for (const [i, one] of found.entries()) {
    assert.ok(IDS.has(one.cause), one.cause);
    assert.ok(one.confidence >= 0 && one.confidence <= 1, `${one.cause}: ${one.confidence}`);
    assert.ok(i === 0 || one.confidence <= found[i - 1].confidence, 'most likely first');
    assert.ok(one.remedy.length > 5);
    assert.match(one.evidence, /\.$/);
    assert.doesNotMatch(`${one.evidence} ${one.remedy} ${one.apart}`, /NaN|Infinity|undefined|\[object/);
    for (const [name, value] of Object.entries(one.figures)) assert.ok(Number.isFinite(value), `${name}: ${value}`);
    for (const id of one.outcomes) assert.ok(occurred.has(id), `${one.cause} explains ${id}, which did not occur`);
  }
}

function diagnosed(told: Told): Diagnosis[] {
  const result = resultOf(told);
  const found = diagnose(result);
  assertSound(result, found);
  return found;
}

const named = (found: readonly Diagnosis[]): string =>
  found.map(({ cause, confidence, evidence }) => `${cause} ${confidence}: ${evidence}`).join('\n');

describe('each cause', () => {
  for (const [what, cause, told, figures = {}] of CASES) {
    it(`${cause}: ${what}`, () => {
      const found = diagnosed(told);
      assert.equal(found[0]?.cause, cause, named(found));
      for (const [name, value] of Object.entries(figures)) {
        const measured = found[0].figures[name];
        const tolerance = /Ms$|PerS$|^limit$/.test(name) ? TOLERANCE * value : 0;
        assert.ok(Math.abs(measured - value) <= tolerance, `${name}: ${measured}, not ${value}`);
      }
    });
  }

  it('is reached, and has its remedy', () => {
    const reached = new Set(CASES.map(([, cause]) => cause));
    for (const { id } of CAUSES) {
      assert.ok(reached.has(id), `${id} is reached by no case`);
      const { symptom, confirm, fix, at = {} } = remedyOf(id);
      for (const text of [symptom, confirm, fix, ...Object.values(at)]) assert.match(text, /\.$/, `${id}: ${text}`);
      for (const hop of Object.keys(at)) assert.ok(remedyText(id, hop).startsWith(at[hop]));
      assert.equal(remedyText(id, null), fix);
    }
  });

  it('states T and S within 10 %, whoever gave up', () => {
    for (const [timeoutMs, stepMs] of [
      [1000, 5],
      [3000, 10],
      [2000, 20],
    ]) {
      const tellings = [serialDirect(timeoutMs, stepMs), serialBehind(nginx(504), '504', timeoutMs, stepMs)];
      for (const told of tellings) {
        const [{ cause, figures }] = diagnosed(told);
        assert.equal(cause, 'slow-serial-upgrade');
        assert.ok(Math.abs(figures.timeoutMs / timeoutMs - 1) < 0.1 && Math.abs(figures.serviceMs / stepMs - 1) < 0.1);
      }
    }
  });

  it('is told with the directive of the gateway that answered', () => {
    const [found] = diagnosed(serialBehind(nginx(504), '504', 1000, 5));
    assert.equal(found.gateway, 'nginx');
    assert.match(found.remedy, /proxy_read_timeout/);
    assert.equal(diagnosed(serialDirect(1000, 5))[0].gateway, null);
  });
});

describe('what a server says of itself', () => {
  for (const [what, cause, told] of SAID_FOR_SURE) {
    it(`${cause}: ${what}`, () => {
      const [first] = diagnosed(told);
      assert.ok(first.cause === cause && first.confidence >= 0.85, named([first]));
    });
  }
});

describe('a look-up that failed', () => {
  for (const [code, said] of [
    ['ENOTFOUND', /the name has no address/],
    ['EAI_AGAIN', /the resolver did not answer/],
    ['ETIMEOUT', /the resolver did not answer/],
    ['ESERVFAIL', /the resolver failed/],
  ] as const) {
    it(code, () => {
      const told = { alone: null, bursts: [{ groups: [unconnected('dns', around(5, 1), code)] }] };
      const [{ cause, evidence }] = diagnosed(told);
      assert.equal(cause, 'dns-failure');
      assert.match(evidence, said);
    });
  }
});

describe('what the evidence fits as well', () => {
  for (const [what, cause, told] of [...BESIDE, ...BESIDE_OTHERS]) {
    it(`${what}: ${cause}`, () => {
      const found = diagnosed(told);
      assert.ok(
        found.slice(1).some((one) => one.cause === cause),
        named(found),
      );
      // What outlives a burst is true beside its cause, and needs no telling apart.
      if (cause !== 'work-for-the-dead') assert.ok(found.some(({ apart }) => apart !== null));
    });
  }
});

describe('what looks nearly so', () => {
  for (const [what, not, told] of [...NEAR_MISSES, ...BLUNT, ...REFUTED, ...NOT_OF_SERVERS]) {
    it(what, () => {
      const found = diagnosed(told);
      for (const { cause } of found) assert.ok(!not.includes(cause as CauseId), named(found));
    });
  }
});

describe('health', () => {
  for (const [what, told] of HEALTHY) {
    it(`has no diagnosis: ${what}`, () => assert.deepEqual(diagnosed(told), []));
  }

  it('of one that check found healthy has none', () => {
    const healthy = checkOf('101', { 'open-close-open': '101', 'without-upgrade': '426', 'version-8': '101' });
    assert.deepEqual(diagnosed({ bursts: [], alone: null, check: healthy }), []);
    assert.deepEqual(diagnosed({ bursts: [{ groups: [ok([4])] }], alone: null, check: healthy }), []);
  });
});

describe('a name with two addresses, of which one refuses', () => {
  const refused = unconnected('refused', around(3, 2));
  function ofTwo(told: Told, resolve: 'first' | 'all' = 'first'): Diagnosis {
    const result = resultOf(told);
    return diagnose({ ...result, addresses: ['::1', '127.0.0.1'], plan: { ...result.plan, resolve } })[0];
  }

  it('dialled alone: both are named, and the flag that dials all', () => {
    const { cause, evidence } = ofTwo({ bursts: [{ groups: [refused] }], alone: null });
    assert.equal(cause, 'target-refused');
    assert.match(evidence, /dialled was ::1; the name also has 127\.0\.0\.1: --resolve all/);
    const tried = { bursts: [{ groups: [refused] }], alone: oneByOne(Array(5).fill('refused')) };
    assert.doesNotMatch(ofTwo(tried).evidence, /--resolve/, 'each of them was tried');
  });

  it('of which check found one open', () => {
    const tcp = (address: string, failure: string | null) => ({ address, port: 80, tookMs: 1, failure, synRetries: 0 });
    const check = { ...checkOf('refused', {}), tcp: [tcp('::1', 'refused'), tcp('127.0.0.1', null)] };
    const { evidence } = ofTwo({ bursts: [{ groups: [refused] }], alone: null, check });
    assert.match(evidence, /dialled was ::1; 127\.0\.0\.1 of the same name accepts connections/);
  });

  it('both dialled: no backend died in the burst if single handshakes were refused before it', () => {
    const half = { groups: [refused, ok(around(3, 4))] };
    const alone = oneByOne(['refused', '101', 'refused', '101', 'refused']);
    const { cause, evidence } = ofTwo({ bursts: [half], alone }, 'all');
    assert.equal(cause, 'target-refused');
    assert.match(evidence, /some of the addresses ::1, 127\.0\.0\.1/);
    assert.equal(ofTwo({ bursts: [half] }, 'all').cause, 'backend-died');
    assert.equal(
      ofTwo({ bursts: [half], alone }, 'first').cause,
      'backend-died',
      'the burst went to the one that answers',
    );
  });
});

describe('the generator', () => {
  it('is named first, whatever else failed', () => {
    const local = NAMED_OUTCOMES.filter(({ blame }) => blame === 'local').map(({ id }) => id);
    assert.equal(local.length, 4);
    for (const [i, [, , told]] of CASES.entries()) {
      const [first, ...others] = told.bursts;
      if (first === undefined || told.bursts.length > 1) continue;
      const groups: (typeof first)['groups'] = [...first.groups, failed(local[i % local.length], around(30, 0.2))];
      assert.equal(diagnosed({ ...told, bursts: [{ ...first, groups }, ...others] })[0].cause, 'generator-limit');
    }
  });
});

it('an Origin decides after the 101 only where the tunnel of a probe was watched for as long', () => {
  const causes = (afterMs: number, idle: Check['idle'] = null) => {
    const ended = { by: 'closed', said: null, afterMs };
    const check = checkOf('101', { 'own-origin': { outcome: '101', ended: null } }, { ended, idle });
    return diagnosed({ bursts: [{ groups: [ok([3])], lost: 1 }], check }).map(({ cause }) => cause);
  };
  assert.equal(causes(4)[0], 'origin-refused');
  assert.ok(!causes(1200, { forMs: 4000, livedMs: 1200, cutBy: 'closed', pings: 0 }).includes('origin-refused'));
  assert.ok(!causes(1200).includes('origin-refused'));
});

it('a deadline that was over before this machine started them asks for a longer one', () => {
  const late = failed('local-other', around(10, 3), undefined, NOT_RELEASED);
  const [first] = diagnosed({ alone: null, timeoutMs: 1, bursts: [{ groups: [late] }] });
  assert.match(first.remedy, /^Give attempts longer \(-t\)/);
});

/** The one handshake of check ended so, and with one thing changed otherwise. */
const ONE_CHANGED: readonly (readonly [
  cause: CauseId,
  outcome: OutcomeId,
  probe: ProbeId,
  otherwise: string,
  url?: string,
])[] = [
  ['server-closed-itself', '101', 'open-close-open', '502'],
  ['wrong-path', '404', 'other-slash', '101'],
  ['origin-refused', '403', 'with-origin', '101'],
  ['origin-refused', '401', 'without-origin', '101'],
  ['version-mismatch', '400', 'version-8', '101'],
  ['upgrade-not-forwarded', '426', 'direct', '101'],
  ['upgrade-not-forwarded', '426', 'direct', '101'],
  ['plaintext-port', 'tls', 'other-scheme', '101', 'ws://127.0.0.1:8080/ws'],
  ['tls-port', 'closed', 'other-scheme', '101', 'wss://127.0.0.1:8080/ws'],
];

describe('a probe of check', () => {
  for (const [cause, outcome, probe, otherwise, url] of ONE_CHANGED) {
    it(`${probe} tells ${cause} from ${outcome}`, () => {
      const group = outcome === '101' ? ok([3]) : failed(outcome, [3], {});
      const told = (ended: string): Told => ({
        alone: null,
        bursts: [{ groups: [group] }],
        check: checkOf(outcome, { [probe]: ended }, url === undefined ? {} : { url }),
      });
      const [found] = diagnosed(told(otherwise));
      assert.equal(found.cause, cause);
      assert.ok(found.confidence >= 0.8);
      // The same outcome with the thing changed changes nothing.
      assert.ok((diagnosed(told(outcome))[0]?.confidence ?? 0) < found.confidence);
    });
  }

  it('says how long an idle tunnel lived', () => {
    const check = checkOf('101', {}, { idle: { forMs: 120_000, livedMs: 60_020, cutBy: 'closed', pings: 0 } });
    const [found] = diagnosed({ alone: null, bursts: [{ groups: [ok([3])] }], check });
    assert.equal(found.cause, 'idle-cut');
    assert.equal(found.figures.idleMs, 60_020);
    const lived = checkOf('101', {}, { idle: { forMs: 120_000, livedMs: null, cutBy: null, pings: 0 } });
    assert.deepEqual(diagnosed({ alone: null, bursts: [{ groups: [ok([3])] }], check: lived }), []);
  });
});

describe('a saved result', () => {
  it('has the same diagnosis', () => {
    for (const told of [...CASES.map(([, , one]) => one), ...HEALTHY.map(([, one]) => one)]) {
      const result = resultOf(told);
      // A document knows the probes of its own version only.
      if (result.check?.probes.some(({ id }) => !PROBE_IDS.includes(id)) === true) continue;
      const diagnosis = diagnose(result);
      const read = readResult(JSON.parse(writeResult({ ...result, diagnosis })));
      assert.deepEqual(diagnose(read), diagnosis);
      assert.deepEqual(read.diagnosis, diagnosis);
    }
  });
});

describe('any result', () => {
  const outcome = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom<OutcomeId>('101', '502', '503', '504', '429', '404', 'closed', 'timeout-upgrade'),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<OutcomeId>(...NAMED_OUTCOMES.map(({ id }) => id), '299', '500', '999', '100'),
    },
  );
  const at = fc.oneof(
    fc.double({ min: 0, max: 700_000, noNaN: true }),
    fc.constantFrom(0.3, 1, 5, 200, 600, 1000, 1020, 2000, 2030, 3000, 60_000),
    fc.constant(Number.NaN),
  );
  const group = fc
    .record({
      outcome,
      atMs: fc.array(at, { minLength: 1, maxLength: 30 }),
      hasConnected: fc.boolean(),
      sample: fc.boolean(),
    })
    .map(
      ({ outcome, atMs, hasConnected, sample }): Group => ({
        outcome,
        atMs,
        connectMs: hasConnected ? (i) => atMs[i] : () => Number.NaN,
        ...(sample && { sample: { ...nginx(502), atMs: Number.isNaN(atMs[0]) ? 0 : atMs[0] } }),
        ...(sample && { detail: 'some detail' }),
      }),
    );
  const burst = fc.record(
    {
      groups: fc.array(group, { minLength: 1, maxLength: 4 }),
      kind: fc.constantFrom('burst' as const, 'churn' as const),
      perSecond: fc.array(fc.nat(1000), { maxLength: 5 }),
      lost: fc.nat(3),
      atS: fc.nat(5),
    },
    { requiredKeys: ['groups'] },
  );
  const told: fc.Arbitrary<Told> = fc.record({
    bursts: fc.array(burst, { maxLength: 4 }),
    alone: fc.oneof(
      fc.constant(null),
      fc.array(outcome, { minLength: 1, maxLength: 5 }).map((ids) => oneByOne(ids)),
    ),
    timeoutMs: fc.constantFrom(1000, 5000, 75_000),
  });

  it('has a sound diagnosis, the same each time', () => {
    const property = fc.property(told, (one) => {
      const result = resultOf(one);
      const found = diagnose(result);
      assertSound(result, found);
      assert.deepEqual(diagnose(result), found);
    });
    fc.assert(property, { numRuns: 100, seed: 4 });
  });

  it('that failed has one, and one that did not has none', () => {
    const property = fc.property(told, (one) => {
      const result = resultOf({ ...one, bursts: one.bursts.map((burst) => ({ ...burst, lost: 0 })) });
      const counted = result.bursts.length > 0 ? result.bursts : [result.preflight];
      const hasFailed = counted.some((part) =>
        Object.keys(part?.outcomes ?? {}).some((id) => id !== '101' && id !== 'aborted'),
      );
      if (hasFailed) assert.ok(diagnose(result).length > 0);
    });
    fc.assert(property, { numRuns: 60, seed: 5 });
  });

  it('of 20,000 attempts is diagnosed within 100 ms of CPU', () => {
    const large = [
      resultOf({
        bursts: [{ groups: [ok(serially(10_000, 0.1)), failed('504', around(10_000, 1001, 900), nginx(504))] }],
      }),
      resultOf({ bursts: [{ groups: [ok(serially(20_000, 3))] }] }),
    ];
    for (const result of large) {
      // The best of some: others run on this machine, and the first is not compiled yet.
      const spentMs = Array.from({ length: 8 }, () => {
        const from = process.cpuUsage();
        diagnose(result);
        const { user, system } = process.cpuUsage(from);
        return (user + system) / 1000;
      });
      assert.ok(Math.min(...spentMs) < 100, `${spentMs}`);
    }
  });
});

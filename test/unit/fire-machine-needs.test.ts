/** What the dry run announces is what the check before the first burst does, whatever the machine and the plan. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { knownWays, shortageOf, unmetNeeds } from '#dist/engine/run/machine-needs.js';
import type { Machine } from '#dist/plan/machine-facts.js';
import { planNeeds } from '#dist/plan/needs.js';
import { findStageOf, type Plan } from '#dist/plan/plan.js';
import { maskPlan } from '#dist/plan/plan-record.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { workersOf } from '#dist/plan/resources.js';
import { renderDryRun } from '#dist/report/terminal/dry-run.js';

const MIB = 2 ** 20;
/** An address to which this machine has no connections. */
const TARGET = { address: '127.0.91.7', port: 1 };

const MACHINE: Machine = {
  cpus: 2,
  fds: 1_048_576,
  fdsHard: 1_048_576,
  fdsOpen: 24,
  portRange: [32768, 60999],
  memoryFree: 16 * 2 ** 30,
  somaxconn: 4096,
  addresses: ['127.0.0.1/8', '10.0.0.5/24'],
};

const size = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 100_000 }));

const machines: fc.Arbitrary<Machine> = fc
  .record({
    cpus: fc.integer({ min: 1, max: 64 }),
    fds: fc.option(fc.integer({ min: 40, max: 120_000 })),
    fdsOpen: fc.option(fc.integer({ min: 3, max: 200 })),
    ports: fc.integer({ min: 1, max: 64_000 }),
    memoryMib: fc.option(fc.integer({ min: 60, max: 8000 })),
  })
  .map(({ fds, ports, memoryMib, ...machine }) => ({
    ...MACHINE,
    ...machine,
    fds,
    fdsHard: fds,
    portRange: [1024, 1023 + ports] as const,
    memoryFree: memoryMib === null ? null : memoryMib * MIB,
  }));

const stage = fc.oneof(
  size.map((burst) => ({ burst })),
  fc.tuple(size, size).map(([from, more]) => ({ steps: { from, to: from + more, by: 50_000 } })),
  size.map((inFlight) => ({ churn: { inFlight, for: '5s' } })),
);
const search = size.map((max) => ({ find: { max } }));

const plans: fc.Arbitrary<Plan> = fc
  .record(
    {
      stages: fc.tuple(fc.array(stage, { maxLength: 3 }), fc.array(search, { maxLength: 1 })),
      scheme: fc.constantFrom('ws', 'wss'),
      sourceIps: fc.constantFrom([], ['127.0.0.2', '127.0.0.3'], ['10.0.0.5'], ['10.0.0.9']),
      transport: fc.constantFrom('auto', 'node'),
      workers: fc.integer({ min: 1, max: 64 }),
      close: fc.constantFrom('clean', 'reset'),
      calibrate: fc.boolean(),
      isProbed: fc.boolean(),
    },
    { requiredKeys: ['stages', 'scheme', 'sourceIps', 'transport', 'calibrate', 'isProbed'] },
  )
  .map(({ stages: [fixed, searches], scheme, sourceIps, isProbed, ...rest }) => {
    const stages = fixed.length === 0 && searches.length === 0 ? [{ burst: 1 }] : [...fixed, ...searches];
    const target = { url: `${scheme}://${TARGET.address}:${TARGET.port}/`, sourceIps };
    const after = isProbed && fixed.length > 0 ? { after: '10m' } : {};
    return compilePlan(checkProfile({ target, stages, ...rest, ...after }, 'test'));
  });

function dryRun(plan: Plan, machine: Machine): string {
  const ground = { machine, ways: knownWays(plan, machine) };
  return renderDryRun(maskPlan(plan), planNeeds(plan), ground, { width: 200, color: false });
}

function refused(plan: Plan, machine: Machine): string[] {
  return unmetNeeds(plan, machine, workersOf(plan, machine), [{ ...TARGET, family: 4 }]);
}

test('a plan that the dry run says will end with exit code 4 is refused before it begins, and no other', () => {
  let refusals = 0;
  let limits = 0;
  fc.assert(
    fc.property(plans, machines, (plan, machine) => {
      const text = dryRun(plan, machine);
      const reasons = refused(plan, machine);
      assert.equal(/^Not met: the run would end with exit code 4$/m.test(text), reasons.length > 0, text);
      if (reasons.length > 0) refusals++;
      const { max } = findStageOf(plan.stages) ?? {};
      const isTight =
        max !== undefined &&
        shortageOf(max, plan, machine, workersOf(plan, machine), [{ ...TARGET, family: 4 }]) !== null;
      // A search that can't go as far as it was asked to is announced as well.
      assert.equal(/^Not met: /m.test(text), isTight || reasons.length > 0, text);
      if (isTight && reasons.length === 0) limits++;
    }),
    { numRuns: 1000, seed: 9 },
  );
  assert.ok(refusals > 200 && refusals < 800 && limits > 20, `${refusals} refused, ${limits} limited searches`);
});

test('as many as a refusal says do fit, and one more does not', () => {
  fc.assert(
    fc.property(plans, machines, fc.integer({ min: 1, max: 200_000 }), (plan, machine, open) => {
      const to = [{ ...TARGET, family: 4 }] as const;
      const shortage = shortageOf(open, plan, machine, 2, to);
      if (shortage === null) return;
      assert.ok(shortage.fit < open);
      if (shortage.fit > 0) assert.equal(shortageOf(shortage.fit, plan, machine, 2, to), null);
      assert.equal(shortageOf(shortage.fit + 1, plan, machine, 2, to)?.fit, shortage.fit);
    }),
    { numRuns: 500, seed: 10 },
  );
});

test('every resource is named with its number and the way out, in both', () => {
  const plan = (more: object) =>
    compilePlan(checkProfile({ target: { url: 'ws://127.0.91.7:1/' }, stages: [{ burst: 2000 }], ...more }, 'test'));
  const tight: [Partial<Machine>, object, refusal: RegExp, announced: RegExp][] = [
    [
      { fds: 1024, fdsHard: 4096 },
      {},
      /need 2,072 file descriptors.*1,024 \(hard limit 4,096\).*952 connections fit.*ulimit -n 2072$/,
      /descriptors +2,072 needed, 1,024 allowed: ulimit -n 2072/,
    ],
    [
      { portRange: [1024, 2023] },
      {},
      /1 source address to 1 destination has 1,000 free \(1024-2023\): at most 1,000 fit/,
      /local ports +2,000 needed, 1,000 allowed: connect from 2 source addresses/,
    ],
    [
      { memoryFree: 150 * MIB },
      { calibrate: false },
      /need about 170 MiB, and 150 MiB are free: at most 472 fit; free memory or use fewer$/,
      /memory +169 MiB needed, 150 MiB allowed: make the largest burst smaller, or/,
    ],
    [
      { memoryFree: 200 * MIB },
      {},
      /or skip the calibration: --no-calibrate$/,
      /smaller, skip the calibration \(--no-calibrate\), or/,
    ],
    [
      {},
      { target: { url: 'ws://127.0.91.7:1/', sourceIps: ['10.0.0.9'] } },
      /source address 10\.0\.0\.9; it has 127\.0\.0\.1, 10\.0\.0\.5$/,
      /source +no interface of this machine has the address 10\.0\.0\.9/,
    ],
  ];
  for (const [machine, more, refusal, announced] of tight) {
    const reasons = refused(plan(more), { ...MACHINE, ...machine });
    assert.equal(reasons.length, 1, reasons.join('\n'));
    assert.match(reasons[0], refusal);
    assert.match(dryRun(plan(more), { ...MACHINE, ...machine }), announced);
  }
  assert.deepEqual(refused(plan({}), MACHINE), []);
});

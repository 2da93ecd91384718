import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Machine } from '#dist/plan/machine-facts.js';
import { planNeeds, probesOpen } from '#dist/plan/needs.js';
import type { Plan } from '#dist/plan/plan.js';
import { maskPlan } from '#dist/plan/plan-record.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { type Resource, resourcesOf, workersOf } from '#dist/plan/resources.js';
import { type DryRunOptions, renderDryRun } from '#dist/report/terminal/dry-run.js';

function planOf(stages: object[], rest: object = {}, url = 'ws://127.0.0.1/'): Plan {
  return compilePlan(checkProfile({ target: { url }, stages, ...rest }, 'test'));
}

const machine: Machine = {
  cpus: 2,
  fds: 1_048_576,
  fdsHard: 1_048_576,
  fdsOpen: 24,
  portRange: [32768, 60999],
  memoryFree: 16 * 2 ** 30,
  somaxconn: 4096,
  addresses: null,
};
const ways = { destinations: 1, portsInUse: 0 };

function dryRun(plan: Plan, over: Partial<Machine> = {}, options: Partial<DryRunOptions> = {}): string {
  const ground = { machine: { ...machine, ...over }, ways };
  return renderDryRun(maskPlan(plan), planNeeds(plan), ground, { width: 80, color: false, ...options });
}

/** What the largest number of connections of the plan needs. */
function needed(plan: Plan, name: Resource['name']): number {
  const open = planNeeds(plan).sockets;
  const all = resourcesOf({ open, plan, workers: workersOf(plan, machine), machine, ways });
  return all.find((one) => one.name === name)?.needed ?? Number.NaN;
}

test('attempts, sockets, ports and descriptors', () => {
  const plan = planOf([{ burst: 500, times: 5, rest: '10s' }, { churn: { total: 10_000, inFlight: 800 } }]);
  const needs = planNeeds(plan);
  assert.equal(needs.attempts, 12_500);
  assert.equal(needs.bursts, 6);
  assert.equal(needs.sockets, 800);
  assert.equal(needed(plan, 'ports'), 800);
  const own = 24 + 24 + 2 * 12;
  assert.equal(needed(plan, 'descriptors'), 2 * 800 + own, 'a churn, closing ones, spare ones, those of two threads');
  const reset = { ...plan, close: 'reset' } as const;
  assert.equal(needed(reset, 'descriptors'), 800 + own, 'a reset waits for nothing');
  assert.equal(planNeeds(planOf([{ churn: { inFlight: 5, for: '1s' } }])).attempts, null);
  assert.equal(planNeeds(planOf([{ churn: { inFlight: 5, for: '1s' } }])).bytesOut, null);
});

test('clean closes may leave a minute of ports in TIME_WAIT, resets none', () => {
  const stages = [{ burst: 1000, times: 10, rest: '10s' }];
  assert.equal(planNeeds(planOf(stages)).portsAtWorst, 7000);
  assert.equal(planNeeds(planOf(stages, { close: 'reset' })).portsAtWorst, 1000);
  assert.equal(planNeeds(planOf([{ burst: 1000, times: 10, rest: 0 }])).portsAtWorst, 10_000);
  assert.equal(planNeeds(planOf([{ burst: 1000, times: 10, rest: '2m' }])).portsAtWorst, 1000);
  const churn = [{ churn: { total: 10_000, inFlight: 500 } }];
  assert.equal(planNeeds(planOf(churn)).portsAtWorst, 500);
  assert.equal(planNeeds(planOf(churn, { close: 'clean' })).portsAtWorst, 10_000);
  assert.equal(
    planNeeds(planOf(churn, { close: 'clean' })).sockets,
    500,
    'a slot takes its next attempt when its connection is closed',
  );
});

test('time at best and at worst', () => {
  const bursts = planNeeds(planOf([{ burst: 10, times: 3, rest: '10s' }], { timeout: '20s', preflight: false }));
  assert.equal(bursts.bestMs, 20_000);
  assert.equal(bursts.worstMs, 20_000 + 3 * 22_000);
  const armed = planNeeds(planOf([{ burst: 10 }], { timeout: '20s', gate: 'upgrade', session: { hold: '3s' } }));
  assert.equal(armed.bestMs, 3000);
  assert.equal(armed.worstMs, 11_000 + 40_000 + 3000 + 2000);
  const churn = planNeeds(
    planOf([{ churn: { inFlight: 10, total: 95, for: '30s' } }], { timeout: '5s', preflight: false }),
  );
  assert.equal(churn.worstMs, 35_000);
  assert.equal(planNeeds(planOf([{ churn: { inFlight: 10, for: '30s' } }])).bestMs, 30_000);
});

test('probes after the bursts', () => {
  const plan = planOf([{ burst: 10, times: 3, rest: '10s' }], { timeout: '20s', preflight: false, after: '15s' });
  const needs = planNeeds(plan);
  assert.equal(plan.afterMs, 15_000);
  assert.deepEqual([needs.attempts, needs.bursts, needs.probes], [30, 3, 90]);
  assert.equal(needs.bestMs, 20_000 + 3 * 14_500);
  assert.equal(needs.worstMs, 20_000 + 3 * 22_000 + 3 * (14_500 + 22_000));
  assert.equal(needs.sockets, 30, 'none waits for the one before');
  assert.equal(probesOpen({ afterMs: 600_000, timeoutMs: 20_000 }), 45);
  assert.equal(needs.portsAtWorst, 120);
  const without = planNeeds(planOf([{ burst: 10, times: 3 }], { preflight: false }));
  assert.equal(without.probes, 0);
  assert.equal(needs.bytesOut, 4 * (without.bytesOut ?? 0));
  assert.equal(planOf([{ burst: 1 }], { after: 0 }).afterMs, null, 'over a profile that has probes: none');
  assert.equal(planNeeds(planOf([{ burst: 1 }], { after: '501ms' })).probes, 2);
  const text = dryRun(plan);
  assert.match(text, /after +one probe every 500ms once a burst is over, 30 after each/);
  assert.match(text, /attempts +30 in 3 bursts, 90 in the probes\n/);
  assert.throws(() => planOf([{ burst: 1 }], { after: '2h' }), /after: expected a duration/);
});

test('TLS costs more memory and more bytes', () => {
  const [plain, secure] = [planOf([{ burst: 1000 }]), planOf([{ burst: 1000 }], {}, 'wss://127.0.0.1/')];
  assert.ok(needed(secure, 'memory') > needed(plain, 'memory'));
  assert.ok((planNeeds(secure).bytesIn ?? 0) > (planNeeds(plain).bytesIn ?? 0));
});

test('threads by default: one for 250 attempts, no more than there are cores', () => {
  const workers = (size: number, cpus: number, more = {}) => workersOf(planOf([{ burst: size }], more), { cpus });
  assert.deepEqual([workers(1, 8), workers(250, 8), workers(251, 8), workers(100_000, 8)], [1, 1, 2, 8]);
  assert.equal(workers(1, 2, { workers: 6 }), 6, 'what was asked for');
});

test('memory covers what was seen, and not much more', () => {
  // The peak of the process (VmHWM) and half of what the kernel took for both ends of its connections, MiB.
  const seen: [transport: string, size: number, workers: number, mib: number, calibrate?: boolean][] = [
    ['epoll', 1, 2, 120],
    ['epoll', 5000, 2, 164],
    ['epoll', 5000, 8, 250],
    ['epoll', 15_000, 2, 199],
    ['node', 1, 1, 109],
    ['node', 5000, 2, 170],
    ['node', 5000, 8, 284],
    ['node', 15_000, 2, 228],
    ['wss', 1, 2, 124],
    ['wss', 5000, 2, 345],
    ['wss', 15_000, 2, 764],
    // With the mirror beside it, whose ends of the connections are this machine's too.
    ['epoll', 15_000, 2, 370, true],
    ['node', 15_000, 2, 395, true],
    ['wss', 15_000, 2, 1634, true],
  ];
  for (const [name, size, workers, mib, calibrate = false] of seen) {
    const [url, transport] = name === 'wss' ? ['wss://127.0.0.1/', 'node'] : ['ws://127.0.0.1/', name];
    const counted = needed(planOf([{ burst: size }], { workers, transport, calibrate }, url), 'memory') / 2 ** 20;
    assert.ok(counted >= mib && counted <= 1.6 * mib, `${name} ${size} ${workers}: ${counted}`);
  }
});

test('auto may take either transport and is counted as the larger; the calibration has a process of its own', () => {
  const held = (transport: string, url?: string) =>
    needed(planOf([{ burst: 15_000 }], { gate: 'upgrade', transport, calibrate: false }, url), 'memory');
  assert.ok(held('epoll') < held('node'));
  assert.equal(held('auto'), held('node'));
  assert.equal(held('auto', 'wss://127.0.0.1/'), held('node', 'wss://127.0.0.1/'));
  assert.ok(needed(planOf([{ burst: 15_000 }]), 'memory') > held('auto') + 90 * 2 ** 20);
  assert.match(dryRun(planOf([{ burst: 10 }], { transport: 'epoll' })), /transport epoll, seed 1/);
});

test('the dry run, as it is read', () => {
  const plan = compilePlan(
    checkProfile(
      {
        name: 'launch',
        about: 'Can everybody who is expected connect in the same instant?',
        target: {
          url: 'wss://10.0.0.5/ws?token=abc',
          headers: { Authorization: 'Bearer hunter2', 'X-Id': '{{ row.id }}' },
        },
        data: { file: 'ids.csv', pick: 'once' },
        gate: 'tls',
        stages: [
          { burst: 500, times: 5, rest: '10s' },
          { steps: { from: 100, to: 2000, by: 100 } },
          { churn: { total: '10k', inFlight: 500 } },
        ],
        thresholds: ['share(101) >= 99.9%'],
        abort: 'share(5xx) > 50%',
      },
      'test',
    ),
  );
  assert.equal(
    dryRun(plan, { fds: 1024, portRange: [40_000, 41_499] }),
    `Dry run of launch: nothing is sent
Can everybody who is expected connect in the same instant?

Plan
  target        wss://10.0.0.5/ws?token=***
  headers       Authorization: Bearer ***
                X-Id: {{ row.id }}
  data          ids.csv, once
  gate          tls: TCP is open before the release
  timeout       75s an attempt
  stages        1. burst of 500, 5 times, rest 10s
                2. steps of 100, 200, 300 … 2,000 (20 bursts), rest 5s
                3. churn, 10,000 in total, 500 in flight, rest 5s
  attempts      33,500 in 26 bursts, and 5 in the preflight
  thresholds    share(101) >= 99.9%
  abort when    share(5xx) > 50%
  workers       2 of 2 cores, transport auto, seed 1

Needs, and what this machine allows
  descriptors   2,072 of 1,024 allowed (2,000 sockets at once, and the process's
                own)
  local ports   2,000 of 1,500 allowed (one source address; up to 18,200 if the
                target leaves closing to us)
  memory        435 MiB of 16 GiB allowed (an estimate)
  bytes         about 36.7 MB to send, 124 MB to receive
  rows          33,505 of ids.csv, each used once
  time          2m30s at best, 1h31m1s when every attempt runs into its timeout;
                calibration comes on top

Not met: the run would end with exit code 4
  descriptors   2,072 needed, 1,024 allowed: ulimit -n 2072
  local ports   2,000 needed, 1,500 allowed: connect from 2 source addresses
                (--source-ip, repeatable, takes blocks)
`,
  );
});

test('a dry run says when all is well, what is unknown, and warns of a local accept queue', () => {
  const plan = planOf([{ burst: 5000 }], { workers: 3, calibrate: false });
  const all = dryRun(plan);
  assert.match(all, /Every need is met/);
  assert.match(all.replace(/\s+/g, ' '), /accept queues hold at most 4,096 connections/);
  assert.doesNotMatch(all, /Not met|calibration/);
  const blind = { fds: null, memoryFree: null, cpus: 1, somaxconn: null };
  assert.equal(dryRun(plan, blind).match(/limit unknown/g)?.length, 2);
  const sources = planOf([{ burst: 50_000 }]);
  const two = { ...sources, target: { ...sources.target, sourceIps: ['127.0.0.2', '127.0.0.3'] } };
  assert.doesNotMatch(dryRun(two), /Not met/);
  assert.match(dryRun(sources), /connect from 2 source/);
});

test('no line is wider than the terminal, colour only where asked', () => {
  const plan = planOf([{ burst: 5000 }], { name: 'a\nb', about: 'word '.repeat(60).trim() });
  for (const width of [60, 80, 120]) {
    const text = dryRun(plan, { fds: 10 }, { width });
    for (const line of text.split('\n')) assert.ok(line.length <= width, line);
    assert.doesNotMatch(text, /\x1b/);
  }
  assert.match(dryRun(plan, { fds: 10 }, { color: true }), /\x1b\[1m\x1b\[31mNot met/);
});

test('arrivals need as many connections as rate times hold, and those in flight', () => {
  const held = planOf([{ arrive: { rate: '50/s', for: '10m', hold: '4m' } }]);
  assert.equal(planNeeds(held).sockets, 12_050);
  assert.equal(planNeeds(held).attempts, 30_000);
  assert.match(dryRun(held), /open at once {2}about 12,050: 12,000 held \(50\/s × 4m, Little's law\)/);
  const short = planOf([{ arrive: { rate: '50/s', for: '10s', hold: '4m' } }]);
  assert.equal(planNeeds(short).sockets, 500, 'never more than there are');
  const bounded = planOf([{ arrive: { rate: '50/s', for: '10m', hold: '4m', maxOpen: 300 } }]);
  assert.equal(planNeeds(bounded).sockets, 12_300);
  const ramp = planOf([{ arrive: { rate: ['0/s', '100/s'], for: '100s', hold: '10s' } }]);
  // In the last 10 s the rate is 95 on average, in the last second 99.5.
  assert.equal(planNeeds(ramp).sockets, 950 + 100);
  const closed = planOf([{ arrive: { rate: '200/s', for: '60s' } }]);
  assert.equal(planNeeds(closed).sockets, 200);
  assert.deepEqual([planNeeds(closed).bestMs, planNeeds(closed).worstMs], [60_000, 60_000 + 75_000 + 11_000]);
});

test('a spread burst needs all of its connections only where they are held', () => {
  assert.equal(planNeeds(planOf([{ burst: 3000, spread: '60s' }])).sockets, 51);
  assert.equal(planNeeds(planOf([{ burst: 3000, spread: '60s' }], { session: { hold: '1s' } })).sockets, 3000);
});

test('what this machine cannot hold ends the run before it begins, and a limit in flight bounds the workers', () => {
  const held = planOf([{ arrive: { rate: '50/s', for: '10m', hold: '4m' } }]);
  assert.match(dryRun(held, { fds: 4096, fdsHard: 4096 }), /Not met: the run would end with exit code 4/);
  assert.equal(workersOf(held, { cpus: 8 }), 8);
  assert.equal(workersOf(planOf([{ arrive: { rate: '50/s', for: '10m', hold: '4m', maxOpen: 3 } }]), { cpus: 8 }), 3);
});

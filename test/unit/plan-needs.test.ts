import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planNeeds, probesOpen } from '#dist/plan/needs.js';
import type { Plan } from '#dist/plan/plan.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { maskPlan } from '#dist/plan/secrets.js';
import { type MachineFacts, renderDryRun } from '#dist/report/terminal/dry-run.js';

const checks = { threshold: () => null, abort: () => null };

function planOf(stages: object[], rest: object = {}, url = 'ws://127.0.0.1/'): Plan {
  return compilePlan(checkProfile({ target: { url }, stages, ...rest }, 'test', checks));
}

const machine: MachineFacts = { fds: 1_048_576, portsPerSource: 28_232, memoryMb: 16_000, cpus: 2, somaxconn: 4096 };
const plainText = { width: 80, color: false };

test('attempts, sockets, ports and descriptors', () => {
  const needs = planNeeds(planOf([{ burst: 500, times: 5, rest: '10s' }, { churn: { total: 10_000, inFlight: 800 } }]));
  assert.equal(needs.attempts, 12_500);
  assert.equal(needs.bursts, 6);
  assert.equal(needs.sockets, 800);
  assert.equal(needs.ports, 800);
  assert.ok(needs.descriptors > 800 && needs.descriptors < 1000);
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
  assert.equal(planNeeds(planOf(churn, { close: 'clean' })).sockets, 1000);
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
  const text = renderDryRun(plan, needs, machine, plainText);
  assert.match(text, /after +one probe every 500ms once a burst is over, 30 after each/);
  assert.match(text, /attempts +30 in 3 bursts, 90 in the probes\n/);
  assert.throws(() => planOf([{ burst: 1 }], { after: '2h' }), /after: expected a duration/);
});

test('TLS costs more memory and more bytes', () => {
  const plain = planNeeds(planOf([{ burst: 1000 }]));
  const secure = planNeeds(planOf([{ burst: 1000 }], {}, 'wss://127.0.0.1/'));
  assert.ok(secure.memoryBytes > plain.memoryBytes);
  assert.ok((secure.bytesIn ?? 0) > (plain.bytesIn ?? 0));
});

test('15,000 held connections stay within what the node transport has been seen to need', () => {
  const { memoryBytes } = planNeeds(planOf([{ burst: 15_000 }], { gate: 'upgrade', workers: 2 }));
  assert.ok(memoryBytes > 120 * 1024 * 1024 && memoryBytes < 200 * 1024 * 1024, String(memoryBytes));
});

test('a connection of the epoll transport needs less memory; auto may take either and is counted as the larger', () => {
  const held = (transport: string, url?: string) =>
    planNeeds(planOf([{ burst: 15_000 }], { gate: 'upgrade', workers: 2, transport }, url)).memoryBytes;
  assert.ok(held('epoll') < 120 * 1024 * 1024, String(held('epoll')));
  assert.equal(held('auto'), held('node'));
  assert.equal(held('auto', 'wss://127.0.0.1/'), held('node', 'wss://127.0.0.1/'));
  const plan = planOf([{ burst: 10 }], { transport: 'epoll' });
  assert.match(renderDryRun(plan, planNeeds(plan), machine, plainText), /transport epoll, seed 1/);
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
      checks,
    ),
  );
  assert.equal(
    renderDryRun(maskPlan(plan), planNeeds(plan), { ...machine, fds: 1024, portsPerSource: 1500 }, plainText),
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
  descriptors   2,176 of 1,024 allowed (2,000 sockets at once, and the process's
                own)
  local ports   2,000 of 1,500 allowed (one source address; up to 18,200 if the
                target leaves closing to us)
  memory        256 MB of 16 GB allowed (an estimate)
  bytes         about 36.7 MB to send, 124 MB to receive
  rows          33,505 of ids.csv, each used once
  time          2m30s at best, 1h31m1s when every attempt runs into its timeout;
                calibration comes on top

Not met: the run would end with exit code 4
  descriptors   2,176 needed, 1,024 allowed: ulimit -n 2176
  local ports   2,000 needed, 1,500 allowed: connect from 2 source addresses
                (--source-ip, repeatable, takes blocks)
`,
  );
});

test('a dry run says when all is well, what is unknown, and warns of a local accept queue', () => {
  const plan = planOf([{ burst: 5000 }], { workers: 3, calibrate: false });
  const all = renderDryRun(plan, planNeeds(plan), machine, plainText);
  assert.match(all, /Every need is met/);
  assert.match(all.replace(/\s+/g, ' '), /accept queues hold at most 4,096 connections/);
  assert.doesNotMatch(all, /Not met|calibration/);
  const blind = { fds: null, portsPerSource: null, memoryMb: null, cpus: 1, somaxconn: null };
  assert.equal(renderDryRun(plan, planNeeds(plan), blind, plainText).match(/limit unknown/g)?.length, 3);
  const sources = planOf([{ burst: 50_000 }]);
  const two = { ...sources, target: { ...sources.target, sourceIps: ['127.0.0.2', '127.0.0.3'] } };
  assert.doesNotMatch(renderDryRun(two, planNeeds(two), machine, plainText), /Not met/);
  assert.match(renderDryRun(sources, planNeeds(sources), machine, plainText), /connect from 2 source/);
});

test('no line is wider than the terminal, colour only where asked', () => {
  const plan = planOf([{ burst: 5000 }], { name: 'a\nb', about: 'word '.repeat(60).trim() });
  for (const width of [60, 80, 120]) {
    const text = renderDryRun(plan, planNeeds(plan), { ...machine, fds: 10 }, { width, color: false });
    for (const line of text.split('\n')) assert.ok(line.length <= width, line);
    assert.doesNotMatch(text, /\x1b/);
  }
  assert.match(
    renderDryRun(plan, planNeeds(plan), { ...machine, fds: 10 }, { width: 80, color: true }),
    /\x1b\[1m\x1b\[31mNot met/,
  );
});

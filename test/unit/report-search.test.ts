import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { planNeeds } from '#dist/plan/needs.js';
import type { Stage } from '#dist/plan/plan.js';
import type { PlanRecord } from '#dist/plan/plan-record.js';
import type { ProgressMode, ProgressNumbers } from '#dist/report/progress/display.js';
import { startProgress } from '#dist/report/progress/progress.js';
import { searchLine } from '#dist/report/progress/search-line.js';
import type { Ground } from '#dist/report/terminal/dry-run.js';
import { renderDryRun } from '#dist/report/terminal/dry-run.js';
import { glyphsOf } from '#dist/report/terminal/style.js';
import type { SearchNews } from '#dist/search/engine-interface.js';
import { forecast, msLeft } from '#dist/search/forecast.js';
import { searchOptions } from '#dist/search/search-options.js';
import type { Step } from '#dist/search/state.js';
import { beginSearch } from '#dist/search/state-machine.js';
import { run, USUAL } from '../bench/simulated-search.js';
import { plan as planOfStages } from './report-results.js';

const NEWS: SearchNews = {
  bracket: [2048, 4096],
  bursts: 8,
  budget: 60,
  size: 2928,
  why: 'hint',
  restWhy: null,
  restUntilMs: null,
  deadlineAtMs: 7_200_000,
  leftMs: 240_000,
  nowMs: 100_000,
};

const line = (over: Partial<SearchNews>, sinceMs = 0): string =>
  searchLine({ ...NEWS, ...over }, sinceMs, glyphsOf(true));

describe('the line of a search', () => {
  it('says the bracket, what is tried and why, and the time left', () => {
    assert.equal(line({}), 'find 2,048–4,096 · 2,928: where the survivors point · ~4 min left');
    assert.equal(
      line({ bracket: [null, null], bursts: 0, size: 64, why: 'ramp' }),
      'find · 64: the first · ~4 min left',
    );
    assert.match(line({ bracket: [1024, null] }), /^find over 1,024 · /);
    assert.match(line({ bracket: [null, 64], why: 'descend' }), /^find under 64 · 2,928: smaller · /);
  });

  it('counts down what it waits for', () => {
    const rest = { restWhy: 'fresh', restUntilMs: 198_000, size: 3074 } as const;
    assert.equal(line(rest), 'find 2,048–4,096 · resting the target for 98 s, then 3,074 · ~4 min left');
    assert.equal(line(rest, 150_000), 'find 2,048–4,096 · resting the target for 0 s, then 3,074 · ~90 s left');
    assert.match(
      line({ ...rest, restWhy: 'canary', size: null }),
      / · single handshakes are not as before for 98 s · /,
    );
  });

  it('names the bound where it has no expectation', () => {
    assert.match(line({ leftMs: null }), / · at most 1 h 58 min left$/);
    assert.match(line({ leftMs: null }, 300_000), / · at most 1 h 53 min left$/);
    assert.match(line({}, 300_000), / · nearly done$/);
    assert.match(line({ leftMs: null }, 1e9), / · at most 0 s left$/);
  });
});

async function started(enabled: ProgressMode) {
  const clock = { ms: 0 };
  const stderr: PassThrough & { isTTY?: boolean; columns?: number } = new PassThrough();
  stderr.isTTY = enabled === 'bar';
  stderr.columns = 120;
  const terminal = { width: 120, color: false, unicode: true };
  const progress = await startProgress({ stderr }, { enabled, terminal, now: () => clock.ms });
  return { progress, clock, written: () => String(stderr.read() ?? '') };
}

function numbers(over: Partial<ProgressNumbers>): ProgressNumbers {
  return { phase: 'released', size: 2928, armed: 0, released: 0, ended: 0, byOutcome: {}, search: NEWS, ...over };
}

describe('the progress of a search', () => {
  it('in a log is a line a burst and a line a long wait', async () => {
    const { progress, written } = await started('plain');
    progress.update(numbers({ phase: 'canary', size: 0 }));
    progress.update(numbers({ ended: 1000, byOutcome: { 101: 1000 } }));
    const done = numbers({ phase: 'closing', ended: 2928, byOutcome: { 101: 2928 } });
    progress.update(done);
    progress.update(done);
    const rest = { ...NEWS, bursts: 9, size: 3074, restWhy: 'fresh', restUntilMs: 198_000 } as const;
    for (const nowMs of [100_000, 150_000]) {
      progress.update(numbers({ phase: 'resting', size: 0, search: { ...rest, nowMs } }));
    }
    progress.update(numbers({ phase: 'resting', size: 0, search: { ...rest, restUntilMs: 105_000 } }));
    progress.stop();
    assert.deepEqual(written().split('\n'), [
      'find 2,048–4,096 · burst 9: 2,928 (where the survivors point): 2,928 × 101',
      'find 2,048–4,096 · resting the target for 98 s, then 3,074 · ~4 min left',
      '',
    ]);
  });

  it('on a terminal is one line that counts down by itself', async () => {
    const { progress, clock, written } = await started('bar');
    const rest = { ...NEWS, restWhy: 'cool', restUntilMs: 107_000 } as const;
    progress.update(numbers({ phase: 'resting', size: 0, search: rest }));
    clock.ms = 4000;
    progress.note('a line');
    const drawn = written();
    assert.match(drawn, /cooling down for 7 s, then 2,928/);
    assert.match(drawn, /a line\n/);
    assert.match(drawn, /cooling down for 3 s, then 2,928 · ~4 min left/);
    progress.update(numbers({ ended: 12, byOutcome: { 101: 12 }, released: 2928 }));
    progress.stop();
    progress.update(numbers({ ended: 12, byOutcome: { 101: 12 }, released: 2928 }));
    assert.match(written(), /~4 min left · released 2,928 · ended 12\/2,928: 12 × 101/);
    progress.stop();
  });
});

describe('what is left of a search', () => {
  it('comes near what it really takes, from any moment on', () => {
    const options = searchOptions({ max: 32_768 });
    const target = {
      truth: 3000,
      objective: options.objectives[0],
      burst: (size: number) => Math.min(size, 3000),
      canaryFailures: () => 0,
    };
    const steps: Step[] = [];
    const between = (now: Step): Step => {
      steps.push(now);
      return now;
    };
    const { state } = run(target, options, USUAL, { between });
    const told = steps.map((now) => ({ leftMs: msLeft(now, 2000), realMs: state.lastAtMs - now.state.lastAtMs }));
    assert.equal(msLeft({ state, action: { do: 'stop', verdict: 'FOUND', because: '' } }, 2000), 0);
    // A clean step is bracketed by its hint: from there on the way is known.
    const late = told.filter((_, i) => steps[i].state.cursor.hint !== null);
    assert.ok(late.length > 10);
    for (const { leftMs, realMs } of late)
      assert.ok(leftMs >= 0 && Math.abs(leftMs - realMs) <= 0.6 * realMs + 130_000);
  });

  it('never is more than its deadline', () => {
    const property = fc.property(
      fc.integer({ min: 10, max: 100_000 }),
      fc.integer({ min: 1, max: 10 }),
      (max, minutes) => {
        const options = searchOptions({ max, deadlineMs: minutes * 60_000 });
        assert.ok(msLeft(beginSearch(options, 1e12), 2000) <= minutes * 60_000 + 2000);
      },
    );
    fc.assert(property, { numRuns: 20, seed: 2 });
  });
});

describe('the dry run of a search', () => {
  const plan = planOfStages([{ kind: 'burst', size: 10, times: 1, restMs: 0 }]);
  const machine = {
    cpus: 2,
    fds: 20_000,
    fdsHard: 20_000,
    fdsOpen: 24,
    portRange: [32768, 60999],
    memoryFree: 8 * 2 ** 30,
    somaxconn: 4096,
    addresses: null,
  } as const;
  const ground: Ground = { machine, ways: { destinations: 1, portsInUse: 0 } };
  const options = searchOptions({ max: 20_000, preset: 'quick', downSweep: true });
  const durations = { usualBurstMs: 2000, longestBurstMs: 105_000 };

  it('tells its cost, expected and at worst', () => {
    const search = { options, forecast: forecast(options, durations, 3000) };
    const text = renderDryRun(plan, planNeeds(plan), ground, { width: 80, color: false, search });
    assert.match(
      text,
      /\nSearch for the drop-off point\n {2}loads +10 to 20,000 at once, beginning with 64; down to a bracket/,
    );
    assert.match(text, /objective +share\(101\) >= 99\.9%, met by half of the bursts/);
    assert.match(text, /rests +10s after each burst, 30s where the target must count as rested/);
    assert.match(text, /ends after +60 bursts, 60 min|ends after +60 bursts, 1 h/);
    assert.match(text, /\n {2}cost +expected +at worst\n {2}bursts +~\d+ +60\n {2}handshakes +~[\d,]+ +[\d,]+\n/);
    assert.match(text, /\n {2}of them failed +~[\d,]+ +[\d,]+\n {2}time +~\d+ (s|min) +1 h 2 min\n/);
    assert.match(text, /drop-off is at 3,000;/);
  });

  it('counts no bursts that the search has not decided on', () => {
    const find = { kind: 'find', max: 20_000, restMs: null } as unknown as Stage;
    const alone = planOfStages([find]);
    const text = (one: PlanRecord, fds: number = machine.fds): string =>
      renderDryRun(one, planNeeds(one), { ...ground, machine: { ...machine, fds } }, { width: 80, color: false });
    assert.match(text(alone), /\n {2}attempts +what the search takes, and 5 in the preflight\n/);
    assert.doesNotMatch(text(alone), /\n {2}time /);
    const both = planOfStages([find, { kind: 'burst', size: 10, times: 2, restMs: 0 }]);
    assert.match(text(both), /\n {2}attempts +what the search takes and 2 bursts beside it, and 5/);
    assert.match(text(both), /\n {2}time +beside the search /);
    assert.match(text(alone, 1000), /\nNot met: the search goes only as far as this machine does/);
  });

  it('fits', () => {
    const search = { options, forecast: forecast(options, durations) };
    for (const width of [40, 60, 80, 120]) {
      const text = renderDryRun(plan, planNeeds(plan), ground, { width, color: false, search });
      const block = text.slice(text.indexOf('Search for'), text.indexOf('Needs, and'));
      for (const told of block.split('\n')) assert.ok(told.length <= width, told);
    }
  });
});

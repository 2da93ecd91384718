import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProgressMode, type ProgressNumbers, progressMode } from '#dist/report/progress/display.js';
import { startProgress } from '#dist/report/progress/progress.js';

interface Screen extends PassThrough {
  isTTY?: boolean;
  columns?: number;
}

function screen(isTTY: boolean): Screen {
  const stream: Screen = new PassThrough();
  stream.isTTY = isTTY;
  stream.columns = 60;
  return stream;
}

function written(stream: Screen): string {
  return String(stream.read() ?? '');
}

async function started(enabled: ProgressMode) {
  const clock = { ms: 0 };
  const stderr = screen(enabled === 'bar');
  const terminal = { width: 60, color: false, unicode: true };
  const progress = await startProgress({ stderr }, { enabled, terminal, now: () => clock.ms });
  return { progress, clock, stderr };
}

function numbers(over: Partial<ProgressNumbers>): ProgressNumbers {
  return { phase: 'released', size: 500, armed: 500, released: 500, ended: 0, byOutcome: {}, ...over };
}

describe('which progress', () => {
  const cases: readonly (readonly [boolean, Record<string, string>, object, ProgressMode])[] = [
    [true, {}, {}, 'bar'],
    [true, { CI: '' }, {}, 'bar'],
    [true, { CI: 'true' }, {}, 'plain'],
    [true, { CI: '1' }, {}, 'plain'],
    [true, { TERM: 'dumb' }, {}, 'plain'],
    [false, {}, {}, 'plain'],
    [true, {}, { noProgress: true }, 'off'],
    [false, {}, { quiet: true }, 'quiet'],
    [true, {}, { quiet: true, noProgress: true }, 'quiet'],
  ];
  for (const [isTTY, env, flags, mode] of cases) {
    it(`${isTTY ? 'a terminal' : 'a pipe'} with ${JSON.stringify({ ...env, ...flags })}: ${mode}`, () => {
      assert.equal(progressMode({ stderr: screen(isTTY), env }, flags), mode);
    });
  }
});

describe('plain lines', () => {
  it('say one line a burst, with the final numbers', async () => {
    const { progress, stderr } = await started('plain');
    progress.stage('stage 1: steps');
    for (const index of [0, 1]) {
      progress.burst({ index, bursts: 2, size: 500, kind: 'burst' });
      progress.update(numbers({ phase: 'arming', armed: 20 }));
      progress.update(numbers({ ended: 100, byOutcome: { 101: 100 } }));
      progress.update(numbers({ ended: 500, byOutcome: { 101: 480, 504: 20 } }));
      progress.update(numbers({ phase: 'holding', ended: 500, byOutcome: { 101: 480, 504: 20 } }));
      progress.update(numbers({ phase: 'closing', ended: 500, byOutcome: { 101: 480, 504: 20 } }));
      progress.update(numbers({ phase: 'resting', size: 0, ended: 0 }));
    }
    progress.stop();
    progress.stop();
    assert.equal(
      written(stderr),
      'stage 1: steps\nburst 1/2 (500) 480 × 101, 20 × 504\nburst 2/2 (500) 480 × 101, 20 × 504\n',
    );
  });

  it('say the probes on a line of their own, and that there are some while they wait', async () => {
    const { progress, clock, stderr } = await started('plain');
    progress.burst({ index: 0, bursts: 1, size: 500, kind: 'burst' });
    progress.update(numbers({ phase: 'closing', ended: 500, byOutcome: { 101: 500 } }));
    const probing = { phase: 'probing', size: 30 } as const;
    progress.update(numbers({ ...probing, released: 1 }));
    progress.update(numbers({ ...probing, released: 1, ended: 1, byOutcome: { 504: 1 } }));
    clock.ms += 10_000;
    progress.update(numbers({ ...probing, released: 20, ended: 2, byOutcome: { 504: 2 } }));
    progress.update(numbers({ ...probing, released: 30, ended: 30, byOutcome: { 504: 12, 101: 18 } }));
    progress.update(numbers({ phase: 'resting', size: 0, ended: 0 }));
    progress.stop();
    assert.equal(
      written(stderr),
      'burst (500) 500 × 101\nburst (500) probing · ended 2/30: 2 × 504\n' +
        'burst (500) probes after it: 18 × 101, 12 × 504\n',
    );
  });

  it('say what is known when a burst is broken off', async () => {
    const { progress, stderr } = await started('plain');
    progress.burst({ index: 0, bursts: 1, size: 500, kind: 'burst' });
    progress.update(numbers({ ended: 100, byOutcome: { 101: 100 } }));
    progress.stop();
    assert.equal(written(stderr), 'burst (500) released 500 · ended 100/500: 100 × 101\n');
  });

  it('give a sign of life in a burst that waits', async () => {
    const { progress, clock, stderr } = await started('plain');
    progress.burst({ index: 0, bursts: 1, size: 500, kind: 'burst' });
    for (clock.ms = 0; clock.ms <= 25_000; clock.ms += 100)
      progress.update(numbers({ ended: 3, byOutcome: { 101: 3 } }));
    assert.equal(written(stderr).trimEnd().split('\n').length, 2);
  });

  it('come at most once a second in a churn', async () => {
    const { progress, clock, stderr } = await started('plain');
    progress.burst({ index: 0, bursts: 1, size: 0, kind: 'churn' });
    for (clock.ms = 0; clock.ms < 5000; clock.ms += 50) {
      progress.update(numbers({ phase: 'churning', size: 0, ended: clock.ms, byOutcome: { 101: clock.ms } }));
    }
    progress.update(numbers({ phase: 'closing', size: 0, ended: 5000, byOutcome: { 101: 5000 } }));
    const lines = written(stderr).trimEnd().split('\n');
    assert.equal(lines.length, 5);
    assert.equal(lines[0], 'churn ended 1,000: 1,000 × 101');
    assert.match(lines[4], /ended 5,000: 5,000 × 101$/);
  });
});

describe('the bar', () => {
  it('is drawn, makes way for lines, and leaves the terminal as it was', async () => {
    const { progress, stderr } = await started('bar');
    progress.update(numbers({ phase: 'preflight', size: 0 }));
    progress.burst({ index: 1, bursts: 5, size: 500, kind: 'burst' });
    progress.update(numbers({ phase: 'arming', armed: 120 }));
    await sleep(200);
    progress.note('a note');
    progress.warn('a \x1b[2Jwarning');
    progress.update(numbers({ ended: 250, byOutcome: { 101: 250 } }));
    await sleep(200);
    progress.stop();
    const text = written(stderr);
    assert.match(text, /burst 2\/5 \(500\) .*arming 120\/500/);
    assert.match(text, /\|█{10} {10}\|/);
    assert.ok(text.includes('a note\n'));
    assert.ok(text.includes('warning: a \\x1b[2Jwarning\n'));
    assert.ok(!text.includes('\x1b[?25l'), 'the cursor was hidden');
    assert.ok(!text.includes('\x1b[?7l'), 'line wrapping was switched off');
    assert.ok(text.endsWith('\x1b[2K'), 'the bar was not cleared');
    await sleep(200);
    assert.equal(written(stderr), '', 'drawn after the end');
  });

  it('does not come back for a line after its end', async () => {
    const { progress, stderr } = await started('bar');
    progress.burst({ index: 0, bursts: 1, size: 500, kind: 'burst' });
    progress.update(numbers({ phase: 'closing', ended: 500, byOutcome: { 101: 500 } }));
    progress.stop();
    written(stderr);
    progress.warn('could not write r.json');
    await sleep(200);
    assert.equal(written(stderr), 'warning: could not write r.json\n');
  });

  it('keeps every frame in one line', async () => {
    const { progress, stderr } = await started('bar');
    const byOutcome = { 101: 100_000, 502: 20_000, 504: 30_000, 'timeout-upgrade': 40_000, reset: 10_000 };
    progress.burst({ index: 0, bursts: 1, size: 200_000, kind: 'burst' });
    progress.update(numbers({ size: 200_000, ended: 200_000, released: 200_000, byOutcome }));
    progress.stop();
    const frames = written(stderr).split(/\x1b(?:\[\d*[A-Z]|[78])/);
    assert.ok(frames.some((frame) => frame.includes('burst (200,000)')));
    for (const frame of frames) assert.ok(frame.length < 60, frame);
  });
});

describe('no progress', () => {
  it('still notes and warns', async () => {
    const { progress, stderr } = await started('off');
    progress.note('wrote a\x1b[31m.json');
    progress.stage('a stage');
    progress.update(numbers({ ended: 5, size: 5 }));
    progress.warn('the name has two addresses');
    progress.stop();
    assert.equal(written(stderr), 'wrote a\\x1b[31m.json\nwarning: the name has two addresses\n');
  });

  it('only warns when all is quiet', async () => {
    const { progress, stderr } = await started('quiet');
    progress.note('a note');
    progress.stage('a stage');
    progress.burst({ index: 0, bursts: 1, size: 5, kind: 'burst' });
    progress.update(numbers({ ended: 5, size: 5 }));
    progress.warn('the name has two addresses');
    progress.stop();
    assert.equal(written(stderr), 'warning: the name has two addresses\n');
  });
});

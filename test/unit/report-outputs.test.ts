/** The outputs of a run side by side: what each is told, and that one that throws loses only itself. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openFiles } from '#dist/report/files/open-files.js';
import { ENDINGS } from '#dist/report/formats/formats.js';
import type { Output, RunNews } from '#dist/report/outputs/output.js';
import { RunOutputs } from '#dist/report/outputs/run-outputs.js';
import { startProgress } from '#dist/report/progress/progress.js';
import { ProgressOutput } from '#dist/report/progress/progress-output.js';
import type { Result } from '#dist/result/result.js';
import { ATTEMPTS_HEADER } from '#dist/tally/attempt-row.js';
import { rampAndCluster, result } from './report-results.js';

const WHOLE = result(rampAndCluster);
const NOTHING = result({ bursts: [] });
const NEWS: RunNews = {
  phase: 'released',
  index: 0,
  of: 1,
  size: 500,
  armed: 500,
  released: 500,
  ended: 500,
  byOutcome: { 101: 500 },
};

const EVENTS = ['interval', 'rows', 'note', 'warn', 'burst', 'save', 'end', 'close'] as const;
type Event = (typeof EVENTS)[number];

/** Notes each event under `told`, then fails at `failing`. */
function recorder(name: string, told: string[], failing: Event | null = null, isLate = false): Output {
  const on = (event: Event) => (): Promise<void> | undefined => {
    told.push(`${name} ${event}`);
    if (event !== failing) return undefined;
    if (isLate) return Promise.reject(new Error('boom'));
    throw new Error('boom');
  };
  return { name, ...Object.fromEntries(EVENTS.map((event) => [event, on(event)])) };
}

/** Everything that can happen in a run, twice. */
async function wholeRun(outputs: RunOutputs): Promise<void> {
  for (let i = 0; i < 2; i++) {
    outputs.interval(NEWS);
    outputs.rows('0,0\n');
    outputs.note('a note');
    outputs.warn('a warning');
    await outputs.burst(async () => WHOLE);
    await outputs.save(async () => WHOLE);
  }
  await outputs.end(WHOLE);
}

const IN_TURN = ['interval', 'rows', 'note', 'warn', 'burst', 'save'];
const ALL_EVENTS = [...IN_TURN, ...IN_TURN, 'end', 'close'];

describe('outputs side by side', () => {
  it('are told everything, in their order', async () => {
    const told: string[] = [];
    const outputs = new RunOutputs([recorder('a', told), recorder('b', told), { name: 'deaf' }]);
    await wholeRun(outputs);
    assert.deepEqual(
      told,
      // The last is told the end before the first is closed.
      ALL_EVENTS.flatMap((event) => [`a ${event}`, `b ${event}`]),
    );
    assert.deepEqual(outputs.problems, []);
  });

  for (const failing of EVENTS) {
    for (const isLate of [false, true]) {
      it(`lose the one that ${isLate ? 'rejects' : 'throws'} at ${failing}, and no other`, async () => {
        const told: string[] = [];
        const outputs = new RunOutputs([
          recorder('before', told),
          recorder('broken', told, failing, isLate),
          recorder('after', told),
        ]);
        await wholeRun(outputs);
        const of = (name: string): string[] =>
          told.filter((line) => line.startsWith(name)).map((line) => line.slice(name.length + 1));
        assert.deepEqual(of('before'), ALL_EVENTS);
        assert.deepEqual(of('after'), ALL_EVENTS);
        assert.deepEqual(outputs.problems, ['broken failed: boom']);
        const rest = of('broken').slice(of('broken').indexOf(failing) + 1);
        // A promise that nobody waits for has failed only when the run has waited for something.
        const known = isLate ? rest.slice(rest.indexOf('burst') + 1) : rest;
        assert.deepEqual(
          known.filter((event) => !['warn', 'end', 'close'].includes(event)),
          [],
        );
        assert.ok(of('broken').includes('end') && of('broken').includes('close'), 'it may still save and clean up');
      });
    }
  }

  it('name the problems of the files and of those that threw', async () => {
    const outputs = new RunOutputs([recorder('broken', [], 'burst'), { name: '-o x', problem: 'could not write x' }]);
    await outputs.burst(async () => WHOLE);
    assert.deepEqual(outputs.problems, ['broken failed: boom', 'could not write x']);
  });
});

describe('the files of a run', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'wst-outputs-')));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const open = (results: readonly string[], attempts: string | null) =>
    openFiles({ command: 'burst', results, attempts }, { cwd: folder, pid: 4711 });
  const path = (name: string): string => join(folder, name);
  const burstsIn = (name: string): number => JSON.parse(readFileSync(path(name), 'utf8')).bursts.length;

  it('have the rows of a burst when they have its result', async () => {
    const seen: boolean[] = [];
    const files = open(['r.json'], 'rows.csv');
    const outputs = new RunOutputs(files);
    outputs.rows('0,0\n');
    await outputs.burst(async () => {
      seen.push(existsSync(path('rows.csv')), existsSync(path('r.json')));
      return WHOLE;
    });
    // Neither is there before the other is ready: a run that is killed in between would leave files that don't agree.
    assert.deepEqual(seen, [false, false]);
    assert.equal(burstsIn('r.json'), 1);
    assert.equal(readFileSync(path('rows.csv'), 'utf8'), `${ATTEMPTS_HEADER}\n0,0\n`);
    await outputs.end(WHOLE);
    assert.equal(readFileSync(path('rows.csv'), 'utf8'), `${ATTEMPTS_HEADER}\n0,0\n`);
  });

  it('are safe before a search fires, without rows of a burst that has not ended', async () => {
    const outputs = new RunOutputs(open(['r.json'], 'rows.csv'));
    outputs.rows('0,0\n');
    await outputs.save(async () => WHOLE);
    assert.equal(burstsIn('r.json'), 1);
    assert.ok(!existsSync(path('rows.csv')));
    outputs.close();
    assert.deepEqual(readdirSync(folder), ['r.json']);
  });

  it('hold no rows of an earlier run beside one that fired nothing', async () => {
    writeFileSync(path('rows.csv'), 'of an earlier run\n');
    const outputs = new RunOutputs(open(['r.json'], 'rows.csv'));
    await outputs.end(NOTHING);
    assert.equal(readFileSync(path('rows.csv'), 'utf8'), `${ATTEMPTS_HEADER}\n`);
    assert.equal(burstsIn('r.json'), 0);
  });

  it('stay as they were when the run ends with an error before its first burst', () => {
    writeFileSync(path('rows.csv'), 'of an earlier run\n');
    writeFileSync(path('r.json'), 'of an earlier run');
    const outputs = new RunOutputs(open(['r.json'], 'rows.csv'));
    outputs.close();
    assert.equal(readFileSync(path('rows.csv'), 'utf8'), 'of an earlier run\n');
    assert.equal(readFileSync(path('r.json'), 'utf8'), 'of an earlier run');
  });

  it('share the result so far, which is not put together where no file asks for it', async () => {
    let asked = 0;
    const soFar = async (): Promise<Result> => {
      asked++;
      return WHOLE;
    };
    await new RunOutputs(open([], 'rows.csv')).burst(soFar);
    assert.equal(asked, 0);
    await new RunOutputs(open(['a.json', 'b.json'], null)).burst(soFar);
    assert.equal(asked, 1);
    assert.equal(readFileSync(path('a.json'), 'utf8'), readFileSync(path('b.json'), 'utf8'));
  });

  it('save what was measured at the end, whatever went wrong before', async () => {
    const outputs = new RunOutputs([recorder('the progress display', [], 'interval'), ...open(['r.json'], null)]);
    outputs.interval(NEWS);
    await outputs.burst(async () => {
      throw new Error('a bug');
    });
    assert.ok(!existsSync(path('r.json')));
    await outputs.end(WHOLE);
    assert.equal(burstsIn('r.json'), 1);
    assert.deepEqual(outputs.problems, ['the progress display failed: boom', '-o r.json failed: a bug']);
  });

  it('are written in the format that their ending names, devices in JSON', () => {
    const hint = (name: string): string => {
      try {
        open([name], null);
      } catch (error) {
        return `${(error as Error).message}; ${(error as { hint?: string }).hint}`;
      }
      return '';
    };
    assert.equal(hint('r.JSON'), '');
    assert.equal(hint('r.pdf'), `-o r.pdf: ".pdf" is not available; available: ${ENDINGS.join(' ')}`);
    assert.equal(hint('r'), `-o r: has no ending that names a format; available: ${ENDINGS.join(' ')}`);
    assert.equal(hint('/dev/null'), '');
  });
});

describe('the progress display as an output', () => {
  it('begins a new title with each burst, by the kind of load', async () => {
    const stderr = new PassThrough();
    const terminal = { width: 80, color: false, unicode: true };
    const output = new ProgressOutput(await startProgress({ stderr }, { enabled: 'plain', terminal, now: () => 0 }));
    const outputs = new RunOutputs([output]);
    outputs.interval({ ...NEWS, phase: 'preflight', of: 0 });
    outputs.interval({ ...NEWS, of: 2 });
    outputs.interval({ ...NEWS, phase: 'churning', index: 1, of: 2, size: null, ended: 9, byOutcome: { 101: 9 } });
    outputs.warn('a warning');
    outputs.close();
    outputs.close();
    assert.equal(String(stderr.read()), 'burst 1/2 (500) 500 × 101\nwarning: a warning\nchurn 2/2 ended 9: 9 × 101\n');
  });
});

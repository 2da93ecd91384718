import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { UserError } from '#dist/errors.js';
import { openFiles } from '#dist/report/files/open-files.js';
import { RunOutputs } from '#dist/report/outputs/run-outputs.js';
import type { Result } from '#dist/result/result.js';
import { ATTEMPTS_HEADER } from '#dist/tally/attempt-row.js';
import { rampAndCluster, result } from './report-results.js';

const isRoot = process.getuid?.() === 0;
const whole = result(rampAndCluster);

function tool(name: string, ...args: string[]): void {
  execFileSync(name, args, { stdio: 'ignore' });
}

/** The files of a run in `folder`, told what happens by name. */
function filesIn(folder: string, results: readonly string[], attempts: string | null) {
  const outputs = new RunOutputs(openFiles({ command: 'burst', results, attempts }, { cwd: folder, pid: 4711 }));
  return {
    write: (whole: Result) => outputs.save(async () => whole),
    rows: (text: string) => outputs.rows(text),
    commitRows: () => outputs.burst(async () => whole),
    close: () => outputs.close(),
    get problems() {
      return outputs.problems;
    },
  };
}

function withBursts(count: number) {
  const spec = { ...rampAndCluster, bursts: Array.from({ length: count }, () => rampAndCluster.bursts[0]) };
  return result(spec);
}

describe('output files', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'wst-writer-')));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const open = (results: readonly string[], attempts: string | null = null) => filesIn(folder, results, attempts);
  const refuses = (results: readonly string[], attempts: string | null, message: RegExp): void => {
    assert.throws(
      () => open(results, attempts),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.code, 'output');
        assert.equal(error.exitCode, 2);
        assert.notEqual(error.hint, null);
        assert.match(error.message, message);
        return true;
      },
    );
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
  };

  it('hold the latest whole result and leave nothing else behind', async () => {
    const outputs = open(['a.json', 'b.json']);
    assert.deepEqual(readdirSync(folder), []);
    await outputs.write(withBursts(1));
    assert.equal(JSON.parse(readFileSync(join(folder, 'a.json'), 'utf8')).bursts.length, 1);
    await outputs.write(withBursts(2));
    outputs.close();
    outputs.close();
    for (const name of ['a.json', 'b.json']) {
      assert.deepEqual(JSON.parse(readFileSync(join(folder, name), 'utf8')), JSON.parse(JSON.stringify(withBursts(2))));
    }
    assert.deepEqual(readdirSync(folder).sort(), ['a.json', 'b.json']);
    assert.deepEqual(outputs.problems, []);
  });

  it('are refused before anything is measured', () => {
    mkdirSync(join(folder, 'dir.json'));
    refuses(['r.pdf'], null, /-o r\.pdf: "\.pdf" is not available/);
    refuses(['result'], null, /no ending that names a format/);
    refuses(['dir.json'], null, /dir\.json: is a folder/);
    refuses([], 'dir.json', /--attempts dir\.json: is a folder/);
    refuses(['none/r.json'], null, /there is no folder .*none/);
    refuses(['a.json', './a.json'], null, /-o \.\/a\.json: the same file as -o a\.json/);
    refuses(['a.json'], 'a.json', /--attempts a\.json: the same file as -o a\.json/);
    refuses([''], null, /the path is empty/);
  });

  it('are the same file behind a link', () => {
    symlinkSync('a.json', join(folder, 'b.json'));
    refuses(['a.json', 'b.json'], null, /same file/);
    symlinkSync('loop.json', join(folder, 'loop.json'));
    refuses(['loop.json'], null, /too many symbolic links/);
  });

  it('are refused where one may not write', { skip: isRoot ? 'root may write anywhere' : false }, () => {
    writeFileSync(join(folder, 'mine.json'), 'old');
    chmodSync(join(folder, 'mine.json'), 0o444);
    refuses(['mine.json'], null, /permission denied \(EACCES\)/);
    chmodSync(folder, 0o555);
    refuses(['r.json'], null, /permission denied \(EACCES\)/);
    chmodSync(folder, 0o755);
  });

  it('keep links and permissions', async () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real', 'r.json'), 'old');
    chmodSync(join(folder, 'real', 'r.json'), 0o640);
    symlinkSync('real/r.json', join(folder, 'r.json'));
    symlinkSync('real/new.json', join(folder, 'new.json'));
    const outputs = open(['r.json', 'new.json']);
    await outputs.write(whole);
    outputs.close();
    assert.ok(lstatSync(join(folder, 'r.json')).isSymbolicLink());
    assert.ok(lstatSync(join(folder, 'new.json')).isSymbolicLink());
    assert.equal(statSync(join(folder, 'real', 'r.json')).mode & 0o777, 0o640);
    assert.equal(
      readFileSync(join(folder, 'real', 'r.json'), 'utf8'),
      readFileSync(join(folder, 'real', 'new.json'), 'utf8'),
    );
    assert.deepEqual(readdirSync(join(folder, 'real')).sort(), ['new.json', 'r.json']);
  });

  it('never write through a link put where the temporary file goes', async () => {
    const outputs = open(['r.json']);
    writeFileSync(join(folder, 'victim'), 'untouched');
    symlinkSync('victim', join(folder, '.r.json.4711-1.tmp'));
    await outputs.write(whole);
    outputs.close();
    assert.equal(readFileSync(join(folder, 'victim'), 'utf8'), 'untouched');
    assert.equal(JSON.parse(readFileSync(join(folder, 'r.json'), 'utf8')).schemaVersion, 1);
  });

  it('hold the rows of whole bursts only', async () => {
    const file = join(folder, 'rows.csv');
    const outputs = open([], 'rows.csv');
    const rows = (): string => readFileSync(file, 'utf8');
    outputs.rows('0,0\n');
    outputs.rows('0,1\n');
    assert.ok(!existsSync(file));
    await outputs.commitRows();
    assert.equal(rows(), `${ATTEMPTS_HEADER}\n0,0\n0,1\n`);
    outputs.rows('1,0\n');
    assert.equal(rows(), `${ATTEMPTS_HEADER}\n0,0\n0,1\n`);
    await outputs.commitRows();
    outputs.rows('2,0\n');
    outputs.close();
    assert.equal(rows(), `${ATTEMPTS_HEADER}\n0,0\n0,1\n1,0\n`);
    assert.deepEqual(readdirSync(folder), ['rows.csv']);
    assert.deepEqual(outputs.problems, []);
  });

  it('give a burst without rows its header', async () => {
    const outputs = open([], 'rows.csv');
    await outputs.commitRows();
    outputs.close();
    assert.equal(readFileSync(join(folder, 'rows.csv'), 'utf8'), `${ATTEMPTS_HEADER}\n`);
  });

  it('may be devices, which are never replaced', {
    skip: existsSync('/dev/full') ? false : 'no /dev/full here',
  }, async () => {
    const outputs = open(['/dev/null', '/dev/full'], '/dev/full');
    await outputs.write(whole);
    outputs.rows('0,0\n');
    await outputs.commitRows();
    outputs.close();
    assert.deepEqual(outputs.problems, [
      'could not write /dev/full: no space left on device (ENOSPC); what it got is not whole',
      'could not write /dev/full: no space left on device (ENOSPC)',
    ]);
    assert.ok(statSync('/dev/null').isCharacterDevice());
    assert.ok(statSync('/dev/full').isCharacterDevice());
  });

  it('may be a pipe, which gets one document', {
    skip: process.platform === 'win32' ? 'no named pipes' : false,
  }, async () => {
    const pipe = join(folder, 'pipe');
    tool('mkfifo', pipe);
    refuses([pipe], null, /nobody reads this pipe/);
    const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
    let read = '';
    reader.stdout.on('data', (chunk) => {
      read += String(chunk);
    });
    let outputs: ReturnType<typeof open> | null = null;
    // The reader needs a moment to open its end.
    while (outputs === null) {
      await new Promise((done) => setTimeout(done, 5));
      try {
        outputs = open([pipe]);
      } catch (error) {
        if (!String(error).includes('nobody reads')) throw error;
      }
    }
    await outputs.write(withBursts(1));
    await outputs.write(withBursts(2));
    outputs.close();
    await once(reader, 'close');
    assert.equal(JSON.parse(read).bursts.length, 2);
    assert.deepEqual(outputs.problems, []);
  });
});

/** 64 KiB for files, or why there is none. */
function smallDisk(): { folder: string; skip: string | false } {
  const folder = mkdtempSync(join(tmpdir(), 'wst-small-'));
  if (!isRoot) return { folder, skip: 'only root can mount a small disk' };
  try {
    tool('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder);
    return { folder, skip: false };
  } catch {
    return { folder, skip: 'mounting is not allowed here' };
  }
}

describe('a full disk', () => {
  const disk = smallDisk();
  after(() => {
    if (disk.skip === false) tool('umount', disk.folder);
    rmSync(disk.folder, { recursive: true, force: true });
  });
  const open = (results: readonly string[], attempts: string | null) => filesIn(disk.folder, results, attempts);

  it('keeps the last complete result, names the file, and heals', { skip: disk.skip }, async () => {
    const file = join(disk.folder, 'r.json');
    const ballast = join(disk.folder, 'ballast');
    const outputs = open(['r.json'], null);
    await outputs.write(withBursts(1));
    const before = readFileSync(file, 'utf8');
    writeFileSync(ballast, Buffer.alloc(64 * 1024 - statSync(file).blocks * 512 - 4096));
    await outputs.write(withBursts(2));
    assert.deepEqual(outputs.problems, [
      'could not write r.json: no space left on device (ENOSPC); the last complete version has 1 burst',
    ]);
    assert.equal(readFileSync(file, 'utf8'), before);
    assert.deepEqual(readdirSync(disk.folder).sort(), ['ballast', 'r.json']);
    rmSync(ballast);
    await outputs.write(withBursts(2));
    outputs.close();
    assert.deepEqual(outputs.problems, []);
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).bursts.length, 2);
    rmSync(file);
  });

  it('keeps the rows of whole bursts and says which are missing', { skip: disk.skip }, async () => {
    const file = join(disk.folder, 'rows.csv');
    const burst = (index: number): string => `${index},${'x'.repeat(96)}\n`.repeat(50);
    const outputs = open([], 'rows.csv');
    outputs.rows(burst(0));
    await outputs.commitRows();
    const before = readFileSync(file, 'utf8');
    for (let i = 0; i < 20; i++) outputs.rows(burst(1));
    await outputs.commitRows();
    assert.equal(readFileSync(file, 'utf8'), before);
    assert.deepEqual(outputs.problems, [
      'could not write rows.csv: no space left on device (ENOSPC); it holds the rows of 1 burst, those of 1 are missing',
    ]);
    outputs.rows(burst(2));
    await outputs.commitRows();
    outputs.close();
    assert.equal(readFileSync(file, 'utf8'), before + burst(2));
    assert.match(outputs.problems[0], /rows of 2 bursts, those of 1 are missing/);
    assert.deepEqual(readdirSync(disk.folder), ['rows.csv']);
    rmSync(file);
  });

  it('says that an older file is not of this run', { skip: disk.skip }, async () => {
    writeFileSync(join(disk.folder, 'old.json'), '{}');
    const outputs = open(['old.json', 'new.json'], null);
    writeFileSync(join(disk.folder, 'ballast'), Buffer.alloc(60 * 1024));
    await outputs.write(withBursts(2));
    outputs.close();
    assert.deepEqual(outputs.problems, [
      'could not write old.json: no space left on device (ENOSPC); it still holds what was there before',
      'could not write new.json: no space left on device (ENOSPC); there is no such file',
    ]);
    assert.equal(readFileSync(join(disk.folder, 'old.json'), 'utf8'), '{}');
  });
});

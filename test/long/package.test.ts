/**
 * The package as it would be published: what its tarball holds, and that it works where nothing else of this repository
 * is. Nothing is fetched: npm installs from its cache, and where that is empty the package is laid out by hand beside the
 * dependencies that the lock file names as the package's own.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { checkedResult, labFor, ROOT } from '../cli.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'wst-package-'));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

/** Built by the test's own command, so the scripts of the package need not run again. */
function pack(): { readonly file: string; readonly paths: readonly string[] } {
  const ran = npm(ROOT, ['pack', '--ignore-scripts', '--json', '--pack-destination', FOLDER]);
  assert.equal(ran.status, 0, ran.stderr);
  const [{ filename, files }] = JSON.parse(ran.stdout) as [{ filename: string; files: { path: string }[] }];
  return { file: join(FOLDER, filename), paths: files.map(({ path }) => path) };
}

function npm(cwd: string, args: readonly string[], program = 'npm') {
  // A run of the tests by npm must not lend its own settings.
  const env = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_TEST_|WSTAMPEDE_|WST_)/.test(name));
  return spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 60_000, env: Object.fromEntries(env) });
}

test('the tarball holds dist, docs, profiles and the papers, and nothing else', () => {
  const { paths } = pack();
  const top = new Set(paths.map((path) => path.split('/')[0]));
  assert.deepEqual([...top].sort(), [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist',
    'docs',
    'package.json',
    'profiles',
  ]);
  for (const path of [
    'dist/cli.js',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/engine/threads/worker.js',
    'dist/lab/main.js',
    'docs/method.md',
  ]) {
    assert.ok(paths.includes(path), path);
  }
  for (const path of ['profiles/quick-look.yaml', 'profiles/auth-tokens.csv', 'profiles/profile.schema.json']) {
    assert.ok(paths.includes(path), path);
  }
  const strange = paths.filter((path) => path.startsWith('dist/') && !/\.(js|d\.ts)$/.test(path));
  assert.deepEqual(strange, []);
});

test('installed in an empty folder it runs: version, a burst, a shipped profile, a lab target', async (t) => {
  const home = join(FOLDER, 'elsewhere');
  mkdirSync(home);
  writeFileSync(join(home, 'package.json'), '{ "name": "elsewhere", "private": true }\n');
  install(t, home, pack().file);

  const version = npx(home, ['--version']);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  const lab = await labFor(t, 'healthy', { host: '127.0.0.2' });
  const burst = npx(home, ['burst', lab.url, '-c', '50', '--json']);
  assert.equal(burst.status, 0, burst.stderr);
  const result = checkedResult(burst.stdout);
  assert.deepEqual(result.totals.outcomes, { 101: 50 });
  assert.ok(result.bursts[0].calibration, 'the mirror came with the package');
  const run = npx(home, ['run', 'quick-look', '--dry-run']);
  assert.equal(run.status, 0, run.stderr);
  assert.match(npx(home, ['lab', '--list']).stdout, /^simultaneous-504$/m);
  const api = npm(
    home,
    ['--input-type=module', '-e', "console.log(typeof (await import('wstampede')))"],
    process.execPath,
  );
  assert.equal(api.stdout, 'object\n', api.stderr);
});

function npx(cwd: string, args: readonly string[]) {
  return npm(cwd, ['--no-install', 'wstampede', ...args], 'npx');
}

function install(t: TestContext, home: string, tarball: string): void {
  const flags = ['--offline', '--no-audit', '--no-fund', '--omit=dev', '--ignore-scripts'];
  if (npm(home, ['install', ...flags, tarball]).status === 0) return;
  t.diagnostic('laid out by hand: the cache of npm lacks a dependency');
  const modules = join(home, 'node_modules');
  const own = join(modules, 'wstampede');
  mkdirSync(own, { recursive: true });
  assert.equal(spawnSync('tar', ['-xzf', tarball, '-C', own, '--strip-components=1']).status, 0);
  mkdirSync(join(modules, '.bin'), { recursive: true });
  symlinkSync('../wstampede/dist/cli.js', join(modules, '.bin', 'wstampede'));
  spawnSync('chmod', ['+x', join(own, 'dist/cli.js')]);
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }>;
  };
  for (const [path, { dev, devOptional, optional }] of Object.entries(lock.packages)) {
    // What lies below another package comes with that one's link.
    if (!/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) || dev || devOptional || optional) continue;
    mkdirSync(dirname(join(home, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(home, path));
  }
}

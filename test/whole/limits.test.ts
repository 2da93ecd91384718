/**
 * What this machine itself refuses: descriptors, local ports, room on a disk. A limit is named before anything is sent,
 * with the number that it allows, and that number is true; none of it is ever said of the target.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ATTEMPTS_HEADER } from '#dist/tally/attempt-row.js';
import { CLI, checkedResult, labFor, type RunOptions, resultOf, wstampede } from '../cli.js';
import { needs } from '../needs.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'wst-limits-'));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

const PLAIN = ['--no-preflight', '--no-calibrate'];

function limitedTo(descriptors: number): RunOptions {
  return { wrapper: (command) => ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', ...command] };
}

test('too few descriptors: named before anything is sent, and the numbers it gives are true', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.2' });
  // Workers pinned: fewer of them would leave descriptors for a few connections more.
  const args = (connections: number) => ['burst', lab.url, '-c', `${connections}`, '-w', '2', '--json', ...PLAIN];
  const refused = await wstampede(args(500), limitedTo(300));
  const result = resultOf(refused);
  assert.equal(refused.code, 4);
  assert.deepEqual(result.bursts, []);
  assert.equal(result.totals.attempted, 0);
  assert.equal(result.validity.verdict, 'invalid');
  const sentence = result.validity.reasons[0];
  assert.match(sentence, /500 connections at once need [\d,]+ file descriptors, and this process may open 300/);
  const fit = Number(/at most (\d+) connections fit/.exec(sentence)?.[1]);
  const command = /raise it with: ulimit -n (\d+)$/.exec(sentence)?.[1];
  assert.ok(fit > 0 && fit < 300, sentence);

  const text = await wstampede(['burst', lab.url, '-c', '500', '-w', '2'], limitedTo(300));
  assert.equal(text.code, 4);
  assert.match(text.stdout, /^Nothing was measured: 500 connections/);

  const more = await wstampede(args(fit + 1), limitedTo(300));
  assert.equal(more.code, 4, 'one more than it said');
  const fits = resultOf(await wstampede(args(fit), limitedTo(300)));
  assert.deepEqual(fits.totals.outcomes, { 101: fit }, 'as many as it said');
  assert.equal(fits.exitCode, 0);
  const raised = resultOf(await wstampede(args(500), limitedTo(Number(command))));
  assert.deepEqual(raised.totals.outcomes, { 101: 500 }, 'with the limit it said');
  const report = await lab.stop();
  assert.equal(report.accepted, fit + 500, 'nothing else was ever sent');
});

/** Runs `script` in a network namespace with a hundred local ports and an own loopback; `$CLI` starts the program. */
function inSmallNetwork(
  t: TestContext,
  script: string,
): { code: number | null; stdout: string; stderr: string } | null {
  const prepare = 'ip link set lo up && echo "40000 40099" > /proc/sys/net/ipv4/ip_local_port_range';
  const probe = spawnSync('unshare', ['-n', '-m', 'sh', '-c', prepare], { encoding: 'utf8' });
  const may = probe.status === 0;
  if (!needs(t, may, 'a network namespace: run as root with iproute2 and util-linux installed')) return null;
  const ran = spawnSync('unshare', ['-n', '-m', 'sh', '-c', `${prepare} || exit 99\n${script}`], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE: process.execPath, CLI, FOLDER },
  });
  assert.notEqual(ran.status, 99);
  return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

/** A target inside the namespace, up once its first line is there, gone with the script. */
const WITH_LAB = `
"$NODE" "$CLI" lab healthy --port 9500 > "$FOLDER/lab" & LAB=$!
trap 'kill $LAB; wait $LAB' EXIT
while ! grep -q ws: "$FOLDER/lab"; do sleep 0.05; done
`;

test('too few local ports: named before anything is sent; what it says fits does fit', (t) => {
  const burst = '"$NODE" "$CLI" burst ws://127.0.0.1:9500/ --no-calibrate --json';
  const ran = inSmallNetwork(
    t,
    `${WITH_LAB}
    ${burst} -c 101 > "$FOLDER/refused.json"; echo $?
    ${burst} -c 100 --no-preflight > "$FOLDER/fits.json"; echo $?
    ${burst} -c 200 --source-ip 127.0.0.2 --source-ip 127.0.0.3 --no-preflight > "$FOLDER/sources.json"; echo $?`,
  );
  if (ran === null) return;
  assert.equal(ran.stdout, '4\n0\n0\n', ran.stderr);
  const refused = resultIn('refused.json');
  assert.deepEqual(refused.bursts, []);
  assert.equal(refused.preflight, null);
  assert.match(
    refused.validity.reasons[0],
    /local ports.*100 free \(40000-40099\).*at most 100 fit.*--source-ip.*sysctl/,
  );
  assert.deepEqual(resultIn('fits.json').totals.outcomes, { 101: 100 });
  assert.deepEqual(resultIn('sources.json').totals.outcomes, { 101: 200 });
});

test('the local test server has as many pairs of addresses as the target: calibration finds the same local ports', (t) => {
  // The local test server listens on a port of the same range.
  const burst = '"$NODE" "$CLI" burst --no-preflight --json -c 190';
  const ran = inSmallNetwork(
    t,
    `${WITH_LAB.replace('healthy', 'healthy --host 0.0.0.0')}
    printf '127.0.0.1 two.test\n127.0.0.4 two.test\n' > "$FOLDER/hosts"
    mount --bind "$FOLDER/hosts" /etc/hosts
    for transport in auto node; do
      ${burst} ws://127.0.0.1:9500/ --transport $transport --source-ip 127.0.0.5 --source-ip 127.0.0.6 > "$FOLDER/s-$transport.json"; echo $?
      ${burst} ws://two.test:9500/ --transport $transport --resolve all > "$FOLDER/d-$transport.json"; echo $?
      ip link set lo down && ip link set lo up; sleep 0.2
    done`,
  );
  if (ran === null) return;
  assert.equal(ran.stdout, '0\n0\n0\n0\n', ran.stderr);
  for (const name of ['s-auto', 'd-auto', 's-node', 'd-node']) {
    const [{ outcomes, calibration, validity }] = resultIn(`${name}.json`).bursts;
    assert.deepEqual(outcomes, { 101: 190 }, name);
    assert.equal(calibration?.share101, 1, name);
    assert.doesNotMatch(validity.reasons.join('\n'), /through to its own mirror/, name);
  }
});

test('ports that others have taken: counted as local, invalid, and never blamed on the target', (t) => {
  // What listens on a port says nothing of connections, so this can only be seen when it happens.
  writeFileSync(
    join(FOLDER, 'listeners.mjs'),
    `import { createServer } from 'node:net';
    for (let port = 40000; port < 40050; port++) createServer().listen({ port, host: '0.0.0.0', exclusive: true });
    setTimeout(() => console.log('ready'), 300);`,
  );
  const burst = '"$NODE" "$CLI" burst ws://127.0.0.1:9500/ -c 100 --no-calibrate --no-preflight --close reset --json';
  const ran = inSmallNetwork(
    t,
    `${WITH_LAB}
    "$NODE" "$FOLDER/listeners.mjs" > "$FOLDER/listeners" & LISTENERS=$!
    trap 'kill $LAB $LISTENERS; wait' EXIT
    while ! grep -q ready "$FOLDER/listeners"; do sleep 0.05; done
    for transport in auto node; do ${burst} --transport $transport > "$FOLDER/taken-$transport.json"; echo $?; done`,
  );
  if (ran === null) return;
  assert.equal(ran.stdout, '4\n4\n', ran.stderr);
  for (const transport of ['auto', 'node']) {
    const result = resultIn(`taken-${transport}.json`);
    assert.deepEqual(result.totals.outcomes, { 101: 50, 'local-ports': 50 }, transport);
    assert.equal(result.bursts[0].validity.verdict, 'invalid');
    assert.match(result.validity.reasons.join('\n'), /50 attempts failed on this machine.*local-ports/);
  }
});

test('a port serves one connection to each destination, with a bound source address too', (t) => {
  writeFileSync(join(FOLDER, 'hosts'), '127.0.0.1 localhost\n127.0.0.2 both.test\n127.0.0.3 both.test\n');
  const burst =
    '"$NODE" "$CLI" burst ws://both.test:9500/ --resolve all --no-calibrate --no-preflight --close reset --json';
  const ran = inSmallNetwork(
    t,
    `mount --bind "$FOLDER/hosts" /etc/hosts || exit 98
    ${WITH_LAB.replace('healthy', 'healthy --host 0.0.0.0')}
    ${burst} -c 201 --source-ip 127.0.0.8 > "$FOLDER/more.json"; echo $?
    for transport in auto node; do
      ${burst} -c 200 --source-ip 127.0.0.8 --transport $transport > "$FOLDER/bound-$transport.json"; echo $?
    done`,
  );
  if (ran === null) return;
  assert.equal(ran.stdout, '4\n0\n0\n', ran.stderr);
  assert.match(resultIn('more.json').validity.reasons[0], /1 source address to 2 destinations have 200 free/);
  for (const transport of ['auto', 'node']) {
    assert.deepEqual(resultIn(`bound-${transport}.json`).totals.outcomes, { 101: 200 }, transport);
  }
});

test('a churn needs descriptors for those that are still closing too, and what is said to fit does fit', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.9' });
  const churn = (inFlight: number, ...more: readonly string[]) => [
    'churn',
    lab.url,
    '-c',
    `${inFlight}`,
    '--total',
    '2k',
    '-w',
    '2',
    '--json',
    '--transport',
    'node',
    ...PLAIN,
    ...more,
  ];
  const refused = await wstampede(churn(500, '--close', 'clean'), limitedTo(700));
  assert.equal(refused.code, 4);
  const [sentence = ''] = resultOf(refused).validity.reasons;
  assert.match(sentence, /500 connections at once, and those that are still closing, need .* --close reset$/);
  const fit = Number(/at most (\d+) connections fit/.exec(sentence)?.[1]);
  const ran = await wstampede(churn(fit, '--close', 'clean'), limitedTo(700));
  assert.deepEqual(resultOf(ran).totals.outcomes, { 101: 2000 });
  const reset = await wstampede(churn(500, '--close', 'reset'), limitedTo(700));
  assert.deepEqual(resultOf(reset).totals.outcomes, { 101: 2000 });
});

test('threads that this user may not start: one sentence, exit code 4', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root, to run as another user');
  const lab = await labFor(t, 'healthy', { host: '127.0.0.10' });
  const wrapper: RunOptions['wrapper'] = (command) => [
    ...['prlimit', '--nproc=16', 'setpriv', '--reuid=54321', '--clear-groups', ...command],
  ];
  const ran = await wstampede(['burst', lab.url, '-c', '50', '-w', '16', '--json'], { wrapper });
  assert.equal(ran.code, 4, ran.stderr);
  assert.match(ran.stderr, /could not start|starts no more threads/);
  assert.doesNotMatch(ran.stderr, /internal error/);
});

test('descriptors that run out in the middle of a burst: counted as local, whatever drives the sockets', async (t) => {
  // The program looks at its limit before it begins, so here the engine runs without it.
  const raw = fileURLToPath(new URL('../unit/fire-raw.js', import.meta.url));
  const source = `const { fire, useEpoll } = await import(process.argv[1]);
    if (process.argv[3] === 'epoll') await useEpoll();
    const { outcomes, details } = await fire(process.argv[2], { n: 300, timeoutMs: 20000 });
    console.log(JSON.stringify({ outcomes, details }));`;
  const lab = await labFor(t, 'healthy', { host: '127.0.0.5' });
  for (const transport of ['epoll', 'node']) {
    const node = [process.execPath, '--input-type=module', '-e', source, raw, lab.url, transport];
    const ran = spawnSync('sh', ['-c', 'ulimit -n 200; exec "$@"', 'sh', ...node], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    assert.equal(ran.status, 0, ran.stderr);
    const { outcomes, details } = JSON.parse(ran.stdout) as Record<string, Record<string, number>>;
    assert.deepEqual(Object.keys(outcomes).sort(), ['101', 'local-fds'], transport);
    assert.equal(outcomes['101'] + outcomes['local-fds'], 300);
    assert.ok(outcomes['101'] > 100 && outcomes['101'] < 200, `${outcomes['101']} of 200 descriptors`);
    assert.deepEqual(details['local-fds'], { EMFILE: outcomes['local-fds'] });
  }
});

function resultIn(name: string) {
  return checkedResult(readFileSync(join(FOLDER, name), 'utf8'));
}

/** Runs with a file system of 64 KiB at \`small\`, whose content is copied to \`kept\` before it goes. */
function onSmallDisk(t: TestContext, before: string, name: string): { options: RunOptions; kept: string } | null {
  const small = mkdtempSync(join(FOLDER, 'small-'));
  const kept = join(FOLDER, name);
  const mount = `mount -t tmpfs -o size=64k none ${small}`;
  const may = spawnSync('unshare', ['-m', 'sh', '-c', mount], { stdio: 'ignore' }).status === 0;
  if (!needs(t, may, 'a mount namespace: run as root with util-linux installed')) return null;
  const script = `${mount} && cd ${small} && { ${before}; } || exit 99; "$@"; code=$?; cp -r ${small} ${kept}; exit $code`;
  return {
    kept,
    options: { wrapper: (command) => ['unshare', '-m', 'sh', '-c', script, 'sh', ...command] },
  };
}

test('a disk that fills up in mid-run: the run is complete, the last whole version stays, stderr says so', async (t) => {
  const disk = onSmallDisk(t, 'true', 'filled');
  if (disk === null) return;
  const lab = await labFor(t, 'healthy', { host: '127.0.0.3' });
  const args = ['burst', lab.url, '-c', '50', '-b', '12', '--rest', '0s', ...PLAIN];
  const ran = await wstampede([...args, '-o', 'r.json', '--attempts', 'a.csv'], disk.options);
  const report = await lab.stop();
  assert.equal(report.upgraded, 600);
  // The file that was asked for is not what it should be: no success for a script.
  assert.equal(ran.code, 1, ran.stderr);
  assert.match(ran.stdout, /^All 600 .*\n/);
  assert.match(ran.stdout, /validity/);
  assert.match(ran.stderr, /could not write a\.csv: .*(no space|full).*holds the rows of \d+ bursts?, those of \d+/i);
  assert.doesNotMatch(ran.stderr, /\n\s+at /);
  const rows = readFileSync(join(disk.kept, 'a.csv'), 'utf8').split('\n');
  assert.equal(rows[0], ATTEMPTS_HEADER);
  assert.equal(rows.pop(), '', 'the last line is whole');
  assert.equal((rows.length - 1) % 50, 0, 'whole bursts only');
  assert.ok(rows.length > 1);
  const saved = checkedResult(readFileSync(join(disk.kept, 'r.json'), 'utf8'));
  assert.ok(saved.bursts.length >= 1 && saved.bursts.length <= 12);
  const claimed = /could not write r\.json.*the last complete version has (\d+)/.exec(ran.stderr)?.[1] ?? '12';
  assert.equal(saved.bursts.length, Number(claimed));
});

test('a disk that is full from the beginning: what was there before stays', async (t) => {
  const fill = 'printf old > r.json; printf older > a.csv; head -c 65536 /dev/zero > ballast 2> /dev/null || true';
  const disk = onSmallDisk(t, fill, 'full');
  if (disk === null) return;
  const lab = await labFor(t, 'healthy', { host: '127.0.0.4' });
  const args = ['burst', lab.url, '-c', '50', ...PLAIN, '--json'];
  const ran = await wstampede([...args, '-o', 'r.json', '--attempts', 'a.csv'], disk.options);
  await lab.stop();
  const result = resultOf(ran);
  // The file that was asked for is not what it should be: no success for a script.
  assert.equal(ran.code, 1, ran.stderr);
  assert.deepEqual(result.totals.outcomes, { 101: 50 });
  assert.match(ran.stderr, /could not write r\.json: .*it still holds what was there before/);
  assert.match(ran.stderr, /could not write a\.csv: .*it still holds what was there before/);
  assert.equal(readFileSync(join(disk.kept, 'r.json'), 'utf8'), 'old');
  assert.equal(readFileSync(join(disk.kept, 'a.csv'), 'utf8'), 'older');
});

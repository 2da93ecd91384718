/**
 * The benchmark: ratios in one run against the reference client (where WST_REF_CLIENT and WST_REF_SERVER name one) and
 * the ws client, on one target, medians of 5 with their spread. Absolute times mean little on a shared machine; ratios
 * taken in turn do. Exit code 1 when a ratio misses its goal.
 */
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Result } from '#dist/tally/result.js';
import { start as startCli } from '../cli.js';
import { watchMemory } from '../gateways/memory.js';
import { containedShare } from './bounds.js';
import { startTarget, type Target, timed } from './processes.js';

const ROUNDS = 5;
const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
const WS_CLIENT = fileURLToPath(new URL('./ws-client.js', import.meta.url));
const REF_CLIENT = process.env.WST_REF_CLIENT ?? null;
const REF_SERVER = process.env.WST_REF_SERVER ?? null;
const GOAL = { cpu: 2.5, spread: 2.5, version: 2.5, startMs: 800, memoryMib: 180, contained: 0.999 };

const missed: string[] = [];

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function show(values: readonly number[], digits = 1): string {
  const text = (n: number) => n.toFixed(digits);
  return `${text(median(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`;
}

function judge(what: string, value: number, limit: number, isAtLeast = false): string {
  const ok = isAtLeast ? value >= limit : value <= limit;
  if (!ok) missed.push(`${what}: ${value.toFixed(3)}, goal ${isAtLeast ? '≥' : '≤'} ${limit}`);
  return `${ok ? 'met' : 'MISSED'} (goal ${isAtLeast ? '≥' : '≤'} ${limit})`;
}

function wstampede(...args: string[]): string[] {
  return [process.execPath, CLI, ...args, '--no-preflight', '--no-calibrate', '--no-progress', '--json'];
}

const SMALL = 2000;
const LARGE = 20_000;

/** Marginal cost: what 18,000 more handshakes cost, so that starting up does not count. µs a handshake. */
async function marginal(run: (n: number) => readonly string[]): Promise<number> {
  const small = await timed(run(SMALL));
  const large = await timed(run(LARGE));
  return ((large.cpuS - small.cpuS) / (LARGE - SMALL)) * 1e6;
}

async function cpu(target: Target): Promise<void> {
  const own: number[] = [];
  const ws: number[] = [];
  const ref: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await marginal((n) => wstampede('churn', target.url(), '-n', `${n}`, '-c', '500')));
    ws.push(await marginal((n) => [process.execPath, WS_CLIENT, target.url(), `${n}`, '500']));
    if (REF_CLIENT !== null) {
      const client = REF_CLIENT;
      ref.push(
        await marginal((n) => [
          client,
          '--port',
          `${target.port}`,
          '--host',
          target.host(),
          '--n',
          `${n}`,
          '--c',
          '500',
          '--rst',
        ]),
      );
    }
  }
  console.log('\nCPU a handshake, µs, user + system of the whole tree, (20,000 − 2,000) / 18,000 at 500 in flight');
  console.log(`  wstampede node   ${show(own)}`);
  console.log(`  ws client        ${show(ws)}   wstampede / ws ${(median(own) / median(ws)).toFixed(2)}`);
  if (ref.length === 0) return;
  const ratios = own.map((value, i) => value / ref[i]);
  console.log(`  reference        ${show(ref)}`);
  console.log(`  ratio            ${show(ratios, 2)}   ${judge('CPU ratio', median(ratios), GOAL.cpu)}`);
}

async function spread(target: Target): Promise<void> {
  const own: number[] = [];
  const cold: number[] = [];
  const ref: number[] = [];
  const args = (...more: string[]) => [
    ...[process.execPath, CLI, 'burst', target.url(), '-c', '2000', '--gate', 'upgrade', '--close', 'reset'],
    ...['--no-preflight', '--no-progress', '--json', ...more],
  ];
  const spreadOf = async (command: readonly string[]) =>
    (JSON.parse((await timed(command)).stdout) as Result).bursts[0].release?.spreadMs ?? Number.NaN;
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await spreadOf(args()));
    cold.push(await spreadOf(args('--no-calibrate')));
    if (REF_CLIENT === null) continue;
    const said = await timed([
      REF_CLIENT,
      '--port',
      `${target.port}`,
      '--host',
      target.host(),
      '--n',
      '2000',
      '--burst',
    ]);
    ref.push(Number(/send skew \(last send - first send\) ([\d.]+) ms/.exec(said.stdout)?.[1]));
  }
  console.log('\nRelease spread, ms, first to last of 2,000 upgrade requests');
  console.log(`  wstampede node   ${show(own)}`);
  console.log(`  --no-calibrate   ${show(cold)}   (code not yet compiled)`);
  if (ref.length === 0) return;
  const ratio = median(own) / median(ref);
  console.log(`  reference        ${show(ref)}`);
  console.log(`  ratio            ${ratio.toFixed(2)}   ${judge('spread ratio', ratio, GOAL.spread)}`);
  console.log(`  --no-calibrate   ${(median(cold) / median(ref)).toFixed(2)}`);
}

/** Share of attempts whose time on the wire lies within the two bounds of `upgrade`. */
async function bounds(): Promise<void> {
  const shares: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const share = await containedShare(CLI, 2000);
    if (share === null) {
      console.log(
        '\nTwo-sided bound against a packet capture: skipped, needs root and tcpdump: apt-get install tcpdump',
      );
      return;
    }
    shares.push(share);
  }
  const text = shares.map((share) => `${(share * 100).toFixed(2)} %`).join(', ');
  console.log('\nAttempts of 2,000 whose captured upgrade time lies inside the two-sided bound');
  console.log(`  wstampede node   ${text}   ${judge('contained', median(shares), GOAL.contained, true)}`);
}

async function memory(target: Target): Promise<void> {
  const peaks: number[] = [];
  for (let round = 0; round < 3; round++) {
    const args = ['burst', target.url(), '-c', '15000', '--gate', 'upgrade', '--hold', '1s', '--close', 'reset'];
    const running = startCli([...args, '--no-preflight', '--no-calibrate', '--no-progress', '--json']);
    const watch = await watchMemory(running.pid, running.done);
    const ran = await running.done;
    const got = (JSON.parse(ran.stdout) as Result).totals.outcomes['101'];
    if (got !== 15_000) throw new Error(`only ${got} of 15,000 were opened`);
    peaks.push(watch.peakRss);
  }
  console.log('\nPeak memory, MiB, 15,000 connections opened (gate upgrade) and held, whole process tree');
  console.log(`  wstampede node   ${show(peaks)}   ${judge('memory', median(peaks), GOAL.memoryMib)}`);
}

async function startUp(target: Target): Promise<void> {
  const first: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const args = [
      process.execPath,
      CLI,
      'burst',
      target.url(),
      '-c',
      '1000',
      '--no-calibrate',
      '--no-progress',
      '--json',
    ];
    const ran = await timed(args);
    const released = Date.parse((JSON.parse(ran.stdout) as Result).bursts[0].releasedAt ?? '');
    first.push(released - ran.startedAt);
  }
  console.log('\nCommand start to first burst released, ms, 1,000 connections, --no-calibrate');
  console.log(`  wstampede        ${show(first, 0)}   ${judge('start', median(first), GOAL.startMs)}`);
  const version: number[] = [];
  const node: number[] = [];
  for (let round = 0; round < 2 * ROUNDS; round++) {
    version.push((await timed([process.execPath, CLI, '--version'])).wallMs);
    node.push((await timed([process.execPath, '-e', '0'])).wallMs);
  }
  const ratio = median(version) / median(node);
  console.log('\n--version, ms');
  console.log(`  wstampede        ${show(version)}\n  node -e 0        ${show(node)}`);
  console.log(`  ratio            ${ratio.toFixed(2)}   ${judge('--version ratio', ratio, GOAL.version)}`);
}

console.log(`${cpus().length} cores, node ${process.version}, medians of ${ROUNDS} (min–max)`);
if (REF_CLIENT === null || REF_SERVER === null) {
  console.log('No reference: set WST_REF_CLIENT and WST_REF_SERVER to a client and a server that take the same flags');
  console.log('(CLIENT --port P --host H --n N --c C --rst|--burst, SERVER PORT) to get ratios; going on without.');
}
const target = await startTarget(REF_SERVER);
try {
  await cpu(target);
  await spread(target);
  await bounds();
  await memory(target);
  await startUp(target);
} finally {
  await target.stop();
}
if (missed.length > 0) {
  console.log(`\nMissed:\n  ${missed.join('\n  ')}`);
  process.exitCode = 1;
}

/**
 * The error rates of `compare` on real bursts, through the command line: 200 pairs of which nothing differs, 30 with a
 * backend slowed by 20 %, and two searches of which one target's drop-off is 30 % lower. A pair is ten one-burst files of
 * 1,000 handshakes a side, fired in turn (A B A B …). Pairs that ended stand in the folder, so that a campaign that was
 * stopped goes on where it was. For a quiet machine: it takes two to three hours.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Comparison } from '#dist/compare/comparison.js';
import { spawnLab } from '#dist/lab/spawn.js';
import { type Ran, ROOT, wstampede } from '../cli.js';

const PAIRS = Number(process.env.WST_BENCH_PAIRS ?? 200);
const SLOWED_PAIRS = Math.ceil((30 * PAIRS) / 200);
const PER_SIDE = 10;
const SIZE = 1000;
const GATE = ['--fail-on', 'p99(handshake) +0%'];
/** One upgrade after another: 0.75 s for all, of which the spread of the starts is a small part. The second one is 20 % slower. */
const SERVICE = ['750us', '900us'];
const MOST_FALSE = 0.06;
const LEAST_SEEN = 0.8;

interface Pair {
  readonly verdict: Comparison['verdict'];
  readonly exitCode: number;
  /** No number where half of the bursts of a side had failures enough. */
  readonly change: number | string;
  readonly scatter: number | null;
  /** Why it was not judged. */
  readonly because: string | null;
}

/** @returns the exit code: 1 when a share misses its limit */
export async function liveCampaign(folder = join(ROOT, 'test/.out/compare-live')): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const labs = await Promise.all(
    SERVICE.map((service, i) => spawnLab('simultaneous-504', { timeout: '30s', service, host: `127.0.0.${70 + i}` })),
  );
  try {
    const same = await pairsOf(folder, 'same', PAIRS, [labs[0].url, labs[0].url]);
    const slowed = await pairsOf(folder, 'slowed', SLOWED_PAIRS, [labs[0].url, labs[1].url]);
    const [falsely, seen] = [same, slowed].map(shareWorse);
    tell('nothing differs', same, `at most ${MOST_FALSE * 100}% WORSE`);
    tell('backend slowed by 20 %', slowed, `at least ${LEAST_SEEN * 100}% WORSE`);
    const isSeen = await dropOffIsSeen(folder);
    return falsely <= MOST_FALSE && seen >= LEAST_SEEN && isSeen ? 0 : 1;
  } finally {
    await Promise.all(labs.map((lab) => lab.stop().catch(() => {})));
  }
}

async function pairsOf(folder: string, name: string, count: number, urls: readonly [string, string]): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let i = 0; i < count; i++) {
    const file = join(folder, `${name}-${String(i).padStart(3, '0')}.json`);
    if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(await firedPair(join(folder, 'firing'), urls))}\n`);
    pairs.push(JSON.parse(readFileSync(file, 'utf8')) as Pair);
    process.stdout.write(`${name} ${i + 1}/${count}: ${JSON.stringify(pairs[i])}\n`);
  }
  return pairs;
}

async function firedPair(folder: string, urls: readonly [string, string]): Promise<Pair> {
  rmSync(folder, { recursive: true, force: true });
  const sides = ['base', 'new'].map((side) => join(folder, side));
  for (const side of sides) mkdirSync(side, { recursive: true });
  for (let i = 0; i < PER_SIDE; i++) {
    for (const [which, side] of sides.entries()) {
      // Closed by RST: TIME_WAIT pairs of thousands of bursts would run out of ports.
      const flags = ['-c', `${SIZE}`, '--close', 'reset', '--no-calibrate', '--no-preflight', '-q'];
      const ran = await wstampede(['burst', urls[which], ...flags, '-o', join(side, `${i}.json`)]);
      // What is invalid or failed is what compare has to deal with.
      if (ran.code === null || ran.code === 1 || ran.code === 2) {
        throw new Error(`a burst ended with ${ran.code}: ${ran.stderr}`);
      }
    }
  }
  const { metrics, verdict, exitCode, refused } = comparisonOf(
    await wstampede(['compare', sides[0], '--with', sides[1], ...GATE, '--any-target', '--json']),
  );
  const p99 = metrics.find(({ metric }) => metric === 'p99(handshake)');
  if (p99 === undefined || p99.change === null) throw new Error(`nothing was compared: ${refused.join('; ')}`);
  return { verdict, exitCode, change: p99.change, scatter: p99.scatter, because: p99.because };
}

function comparisonOf({ stdout, stderr }: Ran): Comparison {
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Comparison;
}

function shareWorse(pairs: readonly Pair[]): number {
  return pairs.filter(({ verdict }) => verdict === 'worse').length / pairs.length;
}

function tell(name: string, pairs: readonly Pair[], limit: string): void {
  const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b);
  const at = (values: readonly number[], p: number) =>
    `${(100 * sorted(values)[Math.floor(p * (values.length - 1))]).toFixed(1)}%`;
  const counts = (['worse', 'better', 'no worse', 'undecided', 'not comparable'] as const)
    .map((verdict) => `${verdict} ${pairs.filter((pair) => pair.verdict === verdict).length}`)
    .join(', ');
  const scatters = pairs.flatMap(({ scatter }) => scatter ?? []);
  const changes = pairs.flatMap(({ change }) => (typeof change === 'number' ? [change] : []));
  process.stdout.write(
    `${name}: ${pairs.length} pairs: ${counts} (${limit}); scatter between runs ${at(scatters, 0.5)} (median), ${at(scatters, 0.9)} (p90); change ${at(changes, 0.05)} … ${at(changes, 0.95)}, median ${at(changes, 0.5)}\n`,
  );
}

/** 200 of a burst fit into the timeout of the first target, 140 into that of the second. */
async function dropOffIsSeen(folder: string): Promise<boolean> {
  const files = ['found-base.json', 'found-new.json'].map((file) => join(folder, file));
  for (const [i, service] of ['5ms', '7143us'].entries()) {
    if (existsSync(files[i])) continue;
    const lab = await spawnLab('simultaneous-504', { timeout: '1s', service, host: `127.0.0.${72 + i}` });
    const flags = [
      '--max',
      '2k',
      '--preset',
      'standard',
      '--fresh-wait',
      '2s',
      '--rest',
      '300ms',
      '-q',
      '-o',
      files[i],
    ];
    const ran = await wstampede(['find', lab.url, ...flags], { patienceMs: 1_200_000 });
    await lab.stop();
    if (ran.code !== 0) throw new Error(`a search ended with ${ran.code}: ${ran.stderr}`);
  }
  const ran = await wstampede(['compare', files[0], '--with', files[1], '--fail-on', 'dropOff -0%', '--any-target']);
  process.stdout.write(`drop-off 30 % lower, two standard searches:\n${ran.stdout}`);
  return ran.code === 3;
}

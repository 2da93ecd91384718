/**
 * Holds what the program counted against a gateway's access log: every outcome by its number, and every attempt by its
 * local port.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resultOf, sum, wstampede } from '../cli.js';
import type { Gateway } from './gateway.js';
import type { Stack } from './stack.js';

export type Counts = Readonly<Record<string, number | undefined>>;

/** What the log has where it doesn't have the outcome itself; null: no line. Of several any will do. */
export type Wording = Readonly<Record<string, string | null | readonly (string | null)[]>>;

export interface Attempt {
  readonly port: number;
  readonly outcome: string;
}

export interface Compared {
  /** How many lines were the burst's own. */
  readonly lines: number;
  readonly faults: readonly string[];
}

export interface BurstOptions {
  readonly secure?: boolean;
  /** With preflight; its handshakes are in the log as well. */
  readonly preflight?: boolean;
  readonly gate?: 'connect' | 'tls' | 'upgrade';
}

let number = 0;

/**
 * One burst of `size` through the gateway, every one with a path of its own in the log.
 * @returns what both counted of the burst itself
 * @throws AssertionError when they do not agree
 */
export async function agreedBurst(gateway: Gateway, size: number, options: BurstOptions = {}): Promise<Counts> {
  const { secure = false, preflight = false, gate = 'connect' } = options;
  number += 1;
  const name = `burst-${number}`;
  const folder = mkdtempSync(join(tmpdir(), 'wst-agree-'));
  try {
    const ran = await wstampede([
      ...['burst', `${secure ? gateway.secureUrl : gateway.url}${name}`, '-c', `${size}`, '--gate', gate, '-t', '30s'],
      ...['--no-calibrate', '--json', '--attempts', `${folder}/attempts.csv`],
      ...(preflight ? [] : ['--no-preflight']),
      ...(secure ? ['--ca', gateway.ca] : []),
    ]);
    const result = resultOf(ran);
    const [burst] = result.bursts;
    assert.equal(burst.attempted, size);
    assert.notEqual(burst.validity.verdict, 'invalid', burst.validity.reasons.join('; '));
    assert.equal(ran.code, burst.outcomes['101'] === undefined ? 3 : 0, ran.stderr);
    const attempts = attemptsOf(readFileSync(`${folder}/attempts.csv`, 'utf8'));
    const compared = await compareWithLog(gateway, `/${name}`, attempts, {}, result.preflight?.outcomes ?? {});
    assert.deepEqual(compared.faults, [], name);
    return burst.outcomes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Port and outcome of every row. Neither holds a comma. */
export function attemptsOf(csv: string): Attempt[] {
  const [header, ...rows] = csv.trimEnd().split('\n');
  const at = (column: string) => header.split(',').indexOf(column);
  const [port, outcome] = [at('local_port'), at('outcome')];
  return rows.map((row) => {
    const cells = row.split(',');
    return { port: Number(cells[port]), outcome: cells[outcome] };
  });
}

/**
 * Whether the log has a line for each attempt, with its port and its status, and beyond those none but the preflight's.
 * @param before outcomes of the preflight
 */
export async function compareWithLog(
  gateway: Pick<Stack, 'log'>,
  path: string,
  attempts: readonly Attempt[],
  wording: Wording,
  before: Readonly<Record<string, number>>,
): Promise<Compared> {
  const said = (outcome: string) => (outcome in wording ? [wording[outcome]].flat() : [outcome]);
  const logged = attempts.filter(({ outcome }) => said(outcome)[0] !== null);
  const extra = Object.entries(before).filter(([outcome]) => said(outcome)[0] !== null);
  const ports = new Set(attempts.map(({ port }) => port));
  const lines = await gateway.log(path, logged.length + sum(Object.fromEntries(extra)), ports);
  const places = new Map<string, number[]>();
  lines.forEach(({ port, status }, i) => {
    const key = `${port} ${status}`;
    places.set(key, [...(places.get(key) ?? []), i]);
  });
  const taken = new Set<number>();
  const faults: string[] = [];
  for (const { port, outcome } of logged) {
    const words = said(outcome);
    const i = words.map((word) => places.get(`${port} ${word}`)?.pop()).find((place) => place !== undefined);
    if (i !== undefined) taken.add(i);
    if (i !== undefined || words.includes(null)) continue;
    const found = lines.filter((line) => line.port === port).map((line) => line.status);
    faults.push(`port ${port} is ${outcome}, and in the log ${found.join(', ') || 'nothing'} (${lines.length} lines)`);
  }
  // Whatever line belongs to no attempt of the burst is one of the preflight's, and nothing is left over.
  const rest = lines.filter((_, i) => !taken.has(i)).map(({ status }) => status);
  for (const [outcome, count] of extra) {
    for (let i = 0; i < count; i += 1) {
      const place = rest.indexOf(said(outcome)[0] ?? '');
      if (place < 0) faults.push(`a ${outcome} of the preflight is not in the log`);
      else rest.splice(place, 1);
    }
  }
  if (rest.length > 0) faults.push(`${rest.length} lines belong to no attempt: ${[...new Set(rest)].join(', ')}`);
  return { lines: taken.size, faults: shortened(faults) };
}

/** A thousand attempts without a line are one fault. */
function shortened(faults: readonly string[]): string[] {
  return faults.length <= 3 ? [...faults] : [...faults.slice(0, 3), `and ${faults.length - 3} more`];
}

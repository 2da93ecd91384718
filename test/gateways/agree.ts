/**
 * Fires bursts at a gateway and holds what the program counted against the gateway's access log: every outcome by its
 * number, and every attempt by its local port.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resultOf, sum, wstampede } from '../cli.js';
import type { Gateway, LogLine } from './gateway.js';

export type Counts = Readonly<Record<string, number | undefined>>;

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
    const before: Counts = result.preflight?.outcomes ?? {};
    const expected = size + (result.preflight?.attempted ?? 0);
    const lines = await gateway.log(name, expected);
    const rest = without(lines, attemptsOf(readFileSync(`${folder}/attempts.csv`, 'utf8')));
    assert.deepEqual(counted(lines), added(burst.outcomes, before), `${name}: the log and the counts`);
    // Whatever line belongs to no attempt of the burst is one of the preflight's, and nothing is left over.
    assert.deepEqual(counted(rest), { ...before }, `${name}: lines that belong to no attempt`);
    assert.equal(sum(before as Record<string, number>), rest.length);
    return burst.outcomes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Port and outcome of every row. Neither holds a comma. */
function attemptsOf(csv: string): LogLine[] {
  const [header, ...rows] = csv.trimEnd().split('\n');
  const at = (column: string) => header.split(',').indexOf(column);
  const [port, outcome] = [at('local_port'), at('outcome')];
  return rows.map((row) => {
    const cells = row.split(',');
    return { port: Number(cells[port]), status: cells[outcome] };
  });
}

/** The lines that are left when every attempt has taken its own, by port and status. */
function without(lines: readonly LogLine[], attempts: readonly LogLine[]): LogLine[] {
  const left = [...lines];
  const places = new Map<string, number[]>();
  left.forEach(({ port, status }, i) => {
    const key = `${port} ${status}`;
    places.set(key, [...(places.get(key) ?? []), i]);
  });
  const taken = new Set<number>();
  for (const { port, status } of attempts) {
    const i = places.get(`${port} ${status}`)?.pop();
    if (i === undefined) {
      const said = lines.filter((line) => line.port === port).map((line) => line.status);
      assert.fail(
        `port ${port} has ${status} in the attempts, and in the log ${said.join(', ') || 'nothing'} (${lines.length} lines)`,
      );
    }
    taken.add(i);
  }
  return left.filter((_, i) => !taken.has(i));
}

function counted(lines: readonly LogLine[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of lines) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function added(a: Counts, b: Counts): Record<string, number> {
  const total: Record<string, number> = {};
  for (const counts of [a, b]) for (const [id, n = 0] of Object.entries(counts)) total[id] = (total[id] ?? 0) + n;
  return total;
}

/**
 * What the kernel says of connections, end to end: a listen queue of 16 before a loop that stands still for 1.5 s is
 * counted attempt by attempt, in the rows, in the result and in the diagnosis. Without the kernel it is inferred.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import type { Result } from '#dist/result/result.js';
import { resultOf, wstampede } from '../cli.js';
import { freePorts, startScript } from '../gateways/child.js';
import { needs } from '../needs.js';

const BACKLOG = 16;
const SIZE = 100;

interface Fired {
  readonly result: Result;
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** One burst against a server that accepts nothing from before the release on. */
async function fireAtStill(transport: 'epoll' | 'node'): Promise<Fired> {
  const folder = mkdtempSync(join(tmpdir(), 'wst-kernel-'));
  const [port] = await freePorts(1);
  const backend = startScript('backend', [
    JSON.stringify({ kind: 'blocks', backlog: BACKLOG, blockMs: 1500 }),
    `${port}`,
  ]);
  try {
    await backend.line();
    backend.say('block');
    await backend.line();
    const file = join(folder, 'attempts.csv');
    const ran = await wstampede([
      ...[
        'burst',
        `ws://127.0.0.1:${port}/`,
        '-c',
        `${SIZE}`,
        '-t',
        '3s',
        '--close',
        'reset',
        '--transport',
        transport,
      ],
      ...['--no-preflight', '--no-calibrate', '--json', '--attempts', file],
    ]);
    const rows = parse(readFileSync(file), { columns: true }) as Record<string, string>[];
    return { result: resultOf(ran), rows };
  } finally {
    await backend.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function queueIn({ diagnosis }: Result) {
  const found = diagnosis.find(({ cause }) => cause === 'listen-queue-full');
  assert.ok(found !== undefined, JSON.stringify(diagnosis, null, 1));
  return found;
}

test('a listen queue of 16 is seen: 17 attempts needed no SYN retransmit', async (t) => {
  const opened = await openKernel(`${process.platform}-${process.arch}`);
  if (!needs(t, typeof opened !== 'string', `the transport epoll: ${opened}`)) return;
  const { result, rows } = await fireAtStill('epoll');
  const { kernel, latencyLowerMs } = result.bursts[0];
  assert.deepEqual([kernel?.asked, kernel?.synRetransmitted], [SIZE, SIZE - BACKLOG - 1]);
  assert.ok((kernel?.synRetransmits ?? 0) >= SIZE - BACKLOG - 1);
  assert.equal(latencyLowerMs, null);
  assert.deepEqual(result.totals.kernel, kernel);
  assert.deepEqual([result.generators[0].transport, result.generators[0].transportNote], ['epoll', null]);
  assert.equal(rows.filter(({ syn_retransmits }) => syn_retransmits === '0').length, BACKLOG + 1);
  assert.ok(
    rows.every(
      ({ syn_retransmits, rtt_us }) => syn_retransmits !== '' && (syn_retransmits !== '0') === (rtt_us === ''),
    ),
  );
  const { figures, evidence, confidence } = queueIn(result);
  assert.equal(figures.backlog, BACKLOG);
  assert.match(evidence, /^Seen, not inferred: 17 of 100 attempts needed no SYN retransmit/);
  assert.ok(confidence > 0.9);
});

test('without the kernel it is inferred, and its rows have no such columns filled', async () => {
  const { result, rows } = await fireAtStill('node');
  assert.deepEqual([result.bursts[0].kernel, result.totals.kernel], [null, null]);
  assert.equal(result.generators[0].transport, 'node');
  assert.ok(result.bursts[0].latencyLowerMs !== null);
  assert.ok(rows.length === SIZE && rows.every(({ syn_retransmits, rtt_us }) => `${syn_retransmits}${rtt_us}` === ''));
  const { figures, evidence } = queueIn(result);
  assert.equal(figures.backlog, BACKLOG);
  assert.doesNotMatch(evidence, /Seen/);
});

/**
 * Every stamp of a burst held against a packet capture, attempt by attempt, joined by local port: what the wire took from
 * a request to its answer, and what the attempts file says that it took. Needs root and tcpdump.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCapture } from '../gateways/capture.js';
import { bare, type Contenders, missingRows, type Transport } from './contenders.js';
import { type Goal, goalText, isMet, median, NONE, type Section, show, type Table } from './figures.js';
import { type Comparison, compare, readAttempts } from './joined.js';
import { type Target, timed } from './processes.js';

const SIZES = [500, 2000, 5000] as const;
const GATES = ['connect', 'upgrade'] as const;
/** By the kernel's stamps a percentile, or the worst attempt, is off by the larger of these at most: ms, and of what was captured. */
const NEAR_MS = 0.5;
const NEAR_SHARE = 0.01;
/** Of the attempts stamped in user space, the share whose captured time lies within their two bounds. */
const WITHIN_SHARE = 0.999;

interface Cell {
  readonly size: number;
  readonly gate: (typeof GATES)[number];
  readonly transport: Transport;
  readonly rounds: Comparison[];
}

export function canCapture(): boolean {
  return process.getuid?.() === 0 && spawnSync('tcpdump', ['--version'], { stdio: 'ignore' }).error === undefined;
}

async function fire({ size, gate, transport, rounds }: Cell, target: Target): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wst-accuracy-'));
  const file = join(folder, 'attempts.csv');
  const host = target.host();
  const capture = await startCapture(host, target.port);
  try {
    const url = `ws://${host}:${target.port}/`;
    const burst = ['burst', url, '-c', `${size}`, '--gate', gate, '--close', 'reset', '--attempts', file];
    const ran = await timed(bare(transport, ...burst, '--no-calibrate'));
    const wire = await capture.stop();
    if (ran.code !== 0)
      throw new Error(`${size} at ${gate}, ${transport}: exit ${ran.code}: ${ran.stderr.slice(-300)}`);
    rounds.push(compare(readAttempts(readFileSync(file, 'utf8')), wire));
  } finally {
    await capture.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function goalsOf({ size, gate, transport, rounds }: Cell): Goal[] {
  const of = `${size} at ${gate}, ${transport}`;
  if (transport === 'node') {
    const value = median(rounds.map(({ within }) => within));
    return [{ what: `captured upgrade time within the bounds, ${of}`, value, limit: WITHIN_SHARE, isAtLeast: true }];
  }
  const near = (ofWire: 'p50' | 'p99') =>
    Number(Math.max(NEAR_MS, NEAR_SHARE * median(rounds.map(({ wire }) => wire[ofWire]))).toFixed(2));
  const percentiles = (['p50', 'p99'] as const).map((name) => ({
    what: `${name} of upgrade against the capture, ${of}, ms`,
    value: median(rounds.map((one) => Math.abs(one.said[name] - one.wire[name]))),
    limit: near(name),
  }));
  const worst = median(rounds.map(({ worstMs }) => worstMs));
  return [
    ...percentiles,
    { what: `worst single attempt against the capture, ${of}, ms`, value: worst, limit: near('p50') },
  ];
}

function upgradeTable(cells: readonly Cell[], contenders: Contenders): Table {
  const head = [
    'burst',
    'p50 wire',
    'p50 said',
    'p50 off by',
    'p99 wire',
    'p99 said',
    'p99 off by',
    'worst',
    'within',
    'goal',
  ];
  const rows = cells.map((cell) => {
    const { size, gate, transport, rounds } = cell;
    const percentiles = (['p50', 'p99'] as const).flatMap((name) => {
      const [wire, lower, said] = (['wire', 'lower', 'said'] as const).map((of) =>
        median(rounds.map((one) => one[of][name])),
      );
      const bounds = transport === 'node' ? `${lower.toFixed(2)} … ${said.toFixed(2)}` : said.toFixed(2);
      return [
        wire.toFixed(2),
        bounds,
        show(
          rounds.map((one) => one.said[name] - one.wire[name]),
          2,
        ),
      ];
    });
    const goals = goalsOf(cell);
    const isWithin = transport === 'node' ? `${(median(rounds.map(({ within }) => within)) * 100).toFixed(2)} %` : NONE;
    const worst = show(
      rounds.map((one) => one.worstMs),
      2,
    );
    const judged = goals.find((goal) => !isMet(goal)) ?? goals[0];
    return [`${size} at ${gate}, ${transport}`, ...percentiles, worst, isWithin, goalText(judged)];
  });
  return {
    title:
      'Phase `upgrade` against a packet capture, ms: last packet of the request out, first packet of the answer in',
    head,
    rows: [...rows, ...missingRows(contenders, head.length)],
    notes: [
      'said: of epoll by the stamps of the kernel, of node the lower … upper bound; off by: what is said (upper bound) less the wire',
      'worst: the single attempt that is furthest from the wire (node: its upper bound)',
      'within: attempts whose captured time lies between their two bounds',
      `goals: epoll within ${NEAR_MS} ms or ${NEAR_SHARE * 100} %, its worst attempt too; node at least ${WITHIN_SHARE * 100} % within the bounds`,
    ],
  };
}

/** Instants since the release: here the offset of the two clocks counts as well. */
function instantsTable(cells: readonly Cell[], contenders: Contenders): Table {
  const head = [
    'burst',
    'requested p50',
    'p99',
    'worst',
    'connected p50',
    'p99',
    'worst',
    'answered p50',
    'p99',
    'worst',
  ];
  const rows = cells.map(({ size, gate, transport, rounds }) => [
    `${size} at ${gate}, ${transport}`,
    ...(['requested', 'connected', 'answered'] as const).flatMap((instant) =>
      (['p50', 'p99', 'worst'] as const).map((name) => {
        const values = rounds.map((one) => one[instant][name]).filter(Number.isFinite);
        return values.length === 0 ? NONE : median(values).toFixed(3);
      }),
    ),
  ]);
  return {
    title: 'Instants after the release against the same capture, ms: what is said less the wire',
    head,
    rows: [...rows, ...missingRows(contenders, head.length)],
    notes: [
      'requested: the request; connected: SYN-ACK (gate connect only); answered: the answer, the end of `handshake`',
      'medians over the rounds; worst: the single attempt that is furthest off, early or late',
    ],
  };
}

export async function accuracy(target: Target, contenders: Contenders, times: number): Promise<Section> {
  if (!canCapture()) {
    const rows = [['skipped: needs root and tcpdump (apt-get install tcpdump)']];
    return { tables: [{ title: 'Against a packet capture', head: ['all bursts'], rows, notes: [] }], goals: [] };
  }
  const cells: Cell[] = SIZES.flatMap((size) =>
    GATES.flatMap((gate) => contenders.transports.map((transport) => ({ size, gate, transport, rounds: [] }))),
  );
  for (let round = 0; round < times; round++) {
    for (const cell of cells) await fire(cell, target);
  }
  return { tables: [upgradeTable(cells, contenders), instantsTable(cells, contenders)], goals: cells.flatMap(goalsOf) };
}

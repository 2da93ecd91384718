/** What the program takes before and while it measures: memory for held connections, and the time until it is under way. */
import type { Result } from '#dist/result/result.js';
import { CLI, start as startCli } from '../cli.js';
import { watchMemory } from '../gateways/memory.js';
import { bare, type Contenders, missingRows, type Transport, wstampede } from './contenders.js';
import { type Goal, goalText, median, type Section, show, type Table } from './figures.js';
import { type Target, timed } from './processes.js';

const HELD = 15_000;
const GOAL_MIB = { epoll: 120, node: 180 };
const STARTED = 1000;
const GOAL_START_MS = 600;
const GOAL_VERSION = 2.5;

type Values = ReadonlyMap<Transport, number[]>;

/** One value of each transport a round, in turn. */
async function inTurn(
  { transports }: Contenders,
  times: number,
  measure: (transport: Transport) => Promise<number>,
): Promise<Values> {
  const values = new Map(transports.map((transport): [Transport, number[]] => [transport, []]));
  for (let round = 0; round < times; round++) {
    for (const [transport, own] of values) own.push(await measure(transport));
  }
  return values;
}

function judged(
  values: Values,
  contenders: Contenders,
  table: Omit<Table, 'rows'>,
  limits: Record<Transport, number>,
): Section {
  const goals: Goal[] = [];
  const rows = [...values].map(([transport, own]) => {
    const goal = { what: `${table.title}, ${transport}`, value: median(own), limit: limits[transport] };
    goals.push(goal);
    return [`wstampede ${transport}`, show(own, 0), goalText(goal)];
  });
  return { tables: [{ ...table, rows: [...rows, ...missingRows(contenders, 3)] }], goals };
}

export async function memory(target: Target, contenders: Contenders, times: number): Promise<Section> {
  const values = await inTurn(contenders, times, async (transport) => {
    const burst = ['burst', target.url(), '-c', `${HELD}`, '--gate', 'upgrade', '--hold', '1s', '--close', 'reset'];
    const running = startCli(bare(transport, ...burst, '--no-calibrate').slice(2));
    const watch = await watchMemory(running.pid, running.done);
    const ran = await running.done;
    if (ran.stdout === '') throw new Error(`memory, ${transport}: exit ${ran.code}: ${ran.stderr}`);
    const opened = (JSON.parse(ran.stdout) as Result).totals.outcomes['101'] ?? 0;
    if (opened !== HELD) throw new Error(`memory, ${transport}: only ${opened} of ${HELD} were opened`);
    return watch.peakRss;
  });
  const title = `Peak memory, MiB: ${HELD.toLocaleString('en')} connections opened at gate upgrade and held`;
  const table = { title, head: ['client', 'MiB, whole process tree', 'goal'], notes: [] };
  return judged(values, contenders, table, GOAL_MIB);
}

export async function startUp(target: Target, contenders: Contenders, times: number): Promise<Section> {
  const values = await inTurn(contenders, times, async (transport) => {
    const ran = await timed(wstampede(transport, 'burst', target.url(), '-c', `${STARTED}`, '--no-calibrate'));
    if (ran.stdout === '') throw new Error(`start, ${transport}: exit ${ran.code}: ${ran.stderr}`);
    return Date.parse((JSON.parse(ran.stdout) as Result).bursts[0].releasedAt ?? '') - ran.startedAt;
  });
  const title = `Command start to first burst released, ms: ${STARTED.toLocaleString('en')} connections, --no-calibrate`;
  const table = { title, head: ['client', 'ms', 'goal'], notes: [] };
  return judged(values, contenders, table, { epoll: GOAL_START_MS, node: GOAL_START_MS });
}

export async function version(_target: Target, _contenders: Contenders, times: number): Promise<Section> {
  const own: number[] = [];
  const node: number[] = [];
  // A hundredth of the time of the others, and a greater part of it chance.
  for (let round = 0; round < 2 * times; round++) {
    node.push((await timed([process.execPath, '-e', '0'])).wallMs);
    own.push((await timed([process.execPath, CLI, '--version'])).wallMs);
  }
  const ratio = median(own) / median(node);
  const goal = { what: 'wstampede --version / node -e 0', value: ratio, limit: GOAL_VERSION };
  const rows = [
    ['node -e 0', show(node), '', ''],
    ['wstampede --version', show(own), ratio.toFixed(2), goalText(goal)],
  ];
  const head = ['command', 'ms', '/ node', 'goal'];
  return { tables: [{ title: 'wstampede --version, ms', head, rows, notes: [] }], goals: [goal] };
}

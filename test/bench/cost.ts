/**
 * CPU time a handshake, of whole process trees, by the marginal cost: what many handshakes cost more than few, so that
 * starting up does not count. All rivals take turns, so that a slow minute of the machine hits them all, and the target's
 * own count is the judge of how many handshakes there were.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bare, type Contenders, missingRows, WS_CLIENT } from './contenders.js';
import { type Goal, goalText, median, NONE, type Section, show } from './figures.js';
import { isInstalled, PEERS, whySkipped } from './peers.js';
import { type Target, timed } from './processes.js';

/** CPU a handshake against the reference client. */
const GOALS: Readonly<Record<string, number>> = { 'wstampede epoll': 1.25, 'wstampede node': 2.5 };
const REFERENCE = 'reference';
const SMALL = 2000;
const LARGE = 20_000;
const IN_FLIGHT = '500';

interface Rival {
  readonly name: string;
  readonly small: number;
  readonly large: number;
  readonly note: string | null;
  readonly isPeer: boolean;
  command(host: string, n: number, folder: string): readonly string[];
}

interface Measured {
  readonly rival: Rival;
  /** µs a handshake, one a round. */
  readonly costs: number[];
  failure: string | null;
}

function rivalsOf(contenders: Contenders, port: number, withPeers: boolean): Rival[] {
  const usual = { small: SMALL, large: LARGE, note: null, isPeer: false };
  const rivals: Rival[] = [];
  if (contenders.reference !== null) {
    const program = contenders.reference;
    const flags = ['--c', IN_FLIGHT, '--rst'];
    const command: Rival['command'] = (host, n) => [
      program,
      '--host',
      host,
      '--port',
      `${port}`,
      '--n',
      `${n}`,
      ...flags,
    ];
    rivals.push({ ...usual, name: REFERENCE, command });
  }
  for (const transport of contenders.transports) {
    const command: Rival['command'] = (host, n) =>
      bare(transport, 'churn', `ws://${host}:${port}/`, '-n', `${n}`, '-c', IN_FLIGHT, '--no-calibrate');
    rivals.push({ ...usual, name: `wstampede ${transport}`, command });
  }
  const command: Rival['command'] = (host, n) => [
    process.execPath,
    WS_CLIENT,
    `ws://${host}:${port}/`,
    `${n}`,
    IN_FLIGHT,
  ];
  rivals.push({ ...usual, name: 'ws client', command });
  if (!withPeers) return rivals;
  for (const peer of PEERS) {
    const { name, runner } = peer;
    if (runner === null || !isInstalled(peer)) continue;
    const { small, large, note } = runner;
    rivals.push({
      name,
      small,
      large,
      note,
      isPeer: true,
      command: (host, n, at) => runner.command(host, port, n, at),
    });
  }
  return rivals;
}

async function cpuOf(rival: Rival, n: number, target: Target): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'wst-cost-'));
  try {
    const before = await target.handshakes();
    const ran = await timed(rival.command(target.host(), n, folder));
    const done = (await target.handshakes()) - before;
    if (done !== n)
      throw new Error(`${rival.name}: ${done} of ${n} handshakes, exit ${ran.code}: ${ran.stderr.slice(-300)}`);
    return ran.cpuS;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A peer that fails is a row that says so; without our own numbers there is no benchmark. */
async function measure(one: Measured, target: Target): Promise<void> {
  const { rival, costs } = one;
  if (one.failure !== null) return;
  try {
    const small = await cpuOf(rival, rival.small, target);
    const large = await cpuOf(rival, rival.large, target);
    costs.push(((large - small) / (rival.large - rival.small)) * 1e6);
  } catch (error) {
    if (!rival.isPeer) throw error;
    one.failure = (error as Error).message.replaceAll(/\s+/g, ' ').trim();
  }
}

export async function cost(
  target: Target,
  contenders: Contenders,
  times: number,
  withPeers: boolean,
): Promise<Section> {
  const all = rivalsOf(contenders, target.port, withPeers).map(
    (rival): Measured => ({ rival, costs: [], failure: null }),
  );
  for (let round = 0; round < times; round++) {
    for (const one of all) await measure(one, target);
  }
  const reference = all.find(({ rival }) => rival.name === REFERENCE)?.costs ?? null;
  const goals: Goal[] = [];
  const rows = all.map(({ rival: { name, note }, costs, failure }) => {
    const mark = note === null ? name : `${name} †`;
    if (failure !== null) return [mark, `failed: ${failure}`, '', ''];
    if (reference === null) return [mark, show(costs), NONE, NONE];
    const ratios = costs.map((value, round) => value / reference[round]);
    if (GOALS[name] === undefined) return [mark, show(costs), show(ratios, 2), ''];
    const goal = { what: `CPU a handshake, ${name} / reference`, value: median(ratios), limit: GOALS[name] };
    goals.push(goal);
    return [mark, show(costs), show(ratios, 2), goalText(goal)];
  });
  const run = new Set(all.map(({ rival }) => rival.name));
  const skipped = withPeers ? PEERS.filter(({ name }) => !run.has(name)) : [];
  const title =
    'CPU time a handshake: user + system of the whole process tree, (20,000 − 2,000) / 18,000 at 500 in flight';
  const head = ['client', 'µs a handshake', '/ reference', 'goal'];
  const notes = all.flatMap(({ rival: { name, note } }) => (note === null ? [] : [`† ${name}: ${note}`]));
  const others = skipped.map((peer) => [peer.name, whySkipped(peer), '', '']);
  return { tables: [{ title, head, rows: [...rows, ...missingRows(contenders, 4), ...others], notes }], goals };
}

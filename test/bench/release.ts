/**
 * How far apart the upgrade requests of one burst are, first to last: on the wire by a packet capture, and as each client
 * says of itself. The capture is the judge; without one the clients' own words are all there is.
 */
import type { Result } from '#dist/result/result.js';
import { startCapture, type Wire } from '../gateways/capture.js';
import { canCapture } from './accuracy.js';
import { bare, type Contenders, missingRows } from './contenders.js';
import { type Goal, goalText, median, type Section, show } from './figures.js';
import { type Ran, type Target, timed } from './processes.js';

const SIZE = 2000;
const GOALS = { epoll: 1.3, node: 2.5 };

interface Rival {
  readonly name: string;
  /** Against the reference. */
  readonly limit: number | null;
  command(host: string): readonly string[];
  saidMs(ran: Ran): number;
  /** ms, one a round. */
  readonly wire: number[];
  readonly said: number[];
}

function rivalsOf({ reference, transports }: Contenders, port: number): Rival[] {
  const rivals: Rival[] = [];
  if (reference !== null) {
    rivals.push({
      name: 'reference',
      limit: null,
      command: (host) => [reference, '--host', host, '--port', `${port}`, '--n', `${SIZE}`, '--burst'],
      saidMs: ({ stdout }) => Number(/send skew \(last send - first send\) ([\d.]+) ms/.exec(stdout)?.[1]),
      wire: [],
      said: [],
    });
  }
  const saidMs = ({ stdout }: Ran) => (JSON.parse(stdout) as Result).bursts[0].release?.spreadMs ?? Number.NaN;
  for (const transport of transports) {
    const burst = (host: string) => ['burst', `ws://${host}:${port}/`, '-c', `${SIZE}`, '--gate', 'upgrade'];
    const warm = (host: string) => bare(transport, ...burst(host), '--close', 'reset');
    const cold = (host: string) => [...warm(host), '--no-calibrate'];
    const name = `wstampede ${transport}`;
    rivals.push({ name, limit: GOALS[transport], command: warm, saidMs, wire: [], said: [] });
    rivals.push({ name: `${name} --no-calibrate`, limit: null, command: cold, saidMs, wire: [], said: [] });
  }
  return rivals;
}

async function fire(rival: Rival, target: Target, captures: boolean): Promise<void> {
  const host = target.host();
  const capture = captures ? await startCapture(host, target.port) : null;
  try {
    rival.said.push(rival.saidMs(await timed(rival.command(host))));
  } finally {
    const wire = await capture?.stop();
    if (wire !== undefined) rival.wire.push(spreadMs(rival.name, wire));
  }
}

function spreadMs(name: string, { sent }: Wire): number {
  if (sent.size !== SIZE) throw new Error(`${name}: ${sent.size} of ${SIZE} requests in the capture`);
  const times = [...sent.values()];
  return (Math.max(...times) - Math.min(...times)) / 1000;
}

export async function release(target: Target, contenders: Contenders, times: number): Promise<Section> {
  const captures = canCapture();
  const rivals = rivalsOf(contenders, target.port);
  for (let round = 0; round < times; round++) {
    for (const rival of rivals) await fire(rival, target, captures);
  }
  const judged = captures ? 'wire' : 'said';
  const reference = rivals.find(({ name }) => name === 'reference');
  const goals: Goal[] = [];
  const rows = rivals.map((rival) => {
    const { name, limit, wire, said } = rival;
    if (reference === undefined || rival === reference) return [name, show(wire), show(said), '', ''];
    const ratio = median(rival[judged]) / median(reference[judged]);
    if (limit === null) return [name, show(wire), show(said), ratio.toFixed(2), ''];
    const goal = { what: `release spread, ${name} / reference`, value: ratio, limit };
    goals.push(goal);
    return [name, show(wire), show(said), ratio.toFixed(2), goalText(goal)];
  });
  const title = `Release spread: first to last of ${SIZE.toLocaleString('en')} upgrade requests, gate upgrade`;
  const head = ['client', 'on the wire, ms', 'as it says itself, ms', '/ reference', 'goal'];
  const notes = ['--no-calibrate: code that has not been compiled yet'];
  if (!captures) notes.push('no packet capture: needs root and tcpdump (apt-get install tcpdump)');
  return { tables: [{ title, head, rows: [...rows, ...missingRows(contenders, 5)], notes }], goals };
}

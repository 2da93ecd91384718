/**
 * Runs a row of the server matrix: starts the server, asks it as a user would, rightly and wrongly, once by `check` and in
 * bursts, and holds what the tool said against the server's own count, an ordinary client, and the row's causes. After
 * each the server must serve an ordinary client. Finds faults; what becomes of them is up to the caller.
 */

import { SURE } from '../bench/diagnose-judge.js';
import { resultOf, wstampede } from '../cli.js';
import { pause } from '../gateways/child.js';
import { ordinaryClient, urlOf } from './ordinary.js';
import type { Asked, Mistake, Row } from './row.js';
import type { Server } from './server.js';

/** This folder has a package.json of its own, from which the imports of the project's are out of reach. */
type Result = ReturnType<typeof resultOf>;

/** Attempts of every row, in one burst or in several. */
export const BURST = 200;
const REST = '200ms';
const CROWD = 20;
/** A log is written in its own time. */
const COUNT_WITHIN_MS = 5000;
const TIMEOUT = '10s';
/** Where nothing is answered every attempt and every probe waits for it. */
const SHORT_TIMEOUT = '2s';

export interface Verdict {
  /** `right`, or the mistake. */
  readonly what: string;
  /** Of an ordinary client. */
  readonly ordinary: string;
  readonly check: string;
  readonly checkSaid: string;
  readonly burst: string;
  readonly burstSaid: string;
  readonly causes: readonly string[];
  readonly isAlive: boolean;
  readonly faults: readonly string[];
}

/** One server that is started again when it has died, so that each mistake is judged by itself. */
class Keeper {
  private readonly row: Row;
  private running: Server | null = null;

  constructor(row: Row) {
    this.row = row;
  }

  async server(): Promise<Server> {
    if (this.running?.ended() !== null) await this.stop();
    const { host, port, start } = this.row;
    // Pairs in TIME_WAIT of one server must not stand in the way of another.
    this.running ??= await start({ host: host ?? `127.0.0.${(port % 100) + 100}`, port });
    return this.running;
  }

  async stop(): Promise<void> {
    await this.running?.stop();
    this.running = null;
  }
}

/** Everything of one row, on one server as long as it lives. */
export async function judgeRow(row: Row): Promise<Verdict[]> {
  const keeper = new Keeper(row);
  const size = row.size ?? BURST;
  try {
    const verdicts = [await judgeRight(row, keeper, size)];
    for (const mistake of row.mistakes) verdicts.push(await judgeMistake(row, mistake, keeper, size));
    return verdicts;
  } finally {
    await keeper.stop();
  }
}

async function judgeRight(row: Row, keeper: Keeper, size: number): Promise<Verdict> {
  const faults: string[] = [];
  let server = await keeper.server();
  const ordinary = await ordinaryClient(row.right, server);
  if (ordinary !== '101') faults.push(`the row: an ordinary client gets ${ordinary}: ${server.said()}`);
  const check = await ask(['check', urlOf(row.right, server), ...flagsOf(row.right), '-t', TIMEOUT]);
  if (outcomesOf(check) !== '1 × 101' || check.exitCode !== 0) {
    faults.push(`check: ${outcomesOf(check)}, exit ${check.exitCode}`);
  }
  if (check.diagnosis.length > 0) faults.push(`check: ${saidBy(check)}, though nothing is wrong`);
  const livesAfterCheck = await isAlive(row, server, faults, 'check');
  server = await keeper.server();
  const before = await acceptedBy(server);
  const burst = await fire(row.right, server, size, TIMEOUT, ['--no-preflight']);
  if (outcomesOf(burst) !== `${attemptsOf(size)} × 101`) faults.push(`burst: ${outcomesOf(burst)}`);
  if (burst.diagnosis.length > 0) faults.push(`burst: ${saidBy(burst)}, though nothing is wrong`);
  faults.push(...validityOf(burst));
  if (row.counts !== null) faults.push(...(await countedAs(server, before, burst.totals.outcomes['101'] ?? 0)));
  const livesAfterBurst = await isAlive(row, server, faults, 'burst');
  return verdictOf('right', [], { ordinary, check, burst, faults, isAlive: livesAfterCheck && livesAfterBurst });
}

async function judgeMistake(row: Row, mistake: Mistake, keeper: Keeper, size: number): Promise<Verdict> {
  const { what, asked, ends, causes, toldBy = 'answer' } = mistake;
  const faults: string[] = [];
  let server = await keeper.server();
  const crowd = await Promise.all(Array.from({ length: CROWD }, () => ordinaryClient(asked, server)));
  const ordinary = [...new Set(crowd)].sort();
  for (const end of ordinary)
    if (!ends.includes(end.split(',')[0])) faults.push(`the row: ordinary clients get ${end}`);
  await isAlive(row, server, faults, 'ordinary clients');
  // The tool's own RST must not become the outcome of a client that would have read to the FIN.
  const expected = ends.filter((end) => end !== 'reset' || ordinary.includes('reset'));
  const patience = ends.includes('timeout-upgrade') ? SHORT_TIMEOUT : TIMEOUT;
  server = await keeper.server();
  const check = await ask(['check', urlOf(asked, server), ...flagsOf(asked), '-t', patience]);
  if (!expected.includes(check.check?.outcome ?? '')) {
    faults.push(`check: ${outcomesOf(check)}, not ${expected.join(' or ')}`);
  }
  if (toldBy === 'nothing') faults.push(...named('check', check, causes), ...sureOf('check', check, causes));
  else faults.push(...namedFirst('check', check, causes));
  const livesAfterCheck = await isAlive(row, server, faults, 'check');
  server = await keeper.server();
  const before = await acceptedBy(server);
  const burst = await fire(asked, server, size, patience, moreFor(mistake));
  const { attempted } = burst.totals;
  if (attempted !== attemptsOf(size)) faults.push(`burst: ${attempted} of ${attemptsOf(size)} attempted`);
  for (const [end, count] of Object.entries(burst.totals.outcomes)) {
    if (!expected.includes(end)) faults.push(`burst: ${count} × ${end}, not ${expected.join(' or ')}`);
  }
  faults.push(...validityOf(burst), ...(toldBy === 'answer' ? namedFirst : sureOf)('burst', burst, causes));
  const livesAfterBurst = await isAlive(row, server, faults, 'burst');
  // The ordinary client is the only one that it has let in.
  if (livesAfterBurst && !ends.includes('101') && row.counts !== null)
    faults.push(...(await countedAs(server, before, 1)));
  const isAliveAfter = livesAfterCheck && livesAfterBurst;
  return verdictOf(what, causes, { ordinary: ordinary.join(' or '), check, burst, faults, isAlive: isAliveAfter });
}

function moreFor({ ends }: Mistake): string[] {
  // One that rejects after it has accepted is seen only while connections stay open.
  if (ends.includes('101')) return ['--hold', '1s'];
  // Where single handshakes get no HTTP answer at all the burst would not be fired.
  return ends.every((end) => Number.isNaN(Number(end))) ? ['--no-preflight'] : [];
}

function namedFirst(by: string, result: Result, causes: readonly string[]): string[] {
  return causes.includes(result.diagnosis[0]?.cause) ? [] : [`${by}: ${saidBy(result)}, not ${causes.join(' or ')}`];
}

function named(by: string, result: Result, causes: readonly string[]): string[] {
  const isNamed = result.diagnosis.some(({ cause }) => causes.includes(cause));
  return isNamed ? [] : [`${by}: ${saidBy(result)}, and ${causes.join(' or ')} is not named`];
}

/** Wrong causes of which it is sure. */
function sureOf(by: string, result: Result, causes: readonly string[]): string[] {
  const wrong = result.diagnosis.filter(({ cause, confidence }) => confidence >= SURE && !causes.includes(cause));
  return wrong.map(({ cause, confidence }) => `${by}: sure of ${cause} (${Math.round(confidence * 100)}%)`);
}

interface Found {
  readonly ordinary: string;
  readonly check: Result;
  readonly burst: Result;
  readonly faults: readonly string[];
  readonly isAlive: boolean;
}

function verdictOf(what: string, causes: readonly string[], { check, burst, ...found }: Found): Verdict {
  return {
    what,
    causes,
    ...found,
    check: outcomesOf(check),
    checkSaid: saidBy(check),
    burst: outcomesOf(burst),
    burstSaid: saidBy(burst),
  };
}

/** A plain handshake of an ordinary client works, and the process is still that one. */
async function isAlive(row: Row, server: Server, faults: string[], after: string): Promise<boolean> {
  const ended = server.ended();
  const got = ended === null ? await ordinaryClient(row.right, server) : `nothing: ${ended}`;
  if (got !== '101') faults.push(`after the ${after} an ordinary client gets ${got}: ${server.said()}`);
  return got === '101';
}

/** Whether it has accepted as many since `before`; it may take its time to say so. */
async function countedAs(server: Server, before: number, expected: number): Promise<string[]> {
  const own = (await acceptedBy(server, before + expected)) - before;
  return own === expected ? [] : [`the server counts ${own} accepted, not ${expected}`];
}

/** Once it counts no further; waits longer for one that is below `expected`. */
async function acceptedBy(server: Server, expected = 0): Promise<number> {
  const until = Date.now() + COUNT_WITHIN_MS;
  let counted = await server.accepted();
  for (;;) {
    await pause(100);
    const next = await server.accepted();
    if ((next === counted && next >= expected) || Date.now() > until) return next;
    counted = next;
  }
}

function validityOf({ validity }: Result): string[] {
  return validity.verdict === 'invalid' ? [`invalid: ${validity.reasons.join('; ')}`] : [];
}

function flagsOf({ subprotocol, origin, headers = {}, scheme }: Asked): string[] {
  return [
    ...(subprotocol === undefined ? [] : ['--subprotocol', subprotocol]),
    ...(origin === undefined ? [] : ['--origin', origin]),
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    ...(scheme === 'wss' ? ['-k'] : []),
  ];
}

/** Where the listen queue holds fewer, several bursts make as many. */
function burstsOf(size: number): number {
  return Math.ceil(BURST / size);
}

function attemptsOf(size: number): number {
  return size * burstsOf(size);
}

function fire(asked: Asked, server: Server, size: number, patience: string, more: readonly string[]): Promise<Result> {
  const load = ['-c', `${size}`, '-b', `${burstsOf(size)}`, '--rest', REST, '-t', patience, '--no-calibrate', ...more];
  return ask(['burst', urlOf(asked, server), ...flagsOf(asked), ...load]);
}

async function ask(args: readonly string[]): Promise<Result> {
  return resultOf(await wstampede([...args, '--json']));
}

function outcomesOf({ check, totals }: Result): string {
  if (check !== null) return `1 × ${check.outcome}`;
  const counts = Object.entries(totals.outcomes).map(([id, count]) => `${count} × ${id}`);
  return [...counts, ...(totals.lostWhileHeld > 0 ? [`${totals.lostWhileHeld} lost`] : [])].join(', ');
}

/** The first cause, and how sure of it. */
function saidBy({ diagnosis: [first] }: Result): string {
  return first === undefined ? '–' : `${first.cause} ${Math.round(first.confidence * 100)}%`;
}

/**
 * Runs that are stopped by signals at random moments, and what their files say afterwards, beside what the target knows to
 * have answered: rows and result agree, nothing that has ended is lost, nothing unfinished reads as finished. Shared by the
 * long test and by `npm run bench:faults`.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Result } from '#dist/result/result.js';
import { checkedResult, type Ran, start, wstampede } from '../cli.js';
import type { Transport } from './heavy.js';
import { type StopTarget, startStopTarget } from './stop-target.js';

export const STOP_LOADS = ['burst', 'hold', 'churn', 'arrive', 'keep', 'find'] as const;
export type StopLoad = (typeof STOP_LOADS)[number];

/** What is sent, one after another. */
export const STOP_KINDS = {
  'Ctrl-C': ['SIGINT'],
  'second Ctrl-C': ['SIGINT', 'SIGINT'],
  SIGTERM: ['SIGTERM'],
  SIGHUP: ['SIGHUP'],
  SIGKILL: ['SIGKILL'],
} as const satisfies Record<string, readonly NodeJS.Signals[]>;
export type StopKind = keyof typeof STOP_KINDS;

export interface StopRound {
  readonly load: StopLoad;
  readonly transport: Transport;
  readonly kind: StopKind;
  /** After its first request has reached the target, or after its start. */
  readonly afterMs: number;
  readonly fromStart: boolean;
  /** From the first signal to the second. */
  readonly againMs: number;
}

export interface Stopped {
  readonly code: number | null;
  /** From the last signal to the exit. */
  readonly exitMs: number;
  /** null: there is no file. */
  readonly result: Result | null;
  /** It ended before it was stopped. */
  readonly isOver: boolean;
}

/** Of a round: when its last signal was sent, and how much slower the program started than on a machine of its own. */
interface End {
  readonly sentAt: number;
  readonly slowness: number;
}

const SIZE = 40;
const PLACES: Readonly<Record<StopLoad, number>> = {
  burst: 1000,
  hold: 1000,
  churn: 1000,
  arrive: 1000,
  keep: 10_000,
  find: 30,
};
const ARGS: Readonly<Record<StopLoad, readonly string[]>> = {
  burst: ['burst', '-c', `${SIZE}`, '-b', '40', '--rest', '0s'],
  hold: ['burst', '-c', `${SIZE}`, '--hold', '60s'],
  churn: ['churn', '-d', '60s', '-c', '5'],
  arrive: ['arrive', '-d', '60s', '-r', '200/s'],
  keep: ['arrive', '-d', '60s', '-r', '100/s', '--hold', '60s'],
  find: ['find', '--max', '80', '--preset', 'quick', '--rest', '0s', '--fresh-wait', '100ms'],
};
const QUIET = ['--no-preflight', '--no-calibrate', '--no-progress'];
const CODES: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
/** What SIGKILL may cost of a hold, a churn or arrivals, and how late a machine that starts in START_MS may be with it. */
const LOSS_MS = 5000;
/** After the second signal; on a machine on which a start to the first request takes START_MS. */
const HURRIED_MS = 1000;
const START_MS = 600;
const BUSY_MS = 1000;

/** Every eighth moment is counted from the start, so that what comes before the first request is stopped too. */
const FROM_START = 1 / 8;
/** How long after the first request a moment may be. */
const SPAN_MS: Readonly<Record<StopLoad, number>> = {
  burst: 3000,
  hold: 2500,
  churn: 8000,
  arrive: 8000,
  keep: 8000,
  find: 4000,
};

/** @param random uniform in [0, 1) */
export function stopRound(of: Pick<StopRound, 'load' | 'transport' | 'kind'>, random: () => number): StopRound {
  const fromStart = random() < FROM_START;
  const afterMs = Math.round(random() * SPAN_MS[of.load]);
  return { ...of, fromStart, afterMs, againMs: Math.round(80 + random() * 400) };
}

/** One load, stopped again and again; a search goes on with what it left. */
export class StopSeries {
  readonly #folder: string;
  readonly #target: StopTarget;
  readonly #load: StopLoad;

  private constructor(folder: string, target: StopTarget, load: StopLoad) {
    this.#folder = folder;
    this.#target = target;
    this.#load = load;
  }

  static async open(folder: string, load: StopLoad, host: string): Promise<StopSeries> {
    mkdirSync(folder, { recursive: true });
    return new StopSeries(folder, await startStopTarget({ host, delayMs: 5, places: PLACES[load] }), load);
  }

  end(): void {
    this.#target.end();
  }

  async round(round: StopRound): Promise<Stopped> {
    const [json, csv] = [join(this.#folder, 'r.json'), join(this.#folder, 'r.csv')];
    const before = existsSync(json) ? saved(json) : null;
    // Of a search that is over, or of a run that can't go on, nothing may be mistaken for this round's.
    const goesOn = this.#load === 'find' && before !== null && before.stopped !== null;
    if (!goesOn) for (const file of [json, csv]) rmSync(file, { force: true });
    this.#target.forget();
    const [command, ...flags] = ARGS[this.#load];
    const running = start([
      ...[command, this.#target.url, ...flags, ...QUIET, '--transport', round.transport],
      ...['-o', json, '--attempts', csv],
      ...(goesOn ? ['--resume', json] : []),
    ]);
    const startedAt = Date.now();
    let sentAt = Number.NaN;
    let isOver = false;
    const exited = running.done.then((ran) => {
      isOver = true;
      return ran;
    });
    const { opened, refused } = this.#target;
    while (!round.fromStart && !isOver && opened.length + refused.length === 0) await sleep(5);
    const slowness = Math.max(1, (Date.now() - startedAt) / START_MS);
    const signals = STOP_KINDS[round.kind];
    for (const [i, signal] of signals.entries()) {
      await Promise.race([sleep(i === 0 ? round.afterMs : round.againMs), exited]);
      if (isOver) break;
      sentAt = Date.now();
      running.child.kill(signal);
    }
    const ran = await exited;
    const exitMs = Date.now() - sentAt;
    const result = existsSync(json) ? saved(json) : null;
    const stopped: Stopped = {
      code: ran.code,
      exitMs,
      result,
      isOver: Number.isNaN(sentAt) || ran.code === 0 || ran.code === 3,
    };
    this.#judge(round, ran, stopped, goesOn ? (before?.totals.attempted ?? 0) : 0, { sentAt, slowness });
    if (round.kind === 'second Ctrl-C' && !stopped.isOver) {
      assert.ok(exitMs <= HURRIED_MS * slowness, `second signal: exit after ${exitMs} ms, slowness ${slowness}`);
    }
    if (round.kind === 'SIGKILL') await this.#assertCleared(json, csv);
    return stopped;
  }

  #judge(round: StopRound, ran: Ran, { result, isOver }: Stopped, earlier: number, end: End): void {
    const [json, csv] = [join(this.#folder, 'r.json'), join(this.#folder, 'r.csv')];
    if (result === null) assert.ok(!existsSync(csv), 'rows without a result');
    else assertAgree(result, csv, round.kind === 'SIGKILL' && !isOver);
    if (round.kind === 'SIGKILL' && !isOver) {
      if (result !== null && result.stopped !== 'stopped by the user') assertUnfinished(result);
      this.#assertKept(result, earlier, end);
      return;
    }
    assert.deepEqual(temporaries(this.#folder), [], 'temporary files');
    if (isOver) {
      assert.equal(result?.finished, undefined);
      return;
    }
    // Before it listens, a signal ends the program as it ends any.
    if (ran.signal !== null) {
      assert.equal(this.#target.opened.length, 0, `ended by ${ran.signal} in the middle: ${ran.stderr}`);
      return;
    }
    assert.equal(ran.code, CODES[STOP_KINDS[round.kind][0]], ran.stderr);
    assert.ok(result !== null, `no ${json}`);
    assert.deepEqual([result.finished, result.exitCode], [undefined, ran.code]);
    assert.equal(result.stopped, 'stopped by the user');
    assert.match(ran.stdout, /\S/, 'nothing was printed');
    // The single handshakes of a search are none of its attempts.
    if (this.#load === 'find') return;
    const answered = this.#target.opened.length + this.#target.refused.length;
    assert.ok(
      result.totals.attempted - earlier >= answered,
      `${answered} were answered, ${result.totals.attempted - earlier} are counted`,
    );
  }

  /** What may be lost by SIGKILL, and no more. */
  #assertKept(result: Result | null, earlier: number, { sentAt, slowness }: End): void {
    const busyMs = BUSY_MS * slowness;
    const { opened } = this.#target;
    const attempted = (result?.totals.attempted ?? 0) - earlier;
    const counted = result?.totals.outcomes['101'] ?? 0;
    const safe = (ms: number): number => opened.filter((at) => at < sentAt - ms).length;
    if (this.#load === 'churn' || this.#load === 'arrive' || this.#load === 'keep') {
      assert.ok(counted >= safe(LOSS_MS + busyMs), `${counted} of ${safe(LOSS_MS + busyMs)}`);
    } else if (this.#load === 'hold') {
      assert.ok(safe(busyMs) < SIZE || counted === SIZE, `${counted} of ${SIZE} that were held`);
    } else if (this.#load === 'burst') {
      // A burst begins when the one before it is in the file.
      const begun = Math.ceil(opened.length / SIZE);
      assert.ok((result?.bursts.length ?? 0) >= begun - 1, `${result?.bursts.length} of ${begun} bursts`);
    } else {
      // It goes on with what it had.
      assert.ok(attempted >= 0, `${-attempted} attempts of the search are gone`);
    }
  }

  /** The next run that writes there removes what a killed one left. */
  async #assertCleared(json: string, csv: string): Promise<void> {
    const url = 'ws://127.0.0.1:9/';
    const kept = [json, csv].map((file) => (existsSync(file) ? readFileSync(file) : null));
    const ran = await wstampede([
      'burst',
      url,
      '-c',
      '1',
      '--no-calibrate',
      '--timeout',
      '1s',
      '-o',
      json,
      '--attempts',
      csv,
    ]);
    assert.equal(ran.code, 5, ran.stderr);
    assert.deepEqual(temporaries(this.#folder), [], 'what a killed run left');
    // Put back: a search goes on with it.
    [json, csv].forEach((file, i) => {
      const text = kept[i];
      if (text === null) rmSync(file, { force: true });
      else writeFileSync(file, text);
    });
  }
}

function saved(file: string): Result {
  return checkedResult(readFileSync(file, 'utf8'));
}

function temporaries(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('.'));
}

function assertUnfinished(result: Result): void {
  assert.deepEqual([result.finished, result.exitCode, result.validity.verdict], [false, 4, 'invalid']);
  assert.deepEqual(result.validity.reasons, ['this run has not ended']);
}

/** Rows of each burst by outcome. */
type RowCounts = Record<string, Record<string, number>>;

/**
 * @param isKilled two files can't be replaced in one step: a kill between the two renames leaves rows that the result does
 * not count yet, those of one whole burst more, or of a later look at the same churn
 */
function assertAgree(result: Result, csv: string, isKilled: boolean): void {
  const rows: RowCounts = {};
  const lines = existsSync(csv) ? readFileSync(csv, 'utf8').trimEnd().split('\n').slice(1) : [];
  for (const line of lines) {
    const [burst, , , , , , outcome] = line.split(',');
    rows[burst] ??= {};
    rows[burst][outcome] = (rows[burst][outcome] ?? 0) + 1;
  }
  const counted = result.bursts.filter(({ attempted }) => attempted > 0);
  const expected: RowCounts = Object.fromEntries(counted.map(({ index, outcomes }) => [`${index}`, outcomes]));
  if (isKilled) dropNewer(rows, expected, result.command === 'churn');
  assert.deepEqual(rows, expected);
}

function dropNewer(rows: RowCounts, expected: RowCounts, isChurn: boolean): void {
  const burst = `${Object.keys(expected).length - (isChurn ? 1 : 0)}`;
  const counted = expected[burst];
  if (rows[burst] === undefined || (isChurn && counted === undefined)) return;
  for (const [outcome, count] of Object.entries(counted ?? {})) {
    assert.ok((rows[burst][outcome] ?? 0) >= count, `${outcome}: ${rows[burst][outcome]} rows, ${count} counted`);
  }
  if (counted === undefined) delete rows[burst];
  else rows[burst] = counted;
}

/**
 * Runs a row of the matrix: starts its stack, fires its bursts with the program as a user would, and holds what the
 * program counted against what the row expects and against the gateway's access log, attempt by attempt. Finds faults;
 * what becomes of them is up to the caller.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Burst, Summary } from '#dist/result/result.js';
import { type Ran, resultOf, wstampede } from '../cli.js';
import { attemptsOf, compareWithLog } from './agree.js';
import { pause } from './child.js';
import { LOG_WORDING } from './configs.js';
import type { Expectation, Row, Seen, Shot, Span } from './row.js';
import { type Stack, startStack } from './stack.js';

/** What a burst showed, beside what was expected of it. */
export interface Verdict {
  readonly shot: number;
  readonly size: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Each outcome's times, as `min–max` in ms. */
  readonly times: Readonly<Record<string, string>>;
  /** Each expectation with its numbers. */
  readonly expected: readonly string[];
  /** Lines that were equal to the attempts; a sentence where the log can't be compared. */
  readonly log: number | string;
  readonly faults: readonly string[];
}

let number = 0;

/** Every burst of the row, in turn, on one stack. */
export async function judgeRow(row: Row): Promise<Verdict[]> {
  const stack = await startStack(row);
  try {
    const verdicts: Verdict[] = [];
    for (const shot of row.shots) verdicts.push(await judgeShot(row, stack, shot, verdicts.length));
    return verdicts;
  } finally {
    await stack.stop();
  }
}

async function judgeShot(row: Row, stack: Stack, shot: Shot, index: number): Promise<Verdict> {
  number += 1;
  const path = `/burst-${process.pid}-${number}`;
  const folder = mkdtempSync(join(tmpdir(), 'wst-judge-'));
  try {
    // What came before is not this burst's; one that stands still can't be asked.
    await stack.reports();
    for (const deed of shot.before ?? []) {
      if (deed === 'block') await stack.block();
      else if (deed === 'start-backends') await stack.startBackends();
      else if (deed === 'stop-backends') await stack.stopBackends();
      else await pause(deed.pauseMs);
    }
    stack.markLog();
    const ran = await fire(stack, shot, path, `${folder}/attempts.csv`);
    const result = resultOf(ran);
    const [burst] = result.bursts;
    const reports = await stack.reports().catch(() => []);
    const seen: Seen = {
      size: shot.size,
      counts: burst.outcomes,
      spreadMs: Math.max(burst.release?.lastMs ?? 0, ...reports.map((report) => report.spreadMs)),
      writtenMs: (burst.release?.lastMs ?? 0) + (burst.latencyMs.connect?.max ?? 0) + (burst.latencyMs.tls?.max ?? 0),
      reports,
    };
    const faults = [...faultsOf(burst, shot, seen, row.settings.readMs)];
    const attempts = attemptsOf(readFileSync(`${folder}/attempts.csv`, 'utf8'));
    let log: number | string = 'no gateway';
    if (typeof shot.log === 'string') {
      log = shot.log;
    } else if (row.gateway !== 'direct') {
      const wording = { ...LOG_WORDING[row.gateway], ...shot.log };
      const compared = await compareWithLog(stack, path, attempts, wording, result.preflight?.outcomes ?? {});
      log = compared.lines;
      faults.push(...compared.faults);
    }
    return {
      shot: index,
      size: shot.size,
      outcomes: burst.outcomes,
      times: timesOf(burst),
      expected: shot.expects.map((one) => textOf(one, seen)),
      log,
      faults: faults.length === 0 ? faults : [...faults, `the gateway: ${tail(stack.errors())}`],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fire(stack: Stack, shot: Shot, path: string, csv: string): Promise<Ran> {
  const door = shot.door ?? 'plain';
  const { plainPort, securePort } = stack.place;
  const origin = {
    plain: stack.url.slice(0, -1),
    secure: stack.secureUrl.slice(0, -1),
    'ws-to-tls': `ws://127.0.0.1:${securePort}`,
    'wss-to-plain': `wss://127.0.0.1:${plainPort}`,
  }[door];
  const trusts = origin.startsWith('wss') && shot.trusts !== false;
  return wstampede([
    ...[
      'burst',
      `${origin}${path}`,
      '-c',
      `${shot.size}`,
      '-t',
      `${shot.timeoutMs}ms`,
      '--gate',
      shot.gate ?? 'connect',
    ],
    ...['--no-calibrate', '--json', '--attempts', csv],
    ...(shot.preflight === true ? [] : ['--no-preflight']),
    ...(trusts ? ['--ca', stack.ca] : []),
    ...(shot.args ?? []),
  ]);
}

function* faultsOf(burst: Burst, shot: Shot, seen: Seen, readMs: number): Generator<string> {
  if (burst.attempted !== shot.size) yield `${burst.attempted} of ${shot.size} attempted`;
  if (burst.validity.verdict === 'invalid') yield `invalid: ${burst.validity.reasons.join('; ')}`;
  // A tunnel without a word is cut after the same T (1.13): who is held for longer may be lost.
  if (burst.lostWhileHeld > 0 && (burst.makespanMs ?? 0) < readMs)
    yield `${burst.lostWhileHeld} lost while they were held`;
  const listed = new Set(shot.expects.map(({ outcome }) => outcome));
  for (const [outcome, count] of Object.entries(burst.outcomes)) {
    if (!listed.has(outcome))
      yield `${count} × ${outcome}, which nobody expects: ${JSON.stringify(burst.details[outcome] ?? {})}`;
  }
  for (const expectation of shot.expects) {
    const { outcome, p50Ms, detail } = expectation;
    const count = burst.outcomes[outcome] ?? 0;
    const counts = spanOf(expectation.count, seen);
    if (!within(count, counts)) yield `${count} × ${outcome} is not ${show(counts)} (${expectation.why})`;
    const times = summaryOf(burst, outcome);
    if (times === null) continue;
    if (expectation.ms !== null) {
      const ms = spanOf(expectation.ms, seen);
      if (times.min < ms[0] || times.max > ms[1]) {
        yield `${outcome} at ${round(times.min)}–${round(times.max)} ms is not within ${show(ms)} ms (${expectation.why})`;
      }
    }
    if (p50Ms !== undefined && !within(times.p50, p50Ms(seen))) {
      yield `${outcome}: a median of ${round(times.p50)} ms is not ${show(p50Ms(seen))} ms (${expectation.why})`;
    }
    for (const text of detail === undefined ? [] : Object.keys(burst.details[outcome] ?? {})) {
      if (detail?.test(text) === false) yield `${outcome}: "${text}" is not ${detail}`;
    }
  }
}

/** Times of a failure after T0; of the 101s, their handshakes. */
function summaryOf(burst: Burst, outcome: string): Summary | null {
  return outcome === '101' ? burst.latencyMs.handshake : (burst.failureMs[outcome] ?? null);
}

function timesOf(burst: Burst): Record<string, string> {
  const times: Record<string, string> = {};
  for (const outcome of Object.keys(burst.outcomes)) {
    const summary = summaryOf(burst, outcome);
    if (summary !== null) times[outcome] = `${round(summary.min)}–${round(summary.max)}`;
  }
  return times;
}

function textOf({ outcome, oracle, count, ms, why }: Expectation, seen: Seen): string {
  const when = ms === null ? '' : ` at ${show(spanOf(ms, seen))} ms`;
  return `${oracle}: ${show(spanOf(count, seen))} × ${outcome}${when} (${why})`;
}

function spanOf(span: Span | ((seen: Seen) => Span), seen: Seen): Span {
  return typeof span === 'function' ? span(seen) : span;
}

function within(value: number, [low, high]: Span): boolean {
  return value >= low && value <= high;
}

function show([low, high]: Span): string {
  return low === high ? `${round(low)}` : `${round(low)}–${round(high)}`;
}

function round(value: number): number {
  return value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-3).join(' | ');
}

/**
 * Runs a case: starts its target, asks the tool as its user would, and holds the outcomes against those that the case is
 * meant to have. A case that did not come off is made again on a fresh target, by its outcomes alone: what was diagnosed
 * has no say in it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnLab } from '#dist/lab/spawn.js';
import type { Result } from '#dist/result/result.js';
import { resultOf, wstampede } from '../cli.js';
import { pause } from '../gateways/child.js';
import type { Row } from '../gateways/row.js';
import { type Stack, startStack } from '../gateways/stack.js';
import type { Case } from './diagnose-case.js';
import { type RawStack, startRaw } from './diagnose-raw.js';

export interface Fired {
  readonly result: Result;
  /** What did not come off as the case is meant to; null: all did. */
  readonly fault: string | null;
  /** Mean service time that the backend measured of itself, ms; null where it measures none. */
  readonly measuredMs: number | null;
  readonly tries: number;
}

/** Where a case's target is to be found. */
interface Door {
  readonly url: string;
  readonly direct: string;
  readonly ca: string;
}

const TRIES = 3;

export async function fireCase(one: Case): Promise<Fired> {
  for (let tries = 1; ; tries += 1) {
    const { result, measuredMs } = await fireOnce(one);
    const fault = faultOf(one, result);
    if (fault === null || tries === TRIES) return { result, fault, measuredMs, tries };
  }
}

async function fireOnce(one: Case): Promise<{ result: Result; measuredMs: number | null }> {
  const folder = mkdtempSync(join(tmpdir(), 'wst-diagnose-'));
  try {
    if ('raw' in one.target) return await fireAtRaw(one, one.target.raw, folder);
    if ('row' in one.target) return await fireAtStack(one, one.target.row, folder);
    const { lab: name, options } = one.target;
    const ca = join(folder, 'ca.pem');
    const lab = await spawnLab(name, one.args.includes('CA') ? { ...options, 'write-ca': ca } : options);
    try {
      return { result: await ask(one, { url: lab.url, direct: lab.url, ca }, folder), measuredMs: null };
    } finally {
      // One whose loop stands still is killed instead, and has no report.
      await lab.stop().catch(() => {});
      if (lab.files !== null) rmSync(lab.files.folder, { recursive: true, force: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fireAtRaw(one: Case, stack: RawStack, folder: string): Promise<{ result: Result; measuredMs: null }> {
  const raw = await startRaw(stack);
  try {
    return { result: await ask(one, { url: raw.url, direct: raw.direct, ca: '' }, folder), measuredMs: null };
  } finally {
    await raw.stop();
  }
}

async function fireAtStack(
  one: Case,
  row: Row,
  folder: string,
): Promise<{ result: Result; measuredMs: number | null }> {
  const stack = await startStack(row);
  try {
    await beforehand(row, stack);
    const direct = `ws://127.0.0.1:${stack.place.backendPorts[0]}/`;
    const url = one.secure === true ? stack.secureUrl : stack.url;
    const result = await ask(one, { url, direct, ca: stack.ca }, folder);
    return { result, measuredMs: one.times === null ? null : ((await stack.reports())[0]?.serviceMs ?? null) };
  } finally {
    await stack.stop();
  }
}

/** What the row does before its first shot, or, where its backends come late, what makes the gateway remember. */
async function beforehand(row: Row, stack: Stack): Promise<void> {
  if (row.startsBackends === false) {
    for (const deed of row.shots[0].before ?? []) if (typeof deed === 'object') await pause(deed.pauseMs);
    await wstampede(['burst', stack.url, '-c', '1', '--no-preflight', '--no-calibrate', '--json']);
    await stack.startBackends();
  } else if (row.shots[0]?.before?.includes('block')) await stack.block();
}

async function ask(one: Case, door: Door, folder: string): Promise<Result> {
  const profile = join(folder, 'profile.json');
  if (one.stages !== undefined)
    writeFileSync(profile, JSON.stringify({ target: { url: door.url }, stages: one.stages }));
  const named: Readonly<Record<string, string>> = { URL: door.url, DIRECT: door.direct, CA: door.ca, PROFILE: profile };
  const args = one.args.map((arg) => named[arg] ?? arg);
  const calibrates = one.args[0] !== 'check';
  return resultOf(
    await wstampede([
      ...args,
      ...(one.secure === true ? ['--ca', door.ca] : []),
      ...(calibrates ? ['--no-calibrate'] : []),
      '--json',
    ]),
  );
}

/** All outcomes of all bursts, or the one of the handshake that was checked. */
export function outcomesOf(result: Result): Readonly<Record<string, number>> {
  return result.check === null ? result.totals.outcomes : { [result.check.outcome]: 1 };
}

function faultOf(one: Case, result: Result): string | null {
  if (result.validity.verdict === 'invalid') return `invalid: ${result.validity.reasons.join('; ')}`;
  const outcomes = outcomesOf(result);
  for (const id of new Set([...Object.keys(outcomes), ...Object.keys(one.outcomes)])) {
    const [low, high] = one.outcomes[id] ?? [0, 0];
    const count = outcomes[id] ?? 0;
    if (count < low || count > high) return `${count} x ${id}, not ${Math.ceil(low)} to ${Math.floor(high)}`;
  }
  return null;
}

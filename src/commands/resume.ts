/**
 * `--resume FILE`: the state of a stopped search, from its result. A search can only be resumed with the same target
 * and the same options.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Earlier } from '../engine/run/run-setup.js';
import { UserError } from '../errors.js';
import type { Host } from '../host.js';
import { findStageOf, type Plan } from '../plan/plan.js';
import { maskPlan, type PlanRecord } from '../plan/plan-record.js';
import { formatCount } from '../plan/units.js';
import { readResult } from '../result/document.js';
import type { Result } from '../result/result.js';
import { savedProblem } from '../search/saved.js';
import type { SearchState } from '../search/state.js';
import { partOf } from '../tally/recounted.js';
import { searchOptionsOf } from './find-director.js';
import { readText } from './input-files.js';

/** What a stopped search left: its state, and what was measured. */
export interface Resumed {
  readonly state: SearchState;
  readonly earlier: Earlier;
  /** That the file is of a run that never ended; null: it did. */
  readonly remark: string | null;
}

/**
 * null: start anew. @throws UserError `resume` when the file has no search, a finished one, or one with other options
 */
export function resumedFrom(file: string, plan: Plan, host: Host): Resumed | null {
  const refuse = (why: string, hint?: string): never => {
    throw new UserError(`--resume ${file}: ${why}`, { code: 'resume', ...(hint === undefined ? {} : { hint }) });
  };
  const result = resultIn(file, host, refuse);
  const { search } = result;
  const isOfFind = search === null && result.command === 'find' && result.bursts.length === 0;
  if (search === null && !isOfFind) return refuse('the result holds no search: only one of find can go on');
  const stage = findStageOf(plan.stages);
  if (stage === null || (search?.stage ?? 0) !== 0 || result.plan.stages.length !== 1) {
    return refuse('its search is one stage of several: only a search alone can go on');
  }
  const other = difference(maskPlan(plan), result.plan);
  if (other !== null) return refuse(`the search was for another ${other}`, 'go on with the flags that it began with');
  // Stopped before its first step: there is nothing to resume, and nothing would be repeated.
  if (search === null) return null;
  const state = search.state as SearchState;
  if (!isDeepStrictEqual(state.options, searchOptionsOf(stage, plan.session))) {
    return refuse('the search began under other terms', 'go on with the flags that it began with');
  }
  const problem = savedProblem(state) ?? burstsProblem(result, search.firstIndex, state);
  if (problem !== null) return refuse(`the search does not add up: ${problem}`, 'the file was changed; begin anew');
  if (state.ended !== null) return refuse(`the search is over: ${state.ended.verdict}`, 'begin anew, to another file');
  const { startedAt, bursts } = result;
  const { firstIndex, attempts } = search;
  const parts = bursts.map((burst) => partOf(burst, true));
  const remark =
    result.finished === false
      ? `--resume ${file}: the run that wrote this file was ended before it could finish; the search continues after its bursts: ${formatCount(bursts.length)}`
      : null;
  return { state, remark, earlier: { startedAt, bursts, parts, firstIndex, attempts } };
}

function resultIn(file: string, host: Host, refuse: (why: string) => never): Result {
  let value: unknown;
  try {
    value = JSON.parse(readText(file, host.cwd));
  } catch (error) {
    if (error instanceof SyntaxError) return refuse('it is no JSON document');
    throw error;
  }
  return readResult(value);
}

/**
 * A difference that a resumed search does not allow; both plans are masked. Outputs, thresholds and the like may
 * differ.
 */
function difference(wanted: PlanRecord, saved: PlanRecord): string | null {
  const parts = {
    target: 'target',
    gate: 'gate',
    timeoutMs: 'timeout',
    session: 'hold or session',
    close: 'close',
  } as const;
  for (const [key, name] of Object.entries(parts) as [keyof typeof parts, string][]) {
    if (!isDeepStrictEqual(plain(wanted[key]), plain(saved[key]))) return name;
  }
  return null;
}

/** In the form that a document holds. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function burstsProblem({ bursts }: Result, firstIndex: number, { history }: SearchState): string | null {
  const known = new Map(history.map(({ index, size }) => [firstIndex + index, size]));
  const flying = firstIndex + history.length;
  const places = bursts.map(({ index }) => index);
  if (new Set(places).size !== places.length) return 'two bursts have one index';
  const odd = bursts.find(({ index, size, stage }) => stage !== 0 || (index !== flying && known.get(index) !== size));
  return odd === undefined ? null : `burst ${odd.index} is none of the search`;
}

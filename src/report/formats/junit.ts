/**
 * Results as JUnit's XML, one suite each. Every suite has at least two cases, whether the run can be believed and whether
 * anything got its 101, so that a run without thresholds is no empty file. An invalid run is an error of the first case,
 * and nothing else of it is judged.
 */
import { isOpen, openedOf } from '../../names/outcomes.js';
import type { DropOff, SearchVerdict } from '../../result/drop-off.js';
import type { Result, ThresholdResult } from '../../result/result.js';
import { ailments } from '../../tally/check-health.js';
import { hasDropOff } from '../words/headline.js';
import { thresholdRows } from '../words/threshold-rows.js';
import { titleOf } from '../words/title.js';
import { scopeOf } from '../words/written/stamp.js';
import { validityText } from '../words/written/validity-words.js';
import { type JunitCase, type JunitTrouble, junitDocument } from './junit-suite.js';

export function renderJunit(results: readonly Result[]): string {
  return junitDocument(
    results.map((result, i) => ({
      name: `wstampede ${result.command}${result.plan.name === null ? '' : ` ${result.plan.name}`}`,
      startedAt: result.startedAt,
      seconds: secondsOf(result),
      cases: results.length === 1 ? casesOf(result) : numbered(casesOf(result), i + 1),
      says: titleOf(result).text,
    })),
  );
}

/** GitLab drops a second case of one class and name. */
function numbered(cases: readonly JunitCase[], place: number): JunitCase[] {
  return cases.map((one) => ({ ...one, classname: `${one.classname} (${place})` }));
}

function secondsOf({ startedAt, endedAt }: Result): number {
  return Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
}

function casesOf(result: Result): JunitCase[] {
  const isInvalid = result.validity.verdict === 'invalid';
  const judged = [opened(result), ...health(result), ...objectives(result), ...thresholds(result)];
  return [validity(result), ...(isInvalid ? judged.map(notJudged) : judged)];
}

function validity(result: Result): JunitCase {
  const isInvalid = result.validity.verdict === 'invalid';
  return {
    classname: 'wstampede.validity',
    name: 'the run can be believed',
    seconds: secondsOf(result),
    trouble: isInvalid ? { is: 'error', type: 'invalid', message: validityText(result.validity) } : null,
  };
}

function notJudged(one: JunitCase): JunitCase {
  const message = 'not judged: the run is invalid, so nothing is known about the target';
  return { ...one, trouble: { is: 'skipped', type: 'invalid', message } };
}

function opened(result: Result): JunitCase {
  const hasOpened = openedOf(result.totals.outcomes) > 0 || isOpen(result.check?.outcome);
  return {
    classname: 'wstampede.outcome',
    name: 'at least one 101',
    trouble: hasOpened ? null : { is: 'failure', type: 'outcome', message: titleOf(result).text },
  };
}

/** Of a check that got its 101: ping, close and the clauses of RFC 6455. */
function health(result: Result): JunitCase[] {
  const { check } = result;
  if (check === null || !isOpen(check.outcome)) return [];
  const isHealthy = ailments(check).length === 0;
  const trouble: JunitTrouble = { is: 'failure', type: 'check', message: titleOf(result).text };
  return [
    {
      classname: 'wstampede.check',
      name: 'the connection is healthy after its 101',
      trouble: isHealthy ? null : trouble,
    },
  ];
}

const SEARCHED: Readonly<Record<SearchVerdict, JunitTrouble['is'] | null>> = {
  FOUND: null,
  AT_LEAST_MAX: null,
  BELOW_MIN: 'failure',
  DID_NOT_RECOVER: 'failure',
  GENERATOR_LIMITED: 'skipped',
  BUDGET: 'skipped',
  INTERRUPTED: 'skipped',
};

function objectives(result: Result): JunitCase[] {
  if (!hasDropOff(result)) return [];
  const message = titleOf(result).text;
  return result.dropOff.asked.objectives.map((objective) => ({
    classname: 'wstampede.objective',
    name: objective,
    trouble: objectiveTrouble(result.dropOff, objective, message),
  }));
}

/** The objective that broke first is the one that was missed. */
function objectiveTrouble({ verdict, objective }: DropOff, name: string, message: string): JunitTrouble | null {
  const is = SEARCHED[verdict];
  const isMet = is === null || (is === 'failure' && objective !== null && objective !== name);
  return isMet ? null : { is, type: 'objective', message };
}

function thresholds(result: Result): JunitCase[] {
  const rows = thresholdRows(result.thresholds);
  return result.thresholds.map((threshold, i) => ({
    classname: 'wstampede.threshold',
    name: rows[i].expression,
    trouble: thresholdTrouble(threshold, `${rows[i].expression}: ${rows[i].actual} (${scopeOf(result)})`),
  }));
}

function thresholdTrouble({ actual, ok }: ThresholdResult, message: string): JunitTrouble | null {
  if (actual === null) return { is: 'skipped', type: 'threshold', message };
  return ok ? null : { is: 'failure', type: 'threshold', message };
}

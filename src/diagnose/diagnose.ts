/**
 * From a result to the likely causes of its failures: all rules look at the same evidence; their findings are sorted,
 * listed once each, and given a remedy. Pure: the same result gives the same diagnosis, also from a saved result.
 */
import type { Diagnosis, Result } from '../result/result.js';
import type { CauseId } from './causes.js';
import { type Evidence, evidenceOf, type Failure, isFailure } from './evidence.js';
import type { Finding, Rule } from './finding.js';
import { weighed } from './refute.js';
import { remedyText } from './remedies/remedies.js';
import { after101Rule } from './rules/after-101.js';
import { afterRule, poisonedRule, rememberedRule, spoiledRule } from './rules/aftermath.js';
import { backendRule, diedRule, fellRule } from './rules/backend.js';
import { capacityRule } from './rules/capacity.js';
import { probesRule } from './rules/check-probes.js';
import { closedServerRule } from './rules/closed-server.js';
import { partlyRefusedRule } from './rules/credentials.js';
import { deadlineRule } from './rules/deadline.js';
import { generatorRule } from './rules/generator.js';
import { churnRateRule, limitRule, waitingBehindRule, waitingRule } from './rules/limits.js';
import { dnsRule, refusedRule, synDroppedRule, unreachableRule } from './rules/network.js';
import { listenQueueRule, queueBehindRule, queueRecoveredRule, queueRetriedRule } from './rules/queues.js';
import { retryStormRule } from './rules/retry-storm.js';
import { closedRule, invalidUpgradeRule, notHttpRule, silentRule } from './rules/silence.js';
import { statusRule } from './rules/status.js';
import { tlsPortRule, tlsRule, tlsTimeoutRule } from './rules/tls.js';
import { destroyedUpgradeRule, subprotocolRule, unhandledPathRule } from './rules/unhandled.js';
import { answeredBeforeRule, wordingRule } from './rules/wording.js';
import { boundedStorms } from './storms.js';

const RULES: readonly Rule[] = [
  generatorRule,
  deadlineRule,
  answeredBeforeRule,
  probesRule,
  wordingRule,
  partlyRefusedRule,
  dnsRule,
  refusedRule,
  unreachableRule,
  synDroppedRule,
  tlsRule,
  tlsTimeoutRule,
  tlsPortRule,
  closedServerRule,
  statusRule,
  backendRule,
  closedRule,
  subprotocolRule,
  destroyedUpgradeRule,
  unhandledPathRule,
  silentRule,
  notHttpRule,
  invalidUpgradeRule,
  capacityRule,
  listenQueueRule,
  queueBehindRule,
  queueRecoveredRule,
  queueRetriedRule,
  limitRule,
  waitingRule,
  waitingBehindRule,
  churnRateRule,
  diedRule,
  fellRule,
  afterRule,
  spoiledRule,
  poisonedRule,
  rememberedRule,
  after101Rule,
  retryStormRule,
];

/** More would not be read. */
const MOST = 4;
/** Maximum number of failures listed under an unknown cause. */
const MOST_NAMED = 12;
/** Below this confidence a cause is only a guess. */
const LEAST_CONFIDENCE = 0.25;
/** Another cause for the same outcomes is dropped if its confidence is lower by this much. */
const CLEARLY = 0.4;

/** Most likely first; empty when nothing failed. */
export function diagnose(result: Result): Diagnosis[] {
  const evidence = evidenceOf(result);
  if (evidence === null) return [];
  const found = RULES.flatMap((rule) => rule(evidence));
  const findings = kept(weighed(found, evidence));
  const hasFailed = evidence.bursts.some(({ failures }) => failures.some(({ outcome }) => isFailure(outcome)));
  if (findings.length === 0 && hasFailed) return [diagnosisOf(unknown(evidence), evidence.failures)];
  return findings.map((finding) => diagnosisOf(finding, evidence.failures));
}

/** The same result with its diagnosis. A bug in a rule must not cost the measurement: it is reported as a bug. */
export function withDiagnosis(result: Result): Result {
  try {
    const diagnosis = diagnose(result);
    return { ...result, storm: boundedStorms(result, diagnosis), diagnosis };
  } catch (error) {
    const evidence = `The diagnosis failed (${error instanceof Error ? error.message : String(error)}): please report it.`;
    const broken: Finding = { cause: 'unknown', confidence: 0, evidence, outcomes: [] };
    return { ...result, diagnosis: [diagnosisOf(broken, [])] };
  }
}

function kept(findings: readonly Finding[]): Finding[] {
  const best = new Map<CauseId, Finding>();
  for (const finding of findings) {
    const other = best.get(finding.cause);
    if (other === undefined || finding.confidence > other.confidence) best.set(finding.cause, finding);
  }
  const sorted = [...best.values()].sort((a, b) => b.confidence - a.confidence);
  const shown: Finding[] = [];
  for (const finding of sorted) {
    const rivals = shown.filter((one) => one.outcomes.some((id) => finding.outcomes.includes(id)));
    const isClear = rivals.some(({ confidence }) => confidence - finding.confidence >= CLEARLY);
    if (finding.confidence >= LEAST_CONFIDENCE && !isClear && shown.length < MOST) shown.push(finding);
  }
  return shown;
}

function unknown({ failures, worst }: Evidence): Finding {
  const named = failures.slice(0, MOST_NAMED).map(({ outcome, count }) => `${count} x ${outcome}`);
  const more = failures.length > MOST_NAMED ? [`${failures.length - MOST_NAMED} more outcomes`] : [];
  const said = [...named, ...more].join(', ');
  return {
    cause: 'unknown',
    confidence: 0.1,
    evidence: `${said} of ${worst.attempted}: times and samples fit no cause that is known here.`,
    outcomes: failures.map(({ outcome }) => outcome),
  };
}

function diagnosisOf(finding: Finding, failures: readonly Failure[]): Diagnosis {
  const { cause, confidence, outcomes, lead, apart, figures = {} } = finding;
  const failure = failures.find(({ outcome, hop }) => hop !== null && outcomes.includes(outcome));
  const hop = failure?.hop ?? null;
  const remedy = remedyText(cause, hop?.id ?? null, outcomes);
  return {
    cause,
    evidence: finding.evidence,
    remedy: lead === undefined ? remedy : `${lead} ${remedy}`,
    confidence,
    outcomes,
    gateway: hop?.id ?? null,
    apart: apart ?? null,
    figures: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(3))])),
  };
}

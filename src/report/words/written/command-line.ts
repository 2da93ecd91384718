/**
 * The command line that repeats a run, from its plan. Secrets are masked in a plan, so they are here; what has its default
 * is left out. A run of several stages is repeated with its profile, by name where it has one.
 */
import type { PlanRecord } from '../../../plan/plan-record.js';
import { formatTimeRange } from '../../../plan/policy/time-range.js';
import { printable } from '../../../plan/printable.js';
import { byKind, type StageRows } from '../../../plan/stages/kinds.js';
import { formatDuration, formatRate } from '../../../plan/units.js';
import type { Result } from '../../../result/result.js';

/** A flag with its value; `true`: a switch. Left out where there is no value, as in results of earlier versions. */
type FlagPart = readonly [flag: string, value: string | number | true | null | undefined];

const duration = (ms: number | null | undefined): string | null => (ms == null ? null : formatDuration(ms));

/** Flags of the command that fires a stage of this kind. */
const STAGE_FLAGS: StageRows<readonly FlagPart[]> = {
  burst: ({ size, times, restMs }) => [
    ['-c', size],
    ['-b', times === 1 ? null : times],
    ['--rest', times === 1 ? null : duration(restMs)],
  ],
  churn: ({ total, inFlight, forMs }) => [
    ['-n', total],
    ['-c', inFlight],
    ['-d', duration(forMs)],
  ],
  arrive: ({ rate, size, times, restMs, forMs, spacing, maxOpen }) => [
    ...(rate === null
      ? [
          ['-c', size] as const,
          ['-b', times === 1 ? null : times] as const,
          ['--rest', times === 1 ? null : duration(restMs)] as const,
          ['--spread', duration(forMs)] as const,
        ]
      : [['-r', ratesText(rate)] as const, ['-d', duration(forMs)] as const]),
    ['--spacing', spacing === 'even' ? null : spacing],
    ['--max-open', maxOpen],
  ],
  storm: (stage) => [
    ['-c', stage.clients],
    ...stage.policies.map(({ name }) => ['--policy', name] as const),
    ['--open', duration(stage.openMs)],
    ['--settle', duration(stage.settleMs)],
    ['--drop', stage.drop.by === 'idle' ? `idle:${formatDuration(stage.drop.withinMs)}` : stage.drop.by],
    ['--window', duration(stage.windowMs)],
    ['--notice', stage.notice.toMs === 0 ? null : formatTimeRange(stage.notice)],
    ['--capacity', stage.capacity === null ? null : `${stage.capacity}/s`],
  ],
  find: (stage) => [
    ['--max', stage.max],
    ['--min', stage.min],
    ['--expect', stage.expect],
    ['--preset', stage.preset],
    ['--width', stage.width],
    ['--share', stage.share],
    ['--p99', duration(stage.p99Ms)],
    ['--p95', duration(stage.p95Ms)],
    ['--rest', duration(stage.restMs)],
    ['--fresh-wait', duration(stage.freshWaitMs)],
    ['--max-wait', duration(stage.maxWaitMs)],
    ['--budget', stage.budget],
    ['--deadline', duration(stage.deadlineMs)],
    ['--burst-quantile', stage.burstQuantile],
    ['--harm', stage.harm],
    ['--down-sweep', stage.downSweep ? true : null],
  ],
  steps: () => [],
};

/** As `-r` reads it back: its counts take no commas. */
function ratesText([from, to]: readonly [number, number]): string {
  const [first, last] = [from, to].map((rate) => formatRate(rate).replaceAll(',', ''));
  return first === last ? `${first}` : `${first}..${last}`;
}

/** What `check` waits for each step unless it is told. */
const CHECK_TIMEOUT_MS = 10_000;
const TIMEOUT_MS = 75_000;

export function commandLine({ command, plan }: Result): string {
  const [stage] = plan.stages;
  const url = shellWord(plan.target.url);
  if (command === 'check')
    return joined(['wstampede check', url], [timeoutPart(plan, CHECK_TIMEOUT_MS), ...targetParts(plan)]);
  if (command === 'run' || command === 'demo' || stage === undefined) {
    return joined(['wstampede run', shellWord(plan.name ?? 'PROFILE.yaml'), '-u', url], []);
  }
  const parts = [...byKind(STAGE_FLAGS, stage), timeoutPart(plan, TIMEOUT_MS), ...targetParts(plan), ...runParts(plan)];
  return joined([`wstampede ${command}`, url], parts);
}

function timeoutPart({ timeoutMs }: PlanRecord, usual: number): FlagPart {
  return ['-t', timeoutMs === usual ? null : formatDuration(timeoutMs)];
}

function targetParts({ target, data }: PlanRecord): FlagPart[] {
  const { tls, connectTo } = target;
  return [
    ...target.headers.map(([name, value]) => ['-H', `${name}: ${value}`] as const),
    ['--origin', target.origin],
    ...target.subprotocols.map((name) => ['--subprotocol', name] as const),
    ...switches({ '--compression': target.compression, '-k': tls.insecure, '--tls-resume': tls.resume }),
    ['--data', data?.file ?? null],
    ['--pick', data === null || data.pick === 'cycle' ? null : data.pick],
    ['--ca', tls.ca],
    ['--cert', tls.cert],
    ['--key', tls.key],
    ['--servername', tls.servername],
    ['--connect-to', connectTo === null ? null : `${connectTo.host}:${connectTo.port}`],
    ...target.sourceIps.map((address) => ['--source-ip', address] as const),
  ];
}

function runParts(plan: PlanRecord): FlagPart[] {
  return [
    ['--gate', plan.gate === 'connect' || plan.stages.some(({ kind }) => kind === 'churn') ? null : plan.gate],
    ['--hold', duration(plan.session.holdMs)],
    ['--after', duration(plan.afterMs)],
    ['--close', plan.close],
    ['--resolve', plan.resolve === 'first' ? null : plan.resolve],
    ['-w', plan.workers],
    ['--transport', plan.transport === 'auto' ? null : plan.transport],
    ['--release-chunk', plan.releaseChunk],
    ['--seed', plan.seed === 1 ? null : plan.seed],
    ...switches({ '--no-preflight': !plan.preflight, '--no-calibrate': !plan.calibrate }),
    ...plan.thresholds.map((expression) => ['--threshold', expression] as const),
    ['--abort', plan.abort],
  ];
}

function switches(flags: Readonly<Record<string, boolean>>): FlagPart[] {
  return Object.entries(flags).flatMap(([flag, isSet]) => (isSet ? [[flag, true] as const] : []));
}

function joined(words: readonly string[], parts: readonly FlagPart[]): string {
  const flags = parts.flatMap(([flag, value]) => {
    if (value == null) return [];
    return value === true ? [flag] : [`${flag} ${shellWord(`${value}`)}`];
  });
  return [...words, ...flags].join(' ');
}

/** As a shell reads it back: one word. */
function shellWord(text: string): string {
  const safe = printable(text);
  return /^[\w./:@%+=,-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", "'\\''")}'`;
}

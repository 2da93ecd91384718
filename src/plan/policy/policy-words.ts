/** A reconnect policy as one line for people: `storm --policies`, the dry run, reports, docs/policies.md. */
import { formatDuration } from '../units.js';
import type { CodeRange, NamedDraw, Policy, WaitCurve, WaitList } from './policy.js';
import { formatTimeRange } from './time-range.js';

const DRAW_WORDS: { readonly [D in NamedDraw]: string } = {
  comb: 'in a comb (one number decides distance and side)',
  product: 'both drawn for each wait',
  poll: 'by a timer that runs all the time',
  gauss: 'normally distributed around the wait before',
  decorrelated: 'decorrelated (drawn up to a multiple of the wait before)',
};

const CLAMP_WORDS = { base: 'before jitter', wait: 'after jitter', both: 'before and after jitter' } as const;

/** `waits 1s, x2 each time, ±50%, at most 5s (after jitter); no end; 20s an attempt; starts over at the 101`. */
export function policyWords(policy: Policy): string {
  if (policy.attempts === 0) return 'never comes back';
  const { waits } = policy;
  return [
    `waits ${waits.kind === 'list' ? listWords(waits, policy.attempts) : curveWords(waits)}`,
    endWords(policy),
    limitWords(policy),
    resetWords(policy),
    ...codeWords('ends for good after', policy.stop),
    ...codeWords('at once after', policy.now),
  ].join('; ');
}

function listWords({ waits }: WaitList, attempts: number | null): string {
  const texts = waits.map(formatTimeRange);
  const runs: { text: string; times: number }[] = [];
  for (const text of texts) {
    const last = runs.at(-1);
    if (last?.text === text) last.times += 1;
    else runs.push({ text, times: 1 });
  }
  const last = runs.length - 1;
  const isUsedUp = attempts !== null && attempts <= waits.length;
  return runs
    .map(({ text, times }, i) => {
      if (i === last && !isUsedUp) return last === 0 ? `${text} each time` : `then ${text} each time`;
      return times === 1 ? text : `${text} (${times} times)`;
    })
    .join(', ');
}

function curveWords({ first, isPerClient, growth, maxMs, jitter, plus, clamp, draw }: WaitCurve): string {
  const isSteady = growth.by === 'factor' ? growth.factor === 1 : growth.stepMs === 0;
  const step = growth.by === 'factor' ? `x${growth.factor}` : `+${formatDuration(growth.stepMs)}`;
  const hasJitter = jitter.least !== 1 || jitter.most !== 1;
  const around = `±${Math.round((jitter.most - 1) * 100)}%`;
  const isSymmetric = Math.abs(jitter.most - 1 - (1 - jitter.least)) < 1e-9;
  return [
    `${formatTimeRange(first)}${isPerClient ? ' (drawn once for each client)' : ''}`,
    ...(isSteady ? [] : [`${step} each time`]),
    ...(hasJitter ? [isSymmetric ? around : `times ${jitter.least} to ${jitter.most}`] : []),
    ...(draw === null ? [] : [DRAW_WORDS[draw]]),
    ...(plus.toMs === 0 ? [] : [`plus ${formatTimeRange(plus)}`]),
    ...(maxMs === null ? [] : [`at most ${formatDuration(maxMs)}${hasJitter ? ` (${CLAMP_WORDS[clamp]})` : ''}`]),
  ].join(', ');
}

function endWords({ attempts, totalMs }: Policy): string {
  if (attempts !== null) return attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  return totalMs === null ? 'no end' : `for ${formatDuration(totalMs)}`;
}

function limitWords({ timeout }: Policy): string {
  if (timeout === null) return 'no limit on an attempt';
  const { firstMs, grow, maxMs } = timeout;
  const growth = grow === 1 ? '' : `, x${grow} each time up to ${formatDuration(maxMs)}`;
  return `${formatDuration(firstMs)} an attempt${growth}`;
}

function resetWords({ reset }: Policy): string {
  if (typeof reset === 'object') return `starts over after ${formatDuration(reset.upMs)} up`;
  return { open: 'starts over at the 101', ready: 'starts over when ready', never: 'never starts over' }[reset];
}

function codeWords(meaning: string, ranges: readonly CodeRange[]): readonly string[] {
  if (ranges.length === 0) return [];
  return [`${meaning} ${ranges.map(({ from, to }) => (from === to ? from : `${from}-${to}`)).join(' ')}`];
}

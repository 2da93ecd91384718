/**
 * What each policy of a storm makes of an outage, before anything is sent: computed for a service that is back at once,
 * after 10 s and after 60 s, and whether it recovers at all. Part of the dry run.
 */
import { type OutageForecast, simulateOutage } from '../../plan/policy/outage.js';
import type { Policy } from '../../plan/policy/policy.js';
import { policyWords } from '../../plan/policy/policy-words.js';
import { recoveryBound } from '../../plan/policy/recovery.js';
import type { StormStage } from '../../plan/stages/storm.js';
import { formatCount, formatDuration } from '../../plan/units.js';
import { wrap } from './text-width.js';

const OUTAGES_MS = [0, 10_000, 60_000] as const;
const COLUMNS = ['outage', '50% back', '99% back', 'peak/s', 'attempts each', 'never'] as const;
const GAP = 2;

/** Lines of at most `width` characters. @param timeoutMs limit of an attempt where the policy has none */
export function stormForecast(stage: StormStage, timeoutMs: number, seed: number, width: number): string[] {
  const at =
    stage.capacity === null
      ? 'a service that answers at once'
      : `a service that completes ${formatCount(stage.capacity)}/s`;
  return [
    ...wrap(`Computed, for ${at}; times count from its return:`, width - GAP).map(indented),
    ...stage.policies.flatMap((policy) => [
      '',
      ...wrap(`${policy.name}: ${policyWords(policy)}`, width - GAP).map(indented),
      ...table(stage, policy, timeoutMs, seed),
      ...wrap(`bound: ${recoveryBound(policy, stage.clients, stage.capacity, timeoutMs).because}`, width - GAP).map(
        indented,
      ),
    ]),
  ];
}

function table(stage: StormStage, policy: Policy, timeoutMs: number, seed: number): string[] {
  const { clients, capacity, windowMs } = stage;
  const rows = OUTAGES_MS.map((outageMs) => {
    const forecast = simulateOutage({ policy, clients, outageMs, perSecond: capacity, timeoutMs, windowMs, seed });
    return [formatDuration(outageMs), ...cells(forecast)];
  });
  const all = [[...COLUMNS], ...rows];
  const widths = COLUMNS.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  return all.map((row) => indented(indented(row.map((cell, i) => cell.padStart(widths[i])).join('  '))));
}

function cells({ t50Ms, t99Ms, peakPerSecond, attemptsPerClient, gaveUp, stillTrying }: OutageForecast): string[] {
  const after = (ms: number | null) => (ms === null ? 'never' : `${(ms / 1000).toFixed(1)} s`);
  return [
    after(t50Ms),
    after(t99Ms),
    formatCount(peakPerSecond),
    attemptsPerClient.mean.toFixed(1),
    formatCount(gaveUp + stillTrying),
  ];
}

function indented(line: string): string {
  return `${' '.repeat(GAP)}${line}`;
}

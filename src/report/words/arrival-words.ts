/** Arrivals in words: when they start, how many connections they mean at the same time, and how the schedule was kept. */
import type { ArriveStage, Stage } from '../../plan/plan.js';
import type { Resource } from '../../plan/resources.js';
import { heldAtOnce, inFlightAtOnce, USUAL_HANDSHAKE_MS } from '../../plan/stages/arrive.js';
import { formatCount, formatDuration, formatMemory, formatRate } from '../../plan/units.js';
import type { Burst } from '../../result/result.js';
import type { Fact } from './fact.js';
import { spokenMs } from './numbers.js';

/** `at 200/s for 60s`, `at 50/s to 500/s over 60s, each held for 4m`, `spread over 60s`. */
export function arrivalWords({ rate, forMs, spacing, holdMs }: ArriveStage): string {
  const time = formatDuration(forMs);
  const held = holdMs === null ? '' : `, ${rate === null ? '' : 'each '}held for ${formatDuration(holdMs)}`;
  const how = `${spacing === 'poisson' ? ' (poisson)' : ''}${held}`;
  if (rate === null) return `spread over ${time}${how}`;
  const [from, to] = rate.map(formatRate);
  return from === to ? `at ${from} for ${time}${how}` : `at ${from} to ${to} over ${time}${how}`;
}

/** `about 12,050: 12,000 held (50/s × 4m, Little's law), and 50 in flight if a handshake takes 1s`. */
export function openAtOnceText(stage: ArriveStage): string {
  const held = heldAtOnce(stage);
  const inFlight = Math.min(inFlightAtOnce(stage), stage.size - held);
  const busy =
    stage.maxOpen === null
      ? `${formatCount(inFlight)} in flight if a handshake takes ${formatDuration(USUAL_HANDSHAKE_MS)}`
      : `at most ${formatCount(inFlight)} in flight`;
  if (inFlight === 0) return `${formatCount(held)}, all of them held`;
  if (held === 0) return stage.maxOpen === null ? `about ${busy}` : busy;
  return `about ${formatCount(held + inFlight)}: ${formatCount(held)} held${levelOf(stage, held)}, and ${busy}`;
}

/** Where the number of held connections comes from. */
function levelOf({ rate, holdMs, size }: ArriveStage, held: number): string {
  if (rate === null || holdMs === null || held === size) return '';
  const [from, to] = rate;
  const which = from === to ? '' : 'up to ';
  return ` (${which}${formatRate(Math.max(from, to))} × ${formatDuration(holdMs)}, Little's law)`;
}

/** What stages that hold connections need, before anything is sent; null: none of them holds any. */
export function heldNeeds(stages: readonly Stage[], resources: readonly Resource[]): string | null {
  const holding = stages.filter((stage) => stage.kind === 'arrive').filter(({ holdMs }) => holdMs !== null);
  if (holding.length === 0) return null;
  const [largest] = holding.sort((a, b) => heldAtOnce(b) - heldAtOnce(a));
  const needs = resources.map(({ name, needed, allowed }) => {
    const show = name === 'memory' ? formatMemory : formatCount;
    return `${show(needed)}${allowed === null ? '' : ` of ${show(allowed)}`} ${RESOURCE_NAMES[name]}`;
  });
  return `open at once: ${openAtOnceText(largest)}; needs ${needs.join(', ')}`;
}

const RESOURCE_NAMES: Readonly<Record<Resource['name'], string>> = {
  descriptors: 'file descriptors',
  ports: 'local ports',
  memory: 'memory',
};

/** How the schedule was kept. */
export function arrivalsFact({ arrivals }: Burst): Fact[] {
  if (arrivals === null) return [];
  const { planned, started, skipped, lateP99Ms, lateMaxMs } = arrivals;
  const all =
    started === planned
      ? `all ${formatCount(planned)} started`
      : `${formatCount(started)} of ${formatCount(planned)} started`;
  const left = skipped === 0 ? '' : `, ${formatCount(skipped)} skipped: no room for more handshakes in flight`;
  const late =
    lateP99Ms === null || lateMaxMs === null
      ? ''
      : `; late by ${spokenMs(lateP99Ms)} (p99), at most ${spokenMs(lateMaxMs)}`;
  return [{ label: 'arrivals', text: `${all}${left}${late}` }];
}

/**
 * The dry run: the plan in words, what it needs, what this machine allows, and a line for each need that cannot be met.
 * Pure: the plan comes masked, the machine's limits as facts. plan/resources.ts compares them, here and in the check
 * before the first burst.
 */

import { isLoopback } from '../../plan/address.js';
import { foreignAddresses, type Machine, portsPerSource } from '../../plan/machine-facts.js';
import { fixedSockets, type Needs, PREFLIGHT_ATTEMPTS, PROBE_EVERY_MS, probesPerBurst } from '../../plan/needs.js';
import { findStageOf, peakOpen, type Stage } from '../../plan/plan.js';
import type { PlanRecord } from '../../plan/plan-record.js';
import {
  closingBeside,
  type Demand,
  type Resource,
  resourcesOf,
  shortOf,
  type Ways,
  workersOf,
} from '../../plan/resources.js';
import { byKind, loadOf, type StageRows } from '../../plan/stages/kinds.js';
import { formatBytes, formatCount, formatDuration, formatMemory } from '../../plan/units.js';
import { arrivalWords, openAtOnceText } from '../words/arrival-words.js';
import { type PlannedSearch, searchTerms } from '../words/search-cost.js';
import { sessionLines } from '../words/session-words.js';
import { searchCosts } from './search-costs.js';
import { stormForecast } from './storm-forecast.js';
import { type Paint, palette } from './style.js';
import { wrap } from './text-width.js';

/** The machine and options of the planned run. */
export interface Ground {
  readonly machine: Machine;
  readonly ways: Ways;
}

export interface DryRunOptions {
  readonly width: number;
  readonly color: boolean;
  /** Public hosts that the user allows. */
  readonly consent?: readonly string[];
  /** Names of the variables that the plan uses. */
  readonly environment?: readonly string[];
  /** The cost of the plan's search, if it has one. */
  readonly search?: PlannedSearch | null;
}

const LABEL = 14;
const STAGES_SHOWN = 20;

/** Ends with a line feed; no line is longer than `width`, except for longer words. */
export function renderDryRun(plan: PlanRecord, needs: Needs, ground: Ground, options: DryRunOptions): string {
  const { machine, ways } = ground;
  const { bold, red } = palette(options.color);
  const demand: Demand = { open: needs.sockets, plan, workers: workersOf(plan, machine), machine, ways };
  const title = plan.name === null ? 'Dry run: nothing is sent' : `Dry run of ${plan.name}: nothing is sent`;
  const rows = (pairs: readonly LabelledRow[]): string[] => pairs.flatMap((row) => fitted(row, options.width));
  const unmet = unmetRows(demand);
  const lines = [
    bold(plain(title)),
    ...(plan.about === null ? [] : wrap(plain(plan.about), options.width)),
    '',
    bold('Plan'),
    ...rows(planRows(plan, needs, demand, options)),
    '',
    ...searchLines(options.search ?? null, bold, options.width),
    ...plan.stages.flatMap((stage) =>
      stage.kind === 'storm'
        ? [bold('Storm'), ...stormForecast(stage, plan.timeoutMs, plan.seed, options.width), '']
        : [],
    ),
    bold('Needs, and what this machine allows'),
    ...rows([...resourcesOf(demand).map((one) => resourceRow(one, demand, needs)), ...costRows(plan, needs)]),
    '',
    ...(unmet.length === 0
      ? wrap('Every need is met, as far as this machine says.', options.width)
      : [...wrap(unmetHeading(demand), options.width).map((line) => bold(red(line))), ...rows(unmet)]),
    ...notes(plan, machine).flatMap((note) => wrap(note, options.width)),
  ];
  return `${lines.join('\n')}\n`;
}

type LabelledRow = readonly [label: string, text: string];

function searchLines(search: PlannedSearch | null, bold: Paint, width: number): string[] {
  if (search === null) return [];
  const terms = searchTerms(search).flatMap((row) => fitted(row, width));
  return [bold('Search for the drop-off point'), ...terms, ...searchCosts(search, width), ''];
}

function planRows(
  plan: PlanRecord,
  needs: Needs,
  { workers, machine }: Demand,
  { consent = [], environment = [] }: DryRunOptions,
): LabelledRow[] {
  const { target } = plan;
  const sources = target.sourceIps.length;
  const stages = plan.stages
    .slice(0, STAGES_SHOWN)
    .map((stage, i): LabelledRow => [i === 0 ? 'stages' : '', `${i + 1}. ${stageText(stage)}`]);
  const more = plan.stages.length - STAGES_SHOWN;
  const optional: (LabelledRow | null)[] = [
    ...hostRows(plan, consent),
    sources === 0
      ? null
      : ['from', sources === 1 ? (target.sourceIps[0] ?? '') : `${formatCount(sources)} local addresses`],
    ...target.headers.map(([name, value], i): LabelledRow => [i === 0 ? 'headers' : '', `${name}: ${value}`]),
    target.origin === null ? null : ['origin', target.origin],
    target.subprotocols.length === 0 ? null : ['subprotocols', target.subprotocols.join(', ')],
    plan.data === null ? null : ['data', `${plan.data.file}, ${plan.data.pick}`],
    environment.length === 0 ? null : ['environment', `${environment.join(', ')}: sent to the target`],
  ];
  return [
    ['target', target.url],
    ...optional.filter((row) => row !== null),
    ...(plan.stages.some((stage) => loadOf(stage).isReleasedTogether) ? [['gate', gateText(plan)] as const] : []),
    ['timeout', `${formatDuration(plan.timeoutMs)} an attempt`],
    ...stages,
    ...(more > 0 ? [['', `… and ${more} more`] as const] : []),
    ['attempts', attemptsText(plan, needs)],
    ...sessionRows(plan.session),
    ...openRows(plan),
    ...(plan.afterMs === null ? [] : [['after', probesText(plan)] as const]),
    ...plan.thresholds.map((text, i): LabelledRow => [i === 0 ? 'thresholds' : '', text]),
    ...(plan.abort === null ? [] : [['abort when', plan.abort] as const]),
    ['workers', `${workers} of ${machine.cpus} cores, transport ${plan.transport}, seed ${plan.seed}`],
  ];
}

function sessionRows({ holdMs, script }: PlanRecord['session']): LabelledRow[] {
  if (script === null) return holdMs === null ? [] : [['hold', formatDuration(holdMs)]];
  const name = script.name === null ? [] : [`${script.name}: a client`];
  const variables = Object.keys(script.variables).map((variable) => `${variable}=${script.variables[variable] ?? ''}`);
  const lines = [...name, ...sessionLines(script)];
  return [
    ...lines.map((line, i): LabelledRow => [i === 0 ? 'session' : '', line]),
    ...(variables.length === 0 ? [] : [['variables', variables.join(', ')] as const]),
  ];
}

/** How many connections arrivals mean at the same time. */
function openRows({ stages }: PlanRecord): LabelledRow[] {
  const arrivals = stages.filter((stage) => stage.kind === 'arrive').slice(0, STAGES_SHOWN);
  return arrivals.map((stage, i): LabelledRow => [i === 0 ? 'open at once' : '', openAtOnceText(stage)]);
}

/** Hosts other than the URL's, so that the user can check somebody else's profile before running it. */
function hostRows({ target: { connectTo }, allowHosts }: PlanRecord, consent: readonly string[]): LabelledRow[] {
  const named = allowHosts.filter((name) => !consent.includes(name));
  return [
    ...(connectTo === null ? [] : [['dials', `${connectTo.host} port ${connectTo.port}`] as const]),
    ...(consent.length === 0 ? [] : [['allowed', consent.join(', ')] as const]),
    ...(named.length === 0
      ? []
      : [['not allowed', `${named.join(', ')}: the profile names it; a public host needs --allow-host`] as const]),
  ];
}

function gateText(plan: PlanRecord): string {
  switch (plan.gate) {
    case 'connect':
      return 'connect: TCP, TLS and upgrade all start at the release';
    case 'tls':
      return 'tls: TCP is open before the release';
    case 'upgrade':
      return 'upgrade: TCP and TLS are open before the release';
  }
}

function stageText(stage: Stage): string {
  const rest = stage.restMs === null || stage.restMs === 0 ? '' : `, rest ${formatDuration(stage.restMs)}`;
  return `${byKind(STAGE_TEXTS, stage)}${rest}`;
}

const STAGE_TEXTS: StageRows<string> = {
  burst: ({ size, times }) => `burst of ${formatCount(size)}${times === 1 ? '' : `, ${formatCount(times)} times`}`,
  steps: ({ sizes }) => {
    const first = sizes.slice(0, 3).map(formatCount).join(', ');
    const last = formatCount(sizes.at(-1) ?? 0);
    const list = sizes.length > 4 ? `${first} … ${last}` : sizes.map(formatCount).join(', ');
    return `steps of ${list} (${formatCount(sizes.length)} bursts)`;
  },
  churn: ({ total, inFlight, forMs }) => {
    const number = total === null ? '' : `${formatCount(total)} in total, `;
    const time = forMs === null ? '' : `, for ${formatDuration(forMs)}`;
    return `churn, ${number}${formatCount(inFlight)} in flight${time}`;
  },
  arrive: (stage) => {
    const times = stage.times === 1 ? '' : `, ${formatCount(stage.times)} times`;
    const most = stage.maxOpen === null ? '' : `, at most ${formatCount(stage.maxOpen)} in flight`;
    return `${formatCount(stage.size)} arrivals ${arrivalWords(stage)}${most}${times}`;
  },
  storm: ({ clients, openMs, settleMs, policies, windowMs }) => {
    const names = policies.map(({ name }) => name).join(', ');
    return `storm: ${formatCount(clients)} clients opened over ${formatDuration(openMs)}, dropped after ${formatDuration(settleMs)}, back by ${names}, watched for ${formatDuration(windowMs)}`;
  },
  find: ({ max }) => `search for the drop-off, up to ${formatCount(max)} at once`,
};

function hasSearch({ stages }: PlanRecord): boolean {
  return findStageOf(stages) !== null;
}

function attemptsText(plan: PlanRecord, needs: Needs): string {
  const total = needs.attempts === null ? 'as many as fit the time' : formatCount(needs.attempts);
  const bursts = needs.bursts === 1 ? '1 burst' : `${formatCount(needs.bursts)} bursts`;
  const probes = needs.probes === 0 ? '' : `, ${formatCount(needs.probes)} in the probes`;
  const others = needs.bursts === 0 ? '' : ` and ${bursts} beside it`;
  const sent = hasSearch(plan) ? `what the search takes${others}` : `${total} in ${bursts}`;
  return `${sent}${probes}${plan.preflight ? `, and ${PREFLIGHT_ATTEMPTS} in the preflight` : ''}`;
}

function probesText(plan: PlanRecord): string {
  const count = probesPerBurst(plan);
  const every = `one probe every ${formatDuration(PROBE_EVERY_MS)}`;
  return count === 1
    ? 'one probe once a burst is over'
    : `${every} once a burst is over, ${formatCount(count)} after each`;
}

interface ResourceWords {
  readonly label: string;
  readonly show: (value: number) => string;
  note(demand: Demand, needs: Needs): string;
  remedy(one: Resource, demand: Demand): string;
}

const RESOURCE_WORDS: Readonly<Record<Resource['name'], ResourceWords>> = {
  descriptors: {
    label: 'descriptors',
    show: formatCount,
    note: ({ open, plan }) =>
      `${formatCount(open)} sockets at once${closingBeside({ open, plan }) > 0 ? ', those that are still closing' : ''}, and the process's own`,
    remedy: ({ needed }) => `ulimit -n ${needed}`,
  },
  ports: {
    label: 'local ports',
    show: formatCount,
    note: portNote,
    remedy: ({ needed }, { machine, ways }) => {
      const perSource = portsPerSource(machine) * (ways?.destinations ?? 1);
      const wanted = formatCount(Math.ceil((needed + (ways?.portsInUse ?? 0)) / perSource));
      return `connect from ${wanted} source addresses (--source-ip, repeatable, takes blocks)`;
    },
  },
  memory: {
    label: 'memory',
    show: formatMemory,
    note: () => 'an estimate',
    remedy: (_, { plan: { calibrate } }) =>
      `make the largest burst smaller, ${calibrate ? 'skip the calibration (--no-calibrate), ' : ''}or use a machine with more memory`,
  },
};

function portNote({ plan, ways, open }: Demand, { portsAtWorst }: Needs): string {
  const sources = Math.max(1, plan.target.sourceIps.length);
  const addresses = sources === 1 ? 'one source address' : `${formatCount(sources)} source addresses`;
  const used = ways === null || ways.portsInUse === 0 ? '' : `, ${formatCount(ways.portsInUse)} in use`;
  const worst = portsAtWorst > open ? `; up to ${formatCount(portsAtWorst)} if the target leaves closing to us` : '';
  return `${addresses}${used}${worst}`;
}

function resourceRow(one: Resource, demand: Demand, needs: Needs): LabelledRow {
  const { label, show, note } = RESOURCE_WORDS[one.name];
  const allowed = one.allowed === null ? 'limit unknown' : `${show(one.allowed)} allowed`;
  return [label, `${show(one.needed)} of ${allowed} (${note(demand, needs)})`];
}

/** Whether the run would end before its first burst, with exit code 4. */
export function isOutOfReach(plan: PlanRecord, needs: Needs, { machine, ways }: Ground): boolean {
  return isFixedShort({ open: needs.sockets, plan, workers: workersOf(plan, machine), machine, ways });
}

function isFixedShort(demand: Demand): boolean {
  const { plan, machine } = demand;
  const fixed = shortOf({ ...demand, open: fixedSockets(plan) });
  return fixed.length > 0 || foreignAddresses(plan.target.sourceIps, machine).length > 0;
}

/** A search adapts to what is available; other stages and the probes cannot. */
function unmetHeading(demand: Demand): string {
  return isFixedShort(demand)
    ? 'Not met: the run would end with exit code 4'
    : 'Not met: the search goes only as far as this machine does (exit code 4 if the drop-off is beyond)';
}

function unmetRows(demand: Demand): LabelledRow[] {
  const { plan, machine } = demand;
  const foreign = foreignAddresses(plan.target.sourceIps, machine);
  const short = shortOf(demand).map((one): LabelledRow => {
    const { label, show, remedy } = RESOURCE_WORDS[one.name];
    const [needed, allowed] = [one.needed, one.allowed ?? 0].map(show);
    return [label, `${needed} needed, ${allowed} allowed: ${remedy(one, demand)}`];
  });
  return [
    ...foreign.map((address): LabelledRow => ['source', `no interface of this machine has the address ${address}`]),
    ...short,
  ];
}

function costRows(plan: PlanRecord, needs: Needs): LabelledRow[] {
  const volume: LabelledRow[] =
    needs.bytesOut === null || needs.bytesIn === null
      ? []
      : [['bytes', `about ${formatBytes(needs.bytesOut)} to send, ${formatBytes(needs.bytesIn)} to receive`]];
  const rows = (needs.attempts ?? 0) + needs.probes + (plan.preflight ? PREFLIGHT_ATTEMPTS : 0);
  const data: LabelledRow[] =
    plan.data?.pick === 'once' ? [['rows', `${formatCount(rows)} of ${plan.data.file}, each used once`]] : [];
  const best = formatDuration(Math.round(needs.bestMs / 1000) * 1000);
  const worst = formatDuration(Math.round(needs.worstMs / 1000) * 1000);
  const extra = plan.calibrate ? '; calibration comes on top' : '';
  // The search has its own table.
  if (hasSearch(plan) && needs.bursts === 0) return [...volume, ...data];
  const what = hasSearch(plan) ? 'beside the search ' : '';
  const time = `${what}${best} at best, ${worst} when every attempt runs into its timeout${extra}`;
  return [...volume, ...data, ['time', time]];
}

function notes(plan: PlanRecord, machine: Machine): string[] {
  const host = plan.target.connectTo?.host ?? plan.target.host;
  const local = host === 'localhost' || isLoopback(host);
  const largest = peakOpen({ stages: plan.stages.filter((stage) => loadOf(stage).isReleasedTogether) });
  if (!local || machine.somaxconn === null || largest <= machine.somaxconn) return [];
  const queue = formatCount(machine.somaxconn);
  return [
    `Note: the target is on this machine, whose accept queues hold at most ${queue} connections (net.core.somaxconn): of ${formatCount(largest)} that arrive together some may wait for a SYN to be sent again.`,
  ];
}

// Names and expressions come from the user, but a line feed in them must not break the table.
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
}

function fitted([label, text]: LabelledRow, width: number): string[] {
  const lines = wrap(plain(text), width - LABEL - 2);
  return lines.map((line, i) => `  ${(i === 0 ? label : '').padEnd(LABEL)}${line}`);
}

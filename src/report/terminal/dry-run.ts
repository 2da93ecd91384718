/**
 * The dry run: the plan in words, what it needs, what this machine allows, and a line for each need that can't be met. Pure:
 * the plan comes masked, the machine's limits come as facts.
 */
import { isLoopback } from '../../plan/address.js';
import { type Needs, PREFLIGHT_ATTEMPTS, PROBE_EVERY_MS, probesPerBurst } from '../../plan/needs.js';
import { type Plan, peakOpen, type Stage } from '../../plan/plan.js';
import { formatBytes, formatCount, formatDuration } from '../../plan/units.js';
import { type PlannedSearch, searchTerms } from '../words/search-cost.js';
import { searchCosts } from './search-costs.js';
import { type Paint, palette } from './style.js';
import { wrap } from './text-width.js';

/** What this machine allows; null where it does not say. */
export interface MachineFacts {
  /** Open descriptors of one process, at the limit that it can raise itself to. */
  readonly fds: number | null;
  /** Free local ports of one source address towards one destination. */
  readonly portsPerSource: number | null;
  readonly memoryMb: number | null;
  readonly cpus: number;
  /** Longest accept queue (net.core.somaxconn). */
  readonly somaxconn: number | null;
}

export interface DryRunOptions {
  readonly width: number;
  readonly color: boolean;
  /** Of a plan with a search: what it will cost. */
  readonly search?: PlannedSearch | null;
}

const LABEL = 14;
const MB = 1_000_000;
const STAGES_SHOWN = 20;
const ATTEMPTS_PER_WORKER = 250;

/** Ends with a line feed; no line is longer than `width`, words longer than a line aside. */
export function renderDryRun(plan: Plan, needs: Needs, machine: MachineFacts, options: DryRunOptions): string {
  const { bold, red } = palette(options.color);
  const needed = resources(plan, needs, machine);
  const unmet = needed.filter((one) => one.allowed !== null && one.needed > one.allowed);
  const title = plan.name === null ? 'Dry run: nothing is sent' : `Dry run of ${plan.name}: nothing is sent`;
  const rows = (pairs: readonly Row[]): string[] => pairs.flatMap((row) => fitted(row, options.width));
  const lines = [
    bold(plain(title)),
    ...(plan.about === null ? [] : wrap(plain(plan.about), options.width)),
    '',
    bold('Plan'),
    ...rows(planRows(plan, needs, machine)),
    '',
    ...searchLines(options.search ?? null, bold, options.width),
    bold('Needs, and what this machine allows'),
    ...rows([...needed.map(resourceRow), ...costRows(plan, needs)]),
    '',
    ...(unmet.length === 0
      ? wrap('Every need is met, as far as this machine says.', options.width)
      : [...unmetHeading(plan, options.width).map((line) => bold(red(line))), ...rows(unmet.map(unmetRow))]),
    ...notes(plan, machine).flatMap((note) => wrap(note, options.width)),
  ];
  return `${lines.join('\n')}\n`;
}

type Row = readonly [label: string, text: string];

function searchLines(search: PlannedSearch | null, bold: Paint, width: number): string[] {
  if (search === null) return [];
  const terms = searchTerms(search).flatMap((row) => fitted(row, width));
  return [bold('Search for the drop-off point'), ...terms, ...searchCosts(search, width), ''];
}

function planRows(plan: Plan, needs: Needs, machine: MachineFacts): Row[] {
  const { target } = plan;
  const sources = target.sourceIps.length;
  const workers = plan.workers ?? Math.max(1, Math.min(machine.cpus, Math.ceil(peakOpen(plan) / ATTEMPTS_PER_WORKER)));
  const stages = plan.stages
    .slice(0, STAGES_SHOWN)
    .map((stage, i): Row => [i === 0 ? 'stages' : '', `${i + 1}. ${stageText(stage)}`]);
  const more = plan.stages.length - STAGES_SHOWN;
  const optional: (Row | null)[] = [
    target.connectTo === null ? null : ['dials', `${target.connectTo.host} port ${target.connectTo.port}`],
    sources === 0
      ? null
      : ['from', sources === 1 ? (target.sourceIps[0] ?? '') : `${formatCount(sources)} local addresses`],
    ...target.headers.map(([name, value], i): Row => [i === 0 ? 'headers' : '', `${name}: ${value}`]),
    target.origin === null ? null : ['origin', target.origin],
    target.subprotocols.length === 0 ? null : ['subprotocols', target.subprotocols.join(', ')],
    plan.data === null ? null : ['data', `${plan.data.file}, ${plan.data.pick}`],
  ];
  return [
    ['target', target.url],
    ...optional.filter((row) => row !== null),
    ['gate', gateText(plan)],
    ['timeout', `${formatDuration(plan.timeoutMs)} an attempt`],
    ...stages,
    ...(more > 0 ? [['', `… and ${more} more`] as const] : []),
    ['attempts', attemptsText(plan, needs)],
    ...(plan.session.holdMs === null ? [] : [['hold', formatDuration(plan.session.holdMs)] as const]),
    ...(plan.afterMs === null ? [] : [['after', probesText(plan)] as const]),
    ...plan.thresholds.map((text, i): Row => [i === 0 ? 'thresholds' : '', text]),
    ...(plan.abort === null ? [] : [['abort when', plan.abort] as const]),
    ['workers', `${workers} of ${machine.cpus} cores, transport ${plan.transport}, seed ${plan.seed}`],
  ];
}

function gateText(plan: Plan): string {
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
  switch (stage.kind) {
    case 'burst':
      return `burst of ${formatCount(stage.size)}${stage.times === 1 ? '' : `, ${formatCount(stage.times)} times`}${rest}`;
    case 'steps': {
      const first = stage.sizes.slice(0, 3).map(formatCount).join(', ');
      const last = formatCount(stage.sizes.at(-1) ?? 0);
      const sizes = stage.sizes.length > 4 ? `${first} … ${last}` : stage.sizes.map(formatCount).join(', ');
      return `steps of ${sizes} (${formatCount(stage.sizes.length)} bursts)${rest}`;
    }
    case 'churn': {
      const total = stage.total === null ? '' : `${formatCount(stage.total)} in total, `;
      const time = stage.forMs === null ? '' : `, for ${formatDuration(stage.forMs)}`;
      return `churn, ${total}${formatCount(stage.inFlight)} in flight${time}${rest}`;
    }
    case 'find':
      return `search for the drop-off, up to ${formatCount(stage.max)} at once${rest}`;
  }
}

/** It decides as it goes, and takes less where less can be had. */
function hasSearch({ stages }: Plan): boolean {
  return stages.some(({ kind }) => kind === 'find');
}

function attemptsText(plan: Plan, needs: Needs): string {
  const total = needs.attempts === null ? 'as many as fit the time' : formatCount(needs.attempts);
  const bursts = needs.bursts === 1 ? '1 burst' : `${formatCount(needs.bursts)} bursts`;
  const probes = needs.probes === 0 ? '' : `, ${formatCount(needs.probes)} in the probes`;
  const others = needs.bursts === 0 ? '' : ` and ${bursts} beside it`;
  const sent = hasSearch(plan) ? `what the search takes${others}` : `${total} in ${bursts}`;
  return `${sent}${probes}${plan.preflight ? `, and ${PREFLIGHT_ATTEMPTS} in the preflight` : ''}`;
}

function probesText(plan: Plan): string {
  const count = probesPerBurst(plan);
  const every = `one probe every ${formatDuration(PROBE_EVERY_MS)}`;
  return count === 1
    ? 'one probe once a burst is over'
    : `${every} once a burst is over, ${formatCount(count)} after each`;
}

/** A need with a limit on this machine. */
interface Resource {
  readonly name: string;
  readonly needed: number;
  readonly allowed: number | null;
  readonly show: (value: number) => string;
  readonly note: string;
  readonly remedy: string;
}

function resources(plan: Plan, needs: Needs, machine: MachineFacts): Resource[] {
  const sources = Math.max(1, plan.target.sourceIps.length);
  const addresses = sources === 1 ? 'one source address' : `${formatCount(sources)} source addresses`;
  const worst =
    needs.portsAtWorst > needs.ports
      ? `; up to ${formatCount(needs.portsAtWorst)} if the target leaves closing to us`
      : '';
  const wanted = machine.portsPerSource === null ? 0 : Math.ceil(needs.ports / Math.max(1, machine.portsPerSource));
  return [
    {
      name: 'descriptors',
      needed: needs.descriptors,
      allowed: machine.fds,
      show: formatCount,
      note: `${formatCount(needs.sockets)} sockets at once, and the process's own`,
      remedy: `ulimit -n ${needs.descriptors}`,
    },
    {
      name: 'local ports',
      needed: needs.ports,
      allowed: machine.portsPerSource === null ? null : machine.portsPerSource * sources,
      show: formatCount,
      note: `${addresses}${worst}`,
      remedy: `connect from ${formatCount(wanted)} source addresses (--source-ip, repeatable, takes blocks)`,
    },
    {
      name: 'memory',
      needed: needs.memoryBytes,
      allowed: machine.memoryMb === null ? null : machine.memoryMb * MB,
      show: formatBytes,
      note: 'an estimate',
      remedy: 'make the largest burst smaller, or use a machine with more memory',
    },
  ];
}

function resourceRow(one: Resource): Row {
  const allowed = one.allowed === null ? 'limit unknown' : `${one.show(one.allowed)} allowed`;
  return [one.name, `${one.show(one.needed)} of ${allowed} (${one.note})`];
}

function unmetHeading(plan: Plan, width: number): string[] {
  return hasSearch(plan)
    ? wrap('Not met: the search goes only as far as this machine does (exit code 4 if the drop-off is beyond)', width)
    : ['Not met: the run would end with exit code 4'];
}

function unmetRow(one: Resource): Row {
  return [one.name, `${one.show(one.needed)} needed, ${one.show(one.allowed ?? 0)} allowed: ${one.remedy}`];
}

function costRows(plan: Plan, needs: Needs): Row[] {
  const volume: Row[] =
    needs.bytesOut === null || needs.bytesIn === null
      ? []
      : [['bytes', `about ${formatBytes(needs.bytesOut)} to send, ${formatBytes(needs.bytesIn)} to receive`]];
  const rows = (needs.attempts ?? 0) + needs.probes + (plan.preflight ? PREFLIGHT_ATTEMPTS : 0);
  const data: Row[] =
    plan.data?.pick === 'once' ? [['rows', `${formatCount(rows)} of ${plan.data.file}, each used once`]] : [];
  const best = formatDuration(Math.round(needs.bestMs / 1000) * 1000);
  const worst = formatDuration(Math.round(needs.worstMs / 1000) * 1000);
  const extra = plan.calibrate ? '; calibration comes on top' : '';
  // The search has a table of its own.
  if (hasSearch(plan) && needs.bursts === 0) return [...volume, ...data];
  const what = hasSearch(plan) ? 'beside the search ' : '';
  const time = `${what}${best} at best, ${worst} when every attempt runs into its timeout${extra}`;
  return [...volume, ...data, ['time', time]];
}

function notes(plan: Plan, machine: MachineFacts): string[] {
  const host = plan.target.connectTo?.host ?? plan.target.host;
  const local = host === 'localhost' || isLoopback(host);
  const largest = peakOpen(plan);
  if (!local || machine.somaxconn === null || largest <= machine.somaxconn) return [];
  const queue = formatCount(machine.somaxconn);
  return [
    `Note: the target is on this machine, whose accept queues hold at most ${queue} connections (net.core.somaxconn): of ${formatCount(largest)} that arrive together some may wait for a SYN to be sent again.`,
  ];
}

// Names and expressions are the user's own, but a line feed in them must not break the table.
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
}

function fitted([label, text]: Row, width: number): string[] {
  const lines = wrap(plain(text), width - LABEL - 2);
  return lines.map((line, i) => `  ${(i === 0 ? label : '').padEnd(LABEL)}${line}`);
}

/**
 * What connections need of a machine: threads, descriptors, local ports, memory. The one model for the dry run, the
 * check before the first burst, and the search, which adapts. Pure: the machine is passed in as facts. Estimates err on
 * the high side.
 */
import { type Machine, portsPerSource } from './machine-facts.js';
import { type Plan, peakOpen, stageOpen } from './plan.js';
import type { AnyPlan } from './plan-record.js';
import { factsOf } from './stages/kinds.js';

/** Attempts that one worker can release close together; more workers than that only increase the spread. */
const ATTEMPTS_PER_WORKER = 250;

/** Descriptors that threads, output files and lazily loaded modules may still need. */
const SPARE_FDS = 24;
const FDS_PER_WORKER = 12;
/**
 * Descriptors open at the start of a run if the machine does not report them: streams, and Node's own epoll and
 * wake-ups.
 */
const USUAL_FDS = 24;

const KIB = 1024;
const MIB = 1024 * KIB;
/**
 * Memory, from the peak (VmHWM) of runs on Linux with Node 20 with up to 15,000 connections, plus a margin of 14 to 20
 * %. Measured per connection in this process: 4.1 KiB with epoll, 5.3 with node, 40 with TLS; plus 5.5 KiB in the
 * kernel for its socket. Per thread: 16 to 19 MiB.
 */
const PROCESS_BYTES = 96 * MIB;
const WORKER_BYTES = 24 * MIB;
const CONNECTION_BYTES = { epoll: 11 * KIB, node: 13 * KIB, tls: 52 * KIB };
/**
 * The local test server's process; its end of each connection, and what is not yet freed when the next burst starts.
 */
const MIRROR_BYTES = 72 * MIB;
const MIRROR_CONNECTION_BYTES = { plain: 9 * KIB, tls: 60 * KIB };

/** The number of threads that a plan asks for. */
export function workersOf(plan: Pick<Plan, 'workers' | 'stages'>, { cpus }: Pick<Machine, 'cpus'>): number {
  // A worker whose part of them is none could start nothing.
  const shares = plan.stages.flatMap((stage) => (stage.kind === 'arrive' ? (stage.maxOpen ?? []) : []));
  return plan.workers ?? Math.max(1, Math.min(cpus, Math.ceil(peakOpen(plan) / ATTEMPTS_PER_WORKER), ...shares));
}

/** Destinations of connections, as far as local ports matter: one port can serve one connection to each destination. */
export interface Ways {
  readonly destinations: number;
  /** Local ports already used towards them, in any state. */
  readonly portsInUse: number;
}

/** A number of connections at once, and how they are made. */
export interface Demand {
  readonly open: number;
  readonly plan: AnyPlan;
  readonly workers: number;
  readonly machine: Machine;
  /** null: there is no connect. */
  readonly ways: Ways | null;
}

export interface Resource {
  readonly name: 'descriptors' | 'ports' | 'memory';
  readonly needed: number;
  /** null: the machine does not report it. */
  readonly allowed: number | null;
  /** Number of connections that fit; null: no known limit. */
  readonly fit: number | null;
}

/** Each resource, with what `open` connections at once need of it. */
export function resourcesOf(demand: Demand): Resource[] {
  return [descriptors(demand), ...(demand.ways === null ? [] : [ports(demand, demand.ways)]), memory(demand)];
}

/** The resources that are not sufficient. */
export function shortOf(demand: Demand): Resource[] {
  return resourcesOf(demand).filter(({ fit }) => fit !== null && demand.open > fit);
}

/** Connections that fit into the free descriptors beside those of the program itself; null: unlimited. */
export function connectionsByFds(machine: Machine, workers: number): number | null {
  return machine.fds === null ? null : Math.max(0, machine.fds - ownFds(machine, workers));
}

function ownFds({ fdsOpen }: Machine, workers: number): number {
  return (fdsOpen ?? USUAL_FDS) + SPARE_FDS + workers * FDS_PER_WORKER;
}

function descriptors(demand: Demand): Resource {
  const { open, plan, workers, machine } = demand;
  const free = connectionsByFds(machine, workers);
  const [steady, replaced] = replacing(plan);
  const fit = free === null || free >= steady + replaced ? free : Math.floor((free * steady) / (steady + replaced));
  const needed = open + closingBeside(demand) + ownFds(machine, workers);
  return { name: 'descriptors', needed, allowed: machine.fds, fit };
}

/**
 * Connections beyond `open` that are still closing while new ones have taken their slots: up to as many as are in flight
 * in a churn or in arrivals, because a refusal is read to its end and a clean close waits for the other side
 * (engine/transport/leaving.ts).
 */
export function closingBeside({ open, plan }: Pick<Demand, 'open' | 'plan'>): number {
  const [steady, replaced] = replacing(plan);
  return Math.max(0, Math.min(open, steady) + Math.min(open, replaced) - open);
}

/**
 * Of the stage in which most connections are open or closing: how many are open, and how many of these may be replaced
 * before they are closed. None when connections are reset, because a reset does not wait.
 */
function replacing({ stages, close }: AnyPlan): readonly [steady: number, replaced: number] {
  if (close === 'reset') return [0, 0];
  const all = stages.map((stage) => [stageOpen(stage), factsOf(stage).replaced(stage)] as const);
  return all.filter(([, replaced]) => replaced > 0).reduce((a, b) => (b[0] + b[1] > a[0] + a[1] ? b : a), [0, 0]);
}

function ports({ open, plan, machine }: Demand, { destinations, portsInUse }: Ways): Resource {
  const sources = Math.max(1, plan.target.sourceIps.length);
  const free = Math.max(0, portsPerSource(machine) * sources * destinations - portsInUse);
  return { name: 'ports', needed: open, allowed: free, fit: free };
}

function memory({ open, plan, workers, machine: { memoryFree } }: Demand): Resource {
  const isSecure = plan.target.scheme === 'wss';
  const mirror = isSecure ? MIRROR_CONNECTION_BYTES.tls : MIRROR_CONNECTION_BYTES.plain;
  const own = PROCESS_BYTES + workers * WORKER_BYTES + (plan.calibrate ? MIRROR_BYTES : 0);
  const each = CONNECTION_BYTES[isSecure ? 'tls' : transportOf(plan)] + (plan.calibrate ? mirror : 0);
  const fit = memoryFree === null ? null : Math.max(0, Math.floor((memoryFree - own) / each));
  return { name: 'memory', needed: own + open * each, allowed: memoryFree, fit };
}

/** Only the machine knows which transport `auto` will use, so the one that needs more is counted. */
function transportOf({ transport }: AnyPlan): 'epoll' | 'node' {
  return transport === 'epoll' ? 'epoll' : 'node';
}

/**
 * What connections take of a machine: threads, descriptors, local ports, memory. The one model of it, for the dry run that
 * announces, the check before the first burst that refuses, and the search that takes less. Pure: the machine comes as
 * facts. Estimates err on the side of more.
 */
import { type Machine, portsPerSource } from './machine-facts.js';
import { type Plan, peakOpen, stageOpen } from './plan.js';
import type { AnyPlan } from './plan-record.js';
import { loadOf } from './stages/kinds.js';

/** Attempts that one worker can release close together; more workers than this needs only add skew. */
const ATTEMPTS_PER_WORKER = 250;

/** Descriptors that threads, output files and modules loaded late may still take. */
const SPARE_FDS = 24;
const FDS_PER_WORKER = 12;
/** Open when a run begins, where the machine does not say: streams, epoll and wake-ups of Node itself. */
const USUAL_FDS = 24;

const KIB = 1024;
const MIB = 1024 * KIB;
/**
 * Memory, from the peak (VmHWM) of runs on Linux with Node 20 that held up to 15,000 connections, with a margin of 14 to
 * 20 %. A connection took 4.1 KiB of the process over epoll, 5.3 over node and 40 over TLS, and 5.5 more of the kernel for
 * its socket; a thread took 16 to 19 MiB.
 */
const PROCESS_BYTES = 96 * MIB;
const WORKER_BYTES = 24 * MIB;
const CONNECTION_BYTES = { epoll: 11 * KIB, node: 13 * KIB, tls: 52 * KIB };
/** The process that the calibration fires at; a connection's far end in it, and what the burst after it still finds in use. */
const MIRROR_BYTES = 72 * MIB;
const MIRROR_CONNECTION_BYTES = { plain: 9 * KIB, tls: 60 * KIB };

/** Threads that a plan wants. */
export function workersOf(plan: Pick<Plan, 'workers' | 'stages'>, { cpus }: Pick<Machine, 'cpus'>): number {
  return plan.workers ?? Math.max(1, Math.min(cpus, Math.ceil(peakOpen(plan) / ATTEMPTS_PER_WORKER)));
}

/** Where connections go, as far as local ports care: one may serve a connection to each destination. */
export interface Ways {
  readonly destinations: number;
  /** Ports towards them that are taken, in whatever state. */
  readonly portsInUse: number;
}

/** So many connections at once, and what they are made with. */
export interface Demand {
  readonly open: number;
  readonly plan: AnyPlan;
  readonly workers: number;
  readonly machine: Machine;
  /** null: nothing is connected to. */
  readonly ways: Ways | null;
}

export interface Resource {
  readonly name: 'descriptors' | 'ports' | 'memory';
  readonly needed: number;
  /** null: the machine does not say. */
  readonly allowed: number | null;
  /** Connections that fit into what is allowed; null: any number, as far as is known. */
  readonly fit: number | null;
}

/** Each resource with what `open` connections at once need of it. */
export function resourcesOf(demand: Demand): Resource[] {
  return [descriptors(demand), ...(demand.ways === null ? [] : [ports(demand, demand.ways)]), memory(demand)];
}

/** Those that can't be had. */
export function shortOf(demand: Demand): Resource[] {
  return resourcesOf(demand).filter(({ fit }) => fit !== null && demand.open > fit);
}

/** Connections that fit into the free descriptors beside what the program itself needs; null when unlimited. */
export function connectionsByFds(machine: Machine, workers: number): number | null {
  return machine.fds === null ? null : Math.max(0, machine.fds - ownFds(machine, workers));
}

function ownFds({ fdsOpen }: Machine, workers: number): number {
  return (fdsOpen ?? USUAL_FDS) + SPARE_FDS + workers * FDS_PER_WORKER;
}

function descriptors(demand: Demand): Resource {
  const { open, plan, workers, machine } = demand;
  const free = connectionsByFds(machine, workers);
  const fit = free === null || free >= 2 * churnOpen(plan) ? free : Math.floor(free / 2);
  const needed = open + closingBeside(demand) + ownFds(machine, workers);
  return { name: 'descriptors', needed, allowed: machine.fds, fit };
}

/**
 * Connections beyond `open` that are still closing while others have taken their places: in a churn as many as are in
 * flight, since a refusal is read to its end and an orderly close waits for the other side (engine/transport/leaving.ts).
 */
export function closingBeside({ open, plan }: Pick<Demand, 'open' | 'plan'>): number {
  return Math.max(0, 2 * Math.min(open, churnOpen(plan)) - open);
}

/** In flight where each connection is closed as another begins; a reset waits for nothing. */
function churnOpen({ stages, close }: AnyPlan): number {
  if (close === 'reset') return 0;
  return Math.max(0, ...stages.filter((stage) => loadOf(stage).closesEach).map(stageOpen));
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

/** Which transport `auto` will take is known to the machine alone, so it is counted as the larger one. */
function transportOf({ transport }: AnyPlan): 'epoll' | 'node' {
  return transport === 'epoll' ? 'epoll' : 'node';
}

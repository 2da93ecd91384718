/**
 * Checks before anything is sent whether this machine can carry a plan: one sentence for each need that cannot be met,
 * with the limit, the number that it allows, and the command that raises it. Otherwise such a limit would look like one
 * of the target. plan/resources.ts computes the needs, for the dry run too.
 */
import { addressFamily } from '../../plan/address.js';
import { foreignAddresses, type Machine, withoutPrefix } from '../../plan/machine-facts.js';
import { fixedSockets } from '../../plan/needs.js';
import type { Plan } from '../../plan/plan.js';
import { closingBeside, type Demand, type Resource, shortOf, type Ways } from '../../plan/resources.js';
import { formatCount } from '../../plan/units.js';
import { portsInUse } from '../machine/ports-in-use.js';
import type { Destination } from '../transport/transport.js';

/** A need that cannot be met: how many connections fit, and what limits them. */
export interface Shortage {
  readonly fit: number;
  /** One sentence with the remedy. */
  readonly reason: string;
  /** It resolves itself after a while: ports in TIME_WAIT. */
  readonly passes: boolean;
}

/**
 * One sentence for each need that cannot be met; empty: the plan fits this machine. A search adapts, so it is not
 * checked here.
 */
export function unmetNeeds(
  plan: Plan,
  machine: Machine,
  workers: number,
  destinations: readonly Destination[],
): string[] {
  const foreign = foreignAddresses(plan.target.sourceIps, machine).map((address) => foreignReason(address, machine));
  const open = fixedSockets(plan);
  const short = shortages({ open, plan, workers, machine, ways: waysTo(destinations, machine) });
  return [...foreign, ...short.map(({ reason }) => reason)];
}

/** The tightest limit for `open` connections at once on this machine now; null: there is none. */
export function shortageOf(
  open: number,
  plan: Plan,
  machine: Machine,
  workers: number,
  destinations: readonly Destination[],
): Shortage | null {
  const all = shortages({ open, plan, workers, machine, ways: waysTo(destinations, machine) });
  return all.reduce<Shortage | null>((least, one) => (least === null || one.fit < least.fit ? one : least), null);
}

/**
 * The ways to a plan's target as far as known without a DNS lookup: a name counts as one destination with all ports
 * free.
 */
export function knownWays({ target }: Plan, machine: Machine): Ways {
  const { host, port } = target.connectTo ?? target;
  const family = addressFamily(host);
  return (family === null ? null : waysTo([{ address: host, port, family }], machine)) ?? FREE_WAY;
}

const FREE_WAY: Ways = { destinations: 1, portsInUse: 0 };

function waysTo(destinations: readonly Destination[], machine: Machine): Ways | null {
  if (destinations.length === 0) return null;
  return { destinations: destinations.length, portsInUse: portsInUse(machine, destinations) };
}

function shortages(demand: Demand): Shortage[] {
  return shortOf(demand).map((resource) => {
    const fit = resource.fit ?? 0;
    const passes = resource.name === 'ports' && demand.open <= fit + (demand.ways?.portsInUse ?? 0);
    return { fit, passes, reason: REASONS[resource.name](resource, demand, formatCount(fit)) };
  });
}

function foreignReason(address: string, { addresses }: Machine): string {
  const own = (addresses ?? []).map(withoutPrefix).join(', ');
  return `no interface of this machine has the source address ${address}; it has ${own}`;
}

type ReasonText = (resource: Resource, demand: Demand, fit: string) => string;

const REASONS: Readonly<Record<Resource['name'], ReasonText>> = {
  descriptors: ({ needed, allowed }, { open, plan, machine: { fdsHard } }, fit) =>
    `${formatCount(open)} connections at once${closingBeside({ open, plan }) > 0 ? ', and those that are still closing,' : ''} need ${formatCount(needed)} file descriptors, and this process may open ` +
    `${formatCount(allowed ?? 0)} (hard limit ${fdsHard === null ? 'none' : formatCount(fdsHard)}): ` +
    `at most ${fit} connections fit; raise it with: ulimit -n ${needed}` +
    (closingBeside({ open, plan }) > 0 ? ', or close by reset: --close reset' : ''),
  ports: portReason,
  memory: ({ needed, allowed }, { open, plan }, fit) =>
    `${formatCount(open)} connections at once need about ${mebibytes(Math.ceil, needed)} MiB, and ` +
    `${mebibytes(Math.floor, allowed ?? 0)} MiB are free: at most ${fit} fit; free memory or use fewer` +
    (plan.calibrate ? ', or skip the calibration: --no-calibrate' : ''),
};

function portReason(_resource: Resource, { open, plan, machine, ways }: Demand, fit: string): string {
  const { destinations, portsInUse: used } = ways ?? FREE_WAY;
  const sources = Math.max(1, plan.target.sourceIps.length);
  const [low, high] = machine.portRange;
  return (
    `${formatCount(open)} connections at once need as many local ports, and ${formatCount(sources)} source ` +
    `address${sources === 1 ? '' : 'es'} to ${formatCount(destinations)} destination${destinations === 1 ? '' : 's'} ` +
    `${sources * destinations === 1 ? 'has' : 'have'} ${fit} free (${low}-${high}` +
    `${used > 0 ? `, ${formatCount(used)} in use` : ''}): at most ${fit} fit; ` +
    'add source addresses (--source-ip, repeatable, CIDR) or widen it with: sysctl net.ipv4.ip_local_port_range="1024 65535"'
  );
}

function mebibytes(round: (value: number) => number, bytes: number): number {
  return round(bytes / 2 ** 20);
}

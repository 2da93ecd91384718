/**
 * From the target's name to the addresses that are dialled, and the guard that checks those. The DNS lookup happens
 * once, before the first release; its time is the phase `dns`.
 */
import os from 'node:os';
import { UserError } from '../../errors.js';
import { addressFamily, dialledAddress, isGuardedAddress } from '../../plan/address.js';
import type { Plan } from '../../plan/plan.js';
import { printable } from '../../plan/printable.js';
import { formatDuration } from '../../plan/units.js';
import type { Destination } from '../transport/transport.js';
import { type LookedUp, lookUp, SILENT } from './lookup.js';

export interface Resolution {
  /** Addresses over which attempts are spread; empty when the lookup failed. */
  readonly destinations: readonly Destination[];
  /** Further addresses, used when those do not answer. */
  readonly others: readonly Destination[];
  /** All addresses of the name, the dialled ones first. */
  readonly addresses: readonly string[];
  /** Duration of the lookup; null when the target is an address. */
  readonly dnsMs: number | null;
  /** Code of a failed lookup, such as ENOTFOUND, or ETIMEOUT when the resolver did not answer; null when it worked. */
  readonly failure: string | null;
}

/** The name has no address of the family of the source address. */
const OTHER_FAMILY = 'no address of the family of the source address';

/** Asks for a name's addresses. */
type LookUp = (name: string, timeoutMs: number, signal: AbortSignal) => Promise<LookedUp>;

/**
 * @param signal ends a running lookup, which then fails
 * @param consent hosts that the user allows
 * @throws UserError (address) for an IPv6 zone that this machine does not have
 */
export async function resolveTarget(
  plan: Plan,
  signal: AbortSignal,
  consent: Consent,
  ask: LookUp = lookUp,
): Promise<Resolution> {
  const { host, port } = plan.target.connectTo ?? plan.target;
  const literal = addressFamily(host);
  if (literal !== null) {
    checkZone(host);
    const address = dialledAddress(host);
    const destinations = [{ address, port, family: literal }];
    return { destinations, others: [], addresses: [address], dnsMs: null, failure: null };
  }
  const { addresses: found, failure, tookMs: dnsMs } = await ask(host, plan.timeoutMs, signal);
  if (failure !== null) return { destinations: [], others: [], addresses: [], dnsMs, failure };
  const all = found.map((one) => destinationOf(one.address, port));
  const usable = sameFamily(all, plan);
  const destinations = plan.resolve === 'all' ? usable : usable.slice(0, 1);
  const others = usable.slice(destinations.length).filter(({ address }) => isAllowed(plan, consent, address));
  const addresses = [...new Set([...destinations, ...all].map(({ address }) => address))];
  return { destinations, others, addresses, dnsMs, failure: usable.length === 0 ? OTHER_FAMILY : null };
}

function destinationOf(address: string, port: number): Destination {
  return { address: dialledAddress(address), port, family: addressFamily(address) ?? 4 };
}

/** A zone is an interface, given by name or number (RFC 4007 section 11). */
function checkZone(address: string): void {
  const zone = address.split('%')[1];
  const names = Object.keys(os.networkInterfaces());
  if (zone === undefined || /^\d+$/.test(zone) || names.includes(zone)) return;
  throw new UserError(`${address}: no interface of this machine is called ${zone}`, {
    code: 'address',
    hint: `interfaces that are up: ${names.join(', ')}`,
  });
}

/** A bound source address reaches only its own family. */
function sameFamily(all: readonly Destination[], plan: Plan): readonly Destination[] {
  const source = plan.target.sourceIps[0];
  if (source === undefined) return all;
  const family = addressFamily(source);
  return all.filter((to) => to.family === family);
}

/** The address used, if the name has several and no preflight would try the others; otherwise null. */
export function oneAddressOf({ destinations, others }: Resolution): string | null {
  const [to] = destinations;
  if (to === undefined || others.length === 0) return null;
  const rest = others.map(({ address }) => address).join(', ');
  return `every connection goes to ${to.address}; the name also has ${rest}: to use all of them, --resolve all`;
}

/** Why there is no address, as one sentence. If the resolver did not answer, nothing is known about the name. */
export function lookUpFailed(plan: Plan, failure: string): string {
  const name = dialledHost(plan);
  return failure === SILENT
    ? `the DNS resolver did not answer for ${name} within ${formatDuration(plan.timeoutMs)} (${failure})`
    : `the DNS lookup of ${name} failed (${failure})`;
}

/**
 * Public hosts that the user allows, by flag, environment or library option. A profile may come from somebody else, so
 * the hosts that it names do not count.
 */
export type Consent = readonly string[];

/** @throws UserError (guard) for an address that is not loopback, link-local or private and was not allowed. */
export function guard(plan: Plan, consent: Consent, destinations: readonly Destination[]): void {
  const dialled = dialledHost(plan);
  for (const { address } of destinations) {
    if (isAllowed(plan, consent, address)) continue;
    const flags = namesToAllow(plan, consent, address).map((name) => `--allow-host ${name}`);
    throw new UserError(
      `${dialled === address ? address : `${dialled} (${address})`} is a public address: load on a system that is not yours is an attack, so it needs your word`,
      {
        code: 'guard',
        hint: `if you may test it, say so: ${flags.join(' ')}${namedByProfile(plan, consent)} (in a program: allowHosts in the options of run)`,
      },
    );
  }
}

/** The same before any look-up: only an address in the URL is known. @throws UserError */
export function guardLiteral(plan: Plan, consent: Consent): void {
  const address = dialledAddress(dialledHost(plan));
  const family = addressFamily(address);
  if (family !== null) guard(plan, consent, [{ address, port: plan.target.port, family }]);
}

function isAllowed(plan: Plan, consent: Consent, address: string): boolean {
  if (!isGuardedAddress(address)) return true;
  return namesToAllow(plan, consent, address).length === 0;
}

/** What still has to be allowed: the address itself, or both the URL's host and the dialled one. */
function namesToAllow(plan: Plan, consent: Consent, address: string): string[] {
  const allowed = new Set(consent.map((name) => name.toLowerCase()));
  const dialled = dialledHost(plan);
  if (allowed.has(address.toLowerCase())) return [];
  const names = dialledAddress(dialled) === address ? [dialled] : [plan.target.host, dialled];
  return [...new Set(names.map((name) => name.toLowerCase()))].filter((name) => !allowed.has(name));
}

function namedByProfile({ allowHosts }: Plan, consent: Consent): string {
  const named = allowHosts.filter((name) => !consent.includes(name)).map((name) => printable(name));
  return named.length === 0
    ? ''
    : `; allowHosts of the profile names ${named.join(', ')}, but only you can allow a host: with the flag, or with WSTAMPEDE_ALLOW_HOST`;
}

function dialledHost({ target }: Plan): string {
  return (target.connectTo ?? target).host;
}

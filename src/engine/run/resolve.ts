/**
 * From the target's name to the addresses that are really dialled, and the guard that judges those: a look-up happens
 * once, before anything is released, and its time is the phase `dns`.
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
  /** Addresses attempts are spread over; empty when the look-up failed. */
  readonly destinations: readonly Destination[];
  /** Further ones that may be dialled where those do not answer. */
  readonly others: readonly Destination[];
  /** All addresses of the name, the dialled ones first. */
  readonly addresses: readonly string[];
  /** Duration of the look-up; null when the target is an address. */
  readonly dnsMs: number | null;
  /** Code of the failed look-up, e.g. ENOTFOUND, or ETIMEOUT of a silent resolver; null when it worked. */
  readonly failure: string | null;
}

/** No address of the name can be reached from where the connections are to come from. */
const OTHER_FAMILY = 'no address of the family of the source address';

/** Asks for a name's addresses. */
type LookUp = (name: string, timeoutMs: number, signal: AbortSignal) => Promise<LookedUp>;

/**
 * @param signal ends a look-up under way, which fails then
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

/** A zone is an interface, by its name or its number (RFC 4007 section 11). */
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

/** Where a name has several addresses and one is dialled, without a preflight that would try the others; else null. */
export function oneAddressOf({ destinations, others }: Resolution): string | null {
  const [to] = destinations;
  if (to === undefined || others.length === 0) return null;
  const rest = others.map(({ address }) => address).join(', ');
  return `every connection goes to ${to.address}; the name also has ${rest}: to use all of them, --resolve all`;
}

/** Why there is no address, as one sentence. A resolver that is silent has said nothing of the name. */
export function lookUpFailed(plan: Plan, failure: string): string {
  const name = dialledHost(plan);
  return failure === SILENT
    ? `the DNS resolver did not answer for ${name} within ${formatDuration(plan.timeoutMs)} (${failure})`
    : `the DNS lookup of ${name} failed (${failure})`;
}

/**
 * Public hosts that the user allows, by flag, environment or option of the library. A profile may come from somebody else:
 * what it names is no consent.
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
      { code: 'guard', hint: `if you may test it, say so: ${flags.join(' ')}${namedByProfile(plan, consent)}` },
    );
  }
}

function isAllowed(plan: Plan, consent: Consent, address: string): boolean {
  if (!isGuardedAddress(address)) return true;
  return namesToAllow(plan, consent, address).length === 0;
}

/** What still has to be allowed: the address itself, or both the URL's host and the one that is dialled. */
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

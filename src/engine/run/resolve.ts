/**
 * From the target's name to the addresses that are really dialled, and the guard that judges those: a look-up happens
 * once, before anything is released, and its time is the phase `dns`.
 */
import { lookup } from 'node:dns/promises';
import os from 'node:os';
import { UserError } from '../../errors.js';
import { addressFamily, isGuardedAddress } from '../../plan/address.js';
import type { Plan } from '../../plan/plan.js';
import { now } from '../machine/clock.js';
import type { Destination } from '../transport/transport.js';

export interface Resolution {
  /** Addresses attempts are spread over; empty when the look-up failed. */
  readonly destinations: readonly Destination[];
  /** All addresses of the name, the dialled ones first. */
  readonly addresses: readonly string[];
  /** Duration of the look-up; null when the target is an address. */
  readonly dnsMs: number | null;
  /** Code of the failed look-up, e.g. ENOTFOUND; null when it worked. */
  readonly failure: string | null;
}

/** @throws UserError (address) for an IPv6 zone that this machine does not have */
export async function resolveTarget(plan: Plan): Promise<Resolution> {
  const { host, port } = plan.target.connectTo ?? plan.target;
  const literal = addressFamily(host);
  if (literal !== null) {
    checkZone(host);
    return {
      destinations: [{ address: host, port, family: literal }],
      addresses: [host],
      dnsMs: null,
      failure: null,
    };
  }
  const start = now();
  try {
    const found = await lookup(host, { all: true, verbatim: true });
    const all = found.map(({ address, family }) => ({ address, port, family: family === 6 ? 6 : 4 }) as const);
    const destinations = plan.resolve === 'all' ? sameFamily(all, plan) : sameFamily(all, plan).slice(0, 1);
    const addresses = [...destinations, ...all].map(({ address }) => address);
    return { destinations, addresses: [...new Set(addresses)], dnsMs: now() - start, failure: null };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
    return { destinations: [], addresses: [], dnsMs: now() - start, failure: code };
  }
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

/** @throws UserError (guard) for an address that is not loopback, link-local or private and was not allowed. */
export function guard(plan: Plan, destinations: readonly Destination[]): void {
  const host = plan.target.host;
  const dialled = plan.target.connectTo?.host ?? host;
  const allowed = new Set(plan.allowHosts.map((name) => name.toLowerCase()));
  for (const { address } of destinations) {
    if (!isGuardedAddress(address)) continue;
    if (allowed.has(host.toLowerCase()) && allowed.has(dialled.toLowerCase())) continue;
    if (allowed.has(address)) continue;
    throw new UserError(
      `${dialled === address ? address : `${dialled} (${address})`} is a public address: load on a system that is not yours is an attack, so it needs your word`,
      { code: 'guard', hint: `if you may test it, say so: --allow-host ${dialled} (or allowHosts in the profile)` },
    );
  }
}

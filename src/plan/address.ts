/**
 * Addresses as users write them: source addresses and blocks, HOST:PORT endpoints, and which addresses are public.
 * Works on text only; the engine does the DNS lookups.
 */
import ipaddr from 'ipaddr.js';
import { UserError } from '../errors.js';
import type { Endpoint } from './plan.js';
import { maskLoose } from './secrets.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A /16. More addresses would cost more memory than their additional ports are worth. */
const LARGEST_HOST_BITS = 16;
const MOST_SOURCE_IPS = 2 ** LARGEST_HOST_BITS;

function refuse(message: string): never {
  throw new UserError(message, { code: 'address' });
}

/** The address, or null. Shorthands such as `127.1` are refused, because programs read them differently. */
function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return text.includes(':') && ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : null;
}

/** 4, 6, or null for a name. An IPv4-mapped IPv6 address is 4, because the kernel connects it over IPv4. */
export function addressFamily(host: string): 4 | 6 | null {
  const address = parseAddress(host);
  if (address === null) return null;
  return unmapped(address).kind() === 'ipv4' ? 4 : 6;
}

/**
 * The address to give to a socket: the IPv4 address inside an IPv4-mapped one, because a socket has one family. Text
 * that is not an address, or that has a zone, is returned unchanged.
 */
export function dialledAddress(host: string): string {
  const address = parseAddress(host);
  return address === null || unmapped(address) === address ? host : unmapped(address).toString();
}

function unmapped(address: Address): Address {
  return address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()
    ? (address as ipaddr.IPv6).toIPv4Address()
    : address;
}

/** In network order: 4 bytes, or 16 without the zone. Throws when `text` is not an address. */
export function addressBytes(text: string): readonly number[] {
  return ipaddr.parse(text).toByteArray();
}

/** Whether `text` is an address of 127.0.0.0/8 or ::1. */
export function isLoopback(text: string): boolean {
  const address = parseAddress(text);
  return address !== null && unmapped(address).range() === 'loopback';
}

/** Whether `text` is an address within `block` (CIDR notation). */
export function isWithin(text: string, block: string): boolean {
  const address = parseAddress(text);
  const [network, prefix] = ipaddr.parseCIDR(block);
  return address !== null && address.kind() === network.kind() && address.match(network, prefix);
}

// 100.64.0.0/10 (RFC 6598) counts as private: it is not routed on the Internet, and overlay networks live in it. The
// unspecified address connects to this machine.
const FREE_RANGES: ReadonlySet<string> = new Set([
  'loopback',
  'private',
  'linkLocal',
  'uniqueLocal',
  'carrierGradeNat',
  'unspecified',
]);

/**
 * True when bursts against this address need consent (`--allow-host`): everything but loopback, link-local, RFC 1918,
 * RFC 6598, unique-local (RFC 4193) and the unspecified address. IPv4-mapped IPv6 is judged by its IPv4 address; text
 * that is not an address is guarded.
 */
export function isGuardedAddress(ip: string): boolean {
  const address = parseAddress(ip);
  return address === null || !FREE_RANGES.has(unmapped(address).range());
}

/**
 * Addresses and CIDR blocks as a list of addresses, in order, without duplicates; at most 65,536. The network and the
 * broadcast address of an IPv4 block with four or more addresses are left out; of a block in 127.0.0.0/8 only 127.0.0.0
 * and 127.255.255.255 are, because Linux owns all the others. The first address of an IPv6 block is left out
 * (subnet-router anycast, RFC 4291 section 2.6.1).
 */
export function expandSourceIps(list: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const entry of list) {
    for (const ip of entry.includes('/') ? blockAddresses(entry) : [singleAddress(entry)]) found.add(ip);
    if (found.size > MOST_SOURCE_IPS) refuse(`at most ${MOST_SOURCE_IPS} source addresses, "${entry}" goes beyond`);
  }
  return [...found];
}

function singleAddress(text: string): string {
  const address = parseAddress(text);
  if (address === null)
    refuse(`expected an IP address or a block such as 127.0.0.0/24, found ${JSON.stringify(maskLoose(text))}`);
  checkBindable(unmapped(address), text);
  return unmapped(address).toString();
}

function checkBindable(address: Address, text: string): void {
  const range = address.range();
  if (range === 'unspecified' || range === 'multicast' || range === 'broadcast') {
    refuse(`${JSON.stringify(text)} is ${range}: a connection can't be made from it`);
  }
}

function blockAddresses(text: string): string[] {
  const [head = '', prefixText = ''] = text.split('/', 2);
  const address = parseAddress(head);
  const bits = address?.kind() === 'ipv4' ? 32 : 128;
  const prefix = /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : -1;
  if (address === null || prefix < 0 || prefix > bits || text.split('/').length !== 2) {
    refuse(`expected an IP address or a block such as 127.0.0.0/24, found ${JSON.stringify(maskLoose(text))}`);
  }
  const hostBits = bits - prefix;
  if (hostBits > LARGEST_HOST_BITS) {
    refuse(`block ${text} holds more than ${MOST_SOURCE_IPS} addresses; the largest is /${bits - LARGEST_HOST_BITS}`);
  }
  const base = address.toByteArray();
  const size = 2 ** hostBits;
  const network = base.slice(-4).reduce((value, byte) => value * 256 + byte, 0);
  const first = network - (network % size);
  const addresses: string[] = [];
  for (let value = first; value < first + size; value += 1) {
    const bytes = [...base.slice(0, -4), value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
    if (!isLeftOut(bytes, value - first, size)) addresses.push(ipaddr.fromByteArray(bytes).toString());
  }
  checkBindable(ipaddr.parse(addresses[0] ?? head), text);
  return addresses;
}

function isLeftOut(bytes: readonly number[], offset: number, size: number): boolean {
  if (size < 4) return false;
  if (bytes.length === 16) return offset === 0;
  if (bytes[0] === 127) return bytes.join('.') === '127.0.0.0' || bytes.join('.') === '127.255.255.255';
  return offset === 0 || offset === size - 1;
}

/** `host:443`, `10.0.0.5:443`, `[::1]:443`. Throws UserError `address`. */
export function parseEndpoint(text: string): Endpoint {
  const match = /^(?:\[([^\]]*)\]|([^:[\]/@\s]+)):(\d{1,5})$/.exec(text);
  const [, literal, name, portText = ''] = match ?? [];
  const port = Number(portText);
  const host = literal ?? name ?? '';
  const good = match !== null && port >= 1 && port <= 65_535 && (literal === undefined || isIPv6(literal));
  if (!good) refuse(`expected HOST:PORT such as 10.0.0.5:443 or [::1]:443, found ${JSON.stringify(maskLoose(text))}`);
  return { host, port };
}

function isIPv6(text: string): boolean {
  return parseAddress(text)?.kind() === 'ipv6';
}

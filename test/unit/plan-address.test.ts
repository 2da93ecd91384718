import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '#dist/errors.js';
import {
  addressBytes,
  addressFamily,
  expandSourceIps,
  isGuardedAddress,
  isLoopback,
  isWithin,
  parseEndpoint,
} from '#dist/plan/address.js';

const refused = (work: () => unknown, message: RegExp): void => {
  assert.throws(work, (error) => error instanceof UserError && error.code === 'address' && message.test(error.message));
};

test('public addresses are guarded, private ones are free', () => {
  const free = [
    '127.0.0.1',
    '127.255.0.9',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:c0a8:101',
  ];
  const guarded = [
    '8.8.8.8',
    '172.32.0.1',
    '172.15.0.1',
    '100.128.0.1',
    '192.169.0.1',
    '2001:db8::1',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'example.com',
    '127.1',
    '',
  ];
  for (const ip of free) assert.equal(isGuardedAddress(ip), false, ip);
  for (const ip of guarded) assert.equal(isGuardedAddress(ip), true, ip);
});

test('source addresses and blocks', () => {
  assert.deepEqual(expandSourceIps(['127.0.0.2', '127.0.0.2', '::1']), ['127.0.0.2', '::1']);
  assert.deepEqual(expandSourceIps(['10.0.0.0/30']), ['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(expandSourceIps(['10.0.0.4/31']), ['10.0.0.4', '10.0.0.5']);
  assert.deepEqual(expandSourceIps(['10.0.0.7/32']), ['10.0.0.7']);
  assert.deepEqual(expandSourceIps(['fd00::/126']), ['fd00::1', 'fd00::2', 'fd00::3']);
  const loopback = expandSourceIps(['127.0.5.9/24']);
  assert.equal(loopback.length, 256);
  assert.equal(loopback[0], '127.0.5.0');
  assert.equal(expandSourceIps(['127.0.0.0/24'])[0], '127.0.0.1');
  assert.equal(expandSourceIps(['127.1.0.0/16']).length, 65_536);
  assert.equal(expandSourceIps(['10.0.0.0/16']).length, 65_534);
  assert.ok(expandSourceIps(['255.255.254.0/24'].map(() => '10.255.255.0/24')).includes('10.255.255.254'));
  refused(() => expandSourceIps(['10.0.0.0/8']), /the largest is \/16/);
  refused(() => expandSourceIps(['fd00::/64']), /the largest is \/112/);
  refused(() => expandSourceIps(['127.1.0.0/16', '127.2.0.0/24']), /at most 65536 source addresses/);
  refused(() => expandSourceIps(['0.0.0.0']), /unspecified/);
  refused(() => expandSourceIps(['224.0.0.1']), /multicast/);
  for (const text of ['127.1', 'x', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1', '']) {
    refused(() => expandSourceIps([text]), /expected an IP address/);
  }
});

test('endpoints', () => {
  assert.deepEqual(parseEndpoint('h.example:443'), { host: 'h.example', port: 443 });
  assert.deepEqual(parseEndpoint('10.0.0.5:1'), { host: '10.0.0.5', port: 1 });
  assert.deepEqual(parseEndpoint('[::1]:65535'), { host: '::1', port: 65_535 });
  for (const text of ['h', 'h:', 'h:0', 'h:65536', '::1:80', '[::1]', '[x]:80', ':80', 'a b:80', 'u@h:80']) {
    refused(() => parseEndpoint(text), /expected HOST:PORT/);
  }
  assert.deepEqual(['10.0.0.1', '::1', '::ffff:10.0.0.1', 'h'].map(addressFamily), [4, 6, 4, null]);
});

test('an address is its bytes, without its zone', () => {
  assert.deepEqual(addressBytes('10.0.200.1'), [10, 0, 200, 1]);
  assert.deepEqual(addressBytes('fe80::1%eth0'), [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  assert.throws(() => addressBytes('localhost'));
});

test('loopback is a block of addresses and one of IPv6, and no name', () => {
  assert.deepEqual(['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1'].map(isLoopback), [true, true, true, true]);
  assert.deepEqual(['128.0.0.1', '::2', '0.0.0.0', '127.example', 'localhost'].map(isLoopback), Array(5).fill(false));
});

test('a block holds the addresses of its own family', () => {
  assert.equal(isWithin('127.3.0.9', '127.0.0.1/8'), true);
  assert.equal(isWithin('126.0.0.1', '127.0.0.1/8'), false);
  assert.equal(isWithin('::1', '127.0.0.1/8'), false);
  assert.equal(isWithin('fd00::9', 'fd00::/8'), true);
  assert.equal(isWithin('example.com', '127.0.0.1/8'), false);
});

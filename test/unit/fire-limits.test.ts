import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexAddress } from '#dist/engine/machine/ports-in-use.js';

test('addresses as /proc/net/tcp writes them', () => {
  assert.equal(hexAddress('127.0.0.1'), '0100007F');
  assert.equal(hexAddress('10.20.30.40'), '281E140A');
  assert.equal(hexAddress('::1'), '00000000000000000000000001000000');
  assert.equal(hexAddress('2001:db8::ff00:42:8329'), 'B80D01200000000000FF000029834200');
  assert.equal(hexAddress('fe80::1%eth0'), '000080FE000000000000000001000000');
  assert.equal(hexAddress('::ffff:10.20.30.40'), '0000000000000000FFFF0000281E140A');
  assert.equal(hexAddress('1:2:3:4:5:6:7:8'), '0200010004000300060005000800070' + '0');
});

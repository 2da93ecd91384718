/** The demo, stopped on its way; what it shows when it is not is in test/whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from '../cli.js';

test('Ctrl-C in the demo’s search ends it with what was found so far', async () => {
  const running = start(['demo', '--no-color']);
  await running.stderrHas(/^find .*burst 2:/m);
  running.child.kill('SIGINT');
  const ran = await running.done;
  assert.equal(ran.code, 130, ran.stderr);
  assert.match(ran.stdout, /^4\. The drop-off point/m);
  assert.match(ran.stdout, /^PARTIAL \(stopped by the user\): so far \d+ met 99\.9%/m);
  assert.match(ran.stdout, /^ {2}✓ +64 .* 100% /m);
  assert.doesNotMatch(ran.stdout, /^5\. /m);
});

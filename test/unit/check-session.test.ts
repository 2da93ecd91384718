/** A check walks the session: each step with its message, where it stopped, what came instead, and the exit code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkup } from '#dist/engine/check/checkup.js';
import { processHost } from '#dist/host.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { checkHeadline, checkSteps } from '#dist/report/words/check-words.js';
import type { Check } from '#dist/result/check-facts.js';
import { assembleResult } from '#dist/tally/assemble.js';
import { checkExitCode } from '#dist/tally/check-health.js';
import { serve } from './fire-raw.js';
import { type Client, expecting, hold, scriptOf, send, type Talk, talking } from './fire-talk.js';

const STEPS = [
  send('{"token":"hunter2hunter2"}'),
  expecting('ack'),
  send('sub'),
  expecting({ json: { type: 'ok' } }),
  hold(60_000),
];
const REFUSAL = { when: { json: { type: 'error' } }, send: null, close: 1000, from: 0 } as const;

async function checked(talk: Talk) {
  const server = await serve(talking(talk));
  try {
    const profile = compilePlan(
      checkProfile({ target: { url: server.url }, stages: [{ burst: 1 }], timeout: '2s' }, 'test'),
    );
    const plan = { ...profile, session: { holdMs: null, script: scriptOf(STEPS, [REFUSAL], 300) } };
    const inputs = { rows: [], env: {}, tls: { ca: null, cert: null, key: null } };
    const signal = new AbortController().signal;
    const told = {
      host: processHost(),
      version: '0',
      plan,
      inputs,
      direct: null,
      idleMs: null,
      probes: false,
      consent: [],
      signal,
    };
    const { record, check } = await checkup({ ...told, note: () => {} });
    assert.ok(check?.session != null);
    const result = { ...assembleResult({ version: '0', command: 'check', plan }, record), check };
    return { check, session: check.session, headline: checkHeadline(result, check).text };
  } finally {
    await server.close();
  }
}

function lines(check: Check): string[] {
  const step = checkSteps(check)
    .flat()
    .find(({ label }) => label === 'session');
  return (step?.lines ?? []).map(({ text, mark }) => `${mark ?? ''} ${text.replace(/\([\d.]+ [µm]s\)/, '(T)')}`);
}

const acks = (then: (client: Client) => void): Talk => ({
  hear: (client, message) => (message === 'sub' ? then(client) : client.send('ack')),
});

test('every step with the message that it took; ready, and then a ping and a close as without a session', async () => {
  const { check, session, headline } = await checked(acks((client) => client.send('{"type":"ok","n":1}')));
  assert.ok(session.readyMs !== null);
  assert.deepEqual([check.ping?.ok, check.close?.ok, checkExitCode(check)], [true, true, 0]);
  assert.match(
    headline,
    /^Healthy: the handshake got its 101 after .* and was ready after .*; ping and close answered\.$/,
  );
  assert.deepEqual(
    session.steps.map(({ message }) => message),
    [null, 'ack', null, '{"type":"ok","n":1}'],
  );
  assert.equal(lines(check)[3], 'yes expect #2 {"type":"ok"}: {"type":"ok","n":1} (T)');
});

test('closed at a step: which one, with code and reason, and the steps that were not reached', async () => {
  const { check, session, headline } = await checked({ hear: (client) => client.close(4403, 'Forbidden') });
  assert.deepEqual([session.readyMs, session.end, session.reason], [null, '4403', 'Forbidden']);
  assert.equal(checkExitCode(check), 3);
  assert.match(headline, /but the session stopped at expect #1 "ack": closed with 4403 \("Forbidden"\)/);
  assert.deepEqual(lines(check).slice(1), [
    'no expect #1 "ack"',
    'not judged send "sub"',
    'not judged expect #2 {"type":"ok"}',
    ' stopped at expect #1 "ack": closed with 4403 ("Forbidden")',
  ]);
});

test('no answer in time, with what came instead; a refusal, with its message', async () => {
  const late = await checked(acks((client) => client.send('{"type":"busy"}')));
  assert.equal(late.session.end, 'timeout-message');
  assert.match(
    late.headline,
    /the session stopped at expect #2 \{"type":"ok"\}: no answer in time; last message: \{"type":"busy"\}/,
  );
  const refused = await checked(acks((client) => client.send('{"type":"error","why":"no such channel"}')));
  assert.equal(refused.session.end, 'rejected');
  assert.match(
    refused.headline,
    /at expect #2 \{"type":"ok"\}: when \{"type":"error"\}, refused; its message: \{"type":"error","why":"no such channel"\}/,
  );
});

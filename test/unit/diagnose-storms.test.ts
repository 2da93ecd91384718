/** A storm whose handshakes are spent on clients that have left, and look-alikes that are none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Evidence } from '#dist/diagnose/evidence.js';
import { retryStormRule } from '#dist/diagnose/rules/retry-storm.js';
import type { StormOfPlan } from '#dist/diagnose/storms.js';
import { presetNamed } from '#dist/plan/policy/presets.js';
import type { Storm } from '#dist/result/storm.js';

const CLIENTS = 1000;

function causesOf(told: Partial<Storm>, capacity: number | null = 250) {
  const policy = presetNamed('reconnecting-websocket')?.policy;
  assert.ok(policy !== undefined);
  const storm = {
    dropped: CLIENTS,
    abandoned: 4000,
    attempts: { 101: 300, 'timeout-upgrade': 4000 },
    never: { gaveUp: 0, stopped: 0, stillTrying: 700 },
    perSecond: { attempts: [1000, 900], opens: [100, 200] },
    validity: { verdict: 'valid', reasons: [] },
    ...told,
  };
  const stage = { kind: 'storm', clients: CLIENTS, capacity };
  const one = { storm, policy, stage, place: 0 } as unknown as StormOfPlan;
  return retryStormRule({ storms: [one], timeoutMs: 75_000 } as unknown as Evidence);
}

test('handshakes spent on clients that had left: named, with the spread that would do', () => {
  const [found, ...others] = causesOf({});
  assert.deepEqual([found.cause, found.confidence, others.length], ['retry-storm', 0.9, 0]);
  assert.match(found.evidence, /4,000 of 4,300 attempts were given up by their own client \(timeout 4s\)/);
  assert.match(found.evidence, /told to be 250.* 700 of 1,000 clients were still trying/);
  // N / C: less than that can't be served, however kind the policy.
  assert.ok(found.figures.windowMs >= (CLIENTS / 250) * 1000, `${found.figures.windowMs}`);
  assert.match(found.lead ?? '', /For 1,000 clients at 250 a second: spread the first attempt over/);
});

test('without a capacity it is at most what was served in a second; all back in the end is less sure', () => {
  const never = { gaveUp: 0, stopped: 0, stillTrying: 0 };
  const [found] = causesOf({ never, abandoned: 400, attempts: { 101: 1000, 'timeout-upgrade': 400 } }, null);
  assert.equal(found.confidence, 0.75);
  assert.match(found.evidence, /at most 200\.$/);
});

test('refusals, clients that wait, and a storm of this generator are none', () => {
  assert.deepEqual(causesOf({ abandoned: 0, attempts: { 101: 1000, refused: 4000 } }), []);
  assert.deepEqual(causesOf({ abandoned: 50, attempts: { 101: 1000, 'timeout-upgrade': 50 } }), []);
  assert.deepEqual(causesOf({ validity: { verdict: 'invalid', reasons: ['late'] } }), []);
  assert.deepEqual(causesOf({ dropped: 0 }), []);
});

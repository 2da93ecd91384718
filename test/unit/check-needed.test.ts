/** A probe is sent where its answer can change what is said, and nowhere else. Held by asking the diagnosis itself. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { diagnose } from '#dist/diagnose/diagnose.js';
import { endedAs, probesFor } from '#dist/engine/check/probe-plans.js';
import type { OutcomeId } from '#dist/names/outcomes.js';
import type { Plan } from '#dist/plan/plan.js';
import { checkHeadline } from '#dist/report/words/check-words.js';
import type { Check } from '#dist/result/check-facts.js';
import { haproxy, nginx, page } from './diagnose-answers.js';
import { alike, answered, probed } from './diagnose-probed.js';
import { resultOf, type Told } from './diagnose-results.js';

const IDS = [
  'firefox-connection',
  'own-origin',
  'without-origin',
  'without-subprotocol',
  'without-upgrade',
  'version-8',
  'other-scheme',
  'other-slash',
] as const;

const TO_TLS = page('<title>400 The plain HTTP request was sent to HTTPS port</title>');

type Main = readonly [outcome: OutcomeId, sample: Parameters<typeof probed>[1], scheme?: 'wss'];
const MAINS: readonly Main[] = [
  ['101', null],
  ['101', null, 'wss'],
  ['200', page('<h1>home')],
  ['400', TO_TLS],
  ['400', page('')],
  ['401', page('no')],
  ['403', page('no')],
  ['404', nginx(404)],
  ['426', page('Upgrade Required')],
  ['500', nginx(500)],
  ['502', nginx(502)],
  ['502', haproxy(502)],
  ['503', haproxy(503)],
  ['504', nginx(504)],
  ['invalid-101', page('')],
  ['closed', null],
  ['reset', null],
  ['timeout-upgrade', null],
  ['malformed', { body: 'SSH-2.0', detail: 'does not begin with HTTP/1.' }],
  ['tls', { detail: 'ERR_SSL_WRONG_VERSION_NUMBER' }, 'wss'],
  ['timeout-tls', null, 'wss'],
];
const ANSWERS = ['101', '200', '400', '403', '404', '426', '502', 'closed', 'reset', 'timeout-upgrade'] as const;
const TLS_ANSWERS = [
  { outcome: 'tls', detail: 'ERR_SSL_WRONG_VERSION_NUMBER' },
  { outcome: 'tls', detail: 'CERT_HAS_EXPIRED' },
];

/** Everything that is said of such a check. */
function said(told: Told): string {
  const result = resultOf(told);
  return JSON.stringify([checkHeadline(result, result.check as Check), diagnose(result)]);
}

/** Whether some answer to the probe, beside some answers to others, changes a word. */
function isNeeded(id: string, [outcome, sample, scheme]: Main, target: Partial<Plan['target']>): boolean {
  const others: readonly Parameters<typeof probed>[2][] = [
    {},
    alike(outcome, sample),
    { 'without-upgrade': '200' },
    { direct: '101' },
    { direct: '101', 'without-upgrade': answered('404', page('no')) },
    { direct: '101', 'without-upgrade': outcome },
  ];
  const all = { target: { ...target, ...(scheme !== undefined && { scheme }) } };
  const url = `${scheme === 'wss' ? 'ws' : 'wss'}://127.0.0.1:8080/ws`;
  return others.some((beside) => {
    const { [id]: _, ...rest } = beside;
    const without = said({ ...probed(outcome, sample, rest), ...all });
    return [...ANSWERS.map((answer) => ({ outcome: answer })), ...TLS_ANSWERS].some((answer) => {
      const told = { ...answer, ...(id === 'other-scheme' && { url }) };
      return said({ ...probed(outcome, sample, { ...rest, [id]: told }), ...all }) !== without;
    });
  });
}

const TARGETS: readonly [string, Partial<Plan['target']>][] = [
  ['', {}],
  [' with an Origin', { origin: 'https://app.example.com' }],
  [' with a subprotocol', { subprotocols: ['chat.v1'] }],
];

for (const [name, given] of TARGETS) {
  test(`each probe is sent exactly where a rule reads it${name}`, () => {
    const wrong: string[] = [];
    for (const [outcome, sample, scheme = 'ws'] of MAINS) {
      const { plan } = resultOf({ ...probed(outcome, sample, {}), target: { scheme, path: '/ws', ...given } });
      const hasSent = outcome !== 'tls' && outcome !== 'timeout-tls';
      const sent = new Set(
        probesFor(plan as unknown as Plan, outcome, endedAs(outcome, true, hasSent)).map(({ id }) => id),
      );
      for (const id of IDS) {
        const changesNothing =
          (id === 'without-origin' && given.origin === undefined) ||
          (id === 'without-subprotocol' && given.subprotocols === undefined) ||
          (!hasSent && id !== 'other-scheme');
        // What came with the outcome is not asked before a probe is sent.
        const alikes = MAINS.filter(([other, , of = 'ws']) => other === outcome && of === scheme);
        const needed = !changesNothing && alikes.some((main) => isNeeded(id, main, given));
        if (sent.has(id) !== needed) wrong.push(`${id} after ${outcome} is ${needed ? 'needed' : 'sent for nothing'}`);
      }
    }
    assert.deepEqual([...new Set(wrong)], []);
  });
}

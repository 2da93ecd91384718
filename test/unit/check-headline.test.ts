/** The first line of a check: how a tunnel ended, which clients are turned away, which address was dialled. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkHeadline } from '#dist/report/words/check-words.js';
import type { Check, CheckProbe } from '#dist/result/check-facts.js';
import { ailments, browsersRefused } from '#dist/tally/check-health.js';
import { checkOf, resultOf } from './diagnose-results.js';

const ENDED = { by: 'close-frame 1008', said: 'no token', afterMs: 2 };
const { plan } = resultOf({ bursts: [{ groups: [] }] });

function headline(check: Check): string {
  return checkHeadline({ ...resultOf({ bursts: [{ groups: [] }] }), plan, check }, check).text;
}

function probed(probes: Readonly<Record<string, string | Partial<CheckProbe>>>, more: Partial<Check> = {}): Check {
  const done = { ok: true, tookMs: 1 };
  return checkOf('101', probes, { ping: { ...done, found: 'pong' }, close: { ...done, found: 'close 1000' }, ...more });
}

test('a tunnel that the target ended is one ailment, told with its reason', () => {
  const cut = probed(
    {},
    {
      ended: ENDED,
      ping: { ok: false, tookMs: 1, found: 'no pong: close-frame 1008 ("no token")' },
      close: { ok: false, tookMs: null, found: 'already ended by the target: close-frame 1008 ("no token")' },
    },
  );
  assert.deepEqual(ailments(cut), ['the target ended the connection after it (close-frame 1008 ("no token"))']);
  const idle = { forMs: 9000, livedMs: 5000, cutBy: 'closed', pings: 0 };
  const inSilence = { ...cut, ended: { ...ENDED, by: 'closed', said: null }, idle, close: null };
  assert.deepEqual(ailments(inSilence), ['the idle tunnel was cut (closed)']);
});

test('a page of the own host that is turned away stands there, also when its connection is ended after the 101', () => {
  const own = { outcome: '101', ended: ENDED };
  for (const turnedAway of ['403', '200', 'closed', own]) {
    const said = headline(probed({ 'own-origin': turnedAway }));
    assert.match(said, /^Healthy: .*; but browsers are refused unless the page's Origin is allowed/);
  }
  for (const served of ['101', '429', '503']) {
    assert.match(headline(probed({ 'own-origin': served })), /; ping and close answered\.$/);
  }
  assert.equal(browsersRefused(probed({ 'own-origin': own }), true), null, 'an Origin was sent, and it works');
  assert.equal(browsersRefused(probed({ 'own-origin': own }, { ended: ENDED }), false), null, 'every tunnel ends so');
});

test('Firefox stands there when it is turned away', () => {
  const firefox = (got: string | Partial<CheckProbe>) => headline(probed({ 'firefox-connection': got }));
  assert.match(firefox('400'), /but Firefox is refused: with its "Connection: keep-alive, Upgrade" it got 400\.$/);
  assert.match(firefox({ outcome: '101', ended: ENDED }), /but Firefox is refused: .* its connection is ended\.$/);
  for (const served of ['101', '429', '503']) assert.match(firefox(served), /; ping and close answered\.$/);
});

test('an address that does not connect is named, with those of the name that do', () => {
  const tried = { port: 8080, synRetries: 0 };
  const dead = { ...tried, address: '::1', tookMs: null, failure: 'refused' };
  const open = { ...tried, address: '127.0.0.1', tookMs: 1, failure: null };
  const refused = (...tcp: Check['tcp']) => headline(checkOf('refused', {}, { tcp }));
  assert.match(refused(dead), /, ECONNREFUSED while connecting, at \[::1\]:8080\.$/);
  assert.match(refused(dead, open), /at \[::1\]:8080; 127\.0\.0\.1:8080 of the same name is open\.$/);
  assert.match(headline(checkOf('closed', {}, { tcp: [open] })), /complete response head\.$/);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { UserError } from '#dist/errors.js';
import { type FailOn, parseFailOn, scaleOf, subjectText } from '#dist/plan/expressions/fail-on.js';

test('every form of --fail-on is read, spaces or not', () => {
  const cases: [text: string, subject: object, bad: 'up' | 'down', tolerance: number][] = [
    ['p99(handshake) +10%', { kind: 'latency', stat: 'p99', phase: 'handshake' }, 'up', 0.1],
    [' max( upgrade )+0% ', { kind: 'latency', stat: 'max', phase: 'upgrade' }, 'up', 0],
    ['p50(tls) +150%', { kind: 'latency', stat: 'p50', phase: 'tls' }, 'up', 1.5],
    ['p95(connect) + 12.5 %', { kind: 'latency', stat: 'p95', phase: 'connect' }, 'up', 0.125],
    ['share(101) -1pp', { kind: 'share', of: '101' }, 'down', 0.01],
    ['share(ok) −0.5 pp', { kind: 'share', of: 'ok' }, 'down', 0.005],
    ['share(5xx) +0pp', { kind: 'share', of: '5xx' }, 'up', 0],
    ['share(404) -1pp', { kind: 'share', of: '404' }, 'down', 0.01],
    ['dropOff -20%', { kind: 'dropOff' }, 'down', 0.2],
    ['rate -5%', { kind: 'rate' }, 'down', 0.05],
    ['p95(back) +10%', { kind: 'storm', stat: 'p95', of: 'back' }, 'up', 0.1],
    ['share(back) -1pp', { kind: 'storm', stat: 'share', of: 'back' }, 'down', 0.01],
    ['peak(attempts) +20%', { kind: 'storm', stat: 'peak', of: 'attempts' }, 'up', 0.2],
    ['recovery +2s', { kind: 'recovery' }, 'up', 2000],
    ['recovery +1m30s', { kind: 'recovery' }, 'up', 90_000],
  ];
  for (const [text, subject, bad, tolerance] of cases) {
    const read: FailOn = parseFailOn(text);
    assert.deepEqual(read, { kind: 'change', expression: text.trim(), subject, bad, tolerance }, text);
    assert.ok(read.kind === 'change');
    const amount = { ratio: '1%', share: '1pp', time: '2s' }[scaleOf(read.subject)];
    const again = parseFailOn(`${subjectText(read.subject)} ${bad === 'up' ? '+' : '-'}${amount}`);
    assert.ok(again.kind === 'change');
    assert.deepEqual(again.subject, subject, 'what is written of it is read as the same');
  }
  assert.deepEqual(parseFailOn(' undecided '), { kind: 'undecided' });
});

test('an error says where, what was expected and what was probably meant', () => {
  const cases: [text: string, message: RegExp, hint?: RegExp][] = [
    ['', /at character 1: expected share\(X\).*found the end/],
    ['p99(handshake)', /at character 15: expected "\+" or "-".*found the end/],
    ['p99(handshake) 10%', /at character 16: expected "\+" or "-"/],
    ['p99(handshake) -10%', /at character 16: expected "\+": less of it is no failure/],
    ['dropOff +20%', /at character 9: expected "-": more of it is no failure/],
    ['p99(handshake) +', /at character 17: expected a change such as 10%, found the end/],
    ['p99(handshake) +10', /at character 17: expected a change such as 10%, found "10"/],
    ['p99(handshake) +10ms', /expected a change such as 10%/],
    ['p99(handshake) +1e9%', /expected a change such as 10%/],
    ['p99(latency) +10%', /at character 5: expected one of dns connect/, /did you mean handshake\?/],
    ['share(101) -1%', /at character 13: expected percentage points such as 1pp, found "1%"/],
    ['share(101) -101pp', /expected percentage points/],
    ['recovery +10%', /at character 11: expected a duration such as 500ms/],
    ['count(504) +10%', /at character 1: counts of two runs are compared as shares: share\(504\)/],
    ['count(never) +10%', /at character 1: counts of two runs are compared as shares: share\(never\)/],
    ['mean(handshake) +10%', /at character 1: a failure has no latency.*use p50\(handshake\)/],
    ['p99(dns) +10%', /a look-up belongs to no handshake/],
    ['undecide', /expected share/],
    ['p99(handshake) +10% and more', /expected a change such as 10%/],
  ];
  for (const [text, message, hint] of cases) {
    assert.throws(
      () => parseFailOn(text),
      (error) => {
        assert.ok(error instanceof UserError, text);
        assert.equal(error.code, 'fail-on');
        assert.equal(error.exitCode, 2);
        assert.match(error.message, message);
        assert.match(error.message, /^--fail-on "/);
        if (hint !== undefined) assert.match(error.hint ?? '', hint);
        return true;
      },
    );
  }
});

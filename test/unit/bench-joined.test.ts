/** The benchmark's own ruler: attempts joined with a capture whose truth is known, and goals on both sides of their limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goalText, isMet, markdown, median, plainText, quantile, show } from '../bench/figures.js';
import { compare, readAttempts } from '../bench/joined.js';

const HEADER =
  'burst,attempt,worker,local_address,local_port,remote_address,outcome,released_us,connect_us,tls_us,sent_us,first_byte_us,done_us,done_lower_us,detail';
const T0 = 1_700_000_000_000_000;

function row(port: number, connect: string, sent: number, done: string, lower: string): string {
  return `0,0,0,127.0.0.1,${port},127.0.0.2:80,101,${T0},${connect},,${sent},,${done},${lower},"a, b"`;
}

function at(...times: readonly (readonly [port: number, us: number])[]): ReadonlyMap<number, number> {
  return new Map(times.map(([port, us]) => [port, T0 + us]));
}

test('attempts are joined with the wire by port, each with its own bounds', () => {
  const csv = [HEADER, row(1001, '100', 200, '5200', '1200'), row(1002, '110', 300, '2300', '2100')].join('\n');
  const joined = compare(readAttempts(`${csv}\n`), {
    opened: at([1001, 10], [1002, 20]),
    accepted: at([1001, 60], [1002, 60]),
    sent: at([1002, 305], [1001, 205]),
    answered: at([1001, 3205], [1002, 1305]),
  });
  assert.deepEqual(joined.wire, { p50: 1, p99: 3 });
  assert.deepEqual(joined.said, { p50: 2, p99: 5 });
  assert.deepEqual(joined.lower, { p50: 1, p99: 1.8 });
  assert.equal(joined.worstMs, 2);
  assert.equal(joined.within, 0.5, 'the second one took 1 ms on the wire, and at least 1.8 by its stamps');
  assert.equal(joined.requested.worst, -0.005);
  assert.deepEqual(joined.connected, { p50: 0.04, p99: 0.05, worst: 0.05 });
  assert.equal(joined.answered.worst, 1.995);
});

test('a bound holds to the rounding of its columns; an attempt that the wire has not seen is not within', () => {
  const csv = [HEADER, row(1001, '', 0, '1000', ''), row(1002, '', 0, '1000', ''), row(1003, '', 0, '1000', '')].join(
    '\n',
  );
  const joined = compare(readAttempts(csv), {
    opened: at(),
    accepted: at(),
    sent: at([1001, 0], [1002, 0]),
    answered: at([1001, 1001], [1002, 1002]),
  });
  assert.equal(joined.within, 1 / 3);
  assert.ok(Number.isNaN(joined.connected.worst), 'nothing is known of a step that was not reached');
  assert.ok(Number.isNaN(joined.connected.p50));
});

test('medians, quantiles and goals', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2);
  assert.equal(quantile([4, 1, 3, 2], 0.99), 4);
  assert.equal(show([2, 1, 3]), '2.0 (1.0–3.0)');
  assert.equal(show([]), '–');
  assert.equal(isMet({ what: 'ratio', value: 2.5, limit: 2.5 }), true);
  assert.equal(isMet({ what: 'ratio', value: Number.NaN, limit: 2.5 }), false, 'what was not measured is not met');
  assert.equal(goalText({ what: 'share', value: 0.9, limit: 0.999, isAtLeast: true }), 'MISSED (≥ 0.999)');
});

test('a table reads the same on a terminal and on a page', () => {
  const table = { title: 'T', head: ['a', 'b'], rows: [['x|y', '1']], notes: ['n'] };
  assert.equal(plainText(table), '\nT\n  a    b\n  x|y  1\n  n');
  assert.equal(markdown(table), '## T\n\n| a | b |\n| --- | --- |\n| x\\|y | 1 |\n\n- n');
});

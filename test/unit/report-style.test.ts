import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { glyphsOf, safeText, terminalOf } from '#dist/report/terminal/style.js';
import { asciiOnly, clip, columnsOf, wrap, wrapAndClip } from '#dist/report/terminal/text-width.js';
import { percent, spokenMs, tableMs } from '#dist/report/words/numbers.js';
import { ATTEMPTS_HEADER, type AttemptRow, attemptRow } from '#dist/tally/attempt-row.js';

const glyphs = glyphsOf(true);
const anything = fc.string({
  unit: fc.constantFrom('a', '"', ',', '\n', '\r', '\t', '\x1b', '\x9b', '\u202e', '\ud83d', '\udc00', '界', '🙂', ' '),
});

describe('the terminal', () => {
  const tty = { isTTY: true, columns: 100 };

  it('is as wide as it is, between 40 and 120, and 80 when it is none', () => {
    assert.equal(terminalOf(tty, {}).width, 100);
    assert.equal(terminalOf({ isTTY: true, columns: 300 }, {}).width, 120);
    assert.equal(terminalOf({ isTTY: true, columns: 10 }, {}).width, 40);
    assert.equal(terminalOf({ isTTY: true, columns: 0 }, {}).width, 80);
    assert.equal(terminalOf({}, {}).width, 80);
  });

  it('is coloured only where that is wanted', () => {
    assert.equal(terminalOf(tty, {}).color, true);
    assert.equal(terminalOf(tty, { NO_COLOR: '' }).color, true);
    assert.equal(terminalOf(tty, { NO_COLOR: '1' }).color, false);
    assert.equal(terminalOf(tty, { TERM: 'dumb' }).color, false);
    assert.equal(terminalOf(tty, {}, { noColor: true }).color, false);
    assert.equal(terminalOf({ columns: 100 }, {}).color, false);
  });

  it('is ASCII where the locale says so', () => {
    assert.equal(terminalOf(tty, {}).unicode, true);
    assert.equal(terminalOf(tty, { LANG: 'de_DE.UTF-8' }).unicode, true);
    assert.equal(terminalOf(tty, { LANG: 'C' }).unicode, false);
    assert.equal(terminalOf(tty, { LC_ALL: 'POSIX', LANG: 'en_US.utf8' }).unicode, false);
    assert.equal(terminalOf(tty, { TERM: 'dumb', LANG: 'C.UTF-8' }).unicode, false);
  });
});

describe('text of a target', () => {
  it('becomes one harmless line of bounded length', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 40 }), (text, max) => {
        const safe = safeText(text, max);
        assert.doesNotMatch(safe, /[\p{C}\p{Zl}\p{Zp}]/u);
        assert.ok(safe.length <= 9 * max + 3);
      }),
      { seed: 5 },
    );
  });

  it('shows what it hid and leaves the rest alone', () => {
    assert.equal(safeText('a\tb\x1b[31m\x9b\u202ec\u{e0041}\ud800'), 'a b\\x1b[31m\\x9b\\u202ec\\u{e0041}\\ud800');
    assert.equal(safeText('Gateway Time-out – 界 é'), 'Gateway Time-out – 界 é');
    assert.equal(safeText('abcdef', 3), 'abc...');
    assert.equal(safeText('🙂🙂🙂', 3), '🙂🙂🙂');
  });

  it('is cut and wrapped to columns', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 30 }), (text, width) => {
        assert.ok(columnsOf(clip(safeText(text), width, glyphs)) <= width);
        for (const line of wrapAndClip(safeText(text), width, glyphs)) assert.ok(columnsOf(line) <= width);
      }),
      { seed: 6 },
    );
    assert.equal(clip('界界界', 5, glyphs), '界界…');
    assert.equal(clip('e\u0301e\u0301e\u0301', 2, glyphs), 'e\u0301…');
    assert.deepEqual(wrapAndClip('one two three', 9, glyphs, '  '), ['one two', '  three']);
    assert.deepEqual(wrapAndClip('see wss://example.org/a', 10, glyphs), ['see', 'wss://exa…']);
  });

  it('breaks at spaces only, so that a long token can be copied', () => {
    const url = 'wss://example.org/a-b?c=d,e/f';
    assert.deepEqual(wrap(`see ${url} for more`, 10), ['see', url, 'for more']);
    assert.deepEqual(wrap('', 10), ['']);
  });

  it('keeps its columns where the terminal has ASCII only', () => {
    assert.equal(asciiOnly('\x1b[1ma 界 é e\u0301 🙂\x1b[22m\n'), '\x1b[1ma ?? ? e ??\x1b[22m\n');
    fc.assert(
      fc.property(anything, (text) => {
        assert.equal(asciiOnly(safeText(text)).length, columnsOf(safeText(text)));
      }),
      { seed: 8 },
    );
  });
});

describe('numbers for people', () => {
  it('are times with three digits', () => {
    const cases = [0.042, 0.9996, 1, 26.44, 999.4, 999.7, 1000.3, 59_999, 75_002, 600_000];
    assert.deepEqual(
      cases.map((ms) => spokenMs(ms)),
      ['42 µs', '1.00 ms', '1.00 ms', '26.4 ms', '999 ms', '1.00 s', '1.00 s', '60.0 s', '75.0 s', '600 s'],
    );
    assert.deepEqual([0.0421, 0.9996, 3.143, 9.996, 26.44, 999.96, 75_002].map(tableMs), [
      '0.042',
      '1.00',
      '3.14',
      '10.0',
      '26.4',
      '1,000',
      '75,002',
    ]);
  });

  it('are shares that never round to all or nothing', () => {
    const cases = [
      [0, 5],
      [5, 5],
      [99_999, 100_000],
      [1, 100_000],
      [480, 500],
      [1, 300],
      [0, 0],
    ];
    assert.deepEqual(
      cases.map(([part, whole]) => percent(part, whole)),
      ['0%', '100%', '>99.99%', '<0.01%', '96.0%', '0.33%', '-'],
    );
  });
});

describe('a row of the attempts file', () => {
  const row: AttemptRow = {
    burst: 0,
    attempt: 17,
    worker: 1,
    localAddress: '127.0.0.2',
    localPort: 40_001,
    remoteAddress: '::1',
    outcome: '504',
    releasedUs: 1_795_248_000_123_456,
    connectUs: 310.4,
    tlsUs: Number.NaN,
    sentUs: 402,
    firstByteUs: null,
    doneUs: 1_000_200,
    doneLowerUs: 999_900,
    detail: 'said "no", then left',
    synRetransmits: 2,
    rttUs: 87.6,
    retransmits: 0,
    row: 4,
    lateUs: null,
    readyUs: 1_000_200,
    end: 4401,
    endUs: 3_000_000.4,
  };

  it('has the columns of its header, empty where nothing was reached', () => {
    assert.equal(
      attemptRow(row),
      '0,17,1,127.0.0.2,40001,::1,504,1795248000123456,310,,402,,1000200,999900,"said ""no"", then left",2,88,0,4,,1000200,4401,3000000\n',
    );
    const unknown = { ...row, detail: null, synRetransmits: null, rttUs: Number.NaN, retransmits: null };
    assert.match(attemptRow(unknown), /,999900,,,,,4,,1000200,4401,3000000\n$/);
    const open = { ...unknown, row: null, readyUs: Number.NaN, end: 0, endUs: Number.NaN };
    assert.match(attemptRow(open), /,999900,,,,,,,,,\n$/);
    const ends = [1, 2, 3, 4, 5, 6, 1005, 11_000].map((end) =>
      attemptRow({ ...open, end })
        .split(',')
        .at(-2),
    );
    assert.deepEqual(ends, ['fin', 'rst', 'tls', 'protocol', 'closed', 'aborted', '1005', 'closed']);
  });

  it('reads back as one row with every detail', () => {
    fc.assert(
      fc.property(anything, (detail) => {
        const records: string[][] = parse(`${ATTEMPTS_HEADER}\n${attemptRow({ ...row, detail })}`);
        assert.equal(records.length, 2);
        assert.equal(records[1].length, 23);
        assert.doesNotMatch(records[1][14], /[\p{C}]/u);
      }),
      { seed: 7 },
    );
  });

  it('is no formula in a spreadsheet', () => {
    assert.match(attemptRow({ ...row, detail: '=HYPERLINK("x")' }), /,"'=HYPERLINK\(""x""\)",2,88,0,/);
  });
});

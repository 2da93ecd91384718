import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '#dist/errors.js';
import { parseCsv } from '#dist/plan/data.js';

const refused = (text: string, message: RegExp): void => {
  assert.throws(
    () => parseCsv(text, 'f.csv'),
    (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.equal(error.code, 'data');
      assert.match(error.message, message);
      return true;
    },
  );
};

test('header row, quotes, BOM, CRLF, empty lines', () => {
  const table = parseCsv('\ufeffuser, token\r\n"a, ""b""",1\r\n\r\n"two\r\nlines",2\r\n', 'f.csv');
  assert.deepEqual(table.columns, ['user', 'token']);
  assert.deepEqual(
    table.rows.map((row) => ({ ...row })),
    [
      { user: 'a, "b"', token: '1' },
      { user: 'two\r\nlines', token: '2' },
    ],
  );
  assert.deepEqual(parseCsv('a\n1', 'f.csv').rows.length, 1);
  assert.deepEqual(parseCsv('a,b\n', 'f.csv').rows, []);
  assert.deepEqual(Object.entries(parseCsv('__proto__\nx\n', 'f.csv').rows[0] ?? {}), [['__proto__', 'x']]);
});

test('what makes no table says where', () => {
  refused('', /^f\.csv: expected a header row/);
  refused('\n\n', /expected a header row/);
  refused('a,b,a\n', /f\.csv:1: column "a" is named twice/);
  refused('a,,b\n', /f\.csv:1: column 2 has no name/);
  refused('a,b\n1,2\n\n3\n', /^f\.csv:4: expected 2 fields as in the header row, found 1$/);
  refused('a,b\r\n"x\r\ny",2\r\n1,2,3\r\n', /^f\.csv:4: expected 2 fields.*found 3$/);
  refused('a,b\n1,"x\n', /f\.csv:2: a quote is opened and not closed/);
  refused('a,b\n"x" y,2\n', /f\.csv:2: text follows a closing quote/);
  refused('a,b\n1,x"y\n', /f\.csv:2: a quote inside an unquoted field/);
});

test('what a table writer wrote is read back', () => {
  const quoted = (field: string): string => `"${field.replaceAll('"', '""')}"`;
  const name = fc.stringMatching(/^[a-z]{1,5}$/);
  const columns = fc.uniqueArray(name, { minLength: 1, maxLength: 4 });
  const end = fc.constantFrom('\n', '\r\n');
  const table = columns.chain((names) =>
    fc.tuple(
      fc.constant(names),
      fc.array(fc.array(fc.string(), { minLength: names.length, maxLength: names.length })),
      end,
    ),
  );
  fc.assert(
    fc.property(table, ([names, rows, eol]) => {
      const text = [names, ...rows].map((fields) => fields.map(quoted).join(',') + eol).join('');
      const parsed = parseCsv(text, 'f.csv');
      assert.deepEqual(parsed.columns, names);
      assert.deepEqual(
        parsed.rows.map((row) => names.map((column) => row[column])),
        rows,
      );
    }),
  );
});

test('no text makes the parser throw anything but a UserError', () => {
  const piece = fc.constantFrom('a', ',', '"', '\n', '\r\n', '\r', '""', ' ', '\ufeff', '\0');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (parts) => {
      try {
        parseCsv(parts.join(''), 'f.csv');
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});

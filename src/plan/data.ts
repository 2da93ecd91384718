/**
 * Rows for templates: CSV with a header row (RFC 4180; BOM, CRLF and quoted fields are accepted) becomes records.
 * csv-parse parses; this file checks that the table is usable (unique column names, rows of one width). Never opens a
 * file.
 */
import { createRequire } from 'node:module';
import type * as Csv from 'csv-parse/sync';
import { UserError } from '../errors.js';

const require = createRequire(import.meta.url);

export interface Table {
  readonly columns: readonly string[];
  /** Keys are the columns. */
  readonly rows: readonly Readonly<Record<string, string>>[];
}

const MOST_COLUMNS = 1000;
const MOST_ROWS = 2_000_000;

interface ParsedRecord {
  readonly record: readonly string[];
  readonly info: { readonly bytes: number };
}

function refuse(message: string): never {
  throw new UserError(message, { code: 'data' });
}

/** Throws UserError `data` with file and line: no header, a duplicate or empty column name, a row of another width. */
export function parseCsv(text: string, file: string): Table {
  const parsed = parseRecords(text, file);
  const [header, ...records] = parsed;
  if (header === undefined) refuse(`${file}: expected a header row with the names of the columns, found an empty file`);
  const columns = header.record.map((name) => name.trim());
  checkColumns(columns, file);
  if (records.length > MOST_ROWS) refuse(`${file}: at most ${MOST_ROWS} rows, found ${records.length}`);
  const rows = records.map(({ record }, i) => {
    if (record.length !== columns.length) {
      const line = lineAfter(text, parsed[i]?.info.bytes ?? 0);
      refuse(`${file}:${line}: expected ${columns.length} fields as in the header row, found ${record.length}`);
    }
    return Object.freeze(Object.fromEntries(columns.map((name, i) => [name, record[i] ?? ''])));
  });
  return { columns, rows };
}

function parseRecords(text: string, file: string): readonly ParsedRecord[] {
  // Most runs have no table, and loading it would delay the first burst.
  const { CsvError, parse } = require('csv-parse/sync') as typeof Csv;
  try {
    const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true } as const;
    // The library's types ignore the option `info`, with which each item is {record, info}.
    return parse(text, options) as unknown as readonly ParsedRecord[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === 'number' ? `:${error.lines}` : '';
    return refuse(`${file}${line}: ${csvReason(error)}`);
  }
}

// Counted in the text, because the library's line numbers count CRLF inside quotes twice.
function lineAfter(text: string, bytes: number): number {
  const all = new TextEncoder().encode(text);
  const LF = 10;
  const CR = 13;
  let at = bytes;
  while (all[at] === LF || all[at] === CR) at += 1;
  let line = 1;
  for (let i = 0; i < at; i += 1) if (all[i] === LF) line += 1;
  return line;
}

function csvReason(error: Csv.CsvError): string {
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'a quote is opened and not closed before the end of the file';
    case 'CSV_INVALID_CLOSING_QUOTE':
      return 'text follows a closing quote; write a quote inside a quoted field twice ("")';
    case 'INVALID_OPENING_QUOTE':
      return 'a quote inside an unquoted field; quote the whole field and write the inner quote twice ("")';
    default:
      return error.message;
  }
}

function checkColumns(columns: readonly string[], file: string): void {
  if (columns.length > MOST_COLUMNS) refuse(`${file}:1: at most ${MOST_COLUMNS} columns, found ${columns.length}`);
  const seen = new Set<string>();
  columns.forEach((name, i) => {
    if (name === '') refuse(`${file}:1: column ${i + 1} has no name`);
    if (seen.has(name)) refuse(`${file}:1: column "${name}" is named twice`);
    seen.add(name);
  });
}

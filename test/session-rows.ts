/** What the rows of attempts say of each connection after its 101: the columns `end` and `end_us`. */

export interface EndColumns {
  /** How many ended so; rows without an end are not counted. */
  readonly ends: Readonly<Record<string, number>>;
  /** Rows whose connection ended before its handshake had. */
  readonly endedBeforeDone: number;
}

export function endColumns(csv: string): EndColumns {
  const [header = '', ...lines] = csv.trimEnd().split('\n');
  const names = header.split(',');
  const ends: Record<string, number> = {};
  let endedBeforeDone = 0;
  for (const line of lines) {
    const cells = line.split(',');
    // Details may hold commas; the columns asked for stand behind them and are counted from the end.
    const behind = (name: string): string => cells[cells.length - (names.length - names.indexOf(name))] ?? '';
    const end = behind('end');
    if (end === '') continue;
    ends[end] = (ends[end] ?? 0) + 1;
    if (Number(behind('end_us')) < Number(cells[names.indexOf('done_us')])) endedBeforeDone++;
  }
  return { ends, endedBeforeDone };
}

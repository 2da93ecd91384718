/** PURE: the rows of an attempts file joined with a packet capture by local port, and how far apart the two are. */
import type { Wire } from '../gateways/capture.js';
import { quantile } from './figures.js';

/** µs; `releasedUs` since the Unix epoch, the others after it. NaN: that step was not reached. */
export interface Attempt {
  readonly port: number;
  readonly releasedUs: number;
  readonly connectUs: number;
  readonly sentUs: number;
  readonly doneUs: number;
  /** Equal to `doneUs` where the stamps are the kernel's. */
  readonly doneLowerUs: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** What is said less the wire, ms; `worst` is the value furthest from 0. */
export interface Offsets extends Percentiles {
  readonly worst: number;
}

export interface Comparison {
  /** Request to answer, ms: on the wire, and by the later and the earlier of the two stamps of the answer. */
  readonly wire: Percentiles;
  readonly said: Percentiles;
  readonly lower: Percentiles;
  /** The largest distance of a single attempt's `said` from its `wire`. */
  readonly worstMs: number;
  /** Share of all attempts whose wire time lies between the two; one that the capture has not seen does not. */
  readonly within: number;
  readonly requested: Offsets;
  readonly connected: Offsets;
  readonly answered: Offsets;
}

/** Columns are rounded to whole µs, each by up to a half. */
const ROUNDED_US = 1;

/** None of the cells that are read, nor one before them, holds a comma. */
export function readAttempts(csv: string): Attempt[] {
  const [header, ...lines] = csv.trimEnd().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const number = (name: string) => {
      const cell = cells[names.indexOf(name)] ?? '';
      return cell === '' ? Number.NaN : Number(cell);
    };
    const [doneUs, lower] = [number('done_us'), number('done_lower_us')];
    return {
      port: number('local_port'),
      releasedUs: number('released_us'),
      connectUs: number('connect_us'),
      sentUs: number('sent_us'),
      doneUs,
      doneLowerUs: Number.isNaN(lower) ? doneUs : lower,
    };
  });
}

export function compare(attempts: readonly Attempt[], { accepted, sent, answered }: Wire): Comparison {
  const at = (times: ReadonlyMap<number, number>, { port }: Attempt) => times.get(port) ?? Number.NaN;
  const rows = attempts.map((one) => ({
    wire: at(answered, one) - at(sent, one),
    said: one.doneUs - one.sentUs,
    lower: one.doneLowerUs - one.sentUs,
    requested: one.releasedUs + one.sentUs - at(sent, one),
    // At the later gates connections are opened before the release, one after another.
    connected: one.connectUs > 0 ? one.releasedUs + one.connectUs - at(accepted, one) : Number.NaN,
    answered: one.releasedUs + one.doneUs - at(answered, one),
  }));
  const seen = rows.filter(({ wire, said }) => Number.isFinite(wire) && Number.isFinite(said));
  const within = seen.filter(({ wire, said, lower }) => lower - ROUNDED_US <= wire && wire <= said + ROUNDED_US);
  return {
    wire: percentiles(seen.map(({ wire }) => wire)),
    said: percentiles(seen.map(({ said }) => said)),
    lower: percentiles(seen.map(({ lower }) => lower)),
    worstMs: Math.max(...seen.map(({ wire, said }) => Math.abs(said - wire))) / 1000,
    within: within.length / attempts.length,
    requested: offsets(rows.map(({ requested }) => requested)),
    connected: offsets(rows.map(({ connected }) => connected)),
    answered: offsets(rows.map(({ answered }) => answered)),
  };
}

function percentiles(us: readonly number[]): Percentiles {
  return { p50: quantile(us, 0.5) / 1000, p99: quantile(us, 0.99) / 1000 };
}

function offsets(us: readonly number[]): Offsets {
  const known = us.filter(Number.isFinite);
  const worst = known.reduce((furthest, one) => (Math.abs(one) > Math.abs(furthest) ? one : furthest), 0);
  return { ...percentiles(known), worst: known.length === 0 ? Number.NaN : worst / 1000 };
}

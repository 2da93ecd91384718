/**
 * A case of the benchmark of the diagnosis, as data: a target that fails in a known way, how a user asks about it, the
 * outcomes that show that it has failed as it was meant to, and the cause that is the truth. Knows neither how a case is
 * run nor how its diagnosis is judged.
 */
import type { CauseId } from '#dist/diagnose/causes.js';
import { findTarget } from '#dist/lab/catalogue/catalogue.js';
import { readSettings } from '#dist/lab/server/target-options.js';
import { randomAt } from '#dist/plan/random.js';
import type { Row, Span } from '../gateways/row.js';
import type { RawStack } from './diagnose-raw.js';

/** `healthy`: nothing is wrong. `undecidable`: what the user asks cannot tell the truth from another cause. */
type Group = 'cause' | 'healthy' | 'undecidable';
type LabOptions = Readonly<Record<string, string | number | boolean>>;

/** What is asked of the tool. `URL`, `DIRECT` and `CA` in an argument are what they name, once the target runs. */
interface Ask {
  /** The command first. */
  readonly args: readonly string[];
  /** Of `run`: the stages of its profile, which is `PROFILE` among the arguments. */
  readonly stages?: readonly object[];
  /** The gateway's TLS door, its certificate trusted. */
  readonly secure?: boolean;
}

export interface Case extends Ask {
  /** What it makes, e.g. `slow-serial through nginx`. */
  readonly name: string;
  readonly group: Group;
  /** Where it runs: a target of the lab, a stack of real parts, or their answers. */
  readonly target:
    | { readonly lab: string; readonly options: LabOptions }
    | { readonly row: Row }
    | { readonly raw: RawStack };
  /** One line with the numbers that the seed has drawn. */
  readonly setting: string;
  /** The first one named must be among them; where there are two, both must be named. Empty: nothing is wrong. */
  readonly truth: readonly CauseId[];
  /** True as well, or a name for the same: neither asked for nor wrong. */
  readonly also: readonly CauseId[];
  /** All outcomes of all bursts, or the one of `check`; what is not listed must not occur. */
  readonly outcomes: Readonly<Record<string, Span>>;
  /** What the diagnosis must state. Of a real stack S is what its backend measured. */
  readonly times: { readonly timeoutMs: number; readonly serviceMs: number } | null;
}

/** Draws the numbers of one case: the same ones for the same seed and place. */
export class Draw {
  private lane = 0;
  private readonly seed: number;
  private readonly place: number;

  constructor(seed: number, place: number) {
    this.seed = seed;
    this.place = place;
  }

  /** A whole number, both ends included. */
  int(low: number, high: number): number {
    this.lane += 1;
    return low + Math.floor(randomAt(this.seed, this.place, this.lane) * (high - low + 1));
  }

  /** Of whole steps. */
  step(low: number, high: number, by: number): number {
    return low + by * this.int(0, Math.floor((high - low) / by));
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)];
  }
}

/** Draws a case of one kind. */
export type Maker = (draw: Draw) => Case;

/** A place in a half that the seed fills with one of several kinds. */
export function oneOf(...makers: readonly Maker[]): Maker {
  return (draw) => draw.pick(makers)(draw);
}

type Told = Pick<Case, 'args' | 'outcomes'> & Partial<Case>;

/** By a target of the lab; the truth is what its catalogue says. */
export function labCase(lab: string, options: LabOptions, told: Told): Case {
  const target = findTarget(lab);
  if (target === null) throw new Error(`no such target: ${lab}`);
  const cause = target.cause(readSettings(lab, target.options, options)) as CauseId | null;
  const words = Object.entries(options).map(([name, value]) => (value === true ? `--${name}` : `--${name} ${value}`));
  return {
    name: lab,
    group: cause === null ? 'healthy' : 'cause',
    target: { lab, options },
    setting: words.join(' '),
    truth: cause === null ? [] : [cause],
    also: [],
    times: null,
    ...told,
  };
}

/** By a row of the matrix of gateways; the truth is what the row says. */
export function rowCase(row: Row, told: Told): Case {
  return {
    name: `${row.kind}, ${row.gateway}`,
    group: row.cause === null ? 'healthy' : 'cause',
    target: { row },
    setting: row.story,
    truth: row.cause === null ? [] : [row.cause],
    also: [],
    times: null,
    ...told,
  };
}

/** A single burst, without preflight unless `more` asks for it. */
export function burst(size: number, ...more: readonly string[]): readonly string[] {
  return ['burst', 'URL', '-c', `${size}`, ...more];
}

export const ALONE = '--no-preflight';

/** Several bursts, one soon after the other: a limit stays where it is, a rate has let few more in. */
export function bursts(size: number, times: number, restMs: number, ...more: readonly string[]): readonly string[] {
  return ['burst', 'URL', '-c', `${size}`, '-b', `${times}`, '--rest', `${restMs}ms`, ...more];
}

/** Bursts of two sizes. */
export function twoSizes(first: number, second: number, restMs: number, ...more: readonly string[]): Ask {
  return {
    args: ['run', 'PROFILE', ...more],
    stages: [{ burst: first, rest: `${restMs}ms` }, { burst: second }],
  };
}

/** A part of a burst that is neither nobody nor everybody. */
export function some(size: number): Span {
  return [3, size - 3];
}

/** Those that are there or not, by chance. */
export function any(size: number): Span {
  return [0, size];
}

export function exactly(size: number): Span {
  return [size, size];
}

import { formatCount } from '../plan/units.js';
import type { CauseId } from './causes.js';
import type { Evidence, Failure } from './evidence.js';
import { isWsAnswer } from './hops.js';

export interface Finding {
  readonly cause: CauseId;
  /** 0 to 1. From 0.8 on it must not be wrong. */
  readonly confidence: number;
  /** Whole sentences. */
  readonly evidence: string;
  /** Outcomes that it explains. */
  readonly outcomes: readonly string[];
  /** Units last in the names. */
  readonly figures?: Readonly<Record<string, number>>;
  /** What would tell it from another cause that the evidence fits as well. */
  readonly apart?: string;
  /** What these very numbers ask for, before the general remedy. */
  readonly lead?: string;
  /** Found with every probe in view: none of them can speak against it any more. */
  readonly isDecided?: true;
}

export type Rule = (evidence: Evidence) => readonly Finding[];

/** Some got their 101, in the burst or alone: the setup works, the load does not. */
export function worksAlone({ alone, worst }: Evidence): boolean {
  return worst.ok > 0 || (alone !== null && alone.ok > 0);
}

/** Not one 101, however few came at once. */
export function neverWorks(evidence: Evidence): boolean {
  return !worksAlone(evidence);
}

/** Past the gateway the same handshake gets the same answer: no hop made it. */
export function sameDirect({ check }: Evidence): boolean {
  return check?.probes.some(({ id, outcome }) => id === 'direct' && outcome === check.outcome) === true;
}

/** Certainty is less where no single handshake was seen to fail in the same way. */
export function unlessUnseen({ alone }: Evidence, confidence: number): number {
  return alone === null ? Number((confidence * 0.85).toFixed(2)) : confidence;
}

export function failureOf({ failures }: Evidence, ...outcomes: readonly string[]): Failure | null {
  return failures.find(({ outcome }) => outcomes.includes(outcome)) ?? null;
}

export function headerOf({ sample }: Failure, name: string): string | null {
  return sample?.headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? null;
}

export function bodyOf({ sample }: Failure): string {
  return sample?.body ?? '';
}

/** The beginning of what came as a body, in one line. */
export function quoteOf(failure: Failure): string {
  return inOneLine(bodyOf(failure));
}

export function inOneLine(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length <= MOST_QUOTED ? line : `${line.slice(0, MOST_QUOTED)}...`;
}

const MOST_QUOTED = 60;

/** All details and the sample's, as one text to look into. */
export function detailsOf({ details, sample }: Failure): string {
  return [...Object.keys(details), sample?.detail ?? ''].join('\n');
}

/** The earliest of a crowd, without the luck of the first few. */
export function earlyMs(timesMs: readonly number[]): number {
  return timesMs[Math.floor(timesMs.length * 0.02)];
}

/** `1.00 s`, `26.4 ms`: for sentences. */
export function spoken(ms: number): string {
  const rounded = Number(ms.toPrecision(3));
  if (rounded < 1) return `${rounded} ms`;
  if (rounded < 1000) return `${rounded.toPrecision(3)} ms`;
  return rounded < 100_000 ? `${(rounded / 1000).toPrecision(3)} s` : `${(rounded / 1000).toFixed(0)} s`;
}

/** The first letter a capital, as a sentence begins. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A refusal that the ws server wrote itself. */
export function isOfWs({ sample }: Failure): boolean {
  return sample !== null && isWsAnswer(sample);
}

export function counted(n: number, outcome: string): string {
  return `${formatCount(n)} x ${outcome}`;
}

/** `nginx answered 502`; `401 came through nginx` where it passed on what its backend said; `502 came` where no hop betrays itself. */
export function whoSaid({ hop, outcome }: Failure): string {
  if (hop === null) return `${outcome} came`;
  return hop.own ? `${hop.name} answered ${outcome}` : `${outcome} came through ${hop.name}`;
}

/** How a single handshake went, as a sentence. */
export function aloneSentence({ alone }: Evidence): string {
  if (alone === null) return 'No single handshake was tried.';
  if (alone.ok === alone.attempted) {
    const typical = alone.typicalMs === null ? '' : ` in ${spoken(alone.typicalMs)}`;
    return `Alone a handshake gets its 101${typical}.`;
  }
  if (alone.ok > 0) return `Of ${alone.attempted} handshakes one after another ${alone.ok} got a 101.`;
  return 'A single handshake fails as well.';
}

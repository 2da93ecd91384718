/** What a rule returns, and what rules share: looking up a failure in the evidence, and counting in words. */
import { stormRemedy } from '../plan/policy/recovery.js';
import { MASK } from '../plan/secrets.js';
import { formatCount, formatDuration } from '../plan/units.js';
import type { CauseId } from './causes.js';
import type { Evidence, Failure } from './evidence.js';
import { isWsAnswer } from './hops.js';

export interface Finding {
  readonly cause: CauseId;
  /** 0 to 1. A finding of 0.8 or more must not be wrong. */
  readonly confidence: number;
  /** Complete sentences. */
  readonly evidence: string;
  /** The outcomes that the cause explains. */
  readonly outcomes: readonly string[];
  /** Names end in their unit. */
  readonly figures?: Readonly<Record<string, number>>;
  /** How to tell it from another cause that fits the evidence equally well. */
  readonly apart?: string;
  /** Advice from these particular numbers, placed before the general remedy. */
  readonly lead?: string;
  /** All probes were considered when it was found, so none of them can refute it any more. */
  readonly isDecided?: true;
}

export type Rule = (evidence: Evidence) => readonly Finding[];

/** Some attempts got their 101, in the burst or as single handshakes: the setup works, the load does not. */
export function worksAlone({ alone, worst }: Evidence): boolean {
  return worst.ok > 0 || (alone !== null && alone.ok > 0);
}

/** Not a single 101, however few came at once. */
export function neverWorks(evidence: Evidence): boolean {
  return !worksAlone(evidence);
}

/** Asked past the gateway, the same handshake gets the same response: it does not come from a hop. */
export function sameDirect({ check }: Evidence): boolean {
  return check?.probes.some(({ id, outcome }) => id === 'direct' && outcome === check.outcome) === true;
}

/** Lowers the confidence if no single handshake was seen to fail in the same way. */
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

/** The beginning of the body, in one line. */
export function quoteOf(failure: Failure): string {
  return inOneLine(bodyOf(failure));
}

export function inOneLine(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length <= MOST_QUOTED ? line : `${line.slice(0, MOST_QUOTED)}...`;
}

const MOST_QUOTED = 60;

/** All details and the sample's detail, as one text to search. */
export function detailsOf({ details, sample }: Failure): string {
  return [...Object.keys(details), sample?.detail ?? ''].join('\n');
}

/** The earliest times of a burst, without the first few, which may be lucky. */
export function earlyMs(timesMs: readonly number[]): number {
  return timesMs[Math.floor(timesMs.length * 0.02)];
}

/** A time for sentences: `1.00 s`, `26.4 ms`. */
export function spoken(ms: number): string {
  const rounded = Number(ms.toPrecision(3));
  if (rounded < 1) return `${rounded} ms`;
  if (rounded < 1000) return `${rounded.toPrecision(3)} ms`;
  return rounded < 100_000 ? `${(rounded / 1000).toPrecision(3)} s` : `${(rounded / 1000).toFixed(0)} s`;
}

/** nginx reads the head of an answer into one buffer, and a 101 repeats the subprotocol. A masked one may be long. */
export function offersLarge({ subprotocols }: Evidence): boolean {
  return subprotocols.some((one) => one.length > 256 || one === MASK);
}

/** With a capital first letter. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A refusal in the form that the ws server writes. */
export function isOfWs({ sample }: Failure): boolean {
  return sample !== null && isWsAnswer(sample);
}

export function counted(n: number, outcome: string): string {
  return `${formatCount(n)} x ${outcome}`;
}

/**
 * `nginx answered 502`; `401 came through nginx` if it passed on its backend's response; `502 came` if no hop can be
 * recognised.
 */
export function whoSaid({ hop, outcome }: Failure): string {
  if (hop === null) return `${outcome} came`;
  return hop.own ? `${hop.name} answered ${outcome}` : `${outcome} came through ${hop.name}`;
}

/** Over how long clients must spread so that in no second more come back than the target completes. */
export function spreadAdvice(clients: number, perSecond: number): string {
  const { windowMs } = stormRemedy(clients, perSecond, null);
  return `When ${formatCount(clients)} clients come back after a drop, spread them over ${formatDuration(windowMs)} or more (jitter).`;
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

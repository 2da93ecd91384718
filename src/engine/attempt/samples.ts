/**
 * The first sample of each failed outcome, to show an operator which hop answered. Bounded, masked and safe to print
 * from the moment it is kept.
 */

import { REASON_HEADER } from '../../names/reasons.js';
import type { Masking } from '../../plan/masking.js';
import { printable } from '../../plan/printable.js';
import { maskHeader } from '../../plan/secrets.js';
import type { Sample } from '../../result/result.js';
import { toMicros } from '../machine/clock.js';
import type { Body } from '../protocol/body.js';
import type { Head } from '../protocol/response.js';

const MAX_BODY_BYTES = 1024;
/** Distinct outcomes: a target can produce hundreds of statuses. */
const MOST_SAMPLES = 20;
const MAX_HEADERS = 24;
const MAX_VALUE = 256;

/** Headers that tell which hop answered, what it wants and why it refuses. */
const TELLING = new RegExp(
  `^(server|via|location|retry-after|content-type|content-length|connection|upgrade|allow|www-authenticate|x-cache.*|x-served-by|x-request-id|x-amz.*|x-envoy.*|x-powered-by|x-ratelimit.*|cf-.*|sec-websocket-.*|date)$|${REASON_HEADER.source}`,
  'i',
);

interface Open {
  readonly code: number;
  readonly head: Head;
  readonly detail: string | null;
  readonly body: Body;
  readonly content: BodyStart;
}

/** A failed response: its head as far as it was read, and its body. */
export interface Failed {
  readonly head: Head;
  /** Reads the body after the head. */
  readonly body: Body;
}

/** The first bytes of a body, for people to read. */
export class BodyStart {
  readonly #parts: Buffer[] = [];
  #size = 0;

  get isFull(): boolean {
    return this.#size >= MAX_BODY_BYTES;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  readonly keep = (content: Uint8Array): void => {
    if (this.isFull || content.length === 0) return;
    const part = Buffer.from(content.subarray(0, MAX_BODY_BYTES - this.#size));
    this.#parts.push(part);
    this.#size += part.length;
  };
}

export class Samples {
  /** How long, in ms, an ended attempt stays open for the rest of its body. */
  readonly patienceMs = 250;
  readonly #taken = new Map<number, Sample>();
  readonly #open = new Map<number, Open>();
  readonly #seen = new Set<number>();
  readonly #maskingOf: (slot: number) => Masking;
  readonly #atMs: (slot: number) => number;

  /**
   * @param maskingOf what to mask for the attempt in a slot
   * @param atMs time from T0 to the attempt's end
   */
  constructor(maskingOf: (slot: number) => Masking, atMs: (slot: number) => number) {
    this.#maskingOf = maskingOf;
    this.#atMs = atMs;
  }

  /**
   * Keeps the first failure of each outcome.
   * @param answer null if there is no head
   * @param bytes what followed the head, or the whole response if it has no head
   * @returns true when the attempt should stay open for more of the body
   */
  take(slot: number, code: number, detail: string | null, answer: Failed | null, bytes: Buffer | null): boolean {
    const rest = bytes ?? Buffer.alloc(0);
    if (this.#seen.has(code) || this.#seen.size >= MOST_SAMPLES) {
      answer?.body.read(rest);
      return false;
    }
    this.#seen.add(code);
    if (answer === null) {
      this.#keep(slot, code, null, detail, rest);
      return false;
    }
    this.#open.set(slot, { code, detail, ...answer, content: new BodyStart() });
    if (!this.body(slot, rest)) return true;
    this.finish(slot);
    return false;
  }

  /** More of the answer; true when there is enough. */
  body(slot: number, bytes: Uint8Array): boolean {
    const open = this.#open.get(slot);
    if (open === undefined) return true;
    open.body.read(bytes, open.content.keep);
    return open.body.isOver || open.content.isFull;
  }

  /** @returns the body, which may not be complete; null: there was no sample to finish */
  finish(slot: number): Body | null {
    const open = this.#open.get(slot);
    if (open === undefined) return null;
    this.#open.delete(slot);
    this.#keep(slot, open.code, open.head, open.detail, open.content.bytes);
    return open.body;
  }

  /** The samples since the last call, by outcome code; the next failure of each is a first one again. */
  drain(): [code: number, sample: Sample][] {
    const kept = [...this.#taken];
    this.#taken.clear();
    this.#seen.clear();
    return kept;
  }

  /** As `drain`, but keeps them. */
  get kept(): [code: number, sample: Sample][] {
    return [...this.#taken];
  }

  #keep(slot: number, code: number, head: Head | null, detail: string | null, body: Buffer): void {
    const answer = { head, detail, body, atMs: this.#atMs(slot) };
    this.#taken.set(code, sampleOf(answer, this.#maskingOf(slot), MAX_HEADERS, TELLING));
  }
}

interface AnswerText {
  readonly head: Head | null;
  readonly detail: string | null;
  readonly body: Buffer;
  readonly atMs: number;
}

/** A response, safe to show: masked, bounded, printable; with the first `most` headers whose names match `which`. */
export function sampleOf(
  { head, detail, body, atMs }: AnswerText,
  masking: Masking,
  most: number,
  which: RegExp,
): Sample {
  const safe = (text: string, max: number) => printable(masking.text(text), max);
  return {
    statusLine: head === null ? null : safe(head.statusLine, MAX_VALUE),
    headers: (head?.headers ?? [])
      .filter(([name]) => which.test(name))
      .slice(0, most)
      .map(([name, value]) => [safe(name, MAX_VALUE), safe(maskHeader(name, value), MAX_VALUE)] as const),
    body: body.length === 0 ? null : safeBody(body, masking.cutText),
    detail: detail === null ? null : safe(detail, MAX_VALUE),
    atMs: toMicros(atMs),
  };
}

/** Keeps line ends, so that a page stays readable; removes everything else that could control a terminal. */
function safeBody(body: Buffer, masked: (text: string) => string): string {
  const text = masked(body.subarray(0, MAX_BODY_BYTES).toString('utf8'));
  return text
    .split(/\r?\n/)
    .map((line) => printable(line, MAX_BODY_BYTES))
    .join('\n');
}

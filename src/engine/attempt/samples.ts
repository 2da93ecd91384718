/**
 * The first sample of each failed outcome: what an operator needs to see which hop answered. Bounded, masked and safe to
 * print from the moment it is kept.
 */

import { printable } from '../../plan/printable.js';
import { maskCutText, maskHeader, maskText } from '../../plan/secrets.js';
import type { Sample } from '../../result/result.js';
import { toMicros } from '../machine/clock.js';
import { type Head, headerValue } from '../protocol/response.js';

const MAX_BODY_BYTES = 1024;
const MAX_HEADERS = 24;
const MAX_VALUE = 256;

/** Headers that tell which hop answered and what it wants. */
const TELLING =
  /^(server|via|location|retry-after|content-type|content-length|connection|upgrade|allow|www-authenticate|x-cache.*|x-served-by|x-request-id|x-amz.*|x-envoy.*|x-powered-by|x-ratelimit.*|cf-.*|sec-websocket-.*|date)$/i;

interface Open {
  readonly code: number;
  readonly head: Head;
  readonly detail: string | null;
  readonly chunks: Buffer[];
  size: number;
  /** Bytes of body worth waiting for. */
  readonly wanted: number;
}

export class Samples {
  /** How long an ended attempt stays open for the rest of its body. */
  readonly patienceMs = 250;
  readonly #taken = new Map<number, Sample>();
  readonly #open = new Map<number, Open>();
  readonly #seen = new Set<number>();
  readonly #secretsOf: (slot: number) => readonly string[];
  readonly #atMs: (slot: number) => number;

  /**
   * @param secretsOf what must not be shown of the attempt in a slot
   * @param atMs the attempt's end after T0
   */
  constructor(secretsOf: (slot: number) => readonly string[], atMs: (slot: number) => number) {
    this.#secretsOf = secretsOf;
    this.#atMs = atMs;
  }

  /**
   * Keeps the first failure of each outcome.
   * @param bytes what followed the head, or the whole answer when it has no head
   * @returns true when the attempt should stay open for more of the body
   */
  take(slot: number, code: number, detail: string | null, head: Head | null, bytes: Buffer | null): boolean {
    if (this.#seen.has(code)) return false;
    this.#seen.add(code);
    if (head === null) {
      this.#keep(slot, code, null, detail, bytes ?? Buffer.alloc(0));
      return false;
    }
    this.#open.set(slot, { code, head, detail, chunks: [], size: 0, wanted: wantedBody(head) });
    if (!this.body(slot, bytes ?? Buffer.alloc(0))) return true;
    this.finish(slot);
    return false;
  }

  /** More of the body; true when there is enough. */
  body(slot: number, bytes: Uint8Array): boolean {
    const open = this.#open.get(slot);
    if (open === undefined) return true;
    const part = Buffer.from(bytes.subarray(0, open.wanted - open.size));
    open.chunks.push(part);
    open.size += part.length;
    return open.size >= open.wanted;
  }

  finish(slot: number): void {
    const open = this.#open.get(slot);
    if (open === undefined) return;
    this.#open.delete(slot);
    this.#keep(slot, open.code, open.head, open.detail, Buffer.concat(open.chunks));
  }

  /** The samples kept since the last call, by outcome code. */
  drain(): [code: number, sample: Sample][] {
    const kept = [...this.#taken];
    this.#taken.clear();
    return kept;
  }

  #keep(slot: number, code: number, head: Head | null, detail: string | null, body: Buffer): void {
    const answer = { head, detail, body, atMs: this.#atMs(slot) };
    this.#taken.set(code, sampleOf(answer, this.#secretsOf(slot), MAX_HEADERS, TELLING));
  }
}

interface Answer {
  readonly head: Head | null;
  readonly detail: string | null;
  readonly body: Buffer;
  readonly atMs: number;
}

/** An answer as it may be shown: masked, bounded, printable; of its headers the first `most` whose names match `which`. */
export function sampleOf(
  { head, detail, body, atMs }: Answer,
  secrets: readonly string[],
  most: number,
  which: RegExp,
): Sample {
  const safe = (text: string, max: number) => printable(maskText(text, secrets), max);
  return {
    statusLine: head === null ? null : safe(head.statusLine, MAX_VALUE),
    headers: (head?.headers ?? [])
      .filter(([name]) => which.test(name))
      .slice(0, most)
      .map(([name, value]) => [safe(name, MAX_VALUE), safe(maskHeader(name, value), MAX_VALUE)] as const),
    body: body.length === 0 ? null : safeBody(body, (text) => maskCutText(text, secrets)),
    detail: detail === null ? null : safe(detail, MAX_VALUE),
    atMs: toMicros(atMs),
  };
}

/** Bytes of body to wait for; a 101 has none (RFC 9110 section 15.2.2: what follows is another protocol). */
function wantedBody(head: Head): number {
  if (head.status === 101) return 0;
  const length = Number(headerValue(head, 'content-length') ?? MAX_BODY_BYTES);
  return Math.min(MAX_BODY_BYTES, length >= 0 ? length : MAX_BODY_BYTES);
}

/** Line ends stay, so that a page can be read; all else that could steer a terminal does not. */
function safeBody(body: Buffer, masked: (text: string) => string): string {
  const text = masked(body.subarray(0, MAX_BODY_BYTES).toString('utf8'));
  return text
    .split(/\r?\n/)
    .map((line) => printable(line, MAX_BODY_BYTES))
    .join('\n');
}

/**
 * A payload made ready to be sent: constant ones are encoded once, the others are rendered for each client from parts
 * parsed beforehand. JSON is sent as compact text.
 */
import type { TemplatePart } from '../template.js';
import type { Rendering, ScriptContext, ScriptTemplates } from './script-templates.js';
import type { Payload } from './session-script.js';

/** The longest payload of a control frame (RFC 6455 section 5.5). */
export const LONGEST_PING = 125;

export interface CompiledPayload {
  readonly kind: 'text' | 'binary' | 'ping';
  /** `bytes` always returns the same Buffer, which must not be changed. */
  readonly isConstant: boolean;
  bytes(context: ScriptContext): Buffer;
  /** For people: unmasked, templates as written. */
  readonly words: string;
}

export function compilePayload(payload: Payload, templates: ScriptTemplates): CompiledPayload {
  const words = payloadWords(payload);
  const { partsOf, rendering } = templates;
  if ('binary' in payload) return constant('binary', Buffer.from(payload.binary, 'base64'), words);
  if ('ping' in payload) return rendered('ping', rendering(partsOf(payload.ping)), words, LONGEST_PING);
  if ('text' in payload) return rendered('text', rendering(partsOf(payload.text)), words);
  return rendered('text', rendering(joined(jsonParts(payload.json, partsOf)), insideJson), words);
}

function constant(kind: CompiledPayload['kind'], bytes: Buffer, words: string): CompiledPayload {
  return { kind, isConstant: true, bytes: () => bytes, words };
}

function rendered(
  kind: CompiledPayload['kind'],
  rendering: Rendering,
  words: string,
  longest?: number,
): CompiledPayload {
  const encoded = (text: string) => Buffer.from(text).subarray(0, longest);
  if (rendering.constant !== null) return constant(kind, encoded(rendering.constant), words);
  return { kind, isConstant: false, bytes: (context) => encoded(rendering.text(context)), words };
}

type PartsOf = ScriptTemplates['partsOf'];

/** The compact JSON text of a value. Holes stand inside its strings only, so their values are escaped as such. */
function jsonParts(value: unknown, partsOf: PartsOf): TemplatePart[] {
  if (typeof value === 'string') {
    return ['"', ...partsOf(value).map((part) => (typeof part === 'string' ? insideJson(part) : part)), '"'];
  }
  if (Array.isArray(value)) {
    return ['[', ...separated(value.map((one) => jsonParts(one, partsOf))), ']'];
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, one]) => [`${JSON.stringify(key)}:`, ...jsonParts(one, partsOf)]);
    return ['{', ...separated(entries), '}'];
  }
  return [JSON.stringify(value)];
}

function separated(items: readonly (readonly TemplatePart[])[]): TemplatePart[] {
  return items.flatMap((item, i) => (i === 0 ? item : [',', ...item]));
}

/** Neighbouring texts become one, so that rendering joins few strings. */
function joined(parts: readonly TemplatePart[]): TemplatePart[] {
  const out: TemplatePart[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (typeof part === 'string' && typeof last === 'string') out[out.length - 1] = last + part;
    else out.push(part);
  }
  return out;
}

function insideJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** For people: `"40"`, `{"type":"ping"}`, `a ping`, `binary EAwA…`. */
export function payloadWords(payload: Payload): string {
  if ('text' in payload) return JSON.stringify(payload.text);
  if ('json' in payload) return JSON.stringify(payload.json);
  if ('ping' in payload) return payload.ping === '' ? 'a ping' : `a ping ${JSON.stringify(payload.ping)}`;
  return `binary ${payload.binary}`;
}

/**
 * A message as it came after the 101, for matchers to look at: decoded, parsed and split at most once, however many of
 * them look. What a target sends may be anything, so nothing here throws and the number of documents is bounded.
 */

/** Batches of JSON documents: SignalR ends each with U+001E, Centrifugo separates them by line feeds. */
const SEPARATORS = /[\u001e\n]/;
const MOST_DOCUMENTS = 1000;

export class ReceivedMessage {
  readonly bytes: Buffer;
  readonly isText: boolean;
  /** False: only its beginning was kept. Then it equals nothing and has no documents. */
  readonly isWhole: boolean;
  #text: string | null = null;
  #documents: readonly unknown[] | null = null;

  constructor(bytes: Buffer, isText: boolean, isWhole: boolean) {
    this.bytes = bytes;
    this.isText = isText;
    this.isWhole = isWhole;
  }

  /** Null for a binary message. */
  get text(): string | null {
    if (!this.isText) return null;
    this.#text ??= this.bytes.toString('utf8');
    return this.#text;
  }

  /** The JSON in it: the whole text, or each part of a batch that parses. */
  get documents(): readonly unknown[] {
    this.#documents ??= this.isWhole && this.text !== null ? documentsIn(this.text) : [];
    return this.#documents;
  }

  /** The JSON after a prefix such as the packet type of Engine.IO, `0{"sid":…}`; null: there is none. */
  get prefixed(): unknown {
    const start = this.text?.search(/[[{]/) ?? -1;
    if (!this.isWhole || start < 1) return null;
    return parsed(this.text?.slice(start) ?? '') ?? null;
  }
}

function documentsIn(text: string): readonly unknown[] {
  const whole = parsed(text);
  if (whole !== undefined) return [whole];
  return text
    .split(SEPARATORS, MOST_DOCUMENTS)
    .map(parsed)
    .filter((one) => one !== undefined);
}

/** Undefined: not JSON. */
function parsed(text: string): unknown {
  // Most texts that are no JSON are seen at their first character, without the cost of an exception.
  if (!/^\s*[[{"\-\dtfn]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

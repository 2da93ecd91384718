/**
 * What a target said when it refused: the first response of each failed outcome, most frequent first, without the
 * headers that every response has. All text here came from the target and is made harmless.
 */
import { printable } from '../../plan/printable.js';
import type { Counted, Result, Sample } from '../../result/result.js';
import { samplesOfProbes } from './after-words.js';
import { spokenMs } from './numbers.js';
import { failedOutcomes } from './outcome-words.js';

export interface SampleWords {
  /** `first 504, after 1.00 s`. */
  readonly title: string;
  readonly lines: readonly string[];
}

export interface FirstSamples {
  readonly shown: readonly SampleWords[];
  /** A remark about samples that are not shown; null: all are. */
  readonly more: string | null;
}

const MOST_SAMPLES = 4;
const MOST_HEADERS = 6;
/** Every response has these, and they do not tell who refused or why. */
const DULL_HEADERS = new Set(['connection', 'content-length', 'content-type', 'date', 'keep-alive']);

export function samplesOf({ samples, outcomes }: Pick<Counted, 'samples' | 'outcomes'>): FirstSamples {
  const failed = failedOutcomes(outcomes).filter(([id]) => samples[id] !== undefined);
  const shown = failed.slice(0, MOST_SAMPLES).map(([id]) => told(`first ${id}`, samples[id]));
  const hidden = failed.length - shown.length;
  return { shown, more: hidden > 0 ? `first samples of ${hidden} more outcomes are in the result file` : null };
}

/** Failures that only probes met. */
export function probeSamplesOf({ bursts, totals }: Result): FirstSamples {
  const samples = samplesOfProbes(bursts, totals.samples).slice(0, MOST_SAMPLES);
  return { shown: samples.map(([id, sample]) => told(`first ${id} of a probe`, sample)), more: null };
}

function told(what: string, { statusLine, headers, body, detail, atMs }: Sample): SampleWords {
  const telling = headers.filter(([name]) => !DULL_HEADERS.has(name.toLowerCase()));
  const texts = [
    statusLine,
    ...telling.slice(0, MOST_HEADERS).map(([name, value]) => `${name}: ${value}`),
    body === null ? null : body.trim().replace(/\s+/g, ' '),
    detail,
  ].filter((text): text is string => text !== null && text !== '');
  return { title: `${what}, after ${spokenMs(atMs)}`, lines: texts.map((text) => printable(text).trim()) };
}

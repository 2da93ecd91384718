/**
 * What a target said when it refused: the first answer of each failed outcome, the most frequent ones first, without
 * the headers that every answer has. Every text here came from the target and leaves this file harmless.
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
  /** What is said of those that are not shown; null: all are. */
  readonly more: string | null;
}

const MOST_SAMPLES = 4;
const MOST_HEADERS = 6;
/** Every answer has these, and they don't tell who refused or why. */
const DULL_HEADERS = new Set(['connection', 'content-length', 'content-type', 'date', 'keep-alive']);

export function samplesOf({ samples, outcomes }: Pick<Counted, 'samples' | 'outcomes'>): FirstSamples {
  const failed = failedOutcomes(outcomes).filter(([id]) => samples[id] !== undefined);
  const shown = failed.slice(0, MOST_SAMPLES).map(([id]) => told(`first ${id}`, samples[id]));
  const hidden = failed.length - shown.length;
  return { shown, more: hidden > 0 ? `first samples of ${hidden} more outcomes are in the result file` : null };
}

/** What probes met that the bursts did not. */
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

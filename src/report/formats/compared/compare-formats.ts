/** The table of formats of a comparison. What renders one is loaded when it is written. */
import type { Comparison } from '../../../compare/comparison.js';

export interface CompareFormat {
  /** The ending of its files, with the dot, in lower case. */
  readonly ending: string;
  readonly render: (comparison: Comparison) => string | Promise<string>;
}

const JSON_DOCUMENT: CompareFormat = {
  ending: '.json',
  render: (comparison) => `${JSON.stringify(comparison, null, 2)}\n`,
};

/** What GitHub shows beside the steps of a job. */
export const STEP_SUMMARY_COMPARISON: CompareFormat = {
  ending: '.md',
  render: async (comparison) => (await import('./compare-markdown.js')).comparisonMarkdown(comparison),
};

export const COMPARE_FORMATS: readonly CompareFormat[] = [
  JSON_DOCUMENT,
  STEP_SUMMARY_COMPARISON,
  {
    ending: '.html',
    render: async (comparison) => (await import('./compare-html.js')).comparisonPage(comparison),
  },
  {
    ending: '.xml',
    render: async (comparison) => (await import('./compare-junit.js')).comparisonJunit(comparison),
  },
];

/** For pipes and devices, whose names need no ending, and for standard output. */
export const DEFAULT_COMPARISON: CompareFormat = JSON_DOCUMENT;

export const COMPARE_ENDINGS: readonly string[] = COMPARE_FORMATS.map(({ ending }) => ending);

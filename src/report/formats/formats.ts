/**
 * The table of formats. The ending of a file's name selects one. What renders a format is loaded when there is
 * something to write: most runs need none of it, and loading all would delay the first burst.
 */
import { PHASES } from '../../names/phases.js';
import type { Format } from './format.js';

const JSON_FORMAT: Format = {
  ending: '.json',
  holdsSeveral: false,
  needsBursts: false,
  render: async (results) => (await import('./json.js')).renderJson(results),
};

/** What GitHub shows beside the steps of a job. */
export const STEP_SUMMARY_FORMAT: Format = {
  ending: '.md',
  holdsSeveral: true,
  needsBursts: false,
  render: async (results) => (await import('./markdown.js')).renderMarkdown(results),
};

const FORMATS: readonly Format[] = [
  JSON_FORMAT,
  {
    ending: '.html',
    holdsSeveral: true,
    needsBursts: false,
    render: async (results) => (await import('./html/whole-page.js')).wholePage(results),
  },
  STEP_SUMMARY_FORMAT,
  {
    ending: '.xml',
    holdsSeveral: true,
    needsBursts: false,
    render: async (results) => (await import('./junit.js')).renderJunit(results),
  },
  {
    ending: '.csv',
    holdsSeveral: true,
    needsBursts: true,
    render: async (results) => (await import('./csv.js')).renderCsv(results),
  },
  {
    ending: '.hgrm',
    holdsSeveral: false,
    needsBursts: true,
    render: async (results) => (await import('./hgrm.js')).renderHgrm(results, 'handshake'),
  },
  {
    ending: '.hlog',
    holdsSeveral: false,
    needsBursts: true,
    render: async (results) => (await import('./hlog.js')).renderHlog(results),
  },
  {
    ending: '.prom',
    holdsSeveral: false,
    needsBursts: true,
    render: async (results) => (await import('./prometheus.js')).renderPrometheus(results),
  },
];

/** A percentile file holds one histogram: `x.upgrade.hgrm` that of another phase than the handshake. */
const PHASE_FORMATS: readonly Format[] = PHASES.map((phase) => ({
  ending: `.${phase}.hgrm`,
  holdsSeveral: false,
  needsBursts: true,
  render: async (results) => (await import('./hgrm.js')).renderHgrm(results, phase),
}));

/** For pipes and devices, whose names need no ending, and for standard output. */
export const DEFAULT_FORMAT: Format = JSON_FORMAT;

export const ENDINGS: readonly string[] = FORMATS.map(({ ending }) => ending);

/** As `--format` takes them: `json`, `html`, … */
export const FORMAT_NAMES: readonly string[] = ENDINGS.map((ending) => ending.slice(1));

/** @param file its name, without folders; undefined: no format has that ending */
export function formatFor(file: string): Format | undefined {
  const name = file.toLowerCase();
  const fits = ({ ending }: Format) => name.endsWith(ending) && name.length > ending.length;
  return PHASE_FORMATS.find(fits) ?? FORMATS.find(fits);
}

/** @param name one of FORMAT_NAMES; undefined: none of them */
export function formatNamed(name: string): Format | undefined {
  return FORMATS.find(({ ending }) => ending === `.${name}`);
}

/** Why the format can't hold results of these commands, with the endings that can; null: it can. */
export function misfitOf(
  format: Format,
  commands: readonly string[],
): { readonly why: string; readonly fitting: string } | null {
  const why = reasonAgainst(format, commands);
  if (why === null) return null;
  const fitting = FORMATS.filter((one) => reasonAgainst(one, commands) === null).map(({ ending }) => ending);
  return { why, fitting: fitting.join(' ') };
}

function reasonAgainst({ ending, holdsSeveral, needsBursts }: Format, commands: readonly string[]): string | null {
  const without = commands.find((command) => !hasBursts(command));
  if (needsBursts && without !== undefined) return `a result of ${without} has nothing for ${ending}`;
  return commands.length > 1 && !holdsSeveral ? `${ending} holds one result, not ${commands.length}` : null;
}

/** `check` makes one handshake, step by step. */
function hasBursts(command: string): boolean {
  return command !== 'check';
}

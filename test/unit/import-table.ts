/**
 * Which part may import what, as data, and the check that holds a tree of sources against it. A tree is a map of paths
 * (below src) to texts, so that the check can be tried on sources made up to break it.
 */

interface Ring {
  readonly rings: readonly string[];
  readonly packages: readonly string[];
  /** Which node:* modules: all, none, or all for the files named. */
  readonly node: boolean | readonly string[];
}

const ALL_RINGS = [
  'plan',
  'tally',
  'search',
  'diagnose',
  'report',
  'fire',
  'fleet',
  'lab',
  'commands',
  'errors',
  'host',
];

/** A ring may always import its own files. */
export const IMPORT_TABLE: Readonly<Record<string, Ring>> = {
  errors: { rings: [], packages: [], node: false },
  host: { rings: ['errors'], packages: [], node: true },
  plan: {
    rings: ['errors'],
    packages: ['yaml', 'zod', 'csv-parse', 'ipaddr.js', 'fastest-levenshtein'],
    node: false,
  },
  tally: { rings: ['plan', 'errors'], packages: ['hdr-histogram-js'], node: false },
  search: { rings: ['tally', 'errors'], packages: [], node: false },
  diagnose: { rings: ['tally', 'plan', 'errors'], packages: [], node: false },
  report: {
    rings: ['tally', 'search', 'diagnose', 'plan', 'errors', 'host'],
    packages: ['cli-progress'],
    node: ['report/writer.ts', 'report/destination.ts'],
  },
  fire: { rings: ['tally', 'plan', 'errors', 'host'], packages: ['ws', 'piscina', 'koffi'], node: true },
  fleet: { rings: ['fire', 'tally', 'plan', 'errors'], packages: [], node: true },
  /** The ruler and what it measures share no code: never fire. */
  lab: { rings: ['tally', 'errors', 'host'], packages: ['ws'], node: true },
  commands: { rings: ALL_RINGS, packages: ['fastest-levenshtein'], node: true },
  cli: { rings: ALL_RINGS, packages: ['yargs'], node: true },
  index: { rings: ALL_RINGS, packages: [], node: false },
};

/** Files at the top of src; everything else there is a ring's folder. */
const TOP_FILES = ['index', 'cli', 'host', 'errors'];
const LONGEST_FILE = 500;
const BANNED_FILE = /^(utils?|types|common|helpers?|misc|shared)$/i;
const BANNED_CLASS = /\b(?:class|interface|type)\s+(\w*(?:Manager|Service|Helper|Utils?))\b/;
/** The lab knows nothing of the tally but the names of outcomes. */
const LAB_FROM_TALLY = ['tally/outcomes.ts'];

export type Tree = Readonly<Record<string, string>>;

/** Every breach, one line each; none: the tree keeps the table. */
export function breaches(tree: Tree): string[] {
  return Object.entries(tree).flatMap(([path, source]) =>
    [...fileBreaches(path, source), ...importBreaches(path, source)].map((breach) => `${path}: ${breach}`),
  );
}

function fileBreaches(path: string, source: string): string[] {
  const found: string[] = [];
  const ring = ringOf(path);
  const depth = path.split('/').length;
  if (!(ring in IMPORT_TABLE) || (depth === 1) !== TOP_FILES.includes(ring)) found.push('no such place in the layout');
  const bare = path.replace(/\.ts$/, '');
  for (const name of bare.split('/')) if (BANNED_FILE.test(name)) found.push(`the name ${name} says nothing`);
  if (/(manager|service)$/i.test(bare)) found.push('a name that says nothing');
  const code = codeOf(source);
  const named = BANNED_CLASS.exec(code.text);
  if (named !== null) found.push(`the name ${named[1]} says nothing`);
  const lines = source.split('\n').length - 1;
  if (lines > LONGEST_FILE) found.push(`${lines} lines are too many`);
  if (ring !== 'host' && /(?:(?<![.\w$#])|\bglobalThis\s*\.\s*)process\b(?!\s*[:?]?\s*:)/.test(code.text))
    found.push('only host touches process');
  return found;
}

function importBreaches(path: string, source: string): string[] {
  const ring = ringOf(path);
  const may = IMPORT_TABLE[ring];
  if (may === undefined) return [];
  const { specifiers, unclear } = codeOf(source);
  const found = unclear ? ['an import whose module is no plain text'] : [];
  for (const specifier of specifiers) {
    const breach = judge(path, ring, may, specifier);
    if (breach !== null) found.push(`${breach} (${specifier})`);
  }
  return found;
}

function judge(path: string, ring: string, may: Ring, specifier: string): string | null {
  if (specifier.startsWith('.')) {
    const target = resolvePath(path, specifier);
    if (target === null) return 'leaves src';
    const to = ringOf(target);
    if (to === ring) return null;
    if (ring === 'lab' && to === 'tally' && !LAB_FROM_TALLY.includes(target)) return 'lab knows outcome names only';
    return may.rings.includes(to) ? null : `${ring} may not import ${to}`;
  }
  if (specifier.startsWith('node:')) {
    if (specifier === 'node:process') return ring === 'host' ? null : 'only host touches process';
    const allowed = typeof may.node === 'boolean' ? may.node : may.node.includes(path);
    return allowed ? null : `${ring} may not import node:*`;
  }
  if (specifier.startsWith('/') || specifier.startsWith('#')) return 'not a relative path, a package or node:*';
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return may.packages.includes(name) ? null : `${ring} may not import the package ${name}`;
}

/** `plan/plan.ts` belongs to plan, `cli.ts` to cli. */
function ringOf(path: string): string {
  return (path.split('/')[0] ?? '').replace(/\.ts$/, '');
}

function resolvePath(from: string, specifier: string): string | null {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.replace(/\.js$/, '.ts').split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return null;
    } else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** A source's code without comments and the insides of strings; the modules it names, static, dynamic or by type. */
export function codeOf(source: string): { text: string; specifiers: string[]; unclear: boolean } {
  const strings: string[] = [];
  // In order: comments, strings, template texts (whole, nested braces are not code here), regular expressions.
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|\$\{(?:[^{}`]|\{[^{}]*\}|`[^`]*`)*\}|[^`\\])*`|(?<=[=(,:[!&|?{};+\n]\s*|\breturn\s+)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;
  const text = source.replace(token, (found) => {
    if (found.startsWith('/*') || found.startsWith('//')) return ' ';
    if (found.startsWith("'") || found.startsWith('"')) {
      strings.push(found.slice(1, -1));
      return `"${strings.length - 1}"`;
    }
    // What is inside ${} is code and may name `process`; the rest is text.
    if (found.startsWith('`')) return `(${[...found.matchAll(/\$\{([^`]*?)\}/g)].map((hole) => hole[1]).join(',')})`;
    return '""';
  });
  const named = [
    ...text.matchAll(/\bfrom\s*"(\d+)"|\bimport\s*"(\d+)"|\bimport\s*\(\s*"(\d+)"\s*[,)]|\brequire\s*\(\s*"(\d+)"/g),
  ];
  const specifiers = named.map((match) => strings[Number(match[1] ?? match[2] ?? match[3] ?? match[4])] ?? '');
  const unclear = /\b(?:import|require)\s*\((?!\s*"\d+"\s*[,)])/.test(text);
  return { text, specifiers, unclear };
}

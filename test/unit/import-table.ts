/**
 * Which part may import what, as data, and the check that holds a tree of sources against it. A tree is a map of paths
 * (below src) to texts, so that the check can be tried on sources made up to break it.
 */
import { factsOf, type SourceFacts } from './source-facts.js';

export interface Row {
  /** Folders, each without the folders in it, or a file. A file that has a row of its own is not part of its folder's. */
  readonly places: readonly string[];
  /** Rows above, each by its first place. Its own files a row may always import. */
  readonly may: readonly string[] | 'all above';
  readonly packages?: readonly string[];
  /** Which node:* modules; none when left out. */
  readonly node?: 'all' | readonly string[];
}

/** What the engine builds on, beside `native`. Of the search it knows the interface only. */
const MEASURING = ['errors.ts', 'names', 'host.ts', 'plan', 'result', 'tally', 'search/engine-interface.ts'];
const REPORTED = [
  'errors.ts',
  'names',
  'plan',
  'result',
  'tally',
  'search/engine-interface.ts',
  'search',
  'diagnose',
  'diagnose/diagnose.ts',
  'compare',
];
const LAB_BASE = ['errors.ts', 'names', 'host.ts'];

/** The parts of the engine from the bottom to the top: each may import those above it in this list. */
const ENGINE: readonly { readonly place: string; readonly packages?: readonly string[] }[] = [
  { place: 'engine/machine' },
  { place: 'engine/protocol', packages: ['ws'] },
  { place: 'engine/transport' },
  { place: 'engine/transport/epoll' },
  { place: 'engine/attempt' },
  { place: 'engine/session' },
  { place: 'engine/load' },
  { place: 'engine/threads', packages: ['piscina'] },
  { place: 'engine/mirror' },
  { place: 'engine/run' },
  { place: 'engine/check' },
];

/** From the bottom to the top. A folder whose parts one file puts together has a row for that file, above the parts. */
export const IMPORT_TABLE: readonly Row[] = [
  { places: ['errors.ts'], may: [] },
  { places: ['names'], may: [] },
  { places: ['host.ts'], may: ['errors.ts'], node: 'all' },

  {
    places: ['plan', 'plan/expressions', 'plan/policy', 'plan/session', 'plan/stages'],
    may: ['errors.ts', 'names'],
    packages: ['csv-parse', 'ipaddr.js', 'fastest-levenshtein', 're2js'],
    node: ['node:module'],
  },
  {
    places: ['plan/profile', 'plan/profile/session', 'plan/profile/stages'],
    may: ['errors.ts', 'names', 'plan'],
    packages: ['yaml', 'zod'],
  },
  { places: ['result'], may: ['errors.ts', 'names', 'plan'], packages: ['zod'] },
  {
    places: ['tally'],
    may: ['errors.ts', 'names', 'plan', 'result'],
    packages: ['hdr-histogram-js'],
    node: ['node:module'],
  },
  { places: ['search/engine-interface.ts'], may: ['errors.ts', 'names', 'result'] },
  { places: ['search'], may: ['errors.ts', 'names', 'result', 'tally', 'search/engine-interface.ts'] },
  {
    places: ['search/findings'],
    may: ['errors.ts', 'names', 'result', 'tally', 'search/engine-interface.ts', 'search'],
  },
  {
    places: ['search/director.ts'],
    may: ['errors.ts', 'names', 'result', 'tally', 'search/engine-interface.ts', 'search', 'search/findings'],
  },

  { places: ['diagnose'], may: ['errors.ts', 'names', 'plan', 'result', 'tally'] },
  { places: ['diagnose/rules'], may: ['errors.ts', 'names', 'plan', 'result', 'tally', 'diagnose'] },
  { places: ['diagnose/remedies'], may: ['errors.ts', 'names', 'plan', 'result', 'tally', 'diagnose'] },
  {
    places: ['diagnose/diagnose.ts'],
    may: ['errors.ts', 'names', 'plan', 'result', 'tally', 'diagnose', 'diagnose/rules', 'diagnose/remedies'],
  },

  {
    places: ['compare'],
    may: ['errors.ts', 'names', 'plan', 'result', 'tally', 'search', 'search/findings'],
    packages: ['zod'],
  },

  { places: ['report/words', 'report/words/compared', 'report/words/storm', 'report/words/written'], may: REPORTED },
  { places: ['report/terminal/style.ts'], may: [...REPORTED, 'report/words'], node: ['node:util'] },
  {
    places: ['report/terminal'],
    may: [...REPORTED, 'report/words', 'report/terminal/style.ts'],
    packages: ['string-width', 'wrap-ansi'],
  },
  { places: ['report/charts'], may: [...REPORTED, 'report/words'], packages: ['d3-array', 'd3-scale', 'd3-shape'] },
  { places: ['report/formats/html'], may: [...REPORTED, 'report/words', 'report/charts'], node: ['node:zlib'] },
  {
    places: ['report/formats', 'report/formats/compared'],
    may: [...REPORTED, 'report/words', 'report/charts', 'report/formats/html'],
  },
  { places: ['report/outputs'], may: [...REPORTED, 'report/words'] },
  {
    places: ['report/files'],
    may: [...REPORTED, 'host.ts', 'report/words', 'report/formats', 'report/outputs'],
    node: ['node:fs', 'node:path', 'node:zlib'],
  },
  {
    places: ['report/progress'],
    may: [...REPORTED, 'host.ts', 'report/words', 'report/terminal/style.ts', 'report/terminal', 'report/outputs'],
    packages: ['cli-progress'],
  },

  { places: ['native'], may: ['errors.ts'], packages: ['koffi'], node: 'all' },
  ...ENGINE.map(
    ({ place, packages }, i): Row => ({
      places: [place],
      may: [...MEASURING, 'native', ...ENGINE.slice(0, i).map((one) => one.place)],
      packages,
      node: 'all',
    }),
  ),

  // The ruler and what it measures share no code: the lab never knows the engine.
  { places: ['lab/server'], may: LAB_BASE, node: 'all' },
  { places: ['lab/targets'], may: [...LAB_BASE, 'lab/server'], packages: ['ws'], node: 'all' },
  { places: ['lab/gateway'], may: [...LAB_BASE, 'lab/server', 'lab/targets'], node: 'all' },
  { places: ['lab/catalogue'], may: [...LAB_BASE, 'lab/server', 'lab/targets'] },
  { places: ['lab'], may: [...LAB_BASE, 'lab/server', 'lab/targets', 'lab/gateway', 'lab/catalogue'], node: 'all' },

  { places: ['commands', 'commands/output', 'commands/saved', 'commands/storm'], may: 'all above', node: 'all' },
  { places: ['index.ts'], may: 'all above' },
  { places: ['cli.ts'], may: 'all above', packages: ['yargs'], node: 'all' },
];

const LONGEST_FILE = 500;
const LARGEST_FOLDER = 22;
const BANNED_FILE = /^(utils?|types|common|helpers?|misc|shared)$/i;
const BANNED_TYPE = /(?:Manager|Service|Helper|Utils?)$/;

export type Tree = Readonly<Record<string, string>>;

/** Every breach, one line each; none: the tree keeps the table. */
export function breaches(tree: Tree): string[] {
  const files = Object.entries(tree).map(([path, source]) => ({ path, source, facts: factsOf(path, source) }));
  const graph = new Map(
    files.map(({ path, facts }) => [path, facts.modules.flatMap((name) => fileOf(path, name) ?? [])]),
  );
  return [
    ...files.flatMap(({ path, source, facts }) =>
      [...nameBreaches(path, facts), ...codeBreaches(path, source, facts), ...importBreaches(path, facts)].map(
        (breach) => `${path}: ${breach}`,
      ),
    ),
    ...folderBreaches(Object.keys(tree)),
    ...sharedNames(files),
    ...circlesOf(graph).map((circle) => `a circle: ${[...circle, circle[0]].join(' > ')}`),
  ];
}

/** What is wrong with the table itself, given the tree that it is for: a row that looks up, or that nothing needs. */
export function tableBreaches(table: readonly Row[], tree: Tree): string[] {
  const above: string[] = [];
  const found: string[] = [];
  const paths = Object.keys(tree);
  for (const { places, may, packages = [] } of table) {
    const [name] = places;
    for (const other of may === 'all above' ? [] : may)
      if (!above.includes(other)) found.push(`${name}: ${other} is no row above it`);
    for (const place of places) {
      const files = paths.filter((path) => placeOf(path, table) === place);
      if (files.length === 0) found.push(`${place}: no such file, or no file in it`);
    }
    const own = paths.filter((path) => places.includes(placeOf(path, table) ?? ''));
    const used = new Set(own.flatMap((path) => factsOf(path, tree[path]).modules.map(packageOf)));
    for (const one of packages) if (!used.has(one)) found.push(`${name}: no file imports the package ${one}`);
    above.push(name);
  }
  return found;
}

function nameBreaches(path: string, { typeNames }: SourceFacts): string[] {
  const bare = path.replace(/\.ts$/, '');
  const typeName = typeNames.find((name) => BANNED_TYPE.test(name));
  return [
    ...(placeOf(path) === null ? ['no such place in the layout'] : []),
    ...bare.split('/').flatMap((name) => (BANNED_FILE.test(name) ? [`the name ${name} says nothing`] : [])),
    ...(/(manager|service)$/i.test(bare) ? ['a name that says nothing'] : []),
    ...(typeName === undefined ? [] : [`the name ${typeName} says nothing`]),
  ];
}

/** One name, one meaning: what two files declare under one name is looked up in the wrong one. */
function sharedNames(files: readonly { readonly path: string; readonly facts: SourceFacts }[]): string[] {
  const places = new Map<string, string[]>();
  for (const { path, facts } of files) {
    for (const name of new Set(facts.typeNames)) places.set(name, [...(places.get(name) ?? []), path]);
  }
  return [...places].flatMap(([name, paths]) =>
    paths.length > 1 ? [`two types are called ${name}: ${paths.join(', ')}`] : [],
  );
}

function codeBreaches(
  path: string,
  source: string,
  { syntaxErrors, touchesProcess, isUnclear }: SourceFacts,
): string[] {
  const lines = source.split('\n').length - 1;
  return [
    ...syntaxErrors.map((message) => `not read: ${message}`),
    ...(lines > LONGEST_FILE ? [`${lines} lines are too many`] : []),
    ...(touchesProcess && path !== 'host.ts' ? ['only host touches process'] : []),
    ...(isUnclear ? ['an import whose module is no plain text'] : []),
  ];
}

function folderBreaches(paths: readonly string[]): string[] {
  const sizes = new Map<string, number>();
  for (const path of paths) sizes.set(folderOf(path), (sizes.get(folderOf(path)) ?? 0) + 1);
  return [...sizes].flatMap(([folder, size]) =>
    size > LARGEST_FOLDER ? [`${folder}: ${size} files are too many for one folder`] : [],
  );
}

function importBreaches(path: string, { modules }: SourceFacts): string[] {
  const row = rowOf(path);
  if (row === undefined) return [];
  return modules.flatMap((name) => {
    const breach = judge(path, row, name);
    return breach === null ? [] : [`${breach} (${name})`];
  });
}

function judge(path: string, row: Row, name: string): string | null {
  const [from] = row.places;
  if (name.startsWith('.')) {
    const target = fileOf(path, name);
    if (target === null) return 'leaves src';
    const to = rowOf(target)?.places[0] ?? folderOf(target);
    return to === from || mayImport(row, to) ? null : `${from} may not import ${to}`;
  }
  if (name === 'node:process') return path === 'host.ts' ? null : 'only host touches process';
  if (name.startsWith('node:')) {
    const { node = [] } = row;
    return node === 'all' || node.includes(name) ? null : `${from} may not import ${name}`;
  }
  if (name.startsWith('/') || name.startsWith('#')) return 'not a relative path, a package or node:*';
  return row.packages?.includes(packageOf(name)) === true
    ? null
    : `${from} may not import the package ${packageOf(name)}`;
}

function mayImport({ places: [from], may }: Row, to: string): boolean {
  if (may !== 'all above') return may.includes(to);
  const names = IMPORT_TABLE.map(({ places }) => places[0]);
  return names.includes(to) && names.indexOf(to) < names.indexOf(from);
}

/** Of a file with a row of its own itself, else its folder; null where the layout has neither. */
function placeOf(path: string, table: readonly Row[] = IMPORT_TABLE): string | null {
  const places = table.flatMap((row) => row.places);
  return [path, folderOf(path)].find((place) => places.includes(place)) ?? null;
}

function rowOf(path: string): Row | undefined {
  const place = placeOf(path);
  return IMPORT_TABLE.find(({ places }) => place !== null && places.includes(place));
}

function folderOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}

/** `@scope/name/part` is a part of the package `@scope/name`. */
function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The file of src that `from` names; null for what is no relative path or leads out of src. */
function fileOf(from: string, name: string): string | null {
  if (!name.startsWith('.')) return null;
  const parts = from.split('/').slice(0, -1);
  for (const part of name.replace(/\.js$/, '.ts').split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return null;
    } else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** Of every file the shortest circle that it is in, each circle once. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found = new Map<string, string[]>();
  for (const start of graph.keys()) {
    const circle = shortestWay(graph, start, start);
    const files = circle?.toSorted().join() ?? '';
    if (circle !== null && !found.has(files)) found.set(files, circle);
  }
  return [...found.values()];
}

/** The files from `start` on, without `end`; breadth first. */
function shortestWay(graph: ReadonlyMap<string, readonly string[]>, start: string, end: string): string[] | null {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const next of graph.get(way[way.length - 1]) ?? []) {
      if (next === end) return way;
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  return null;
}

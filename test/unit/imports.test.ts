import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { breaches, IMPORT_TABLE, type Row, type Tree, tableBreaches } from './import-table.js';
import { factsOf } from './source-facts.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SRC = treeOf(join(ROOT, 'src'));

function treeOf(folder: string): Tree {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

test('src keeps the import table', () => {
  assert.ok(Object.keys(SRC).length > 80, 'the sources were found');
  assert.deepEqual(breaches(SRC), []);
});

test('every row of the table has files that import its packages, and names rows above it only', () => {
  assert.deepEqual(tableBreaches(IMPORT_TABLE, SRC), []);
});

test('every module that src names is seen by the check', () => {
  // A second opinion, as plain as can be: every quoted text behind `from` or `import(` at a line's code.
  for (const [path, source] of Object.entries(SRC)) {
    const plain = [
      ...source.matchAll(/^(?:(?:import|export)\b[^'\n]* from |import |\} from )'([^'\n]+)';$|\bimport\('([^']+)'\)/gm),
    ];
    const seen = factsOf(path, source).modules;
    for (const match of plain) assert.ok(seen.includes(match[1] ?? match[2] ?? ''), `${path}: ${match[0]}`);
  }
});

test('the packages of the table are the dependencies of package.json, no more and no fewer', () => {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const packages = new Set(IMPORT_TABLE.flatMap((row) => row.packages ?? []));
  assert.deepEqual([...packages].sort(), Object.keys({ ...dependencies, ...optionalDependencies }).sort());
});

describe('the check can fail', () => {
  const breaking: readonly (readonly [what: string, path: string, source: string, breach: RegExp])[] = [
    [
      'a ring it may not know',
      'tally/a.ts',
      "import { x } from '../engine/run/run.js';",
      /tally may not import engine\/run/,
    ],
    ['lab and engine', 'lab/a.ts', "import { x } from '../engine/machine/clock.js';", /lab may not import engine/],
    [
      'lab and the tally',
      'lab/server/a.ts',
      "import { x } from '../../tally/tally.js';",
      /lab\/server may not import tally/,
    ],
    ['lab and the plan', 'lab/a.ts', "import { x } from '../plan/suggest.js';", /lab may not import plan/],
    ['a type only', 'plan/a.ts', "import type { X } from '../tally/tally.js';", /plan may not import tally/],
    ['a type in braces', 'plan/a.ts', "import { type X } from '../tally/tally.js';", /plan may not import tally/],
    [
      'an import type',
      'plan/a.ts',
      "const x: import('../engine/run/run.js').X = 1;",
      /plan may not import engine\/run/,
    ],
    [
      'typeof an import',
      'plan/a.ts',
      "type X = typeof import('../engine/run/run.js');",
      /plan may not import engine\/run/,
    ],
    ['a re-export', 'plan/a.ts', "export { x } from '../host.js';", /plan may not import host/],
    ['export *', 'plan/a.ts', 'export * from "../host.js";', /plan may not import host/],
    [
      'a dynamic import',
      'plan/a.ts',
      "const x = await import('../engine/run/run.js');",
      /plan may not import engine\/run/,
    ],
    ['a dynamic import of a package', 'report/words/a.ts', "await import('yargs')", /package yargs/],
    ['a module made up at run time', 'engine/run/a.ts', 'await import(name)', /no plain text/],
    ['a module in a template', 'engine/run/a.ts', 'await import(`../lab/` + name)', /no plain text/],
    ['for effect only', 'search/a.ts', "import '../plan/plan.js';", /search may not import plan/],
    [
      'over several lines',
      'plan/a.ts',
      "import {\n  a,\n  b,\n} from\n  '../engine/run/run.js';",
      /plan may not import engine\/run/,
    ],
    ['node:* in a pure ring', 'plan/a.ts', "import { x } from 'node:path';", /plan may not import node:path/],
    ['node:* as a type', 'tally/a.ts', "import type { Readable } from 'node:stream';", /tally may not import node/],
    ['node:* in a renderer', 'report/terminal/summary.ts', "import fs from 'node:fs';", /may not import node:fs/],
    ['more of node:* than its own', 'report/terminal/style.ts', "import fs from 'node:fs';", /may not import node:fs/],
    ['a built-in without node:', 'plan/a.ts', "import fs from 'fs';", /package fs/],
    ['a package of another ring', 'engine/run/a.ts', "import { z } from 'zod';", /package zod/],
    ['a package of the folder beside', 'report/words/a.ts', "import x from 'string-width';", /package string-width/],
    ['yargs outside the cli', 'commands/a.ts', "import yargs from 'yargs';", /package yargs/],
    ['a part of a package', 'lab/a.ts', "import x from 'yaml/parse';", /package yaml/],
    ['a package with a scope', 'engine/run/a.ts', "import x from '@a/b/c';", /package @a\/b/],
    ['out of src', 'plan/a.ts', "import x from '../../package.json';", /leaves src/],
    ['an alias', 'plan/a.ts', "import x from '#dist/engine/run/run-plan.js';", /not a relative path/],
    ['require', 'engine/run/a.ts', "const x = require('yargs');", /package yargs/],
    ['import with require', 'engine/run/a.ts', "import x = require('yargs');", /package yargs/],
    ['require made up at run time', 'engine/run/a.ts', 'const x = require(name);', /no plain text/],
    [
      'up inside the engine',
      'engine/load/a.ts',
      "import { x } from '../threads/b.js';",
      /load may not import engine\/threads/,
    ],
    [
      'up by a type',
      'engine/attempt/a.ts',
      "import type { X } from '../load/b.js';",
      /attempt may not import engine\/load/,
    ],
    ['up to the parts below', 'engine/transport/a.ts', "import { x } from './epoll/b.js';", /may not import .*\/epoll/],
    [
      'up to who puts it together',
      'diagnose/rules/a.ts',
      "import { x } from '../diagnose.js';",
      /may not import diagnose\/diagnose.ts/,
    ],
    [
      'a rule and a remedy',
      'diagnose/rules/a.ts',
      "import { x } from '../remedies/b.js';",
      /may not import diagnose\/remedies/,
    ],
    [
      'words and the terminal',
      'report/words/a.ts',
      "import { x } from '../terminal/b.js';",
      /words may not import report\/terminal/,
    ],
    [
      'the result and the tally',
      'result/a.ts',
      "import type { X } from '../tally/b.js';",
      /result may not import tally/,
    ],
    ['commands and the cli', 'commands/a.ts', "import { x } from '../cli.js';", /commands may not import cli.ts/],
    ['process by its global name', 'engine/run/a.ts', 'const x = process.argv;', /only host touches process/],
    ['process in a template', 'engine/run/a.ts', `const x = \`\${process.pid}\`;`, /only host touches process/],
    ['process of globalThis', 'engine/run/a.ts', 'const x = globalThis.process.pid;', /only host touches process/],
    ['process by a key', 'engine/run/a.ts', "const x = globalThis['process'].pid;", /only host touches process/],
    ['process taken apart', 'engine/run/a.ts', 'const { pid } = process;', /only host touches process/],
    ['process taken out', 'engine/run/a.ts', 'const { process } = globalThis;', /only host touches process/],
    ['process in a short object', 'engine/run/a.ts', 'const x = { process };', /only host touches process/],
    ['the type of process', 'engine/run/a.ts', 'type X = typeof process;', /only host touches process/],
    ['process by import', 'commands/a.ts', "import process from 'node:process';", /only host touches process/],
    ['an unknown folder', 'extra/a.ts', 'export {};', /no such place/],
    ['an unknown folder of a ring', 'plan/extra/a.ts', 'export {};', /no such place/],
    ['a file beside the folders of a ring', 'engine/a.ts', 'export {};', /no such place/],
    ['an unknown file at the top', 'main.ts', 'export {};', /no such place/],
    ['a file named as a folder', 'plan.ts', 'export {};', /no such place/],
    ['a folder named as a file', 'host/a.ts', 'export {};', /no such place/],
    ['utils', 'plan/utils.ts', 'export {};', /utils says nothing/],
    ['a folder of helpers', 'engine/helpers/a.ts', 'export {};', /helpers says nothing/],
    ['types', 'tally/types.ts', 'export {};', /types says nothing/],
    ['common', 'tally/common.ts', 'export {};', /common says nothing/],
    ['a Manager', 'engine/run/a.ts', 'export class SocketManager {}', /SocketManager says nothing/],
    ['a Service', 'engine/run/a.ts', 'export interface TallyService {}', /TallyService says nothing/],
    ['a Helper', 'engine/run/a.ts', 'type SocketHelper = string;', /SocketHelper says nothing/],
    ['a file of a Service', 'engine/run/tally-service.ts', 'export {};', /says nothing/],
    ['a long file', 'engine/run/a.ts', 'x;\n'.repeat(501), /501 lines/],
    ['what is no TypeScript', 'engine/run/a.ts', 'const = 1;', /not read/],
  ];
  for (const [what, path, source, expected] of breaking) {
    test(what, () => assert.match(breaches({ [path]: source }).join('\n'), expected));
  }

  const ring: Tree = {
    'plan/a.ts': "import { b } from './b.js';",
    'plan/b.ts': "import type { C } from './c.js';",
    'plan/c.ts': "export type C = import('./a.js').A;",
    'plan/d.ts': "import { a } from './a.js';",
  };
  test('a circle, by types only', () => {
    assert.deepEqual(breaches(ring), ['a circle: plan/a.ts > plan/b.ts > plan/c.ts > plan/a.ts']);
    assert.deepEqual(breaches({ ...ring, 'plan/c.ts': 'export type C = 1;' }), []);
  });
  test('a file that imports itself', () => {
    assert.deepEqual(breaches({ 'plan/a.ts': "import * as self from './a.js';" }), ['a circle: plan/a.ts > plan/a.ts']);
  });
  test('two circles through one file', () => {
    const two = {
      ...ring,
      'plan/b.ts': `${ring['plan/b.ts']}\nimport { e } from './e.js';`,
      'plan/e.ts': "import './b.js';",
    };
    assert.deepEqual(breaches(two), [
      'a circle: plan/a.ts > plan/b.ts > plan/c.ts > plan/a.ts',
      'a circle: plan/b.ts > plan/e.ts > plan/b.ts',
    ]);
  });

  test('a type name with two meanings', () => {
    const two = { 'plan/a.ts': 'export interface Place {}', 'tally/a.ts': 'type Place = string;' };
    assert.deepEqual(breaches(two), ['two types are called Place: plan/a.ts, tally/a.ts']);
    assert.deepEqual(breaches({ ...two, 'tally/a.ts': "export type { Place } from '../plan/a.js';" }), []);
  });

  const files = (count: number): Tree =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`search/file-${i}.ts`, 'export {};']));
  test('a folder with 23 files', () => {
    assert.deepEqual(breaches(files(23)), ['search: 23 files are too many for one folder']);
    assert.deepEqual(breaches({ ...files(22), 'tally/a.ts': 'export {};' }), []);
  });

  const keeping: readonly (readonly [what: string, path: string, source: string])[] = [
    ['its own ring', 'plan/a.ts', "import { x } from './b.js';\nimport { y } from '../plan/c.js';"],
    ['a comment', 'plan/a.ts', "// import x from '../engine/run/run.js'\n/* import y from 'yargs'; process.exit() */"],
    ['a text', 'plan/a.ts', `const x = "process.exit";\nconst y = 'a // b';\nconst z = \`process \${x} import(\`;`],
    ['a property', 'engine/run/a.ts', 'const x = host.process;\nconst y = { process: 1 };'],
    [
      'a property of a type',
      'engine/run/a.ts',
      'interface X { process: Y; process?(): void }\nclass Z { process() {} }',
    ],
    ['a regular expression with quotes', 'plan/profile/a.ts', "const x = /[\"'`/]/;\nimport { y } from 'zod';"],
    ['outcome names in the lab', 'lab/a.ts', "import { x } from '../names/outcomes.js';"],
    ['node:* in the writer', 'report/files/writer.ts', "import fs from 'node:fs';"],
    ['down inside the engine', 'engine/threads/a.ts', "import { x } from '../transport/epoll/b.js';"],
    [
      'parts put together',
      'diagnose/diagnose.ts',
      "import { x } from './rules/a.js';\nimport { y } from './causes.js';",
    ],
    ['a part of a package it may have', 'plan/a.ts', "import { parse } from 'csv-parse/sync';"],
    ['as long as may be', 'engine/run/a.ts', 'x;\n'.repeat(500)],
  ];
  for (const [what, path, source] of keeping) {
    test(`and lets be: ${what}`, () => assert.deepEqual(breaches({ [path]: source }), []));
  }

  test('a table that is not for this tree', () => {
    const table: Row[] = [
      { places: ['errors.ts'], may: ['plan'] },
      { places: ['plan', 'plan/later'], may: ['errors.ts'], packages: ['yaml', 'zod'] },
      { places: ['fleet'], may: ['fire'] },
      { places: ['cli.ts'], may: 'all above' },
    ];
    const tree = { 'errors.ts': '', 'plan/a.ts': "import { z } from 'zod/mini';", 'cli.ts': '' };
    assert.deepEqual(tableBreaches(table, tree), [
      'errors.ts: plan is no row above it',
      'plan/later: no such file, or no file in it',
      'plan: no file imports the package yaml',
      'fleet: fire is no row above it',
      'fleet: no such file, or no file in it',
    ]);
  });
});

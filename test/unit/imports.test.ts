import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { breaches, codeOf, IMPORT_TABLE, type Tree } from './import-table.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

function treeOf(folder: string): Tree {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

test('src keeps the import table', () => {
  const tree = treeOf(join(ROOT, 'src'));
  assert.ok(Object.keys(tree).length > 80, 'the sources were found');
  assert.deepEqual(breaches(tree), []);
});

test('every module that src names is seen by the check', () => {
  // A second opinion, as plain as can be: every quoted text behind `from` or `import(` at a line's code.
  for (const [path, source] of Object.entries(treeOf(join(ROOT, 'src')))) {
    const plain = [...source.matchAll(/^(?:import|export|\} from)\b[^'\n]*'([^'\n]+)';$|\bimport\('([^']+)'\)/gm)];
    const seen = codeOf(source).specifiers;
    for (const match of plain) assert.ok(seen.includes(match[1] ?? match[2] ?? ''), `${path}: ${match[0]}`);
  }
});

test('the packages of the table are the dependencies of package.json, no more and no fewer', () => {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const packages = new Set(Object.values(IMPORT_TABLE).flatMap((ring) => ring.packages));
  assert.deepEqual([...packages].sort(), Object.keys({ ...dependencies, ...optionalDependencies }).sort());
});

describe('the check can fail', () => {
  const breach = (path: string, source: string) => breaches({ [path]: source });
  const breaking: readonly (readonly [what: string, path: string, source: string, breach: RegExp])[] = [
    ['a ring it may not know', 'tally/a.ts', "import { x } from '../fire/run.js';", /tally may not import fire/],
    ['lab and fire', 'lab/a.ts', "import { x } from '../fire/clock.js';", /lab may not import fire/],
    ['lab and more of the tally', 'lab/a.ts', "import { x } from '../tally/tally.js';", /outcome names only/],
    ['a type only', 'plan/a.ts', "import type { X } from '../tally/tally.js';", /plan may not import tally/],
    ['a type in braces', 'plan/a.ts', "import { type X } from '../tally/tally.js';", /plan may not import tally/],
    ['an import type', 'plan/a.ts', "const x: import('../fire/run.js').X = 1;", /plan may not import fire/],
    ['a re-export', 'plan/a.ts', "export { x } from '../host.js';", /plan may not import host/],
    ['export *', 'plan/a.ts', 'export * from "../host.js";', /plan may not import host/],
    ['a dynamic import', 'plan/a.ts', "const x = await import('../fire/run.js');", /plan may not import fire/],
    ['a dynamic import of a package', 'report/a.ts', "await import('yargs')", /package yargs/],
    ['a module made up at run time', 'fire/a.ts', 'await import(name)', /no plain text/],
    ['a module in a template', 'fire/a.ts', 'await import(`../lab/` + name)', /no plain text/],
    ['for effect only', 'search/a.ts', "import '../plan/plan.js';", /search may not import plan/],
    [
      'over several lines',
      'plan/a.ts',
      "import {\n  a,\n  b,\n} from\n  '../fire/run.js';",
      /plan may not import fire/,
    ],
    ['node:* in a pure ring', 'plan/a.ts', "import { x } from 'node:path';", /plan may not import node/],
    ['node:* as a type', 'tally/a.ts', "import type { Readable } from 'node:stream';", /tally may not import node/],
    ['node:* in a renderer', 'report/summary.ts', "import fs from 'node:fs';", /report may not import node/],
    ['a built-in without node:', 'plan/a.ts', "import fs from 'fs';", /package fs/],
    ['a package of another ring', 'fire/a.ts', "import { z } from 'zod';", /package zod/],
    ['yargs outside the cli', 'commands/a.ts', "import yargs from 'yargs';", /package yargs/],
    ['a part of a package', 'lab/a.ts', "import x from 'yaml/parse';", /package yaml/],
    ['a package with a scope', 'fire/a.ts', "import x from '@a/b/c';", /package @a\/b/],
    ['out of src', 'plan/a.ts', "import x from '../../package.json';", /leaves src/],
    ['an alias', 'plan/a.ts', "import x from '#dist/engine/run/run-plan.js';", /not a relative path/],
    ['require', 'fire/a.ts', "const x = require('yargs');", /package yargs/],
    ['process by its global name', 'fire/a.ts', 'const x = process.argv;', /only host touches process/],
    ['process in a template', 'fire/a.ts', `const x = \`\${process.pid}\`;`, /only host touches process/],
    ['process of globalThis', 'fire/a.ts', 'const x = globalThis.process.pid;', /only host touches process/],
    ['process taken apart', 'fire/a.ts', 'const { pid } = process;', /only host touches process/],
    ['process by import', 'commands/a.ts', "import process from 'node:process';", /only host touches process/],
    ['an unknown folder', 'extra/a.ts', 'export {};', /no such place/],
    ['an unknown file at the top', 'main.ts', 'export {};', /no such place/],
    ['a file named as a folder', 'plan.ts', 'export {};', /no such place/],
    ['a folder named as a file', 'host/a.ts', 'export {};', /no such place/],
    ['utils', 'plan/utils.ts', 'export {};', /utils says nothing/],
    ['a folder of helpers', 'fire/helpers/a.ts', 'export {};', /helpers says nothing/],
    ['types', 'tally/types.ts', 'export {};', /types says nothing/],
    ['common', 'tally/common.ts', 'export {};', /common says nothing/],
    ['a Manager', 'fire/a.ts', 'export class SocketManager {}', /SocketManager says nothing/],
    ['a Service', 'fire/a.ts', 'export interface TallyService {}', /TallyService says nothing/],
    ['a file of a Service', 'fire/tally-service.ts', 'export {};', /says nothing/],
    ['a long file', 'fire/a.ts', 'x;\n'.repeat(501), /501 lines/],
  ];
  for (const [what, path, source, expected] of breaking) {
    test(what, () => {
      const found = breach(path, source);
      assert.equal(found.length > 0, true, 'nothing found');
      assert.match(found.join('\n'), expected);
    });
  }

  const keeping: readonly (readonly [what: string, path: string, source: string])[] = [
    ['its own ring', 'plan/a.ts', "import { x } from './b.js';\nimport { y } from '../plan/c.js';"],
    ['a comment', 'plan/a.ts', "// import x from '../fire/run.js'\n/* import y from 'yargs'; process.exit() */"],
    ['a text', 'plan/a.ts', `const x = "process.exit";\nconst y = 'a // b';\nconst z = \`process \${x} import(\`;`],
    ['a property', 'fire/a.ts', 'const x = host.process;\nconst y = { process: 1 };'],
    ['a regular expression with quotes', 'plan/a.ts', "const x = /[\"'`/]/;\nimport { y } from 'zod';"],
    ['outcome names in the lab', 'lab/a.ts', "import { x } from '../tally/outcomes.js';"],
    ['node:* in the writer', 'report/writer.ts', "import fs from 'node:fs';"],
    ['as long as may be', 'fire/a.ts', 'x;\n'.repeat(500)],
  ];
  for (const [what, path, source] of keeping) {
    test(`and lets be: ${what}`, () => assert.deepEqual(breach(path, source), []));
  }
});

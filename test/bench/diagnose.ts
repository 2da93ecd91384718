/**
 * The benchmark of the diagnosis: 100 generated cases and some that cannot be decided, each fired by the command line, and
 * what is named held against the truth. Writes test/bench/DIAGNOSE.md when all cases have run; exit code 1 when a goal is
 * missed. Flags: `--seed N`; `--half open|blind`; `--only o3,b7`; `--sealed` tells the blind half in numbers only; `--made`
 * shows what came of each case and nothing of its diagnosis; `--keep FOLDER` keeps the results.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../cli.js';
import { casesOf, DEFAULT_SEED, HALVES, type Half, type Numbered } from './diagnose-cases.js';
import { fireCase } from './diagnose-fire.js';
import { judge, totalsOf } from './diagnose-judge.js';
import { askedText, document, goals, goalsMet, type Line, namedText, verdictText } from './diagnose-table.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: `${DEFAULT_SEED}` },
    half: { type: 'string' },
    only: { type: 'string' },
    keep: { type: 'string' },
    sealed: { type: 'boolean', default: false },
    made: { type: 'boolean', default: false },
  },
});

const seed = Number(values.seed);
const halves: readonly Half[] = values.half === undefined ? HALVES : HALVES.filter((half) => half === values.half);
const only = values.only === undefined ? null : new Set(values.only.split(','));
const all = halves.flatMap((half) => casesOf(half, seed));
const cases = only === null ? all : all.filter(({ id }) => only.has(id));

function tell({ one, judged }: Line): void {
  const head = `${one.id.padEnd(4)} ${one.name}`;
  const outcomes = `       ${askedText(one)} -> ${judged.outcomes}`;
  if (values.made) {
    console.log(`${head}: ${judged.isMade ? 'made' : `NOT MADE: ${judged.fault}`} (try ${judged.tries})\n${outcomes}`);
  } else if (values.sealed && one.half === 'blind') {
    console.log(`${one.id.padEnd(4)} done`);
  } else {
    const truth = one.truth.join(', ') || 'healthy';
    console.log(`${head}: ${verdictText(judged)}\n       ${one.setting}\n${outcomes}`);
    console.log(`       truth ${truth}; named ${namedText(judged)}${statedText(judged)}`);
  }
}

function statedText({ stated }: Line['judged']): string {
  if (stated === null) return '';
  const { timeoutMs, serviceMs, trueTimeoutMs, trueServiceMs, ok } = stated;
  return `; T ${timeoutMs} (${trueTimeoutMs}), S ${serviceMs} (${trueServiceMs.toFixed(2)})${ok ? '' : ' NOT WITHIN 10 %'}`;
}

async function run(one: Numbered): Promise<Line> {
  const fired = await fireCase(one);
  const judged = judge(one, fired);
  if (values.keep !== undefined && !(values.sealed && one.half === 'blind')) {
    mkdirSync(values.keep, { recursive: true });
    writeFileSync(join(values.keep, `${one.id}.json`), `${JSON.stringify(fired.result, null, 2)}\n`);
  }
  const line = { one, judged };
  tell(line);
  return line;
}

const lines: Line[] = [];
for (const one of cases) lines.push(await run(one));

if (!values.made) {
  for (const half of halves) {
    console.log(`\n${half} half`);
    for (const { what, text, ok } of goals(totalsOf(lines.filter(({ one }) => one.half === half)))) {
      console.log(`  ${what.padEnd(44)} ${text}${ok ? '' : '   MISSED'}`);
    }
  }
  if (only === null && halves.length === HALVES.length) {
    writeFileSync(`${ROOT}test/bench/DIAGNOSE.md`, document(lines, seed, values.sealed));
  }
  if (!goalsMet(lines)) process.exitCode = 1;
}

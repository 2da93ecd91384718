/**
 * The benchmark: wstampede's transports beside the reference client (where WST_REF_CLIENT and WST_REF_SERVER name one), the
 * ws client and the peers that are installed, on one target. Absolute times mean little on a shared machine; ratios taken
 * in turn do. Exit code 1 when a goal is missed. Flags: `--only cpu,spread,accuracy,memory,start,version`; `--times N`
 * rounds; `--no-peers`; `--write` puts a run of all sections on test/bench/RESULTS.md.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { ROOT } from '../cli.js';
import { accuracy } from './accuracy.js';
import { type Contenders, findContenders } from './contenders.js';
import { cost } from './cost.js';
import { isMet, missText, plainText, type Section } from './figures.js';
import { memory, startUp, version } from './footprint.js';
import { startTarget, type Target } from './processes.js';
import { release } from './release.js';
import { document, type Run, surroundings } from './results-page.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    times: { type: 'string', default: '5' },
    'no-peers': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

type Measure = (target: Target, contenders: Contenders, times: number) => Promise<Section>;

const MEASURES: Readonly<Record<string, Measure>> = {
  cpu: (target, contenders, times) => cost(target, contenders, times, !values['no-peers']),
  spread: release,
  accuracy,
  memory,
  start: startUp,
  version,
};

function chosen(): string[] {
  const names = Object.keys(MEASURES);
  if (values.only === undefined) return names;
  const only = values.only.split(',');
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`--only: ${unknown.join(', ')} is none of ${names.join(', ')}`);
  if (values.write) throw new Error('--write needs all sections: without --only');
  return names.filter((name) => only.includes(name));
}

async function measureAll(names: readonly string[], times: number): Promise<Run> {
  const target = await startTarget(process.env.WST_REF_SERVER ?? null);
  try {
    const contenders = await findContenders(target, process.env.WST_REF_CLIENT ?? null);
    for (const [transport, reason] of contenders.missing)
      console.log(`transport ${transport}: not available: ${reason}`);
    const sections: Section[] = [];
    for (const name of names) {
      const section = await MEASURES[name](target, contenders, times);
      for (const table of section.tables) console.log(plainText(table));
      sections.push(section);
    }
    return { contenders, sections };
  } finally {
    await target.stop();
  }
}

const names = chosen();
const times = Number(values.times);
if (!Number.isInteger(times) || times < 1) throw new Error(`--times: expected a whole number, found ${values.times}`);
const around = surroundings(process.env.WST_REF_CLIENT ?? null);
console.log(`${cpus().length} cores, node ${process.version}, medians of ${times} (min–max)`);
if (process.env.WST_REF_CLIENT === undefined || process.env.WST_REF_SERVER === undefined) {
  console.log('No reference: set WST_REF_CLIENT and WST_REF_SERVER to a client and a server that take the same flags');
  console.log('(CLIENT --port P --host H --n N --c C --rst|--burst, SERVER PORT) to get ratios; going on without.');
}
const run = await measureAll(names, times);
const missed = run.sections.flatMap(({ goals }) => goals).filter((goal) => !isMet(goal));
if (values.write) writeFileSync(`${ROOT}test/bench/RESULTS.md`, document(run, around, times));
if (missed.length > 0) {
  console.log(`\nMissed:\n  ${missed.map(missText).join('\n  ')}`);
  process.exitCode = 1;
}

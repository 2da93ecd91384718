/**
 * Whether two sides may be compared at all: the same question, asked in the same way. What makes the answer worthless
 * refuses the comparison; what may have changed the numbers is a warning. Metrics have reasons of their own
 * (generator-noise.ts).
 */
import { formatDuration } from '../plan/units.js';
import type { Result } from '../result/result.js';
import type { ComparedRun } from './sides.js';

export interface Comparability {
  readonly refused: readonly string[];
  readonly warnings: readonly string[];
  readonly same: readonly string[];
}

/** A property of a result as a text that equals that of every result measured in the same way. */
interface Trait {
  readonly name: string;
  readonly of: (result: Result) => string;
  readonly onDifference: 'refuse' | 'warn';
}

const TARGET: Trait = {
  name: 'target',
  of: ({ plan: { target } }) => {
    const dialled = target.connectTo === null ? '' : ` by ${target.connectTo.host}:${target.connectTo.port}`;
    return `${target.scheme}://${target.host}:${target.port}${target.path}${dialled}`;
  },
  onDifference: 'refuse',
};

const TRAITS: readonly Trait[] = [
  { name: 'command', of: ({ command }) => command, onDifference: 'refuse' },
  { name: 'transport', of: ({ generators }) => each(generators, 'transport'), onDifference: 'refuse' },
  { name: 'generator', of: ({ generators }) => each(generators, 'host'), onDifference: 'warn' },
  { name: 'CPUs', of: ({ generators }) => each(generators, 'cpus'), onDifference: 'warn' },
  { name: 'Node', of: ({ generators }) => each(generators, 'node'), onDifference: 'warn' },
  { name: 'version of wstampede', of: ({ tool }) => tool.version, onDifference: 'warn' },
  { name: 'workers', of: ({ generators }) => each(generators, 'workers'), onDifference: 'warn' },
  { name: 'timeout', of: ({ plan }) => formatDuration(plan.timeoutMs), onDifference: 'warn' },
  { name: 'TLS resumption', of: ({ plan }) => String(plan.target.tls.resume), onDifference: 'warn' },
];

type GeneratorKey = 'host' | 'transport' | 'cpus' | 'node' | 'workers';

function each(generators: Result['generators'], key: GeneratorKey): string {
  return [...new Set(generators.map((generator) => String(generator[key])))].sort().join(' and ');
}

const HOUR_MS = 3_600_000;

/** @param anyTarget the sides are of two targets on purpose */
export function comparabilityOf(
  base: readonly ComparedRun[],
  fresh: readonly ComparedRun[],
  anyTarget: boolean,
): Comparability {
  const refused: string[] = [];
  const warnings: string[] = [];
  const same: string[] = [];
  for (const { name, of, onDifference } of [TARGET, ...TRAITS]) {
    const [early, late] = [base, fresh].map((runs) => distinct(runs, of));
    if (early.length === 1 && late.length === 1 && early[0] === late[0]) {
      same.push(name);
      continue;
    }
    const difference = `the ${name} differs: base ${early.join(', ')}; new ${late.join(', ')}`;
    const isRefused = onDifference === 'refuse' && !(name === TARGET.name && anyTarget);
    (isRefused ? refused : warnings).push(
      isRefused && name === TARGET.name ? `${difference} (--any-target)` : difference,
    );
  }
  return { refused, warnings: [...warnings, ...orderWarnings(base, fresh)], same };
}

function distinct(runs: readonly ComparedRun[], of: Trait['of']): string[] {
  return [...new Set(runs.map(({ result }) => of(result)))].sort();
}

/** Whatever changed between two hours looks like a change of the target. */
function orderWarnings(base: readonly ComparedRun[], fresh: readonly ComparedRun[]): string[] {
  if (base.length === 0 || fresh.length === 0) return [];
  const [early, late] = [base, fresh].map((runs) => ({
    fromMs: Math.min(...runs.map(({ result }) => Date.parse(result.startedAt))),
    toMs: Math.max(...runs.map(({ result }) => Date.parse(result.endedAt))),
  }));
  const apartMs = Math.max(late.fromMs - early.toMs, early.fromMs - late.toMs);
  if (apartMs >= HOUR_MS) {
    return [`the sides were measured ${Math.round(apartMs / HOUR_MS)} h apart: run them in turn, one after the other`];
  }
  const isOneAfterTheOther = apartMs >= 0 && base.length + fresh.length > 2;
  return isOneAfterTheOther
    ? ['all of one side was measured before the other: a drift looks like a change, so run them in turn']
    : [];
}

/**
 * How many worker threads a command line will want, guessed from its words before it is parsed. A guess that is wrong
 * costs an unused thread or a later start, and nothing else.
 */
import { availableParallelism } from 'node:os';
import type { Host } from '../host.js';

/** As plan/resources.ts has it, which takes too long to load here; a test holds them together. */
const ATTEMPTS_PER_WORKER = 250;
/** The threads of a larger burst start when the memory of the start has been freed. */
const LARGE_BURST = 5000;
const COMMANDS = new Set(['burst', 'churn']);
/** Nothing is fired then. */
const NO_RUN = /^(--dry-run|--help|-h|--version|-V)(=|$)/;

/** Where descriptors are short, the user is told before threads use them up. */
const PLENTY = 2 * LARGE_BURST;

/**
 * 0: none, or it can't be told.
 * @param descriptors that this process may have
 */
export function threadsFor(
  { argv, env }: Pick<Host, 'argv' | 'env'>,
  descriptors: number,
  cpus = availableParallelism(),
): number {
  if (descriptors < PLENTY) return 0;
  if (!COMMANDS.has(argv[0] ?? '') || argv.some((word) => NO_RUN.test(word))) return 0;
  // Threads of another number or kind.
  if (argv.some((word) => /^(-w|--workers)/.test(word))) return 0;
  if (env.WSTAMPEDE_WORKERS !== undefined || env.WST_WORKER_HEAP_MB !== undefined) return 0;
  const connections = connectionsIn(argv);
  if (connections === null || connections > LARGE_BURST) return 0;
  return Math.min(cpus, Math.ceil(connections / ATTEMPTS_PER_WORKER));
}

function connectionsIn(argv: readonly string[]): number | null {
  for (const [i, word] of argv.entries()) {
    const [, value] = /^(?:-c=?|--connections=)(\S+)$/.exec(word) ?? [];
    const text = value ?? (word === '-c' || word === '--connections' ? argv[i + 1] : undefined);
    const [, digits, kilo] = /^(\d{1,7})(k?)$/.exec(text ?? '') ?? [];
    if (digits !== undefined) return Number(digits) * (kilo === 'k' ? 1000 : 1);
  }
  return null;
}

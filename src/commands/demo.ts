/**
 * `wstampede demo`: shows in under a minute a stack that answers 504 to simultaneous handshakes, why it does, and at
 * what number this begins. Each step is what the command of that name does; nothing here measures, searches or judges.
 */
import { readMachine } from '../engine/machine/machine.js';
import { withWorkers } from '../engine/threads/worker-pool.js';
import { EXIT, type ExitCode, SIGNAL_EXIT, type SignalName } from '../errors.js';
import type { Host } from '../host.js';
import { spawnLab } from '../lab/spawn.js';
import type { Inputs } from '../plan/plan.js';
import { checkProfile, compilePlan } from '../plan/profile/profile.js';
import { formatCount } from '../plan/units.js';
import { palette, terminalOf } from '../report/terminal/style.js';
import { renderSummary } from '../report/terminal/summary.js';
import type { DropOff } from '../result/drop-off.js';
import type { Result } from '../result/result.js';
import { check } from './check.js';
import { listenForSignals, write } from './console.js';
import { directorOf } from './find-director.js';
import { measure } from './measure.js';
import { type Flags, switchFlag } from './option-tables.js';

/**
 * The gateway times out its backend after T; the backend serves one upgrade per S; so T/S handshakes of a burst
 * succeed.
 */
const TIMEOUT_MS = 1000;
const SERVICE_MS = 5;
const LIMIT = TIMEOUT_MS / SERVICE_MS;
const FITS = 100;
const TOO_MANY = 500;
/**
 * The shortest waits, because this target recovers immediately; the deadline keeps the demo under a minute on a slow
 * machine.
 */
const SEARCH = { max: 1000, preset: 'quick', freshWait: '3s', maxWait: '4s', rest: '300ms', deadline: '40s' } as const;
const NO_INPUTS: Inputs = { rows: [], env: {}, tls: { ca: null, cert: null, key: null } };

export async function demo(flags: Flags, host: Host): Promise<ExitCode> {
  const terminal = terminalOf(host.stdout, host.env, { noColor: switchFlag(flags, 'color') === false });
  const { bold } = palette(terminal.color);
  const title = (text: string) => write(host, `\n${bold(text)}\n`);
  // Each step answers signals for itself; this one hears what comes between them.
  const signals = listenForSignals(host, { note: () => {}, leave: () => {} });
  const isOver = (step: Result | null = null): boolean =>
    (step !== null && step.stopped !== null) || signals.signal.aborted || host.stdout.destroyed;
  const code = (step: Result | null = null): ExitCode => {
    if (step !== null && step.stopped !== null) return step.exitCode as ExitCode;
    return signals.signal.aborted ? SIGNAL_EXIT[signals.signal.reason as SignalName] : EXIT.ok;
  };
  const lab = await spawnLab('simultaneous-504', { timeout: `${TIMEOUT_MS}ms`, service: `${SERVICE_MS}ms` });
  const fired = async (stage: object): Promise<Result> => {
    const print = (result: Result) => write(host, renderSummary(result, terminal));
    return fire(lab.url, stage, flags, host, print);
  };
  try {
    await write(
      host,
      `A gateway with a read timeout of ${TIMEOUT_MS / 1000} s stands before a backend that serves one upgrade every ` +
        `${SERVICE_MS} ms:\n  ${lab.url}\nPrediction: of any number of simultaneous handshakes, ` +
        `T/S = ${TIMEOUT_MS} ms / ${SERVICE_MS} ms = ${LIMIT} get their 101, the rest 504.`,
    );
    await title('1. One handshake, step by step (wstampede check)');
    await check({ url: lab.url, flags: withoutProbes(flags) }, host);
    if (isOver()) return code();
    await title(`2. A burst that fits: ${FITS} simultaneous handshakes (wstampede burst)`);
    const small = await fired({ burst: FITS });
    if (isOver(small)) return code(small);
    await title(`3. One that does not, and why: ${TOO_MANY}`);
    const large = await fired({ burst: TOO_MANY });
    if (isOver(large)) return code(large);
    await title('4. The drop-off point, searched for (wstampede find)');
    await write(host, SHORT_WAITS);
    const search = await fired({ find: SEARCH });
    if (isOver(search)) return code(search);
    await title('5. Prediction and measurement');
    await write(host, comparison(large, search));
    await title('Try next');
    await write(host, TRY_NEXT);
    return EXIT.ok;
  } finally {
    await lab.stop();
    signals.stop();
  }
}

const SHORT_WAITS =
  `After each break the search rests ${SEARCH.freshWait}: this target forgets at once. A real one\n` +
  'wants more: --fresh-wait is 30s with --preset quick and 2m without.\n\n';

const TRY_NEXT =
  '  wstampede lab --list                            targets that fail in other ways\n' +
  '  wstampede run simultaneous-504 --dry-run        a scenario, and what it needs\n' +
  '  wstampede burst ws://127.0.0.1:8080/ws -c 500   your own target (only one that you may test)\n' +
  '  wstampede find ws://127.0.0.1:8080/ws --max 2k  how many it takes in the same instant\n' +
  'From this folder: npx wstampede …';

/**
 * T/S from four sources: the formula, one burst, the shape of its latencies, and a search that does not know T or S.
 */
function comparison(large: Result, { dropOff }: Result): string {
  const lines = [
    `  predicted  T/S = ${formatCount(LIMIT)}: ${formatCount(LIMIT)} x 101, ${formatCount(TOO_MANY - LIMIT)} x 504`,
    `  measured   ${count(large, '101')} x 101, ${count(large, '504')} x 504`,
  ];
  const limit = large.diagnosis.find(({ cause }) => cause === 'slow-serial-upgrade')?.figures.limit;
  if (limit !== undefined) lines.push(`  diagnosed  T/S = ${formatCount(limit)}`);
  if (dropOff !== null) lines.push(`  searched   ${found(dropOff)}`);
  return lines.join('\n');
}

function found({ verdict, because, estimate, interval95 }: DropOff): string {
  if (estimate === null) return `${verdict}: ${because}`;
  const [from, to] = interval95.map((end) => (end === null ? '?' : formatCount(end)));
  const doubt = verdict === 'FOUND' ? '' : ` (${verdict}: ${because})`;
  return `~${formatCount(estimate)}, with 95% between ${from} and ${to}${doubt}`;
}

const NO_FILES = { inputs: [], earlier: null, stdout: { is: 'summary' } } as const;

async function fire(
  url: string,
  stage: object,
  flags: Flags,
  host: Host,
  print: (result: Result) => Promise<void>,
): Promise<Result> {
  const plan = compilePlan(checkProfile({ target: { url }, stages: [stage] }, 'the demo'));
  const machine = readMachine();
  return withWorkers(plan, machine, (generators) => {
    const given = { director: directorOf(plan), machine, generators, files: NO_FILES };
    return measure('demo', plan, NO_INPUTS, flags, host, given, async ({ result }) => {
      await print(result);
      return result;
    });
  });
}

function withoutProbes(flags: Flags): Flags {
  return { ...flags, values: { ...flags.values, probes: false } };
}

function count(result: Result, id: string): string {
  return formatCount(result.totals.outcomes[id] ?? 0);
}

/** `wstampede check URL`: one handshake, step by step, and probes that find the cause of a failure. */
import { withDiagnosis } from '../diagnose/diagnose.js';
import { checkup } from '../engine/check/checkup.js';
import { directPlan } from '../engine/check/probe-plans.js';
import { EXIT, type ExitCode, isSignalName, SIGNAL_EXIT, UserError } from '../errors.js';
import type { Host } from '../host.js';
import type { Plan } from '../plan/plan.js';
import { supplied } from '../plan/profile/draft.js';
import { compilePlan } from '../plan/profile/profile.js';
import { parseDurationMs } from '../plan/units.js';
import { parseUrl } from '../plan/url.js';
import { renderCheck } from '../report/terminal/check-page.js';
import type { Result } from '../result/result.js';
import { assembleResult } from '../tally/assemble.js';
import { checkExitCode } from '../tally/check-health.js';
import { listenForSignals } from './console.js';
import { inputFilesOf, readText } from './input-files.js';
import { type Flags, listFlag, switchFlag, textFlag, writtenName } from './option-tables.js';
import { openOutputs } from './output/open-outputs.js';
import { printResult, standardOutputOf } from './output/standard-output.js';
import { draftOf } from './profile-flags.js';
import { version } from './version.js';

const DEFAULT_TIMEOUT = '10s';
const DAY_MS = 86_400_000;
/** After the second signal. */
const HURRY_MS = 800;

export async function check(args: { url: string; flags: Flags }, host: Host): Promise<ExitCode> {
  const { url } = args;
  const flags = withDefaults(args.flags);
  const outside = { env: host.env, read: (file: string) => readText(file, host.cwd) };
  const { profile, inputs } = supplied(await draftOf(flags, { url, stages: [{ burst: 1 }] }, host), outside);
  const plan = compilePlan(profile);
  const direct = directOf(plan, flags);
  const idleMs = idleOf(flags);
  const stdout = standardOutputOf(flags, ['check'], host);
  const files = { inputs: inputFilesOf(plan, host.cwd), earlier: null, stdout };
  const outputs = await openOutputs('check', flags, host, files);
  const signals = listenForSignals(host, { note: (text) => outputs.note(text), leave: () => outputs.close() });
  // After the second signal, what does not end by itself is not waited for.
  signals.hurry.addEventListener('abort', () => {
    const exit = () => host.exit(isSignalName(signals.hurry.reason) ? SIGNAL_EXIT[signals.hurry.reason] : EXIT.sigint);
    setTimeout(exit, HURRY_MS).unref();
  });
  const heading = { version: version(), command: 'check', plan };
  const isTold = switchFlag(flags, 'verbose') === true || (idleMs !== null && switchFlag(flags, 'progress') !== false);
  try {
    const { record, check: found } = await checkup({
      host,
      version: heading.version,
      plan,
      inputs,
      direct,
      idleMs,
      probes: switchFlag(flags, 'probes') !== false,
      consent: listFlag(flags, 'allow-host') ?? [],
      signal: signals.signal,
      note: (text) => {
        if (isTold) outputs.note(text);
      },
    });
    const assembled = assembleResult(heading, record);
    const isJudged = found !== null && record.stopped === null && assembled.exitCode !== EXIT.invalid;
    const measured: Result = withDiagnosis({
      ...assembled,
      check: found,
      exitCode: isJudged ? checkExitCode(found) : assembled.exitCode,
    });
    await outputs.end(measured);
    // If a requested file could not be written, a script must not see success.
    const result = outputs.problems.length > 0 ? { ...measured, exitCode: EXIT.internal } : measured;
    return await printResult(result, stdout, flags, host, async (terminal) => renderCheck(result, terminal));
  } finally {
    signals.stop();
    outputs.close();
    for (const problem of outputs.problems) outputs.warn(problem);
  }
}

/**
 * Defaults for a single handshake: without calibration and the like, and with a deadline that a person can wait for.
 */
function withDefaults(flags: Flags): Flags {
  return {
    ...flags,
    values: { ...flags.values, timeout: flags.values.timeout ?? DEFAULT_TIMEOUT, preflight: false, calibrate: false },
  };
}

/** @throws UserError that names the flag */
function directOf(plan: Plan, flags: Flags): Plan | null {
  const url = textFlag(flags, 'direct');
  if (url === undefined) return null;
  const there = named(writtenName(flags, 'direct'), () => {
    const parts = parseUrl(url);
    // Templates would need the data and environment of another plan.
    if (parts.path.includes('{{')) {
      throw new UserError('no templates here; without a path it takes the one of URL', { code: 'url' });
    }
    return parts;
  });
  return directPlan(plan, there);
}

/** @throws UserError that names the flag */
function idleOf(flags: Flags): number | null {
  const text = textFlag(flags, 'idle');
  if (text === undefined) return null;
  return named(writtenName(flags, 'idle'), () => {
    const ms = parseDurationMs(text);
    if (ms >= 1 && ms <= DAY_MS) return ms;
    throw new UserError('expected a duration from 1ms to 24h', { code: 'flag' });
  });
}

/** The result of `read`; its errors are prefixed with the flag's name. */
function named<T>(flag: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${flag}: ${error.message}`, { code: 'flag' });
    throw error;
  }
}

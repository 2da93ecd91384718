/** `wstampede run PROFILE`: a scenario from a file, or by the name of one that ships. */
import { resolve } from 'node:path';
import type { ExitCode } from '../errors.js';
import type { Host } from '../host.js';
import type { Plan } from '../plan/plan.js';
import { checkOverrides, compilePlan, mergeProfile, readProfile } from '../plan/profile.js';
import { parseDurationMs } from '../plan/units.js';
import { execute } from './execute.js';
import { type Flags, textFlag } from './options.js';
import { EXPRESSION_CHECKS, FLAG_LABELS, overridesOf } from './profile-flags.js';
import { profileText } from './profiles.js';

export async function run(args: { profile: string; flags: Flags }, host: Host): Promise<ExitCode> {
  const { flags } = args;
  const { file, text, directory } = await profileText(args.profile, host);
  const base = readProfile(text, file, EXPRESSION_CHECKS);
  // A path in a flag starts at the current folder, one in the profile at the profile's.
  const written = overridesOf(flags, textFlag(flags, 'url'), (path) => resolve(host.cwd, path));
  const over = checkOverrides(written, 'the command line', EXPRESSION_CHECKS, FLAG_LABELS);
  const plan = withRest(compilePlan(mergeProfile(base, over)), textFlag(flags, 'rest'));
  return execute('run', plan, directory, flags, host);
}

function withRest(plan: Plan, rest: string | undefined): Plan {
  if (rest === undefined) return plan;
  const restMs = parseDurationMs(rest);
  return { ...plan, stages: plan.stages.map((stage) => ({ ...stage, restMs })) };
}

/** `wstampede churn URL`: sustained handshakes in a closed loop, each closed after its 101. */
import type { ExitCode } from '../errors.js';
import type { Host } from '../host.js';
import { checkProfile, compilePlan } from '../plan/profile.js';
import { execute } from './execute.js';
import { type Flags, textFlag } from './options.js';
import { EXPRESSION_CHECKS, FLAG_LABELS, given, overridesOf } from './profile-flags.js';

const DEFAULT_TOTAL = '10k';
const DEFAULT_IN_FLIGHT = '100';

export async function churn(args: { url: string; flags: Flags }, host: Host): Promise<ExitCode> {
  const { url, flags } = args;
  const duration = textFlag(flags, 'duration');
  const stage = given({
    total: textFlag(flags, 'total') ?? (duration === undefined ? DEFAULT_TOTAL : undefined),
    inFlight: textFlag(flags, 'connections') ?? DEFAULT_IN_FLIGHT,
    for: duration,
  });
  const written = { ...overridesOf(flags, url), stages: [{ churn: stage }] };
  const profile = checkProfile(written, 'the command line', EXPRESSION_CHECKS, FLAG_LABELS);
  return execute('churn', compilePlan(profile), host.cwd, flags, host);
}

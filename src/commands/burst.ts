/** `wstampede burst URL`: bursts of simultaneous handshakes, all of one size. */
import type { ExitCode } from '../errors.js';
import type { Host } from '../host.js';
import { checkProfile, compilePlan } from '../plan/profile.js';
import { execute } from './execute.js';
import { type Flags, textFlag } from './options.js';
import { EXPRESSION_CHECKS, FLAG_LABELS, given, overridesOf } from './profile-flags.js';

const DEFAULT_CONNECTIONS = '100';

export async function burst(args: { url: string; flags: Flags }, host: Host): Promise<ExitCode> {
  const { url, flags } = args;
  const stage = given({
    burst: textFlag(flags, 'connections') ?? DEFAULT_CONNECTIONS,
    times: textFlag(flags, 'bursts'),
    rest: textFlag(flags, 'rest'),
  });
  const written = { ...overridesOf(flags, url), stages: [stage] };
  const profile = checkProfile(written, 'the command line', EXPRESSION_CHECKS, FLAG_LABELS);
  return execute('burst', compilePlan(profile), host.cwd, flags, host);
}

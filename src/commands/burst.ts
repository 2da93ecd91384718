/** `wstampede burst URL`: bursts of simultaneous handshakes, all of one size. */
import type { ExitCode } from '../errors.js';
import type { Host } from '../host.js';
import { execute } from './execute.js';
import { type Flags, textFlag } from './option-tables.js';
import { draftOf, given } from './profile-flags.js';

const DEFAULT_CONNECTIONS = '100';

export async function burst(args: { url: string; flags: Flags }, host: Host): Promise<ExitCode> {
  const { url, flags } = args;
  const stage = given({
    burst: textFlag(flags, 'connections') ?? DEFAULT_CONNECTIONS,
    times: textFlag(flags, 'bursts'),
    spread: textFlag(flags, 'spread'),
    spacing: textFlag(flags, 'spacing'),
    rest: textFlag(flags, 'rest'),
  });
  return execute('burst', await draftOf(flags, { url, stages: [stage] }, host), host.cwd, flags, host);
}

/** `wstampede arrive URL`: an open model, in which handshakes start at a rate, whatever the target does. */
import type { ExitCode } from '../errors.js';
import type { Host } from '../host.js';
import { execute } from './execute.js';
import { type Flags, textFlag } from './option-tables.js';
import { draftOf, given } from './profile-flags.js';

const DEFAULT_RATE = '100/s';
const DEFAULT_DURATION = '60s';

export async function arrive(args: { url: string; flags: Flags }, host: Host): Promise<ExitCode> {
  const { url, flags } = args;
  const stage = given({
    rate: textFlag(flags, 'rate') ?? DEFAULT_RATE,
    for: textFlag(flags, 'duration') ?? DEFAULT_DURATION,
    spacing: textFlag(flags, 'spacing'),
    maxOpen: textFlag(flags, 'max-open'),
  });
  return execute('arrive', await draftOf(flags, { url, stages: [{ arrive: stage }] }, host), host.cwd, flags, host);
}

/** `wstampede churn URL`: sustained handshakes in a closed loop, each closed after its 101. */
import type { ExitCode } from '../errors.js';
import type { Host } from '../host.js';
import { execute } from './execute.js';
import { type Flags, textFlag } from './option-tables.js';
import { draftOf, given } from './profile-flags.js';

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
  return execute('churn', await draftOf(flags, { url, stages: [{ churn: stage }] }, host), host.cwd, flags, host);
}

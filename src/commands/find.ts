/** `wstampede find URL --max N`: the search for the drop-off point. */
import type { ExitCode } from '../errors.js';
import type { Host } from '../host.js';
import { execute } from './execute.js';
import { type Flags, switchFlag, textFlag } from './option-tables.js';
import { draftOf, given } from './profile-flags.js';

export async function find(args: { url: string; flags: Flags }, host: Host): Promise<ExitCode> {
  const { url, flags } = args;
  const stage = given({
    max: textFlag(flags, 'max'),
    min: textFlag(flags, 'min'),
    expect: textFlag(flags, 'expect'),
    width: textFlag(flags, 'width'),
    share: textFlag(flags, 'share'),
    p99: textFlag(flags, 'p99'),
    p95: textFlag(flags, 'p95'),
    preset: textFlag(flags, 'preset'),
    rest: textFlag(flags, 'rest'),
    freshWait: textFlag(flags, 'fresh-wait'),
    maxWait: textFlag(flags, 'max-wait'),
    budget: textFlag(flags, 'budget'),
    deadline: textFlag(flags, 'deadline'),
    burstQuantile: textFlag(flags, 'burst-quantile'),
    downSweep: switchFlag(flags, 'down-sweep'),
    harm: textFlag(flags, 'harm'),
  });
  return execute('find', await draftOf(flags, { url, stages: [{ find: stage }] }, host), host.cwd, flags, host);
}

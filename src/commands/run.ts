/** `wstampede run PROFILE`: a scenario from a file, or a shipped one by its name. */
import { resolve } from 'node:path';
import type { ExitCode } from '../errors.js';
import type { Host } from '../host.js';
import { layered } from '../plan/profile/draft.js';
import { draftOfText } from '../plan/profile/written.js';
import { execute } from './execute.js';
import { type Flags, textFlag } from './option-tables.js';
import { draftOf } from './profile-flags.js';
import { profileText } from './profiles.js';

export async function run(args: { profile: string; flags: Flags }, host: Host): Promise<ExitCode> {
  const { flags } = args;
  const { file, path, text, directory } = await profileText(args.profile, host);
  const base = draftOfText(text, file);
  // A path in a flag is relative to the current folder; a path in the profile is relative to the profile's folder.
  const more = { url: textFlag(flags, 'url'), rest: textFlag(flags, 'rest') };
  const over = await draftOf(flags, more, host, (path) => resolve(host.cwd, path));
  return execute('run', layered(base, over), directory, flags, host, [{ what: `the profile ${file}`, path }]);
}

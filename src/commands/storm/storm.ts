/** `wstampede storm URL`: established clients are dropped and come back by a reconnect policy. */
import { type ExitCode, UserError } from '../../errors.js';
import type { Host } from '../../host.js';
import { terminalOf } from '../../report/terminal/style.js';
import { write } from '../console.js';
import { execute } from '../execute.js';
import { type Flags, listFlag, switchFlag, textFlag } from '../option-tables.js';
import { draftOf, given } from '../profile-flags.js';

const DEFAULT_CLIENTS = '1000';
const DEFAULT_POLICY = 'socket.io';

export async function storm(args: { url: string | undefined; flags: Flags }, host: Host): Promise<ExitCode> {
  const { url, flags } = args;
  if (switchFlag(flags, 'policies') === true) {
    const { policiesText } = await import('../../report/terminal/policy-list.js');
    await write(host, policiesText(terminalOf(host.stdout, host.env, {}).width));
    return 0;
  }
  if (url === undefined)
    throw new UserError('storm needs the URL of a target, or --policies', {
      code: 'usage',
      hint: 'e.g. wstampede storm ws://127.0.0.1:8080/ws -c 1000 --policy socket.io',
    });
  const over = textFlag(flags, 'open');
  const policies = listFlag(flags, 'policy') ?? [DEFAULT_POLICY];
  const stage = given({
    clients: textFlag(flags, 'connections') ?? DEFAULT_CLIENTS,
    open: over === undefined ? undefined : { over },
    settle: textFlag(flags, 'settle'),
    drop: dropOf(flags),
    reconnect: policies.length === 1 ? policies[0] : policies,
    window: textFlag(flags, 'window'),
    notice: textFlag(flags, 'notice'),
    capacity: textFlag(flags, 'capacity'),
  });
  const rest = textFlag(flags, 'rest');
  const draft = await draftOf(flags, { url, stages: [given({ storm: stage, rest })] }, host);
  return execute('storm', draft, host.cwd, flags, host);
}

/** `idle:2m` is `{ idle: 2m }`; a command drops on the server's side. */
function dropOf(flags: Flags): unknown {
  const drop = textFlag(flags, 'drop');
  const isBy = textFlag(flags, 'drop-by') !== undefined;
  if (isBy && drop !== undefined && drop !== 'server')
    throw new UserError(`--drop-by drops the clients on the server's side, and --drop says ${drop}`, {
      code: 'usage',
      hint: 'leave --drop out',
    });
  const idle = /^idle:(.*)$/.exec(drop ?? '')?.[1];
  return idle === undefined ? (drop ?? (isBy ? 'server' : undefined)) : { idle };
}

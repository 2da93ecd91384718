/**
 * A lab target as a separate process, for programs: name and options as one JSON argument; stops, reports and exits
 * when its standard input ends. That pipe is closed also when the parent dies, so no target outlives its parent.
 */
import { EXIT, UserError } from '../errors.js';
import { type Host, processHost } from '../host.js';
import { findTarget } from './catalogue/catalogue.js';
import { serveLab } from './serve.js';
import { readSettings } from './server/target-options.js';

async function main(host: Host): Promise<void> {
  const { name, options } = JSON.parse(host.argv[0]) as { name: string; options: Record<string, unknown> };
  const target = findTarget(name);
  if (target === null) throw new UserError(`no lab target ${name}`, { code: 'lab' });
  const stopped = new Promise<void>((resolve) => {
    host.stdin.once('end', resolve).once('close', resolve).once('error', resolve).resume();
    // Ctrl-C reaches the whole process group, but the parent decides when to stop, because it still wants the report.
    host.onSignal((signal) => signal === 'SIGTERM' && resolve());
  });
  // The parent may already have ended when there is something to write.
  for (const stream of [host.stdout, host.stderr]) stream.on('error', () => {});
  await serveLab(target, readSettings(name, target.options, options), host, stopped);
}

const host = processHost();
main(host).then(
  () => host.exit(EXIT.ok),
  (error: unknown) => {
    const known = error instanceof UserError;
    host.stderr.write(`${known ? error.message : String((error as Error).stack ?? error)}\n`, () =>
      host.exit(known ? error.exitCode : EXIT.internal),
    );
  },
);

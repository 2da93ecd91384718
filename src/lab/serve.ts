/**
 * Runs a started lab target: prints its URL as the first line of `out` (and with a real gateway the path of its files
 * as the second), messages on `err`, and when it is stopped its report as one line of JSON. Used by the command and by
 * the child process, so that people and programs read the same.
 */
import { writeFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { UserError } from '../errors.js';
import { openBehind, type RunningGateway } from './gateway/real-gateway.js';
import { LAB_CERTIFICATE } from './server/certificate.js';
import type { LabReport } from './server/ledger.js';
import type { LabEnv, RunningLab } from './server/listener.js';
import type { LabTarget } from './server/target.js';
import type { LabSettings } from './server/target-options.js';

export interface LabStreams {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** @throws UserError `lab` when the target cannot listen, its log cannot be written, or its gateway ends by itself */
export async function serveLab(
  target: LabTarget,
  settings: LabSettings,
  streams: LabStreams,
  stopped: Promise<unknown>,
): Promise<LabReport> {
  const note = (message: string): void => {
    streams.stderr.write(`lab ${target.name}: ${message}\n`);
  };
  if (typeof settings['write-ca'] === 'string') writeCa(settings['write-ca']);
  const running = await start(target, settings, { note });
  streams.stdout.write(`${running.url}\n`);
  note(target.story);
  let died: UserError | null = null;
  if ('files' in running) {
    streams.stdout.write(`${JSON.stringify(running.files)}\n`);
    const { gateway, config, accessLog, errorLog } = running.files;
    note(`a real ${gateway} by ${config}\n  its logs: ${accessLog}\n            ${errorLog}`);
    died = await Promise.race([stopped.then(() => null), running.died]);
  } else await stopped;
  const report = await running.stop();
  await new Promise((resolve) => streams.stdout.write(`${JSON.stringify(report)}\n`, resolve));
  if (died !== null) throw died;
  return report;
}

function start(target: LabTarget, settings: LabSettings, env: LabEnv): Promise<RunningLab | RunningGateway> {
  return settings.gateway === null ? target.start(settings, env) : openBehind(target, settings, env);
}

function writeCa(path: string): void {
  try {
    writeFileSync(path, LAB_CERTIFICATE);
  } catch (error) {
    throw new UserError(`lab --write-ca: cannot write ${path}: ${(error as Error).message}`, { code: 'lab' });
  }
}

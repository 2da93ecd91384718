/**
 * The life of a lab target that somebody started: its URL as the first line of `out`, its story on `err`, and when it is
 * told to stop what it saw as one line of JSON. Shared by the command and by the child process, so that a person and a
 * program read the same.
 */
import type { Writable } from 'node:stream';
import type { LabTarget } from './catalogue.js';
import type { LabReport } from './ledger.js';
import type { LabSettings } from './options.js';

export interface LabStreams {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** @throws UserError `lab` when the target cannot listen or its log cannot be written. */
export async function serveLab(
  target: LabTarget,
  settings: LabSettings,
  streams: LabStreams,
  stopped: Promise<unknown>,
): Promise<LabReport> {
  const note = (message: string): void => {
    streams.stderr.write(`lab ${target.name}: ${message}\n`);
  };
  const running = await target.start(settings, { note });
  streams.stdout.write(`${running.url}\n`);
  note(target.story);
  await stopped;
  const report = await running.stop();
  await new Promise((resolve) => streams.stdout.write(`${JSON.stringify(report)}\n`, resolve));
  return report;
}

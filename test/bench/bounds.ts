/** The two-sided bound of `upgrade` held against a packet capture, attempt by attempt, joined by local port. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCapture } from '../gateways/capture.js';
import { startTarget } from '../gateways/target.js';
import { timed } from './processes.js';

const HOST = '127.0.0.41';

/** Share of a burst's attempts for which `done_lower - sent <= captured <= done - sent`; null without tcpdump or root. */
export async function containedShare(cli: string, size: number): Promise<number | null> {
  const hasTcpdump = spawnSync('tcpdump', ['--version'], { stdio: 'ignore' }).error === undefined;
  if (!hasTcpdump || process.getuid?.() !== 0) return null;
  const target = await startTarget(HOST);
  const folder = mkdtempSync(join(tmpdir(), 'wst-bounds-'));
  try {
    const capture = await startCapture(HOST, target.port);
    await timed([
      ...[process.execPath, cli, 'burst', target.url, '-c', `${size}`, '--gate', 'upgrade', '--close', 'reset'],
      ...['--no-preflight', '--no-calibrate', '--no-progress', '--json', '--attempts', join(folder, 'attempts.csv')],
    ]);
    const { sent, answered } = await capture.stop();
    const [header, ...lines] = readFileSync(join(folder, 'attempts.csv'), 'utf8').trimEnd().split('\n');
    const names = header.split(',');
    const contained = lines.filter((line) => {
      const cells = line.split(',');
      const us = (name: string) => Number(cells[names.indexOf(name)]);
      const port = us('local_port');
      const wire = (answered.get(port) ?? Number.NaN) - (sent.get(port) ?? Number.NaN);
      // The columns are rounded to whole µs, each by up to a half.
      return us('done_lower_us') - us('sent_us') - 1 <= wire && wire <= us('done_us') - us('sent_us') + 1;
    });
    return contained.length / size;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await target.stop();
  }
}

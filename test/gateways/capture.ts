/** A packet capture on the loopback interface by tcpdump, as a third opinion about when a request was on the wire. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from './child.js';

/** Kernel buffer: thousands of packets within some ms must not be dropped. */
const BUFFER_KIB = 32_768;
/** Link, IP and TCP header; the payload is of no interest. */
const SNAP_BYTES = 96;
/** tcpdump hands packets on in blocks, at the latest after a second; what it has not handed on when it ends is lost. */
const SETTLE_MS = 1500;
const LINE = /^(\d+)\.(\d{9}) IP \S+\.(\d+) > \S+\.(\d+): Flags \[(S?)/;

/** When each client port first sent a SYN and data, and was first sent a SYN and data: µs since the Unix epoch. */
export interface Wire {
  readonly opened: ReadonlyMap<number, number>;
  readonly accepted: ReadonlyMap<number, number>;
  readonly sent: ReadonlyMap<number, number>;
  readonly answered: ReadonlyMap<number, number>;
}

export interface Capture {
  /** Ends it and reads it; later calls give the same. @throws Error when packets were lost */
  stop(): Promise<Wire>;
}

/** Captures what goes to and comes from `host`:`port` and opens a connection or has data in it. */
export async function startCapture(host: string, port: number): Promise<Capture> {
  const folder = mkdtempSync(join(tmpdir(), 'wst-capture-'));
  const file = join(folder, 'lo.pcap');
  const filter = `host ${host} and port ${port} and tcp[tcpflags] & (tcp-push|tcp-syn) != 0`;
  const precise = ['--time-stamp-precision', 'nano'];
  const child = spawn(
    'tcpdump',
    ['-i', 'lo', '-n', ...precise, '-Z', 'root', '-B', `${BUFFER_KIB}`, '-s', `${SNAP_BYTES}`, '-w', file, filter],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.setEncoding('utf8');
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (text: string) => {
      said += text;
      if (said.includes('listening on')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`tcpdump: ${said}`)));
  });
  const finish = async (): Promise<Wire> => {
    try {
      await pause(SETTLE_MS);
      await interrupt(child);
      if (!/^0 packets dropped by kernel$/m.test(said)) throw new Error(`tcpdump lost packets: ${said}`);
      const read = spawnSync('tcpdump', ['-r', file, '-n', '-tt', ...precise], {
        encoding: 'utf8',
        maxBuffer: 256 * 2 ** 20,
      });
      return firsts(read.stdout, port);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  let wire: Promise<Wire> | null = null;
  return {
    stop() {
      wire ??= finish();
      return wire;
    },
  };
}

/** tcpdump writes out what it has and its counts upon SIGINT. */
async function interrupt(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGINT');
  await closed;
}

function firsts(text: string, serverPort: number): Wire {
  const [opened, accepted, sent, answered] = Array.from({ length: 4 }, () => new Map<number, number>());
  for (const line of text.split('\n')) {
    const [, seconds, nanos, from, to, syn] = LINE.exec(line) ?? [];
    if (to === undefined) continue;
    const isFromClient = Number(to) === serverPort;
    const port = Number(isFromClient ? from : to);
    const [ofClient, ofServer] = syn === 'S' ? [opened, accepted] : [sent, answered];
    const times = isFromClient ? ofClient : ofServer;
    if (!times.has(port)) times.set(port, Number(seconds) * 1e6 + Number(nanos) / 1000);
  }
  return { opened, accepted, sent, answered };
}

/**
 * Other tools that open WebSocket connections, each as the command that makes it do N handshakes against one target, or as
 * a name and the way to get it. Only commands that have been run are here: a peer misused would be a peer slandered.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Runner {
  readonly small: number;
  readonly large: number;
  /** How its load differs from 500 in flight, each closed after its 101. */
  readonly note: string;
  /** @param folder an empty one for this run, taken away after it */
  command(host: string, port: number, n: number, folder: string): readonly string[];
}

export interface Peer {
  readonly name: string;
  readonly install: string;
  readonly versionFlag: string;
  readonly runner: Runner | null;
}

const USERS = 500;
/** Erlang's port mapper is a daemon that outlives its user: here it gets a port of its own, and an end. */
const TSUNG_SCRIPT = `
export HOME="$1" ERL_EPMD_PORT=19369
epmd >"$1/epmd" 2>&1 & mapper=$!
tsung -f "$1/plan.xml" -l "$1/log" start; code=$?
kill $mapper; wait $mapper; exit $code`;

const tsung: Runner = {
  small: 2000,
  large: 20_000,
  note: '500 users, each one handshake after another, ended by a close frame',
  command(host, port, n, folder) {
    writeFileSync(join(folder, 'plan.xml'), tsungPlan(host, port, n));
    return ['sh', '-c', TSUNG_SCRIPT, 'sh', folder];
  },
};

function tsungPlan(host: string, port: number, n: number): string {
  return `<?xml version="1.0"?>
<!DOCTYPE tsung SYSTEM "/usr/share/tsung/tsung-1.0.dtd">
<tsung loglevel="error" dumptraffic="false">
  <clients><client host="localhost" use_controller_vm="true" maxusers="20000"/></clients>
  <servers><server host="${host}" port="${port}" type="tcp"/></servers>
  <load duration="5" unit="minute">
    <arrivalphase phase="1" duration="1" unit="minute"><users maxnumber="${USERS}" arrivalrate="1000" unit="second"/></arrivalphase>
  </load>
  <sessions><session name="upgrade" probability="100" type="ts_websocket">
    <for from="1" to="${n / USERS}" var="i">
      <request><websocket type="connect" path="/"></websocket></request>
      <request><websocket type="close"></websocket></request>
    </for>
  </session></sessions>
</tsung>
`;
}

/** Arrivals a second. Its cost a handshake is higher where they take longer: 0.3 ms at this rate, 0.6 at half of it. */
const ARTILLERY_RATE = 2000;

const artillery: Runner = {
  small: 2000,
  large: 20_000,
  note: `an open model: ${ARTILLERY_RATE} arrivals a second, so only some in flight at a time`,
  command(host, port, n, folder) {
    const plan = join(folder, 'plan.json');
    const phases = [{ duration: n / ARTILLERY_RATE, arrivalCount: n }];
    const scenarios = [{ engine: 'ws', flow: [{ think: 0.001 }] }];
    writeFileSync(plan, JSON.stringify({ config: { target: `ws://${host}:${port}/`, phases }, scenarios }));
    return ['env', 'ARTILLERY_DISABLE_TELEMETRY=true', `HOME=${folder}`, 'artillery', 'run', '--quiet', plan];
  },
};

export const PEERS: readonly Peer[] = [
  { name: 'tsung', install: 'apt-get install tsung', versionFlag: '-v', runner: tsung },
  { name: 'artillery', install: 'npm install -g artillery', versionFlag: '--version', runner: artillery },
  { name: 'tcpkali', install: 'built from github.com/satori-com/tcpkali', versionFlag: '--version', runner: null },
  { name: 'k6', install: 'from github.com/grafana/k6/releases', versionFlag: 'version', runner: null },
  {
    name: 'thor',
    install: 'from github.com/observing/thor; npm install fails',
    versionFlag: '--version',
    runner: null,
  },
  { name: 'websocket-bench', install: 'npm install -g websocket-bench', versionFlag: '--version', runner: null },
];

export function isInstalled({ name }: Peer): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', name], { stdio: 'ignore' }).status === 0;
}

export function whySkipped(peer: Peer): string {
  return isInstalled(peer)
    ? 'skipped: there is no runner for it here'
    : `skipped: needs ${peer.name} (${peer.install})`;
}

/** e.g. `tsung 1.7.0` */
export function versionOf({ name, versionFlag }: Peer): string {
  const { stdout, stderr } = spawnSync(name, [versionFlag], { encoding: 'utf8', timeout: 30_000 });
  return `${name} ${/\d+\.\d+[.\d]*/.exec(`${stdout}${stderr}`)?.[0] ?? '(unknown)'}`;
}

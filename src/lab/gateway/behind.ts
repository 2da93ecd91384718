/**
 * The backend and the gateway's configuration for targets that a real gateway can reproduce: the same problem without a
 * simulated gateway. Data by the name of a target; null if that gateway cannot show it.
 */

import { Ledger } from '../server/ledger.js';
import { type LabEnv, labUrl, type RunningLab } from '../server/listener.js';
import { type LabSettings, numberOf, textOf } from '../server/target-options.js';
import { startSelfClosing } from '../targets/backends.js';
import { startDyingBackend } from '../targets/gateway-failures.js';
import { startHealthy } from '../targets/healthy.js';
import { startSlowAccept } from '../targets/places.js';
import { startOrdinary } from '../targets/refusals.js';
import { startSilent } from '../targets/stacks.js';
import { startNothingListens, startSynDropped } from '../targets/vacant.js';
import { type GatewayName, type GatewayNeeds, PLAIN_NEEDS } from './gateway-config.js';
import { startPool } from './pool.js';

export interface Behind {
  /** Starts the backend on a loopback port. `settings` are the target's, with the backend's own address. */
  readonly start: (settings: LabSettings, env: LabEnv) => Promise<RunningLab>;
  /** Configuration of the gateway; null if it cannot do what the settings ask for. */
  readonly needs: (gateway: GatewayName, settings: LabSettings) => Partial<GatewayNeeds> | null;
}

const patient = (settings: LabSettings): Partial<GatewayNeeds> => ({ readMs: numberOf(settings, 'timeout') });

function limitNeeds(gateway: GatewayName, settings: LabSettings): Partial<GatewayNeeds> | null {
  const [max, answer] = [numberOf(settings, 'max'), textOf(settings, 'answer')];
  const hasStatus = answer === '503' || answer === '429';
  if (gateway === 'nginx') {
    // limit_conn 0 is not a valid configuration.
    if (!hasStatus || max === 0) return null;
    return {
      http: ['limit_conn_zone $server_port zone=tunnels:1m;'],
      location: [`limit_conn tunnels ${max};`, `limit_conn_status ${answer};`],
    };
  }
  if (hasStatus) return { frontend: [`http-request deny deny_status ${answer} if { be_conn(app) ge ${max} }`] };
  if (answer === 'closed') return { frontend: [`tcp-request content reject if { fe_conn gt ${max} }`] };
  if (answer !== 'queue' || max === 0) return null;
  return { backend: [`timeout queue ${numberOf(settings, 'queue')}ms`], server: `maxconn ${max}` };
}

function rateNeeds(gateway: GatewayName, settings: LabSettings): Partial<GatewayNeeds> | null {
  const [rate, burst] = [numberOf(settings, 'rate'), numberOf(settings, 'burst')];
  const answer = textOf(settings, 'answer');
  if (rate === 0) return null;
  if (gateway === 'nginx') {
    return {
      http: [`limit_req_zone $server_port zone=handshakes:1m rate=${rate}r/s;`],
      location: [
        `limit_req zone=handshakes${burst > 0 ? ` burst=${burst}` : ''} nodelay;`,
        `limit_req_status ${answer};`,
      ],
    };
  }
  // HAProxy counts in a window instead of a bucket: b + 1 in the time in which a bucket of b would empty.
  const windowMs = Math.ceil((1000 * (burst + 1)) / rate);
  return {
    frontend: [
      `stick-table type integer size 1 expire ${2 * windowMs}ms store http_req_rate(${windowMs}ms)`,
      'http-request track-sc0 int(1)',
      `http-request deny deny_status ${answer} if { sc_http_req_rate(0) gt ${burst + 1} }`,
    ],
  };
}

/** ws with a real bug, and a ledger of what it answered correctly. */
async function startClosing(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const ledger = new Ledger('close-kills-server', settings.log === null ? null : textOf(settings, 'log'), env.note);
  const host = textOf(settings, 'host');
  const { port, stop } = await startSelfClosing(textOf(settings, 'server'), host, (socket) => {
    ledger.connectionOpened();
    ledger.outcomeGiven('101', socket.remotePort ?? 0, ledger.requestReceived());
    socket.once('close', () => ledger.connectionClosed(true));
  });
  return {
    url: labUrl('ws', host, port),
    report: () => ledger.report(),
    async stop() {
      stop();
      await ledger.close();
      return ledger.report();
    },
  };
}

export const BEHIND: ReadonlyMap<string, Behind> = new Map<string, Behind>([
  ['healthy', { start: startHealthy, needs: () => ({}) }],
  [
    'simultaneous-504',
    { start: (settings, env) => startPool('simultaneous-504', 1, settings, env), needs: (_, s) => patient(s) },
  ],
  [
    'slow-concurrent',
    {
      start: (settings, env) => startPool('slow-concurrent', numberOf(settings, 'width'), settings, env),
      needs: (_, settings) => patient(settings),
    },
  ],
  [
    'negative-cache',
    {
      start: (settings, env) => startPool('negative-cache', 1, settings, env),
      needs: (gateway, settings) => {
        if (gateway !== 'nginx') return null;
        const seconds = Math.max(1, Math.round(numberOf(settings, 'memory') / 1000));
        const server = (address: string): string => `server ${address} max_fails=1 fail_timeout=${seconds}s;`;
        // Listed twice: to nginx these are two servers, and it would never disable a single one.
        return { ...patient(settings), servers: (address) => [server(address), server(address)] };
      },
    },
  ],
  ['limit', { start: startHealthy, needs: limitNeeds }],
  ['rate-limit', { start: startHealthy, needs: rateNeeds }],
  ['slow-accept', { start: startSlowAccept, needs: () => ({}) }],
  ['backend-refused', { start: startNothingListens, needs: () => ({}) }],
  [
    'backend-unreachable',
    { start: startSynDropped, needs: (_, settings) => ({ connectMs: numberOf(settings, 'connect') }) },
  ],
  ['backend-died', { start: startDyingBackend, needs: () => ({}) }],
  ['backend-hangs', { start: startSilent, needs: (_, settings) => patient(settings) }],
  ['close-kills-server', { start: startClosing, needs: (_, settings) => patient(settings) }],
  [
    'upgrade-not-forwarded',
    {
      start: startOrdinary,
      // The answer 403 is specific to Envoy.
      needs: (_, settings) =>
        textOf(settings, 'answer') === '403' ? null : { ...patient(settings), forwardsUpgrade: false },
    },
  ],
]);

/** The complete configuration of the gateway. */
export function needsOf(behind: Behind, gateway: GatewayName, settings: LabSettings): GatewayNeeds | null {
  const own = behind.needs(gateway, settings);
  return own === null ? null : { ...PLAIN_NEEDS, ...own };
}

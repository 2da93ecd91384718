/**
 * Rows whose fault lies in the way to the backend or in the backend itself: what asks for the upgrade is not forwarded,
 * nothing listens, it dies, hangs, or has closed itself (3a, 3b). Builders: every number is a parameter.
 */
import type { Built } from './backend-kinds.js';
import type { GatewayName } from './configs.js';
import { all, at, PATIENT, READ_FAILURE, REFUSED, type Row, type Shot, soon, type Where } from './row.js';

export interface Backendish {
  readonly gateway: GatewayName;
  /** N. */
  readonly size: number;
  /** T: the gateway's read timeout. */
  readonly readMs: number;
  readonly where: Where;
}

/** A client's deadline that no row reaches. */
const LONG_MS = 20_000;

/** What each kind of backend answers to the plain GET that is left of the handshake. */
const PLAIN_GET: Readonly<Record<Exclude<Built, 'watched' | 'noServer'> | 'site', string | null>> = {
  port: '426',
  express: '404',
  handler: '404',
  bare: null,
  site: '200',
};

export type StrippedBackend = keyof typeof PLAIN_GET;
export const STRIPPED_BACKENDS = Object.keys(PLAIN_GET) as StrippedBackend[];

export const BUILT: readonly Built[] = ['port', 'express', 'handler', 'bare', 'watched', 'noServer'];

export function upgradeNotForwarded(of: Backendish & { readonly backend: StrippedBackend }): Row {
  const { gateway, size, readMs, backend, where } = of;
  const answer = PLAIN_GET[backend];
  const expectation =
    answer === null
      ? all(READ_FAILURE[gateway], size, '3a', `nobody answers the GET: ${READ_FAILURE[gateway]} at T`, at(readMs))
      : all(answer, size, '3a', `the backend's own ${answer} to a GET`, soon(readMs));
  return {
    kind: `upgrade-not-forwarded-${backend}`,
    id: `${gateway}/upgrade-not-forwarded/${backend}`,
    gateway,
    cause: backend === 'site' ? 'not-a-websocket-endpoint' : 'upgrade-not-forwarded',
    story: `no Upgrade towards a backend of the kind ${backend}`,
    settings: { ...PATIENT, readMs, forwardsUpgrade: false },
    backend: backend === 'site' ? { kind: 'site' } : { kind: 'ws', built: backend },
    shots: [{ size, timeoutMs: LONG_MS, expects: [expectation], log: {} }],
    where,
  };
}

/** @param of.retries HAProxy's: it waits a second before each (O11) */
export function backendDown(of: Backendish & { readonly retries: number }): Row {
  const { gateway, size, readMs, retries, where } = of;
  const status = REFUSED[gateway];
  const expectation =
    gateway === 'haproxy'
      ? all(status, size, 'O11', `503 after ${retries} retries, a second each`, at(retries * 1000))
      : all(status, size, '3b', `${status} at once`, soon(readMs));
  return {
    kind: 'backend-down',
    id: `${gateway}/backend-down/N=${size}`,
    gateway,
    cause: 'backend-down',
    story: 'nothing listens behind the gateway',
    settings: { ...PATIENT, readMs, retries },
    backend: { kind: 'none' },
    shots: [{ size, timeoutMs: LONG_MS, expects: [expectation], log: {} }],
    where,
  };
}

/** Killed once all of a burst are with it. */
export function backendDied(of: Backendish & { readonly afterMs: number }): Row {
  const { gateway, size, readMs, afterMs, where } = of;
  return {
    kind: 'backend-died',
    id: `${gateway}/backend-died`,
    gateway,
    cause: 'backend-died',
    story: `SIGKILL ${afterMs} ms into the handshakes`,
    settings: { ...PATIENT, readMs },
    backend: { kind: 'dies', after: size, afterMs },
    shots: [
      {
        size,
        timeoutMs: LONG_MS,
        expects: [all('502', size, '3b', `502 when it dies, ${afterMs} ms after the last request came`, at(afterMs))],
        log: {},
      },
    ],
    where,
  };
}

export function backendHangs(of: Backendish): Row {
  const { gateway, size, readMs, where } = of;
  const status = READ_FAILURE[gateway];
  return {
    kind: 'backend-hangs',
    id: `${gateway}/backend-hangs/T=${readMs},N=${size}`,
    gateway,
    cause: 'backend-hangs',
    story: 'the backend takes the handshake and never answers',
    settings: { ...PATIENT, readMs },
    backend: { kind: 'hangs' },
    shots: [{ size, timeoutMs: LONG_MS, expects: [all(status, size, '3b', `${status} at T`, at(readMs))], log: {} }],
    where,
  };
}

/** The handler of the first client's end closes the server of all; what the second burst meets depends on how it was built. */
export function closedItself(of: Backendish & { readonly built: Built; readonly retries: number }): Row {
  const { gateway, size, readMs, built, retries, where } = of;
  const opened: Shot = {
    size: 1,
    timeoutMs: LONG_MS,
    expects: [all('101', 1, '3b', 'the first handshake works', soon(readMs))],
    log: {},
  };
  const second = (status: string, why: string, ms: Shot['expects'][number]['ms']): Shot => ({
    ...opened,
    size,
    expects: [all(status, size, '3b', why, ms)],
  });
  const refused =
    gateway === 'haproxy'
      ? second(REFUSED.haproxy, `its port is closed: 503 after ${retries} retries`, at(retries * 1000))
      : second(REFUSED[gateway], `its port is closed: ${REFUSED[gateway]} at once`, soon(readMs));
  const byBuilt: Readonly<Record<Built, Shot>> = {
    port: refused,
    express: second('404', 'the http server answers by itself', soon(readMs)),
    handler: second('404', 'the http server answers by itself', soon(readMs)),
    bare: second(READ_FAILURE[gateway], 'nobody is left to answer: T', at(readMs)),
    watched: second(READ_FAILURE[gateway], 'who else listens to upgrade keeps it from being a request: T', at(readMs)),
    noServer: second('503', 'ws refuses what its application hands over', soon(readMs)),
  };
  return {
    kind: `closed-itself-${built}`,
    id: `${gateway}/closed-itself/${built}`,
    gateway,
    cause: 'server-closed-itself',
    story: `wss.close() in a close handler; the server was built as ${built}`,
    settings: { ...PATIENT, readMs, retries },
    backend: { kind: 'ws', built, closesItself: true },
    shots: [opened, byBuilt[built]],
    where,
  };
}

/** The server closes itself while all of a burst wait for its application's word about them. */
export function closedInFlight(of: Backendish & { readonly delayMs: number }): Row {
  const { gateway, size, readMs, delayMs, where } = of;
  return {
    kind: 'closed-in-flight',
    id: `${gateway}/closed-itself/in-flight`,
    gateway,
    cause: 'server-closed-itself',
    story: `wss.close() while clients are being checked for ${delayMs} ms`,
    settings: { ...PATIENT, readMs },
    backend: { kind: 'closes-in-flight', delayMs, after: size },
    shots: [
      {
        size,
        timeoutMs: LONG_MS,
        expects: [all('503', size, '3b', 'ws refuses them when its application has decided', at(delayMs))],
        log: {},
      },
    ],
    where,
  };
}

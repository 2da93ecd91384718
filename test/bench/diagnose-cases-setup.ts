/**
 * Cases in which one handshake fails as many do, or the backend is not what it was: what is set up wrongly, is away, has
 * died or closed itself, TLS, the way there, and what happens after the 101. Where one burst cannot tell two of them
 * apart the user asks `check`, with `--direct` where there is a backend to ask.
 */
import type { Built } from '../gateways/backend-kinds.js';
import type { GatewayName } from '../gateways/configs.js';
import { CONNECT_FAILURE, READ_FAILURE, REFUSED } from '../gateways/row.js';
import {
  backendDied,
  backendDown,
  backendHangs,
  closedItself,
  type StrippedBackend,
  upgradeNotForwarded,
} from '../gateways/rows-backend.js';
import { denied, rejected, return444, tarpit } from '../gateways/rows-limits.js';
import {
  ALONE,
  any,
  burst,
  bursts,
  type Case,
  type Draw,
  exactly,
  labCase,
  type Maker,
  rowCase,
} from './diagnose-case.js';

const BENCH = { where: 'bench' } as const;
const CHECK = ['check', 'URL'];
/** The same handshake past the gateway. */
const CHECK_BOTH = ['check', 'URL', '--direct', 'DIRECT'];

function aFew(draw: Draw): number {
  return draw.int(30, 120);
}

/** Where the single handshakes before a burst get no answer at all there is no burst. */
function isAnswer(outcome: string): boolean {
  return /^\d+$/.test(outcome);
}

/** Every handshake of a burst ends as `outcome`. */
export function labAll(
  lab: string,
  outcome: string,
  options: Record<string, string | number> = {},
  more: Partial<Case> = {},
): Maker {
  return (draw) => {
    const size = aFew(draw);
    const asked = draw.pick([[], [ALONE]]);
    const args = [...burst(size, ...(isAnswer(outcome) ? asked : [ALONE])), ...(more.args ?? [])];
    return labCase(lab, options, { ...more, args, outcomes: { [outcome]: exactly(size) } });
  };
}

/** The same asked of `check`. @param args beside the URL */
export function labChecked(
  lab: string,
  outcome: string,
  options: Record<string, string | number> = {},
  more: Partial<Case> = {},
): Maker {
  return () =>
    labCase(lab, options, { ...more, args: [...CHECK, ...(more.args ?? [])], outcomes: { [outcome]: exactly(1) } });
}

/** Nothing is ever answered, within the client's patience. */
export function silence(lab: string, outcome: string, options: Record<string, string | number> = {}): Maker {
  return (draw) => labAll(lab, outcome, options, { args: ['-t', `${draw.step(1200, 2500, 100)}ms`] })(draw);
}

/** @param outcome of the burst or, with 'check', of the one handshake */
export function tlsWrong(fault: string, outcome = 'tls', by: 'burst' | 'check' = 'burst'): Maker {
  const more = { args: ['--ca', 'CA'] };
  return by === 'check'
    ? labChecked('tls-wrong', outcome, { fault }, more)
    : labAll('tls-wrong', outcome, { fault }, more);
}

export function down(gateway: GatewayName, secure = false): Maker {
  return (draw) => {
    const size = aFew(draw);
    const row = backendDown({ ...BENCH, gateway, size, readMs: 2000, retries: draw.int(1, 2) });
    return rowCase(row, { args: burst(size), secure, outcomes: { [REFUSED[gateway]]: exactly(size) } });
  };
}

export const unreachable: Maker = (draw) => {
  const size = aFew(draw);
  const options = { connect: `${draw.step(200, 600, 50)}ms` };
  return labCase('backend-unreachable', options, { args: burst(size), outcomes: { 503: exactly(size) } });
};

/** The backend's machine answers no SYN, and a real gateway gives up connecting. */
export function unreachableThrough(gateway: 'nginx' | 'haproxy'): Maker {
  return (draw) => {
    const size = aFew(draw);
    const options = { connect: `${draw.step(300, 600, 100)}ms`, gateway };
    const outcomes = { [CONNECT_FAILURE[gateway]]: exactly(size) };
    // By its answer alone nginx does not tell a timeout of connecting from one of reading.
    const group = gateway === 'nginx' ? 'undecidable' : 'cause';
    return labCase('backend-unreachable', options, {
      name: `backend-unreachable, ${gateway}`,
      group,
      args: burst(size),
      outcomes,
    });
  };
}

export function died(gateway: GatewayName): Maker {
  return (draw) => {
    const size = aFew(draw);
    const row = backendDied({ ...BENCH, gateway, size, readMs: 3000, afterMs: draw.step(300, 900, 50) });
    return rowCase(row, { args: burst(size, ALONE), outcomes: { 502: exactly(size) } });
  };
}

export const diedLab: Maker = (draw) => labAll('backend-died', '502', { after: `${draw.step(200, 800, 50)}ms` })(draw);

/** Whether the backend hangs or never saw an upgrade: past the gateway it hangs as well. */
export function hangs(gateway: GatewayName): Maker {
  return (draw) => {
    const row = backendHangs({ ...BENCH, gateway, size: 1, readMs: draw.step(1000, 2000, 1000) });
    const args = [...CHECK_BOTH, '-t', '4s'];
    return rowCase(row, { args, outcomes: { [READ_FAILURE[gateway]]: exactly(1) }, also: ['silent-server'] });
  };
}

/** Past the gateway it works, or answers the same. */
export function stripped(gateway: GatewayName, backend: StrippedBackend): Maker {
  return (draw) => {
    const row = upgradeNotForwarded({ ...BENCH, gateway, backend, size: 1, readMs: draw.step(1000, 2000, 1000) });
    return rowCase(row, {
      name: `${row.kind}, ${gateway}`,
      args: CHECK_BOTH,
      outcomes: { [strippedStatus(gateway, backend)]: exactly(1) },
    });
  };
}

function strippedStatus(gateway: GatewayName, backend: StrippedBackend): string {
  const status = { port: '426', express: '404', handler: '404', site: '200', bare: null }[backend];
  return status ?? READ_FAILURE[gateway];
}

/** 426 of a client that did send Upgrade: a burst tells. */
export function strippedBurst(gateway: GatewayName, secure = false): Maker {
  return (draw) => {
    const size = aFew(draw);
    const row = upgradeNotForwarded({ ...BENCH, gateway, backend: 'port', size, readMs: 2000 });
    return rowCase(row, { args: burst(size), secure, outcomes: { 426: exactly(size) } });
  };
}

/** Of the backends that leave no trace in their answer a burst tells too little. */
export function strippedUndecided(gateway: GatewayName, backend: StrippedBackend): Maker {
  return (draw) => {
    const size = aFew(draw);
    const row = upgradeNotForwarded({ ...BENCH, gateway, backend, size, readMs: draw.step(1000, 2000, 1000) });
    const outcomes = { [strippedStatus(gateway, backend)]: exactly(size) };
    return rowCase(row, { group: 'undecidable', args: burst(size), outcomes });
  };
}

export function hangsUndecided(gateway: GatewayName): Maker {
  return (draw) => {
    const size = aFew(draw);
    const row = backendHangs({ ...BENCH, gateway, size, readMs: draw.step(1000, 2000, 1000) });
    return rowCase(row, {
      group: 'undecidable',
      args: burst(size),
      outcomes: { [READ_FAILURE[gateway]]: exactly(size) },
    });
  };
}

/** What the second burst meets once the first has left. */
function closedStatus(gateway: GatewayName, built: Built): string {
  if (built === 'port') return REFUSED[gateway];
  if (built === 'noServer') return '503';
  return built === 'express' || built === 'handler' ? '404' : READ_FAILURE[gateway];
}

export function closed(gateway: GatewayName, built: Built): Maker {
  return (draw) => {
    const size = aFew(draw);
    const row = closedItself({ ...BENCH, gateway, size, built, readMs: 1000, retries: 1 });
    return rowCase(row, {
      args: bursts(size, 2, draw.step(500, 1000, 100), ALONE),
      outcomes: { 101: exactly(size), [closedStatus(gateway, built)]: exactly(size) },
    });
  };
}

/** One handshake works; opened, closed and opened again it does not. */
export function closedChecked(gateway: GatewayName, built: Built): Maker {
  return () => {
    const row = closedItself({ ...BENCH, gateway, size: 1, built, readMs: 1000, retries: 1 });
    return rowCase(row, { args: [...CHECK_BOTH, '-t', '4s'], outcomes: { 101: exactly(1) } });
  };
}

export function closedLab(server: string, outcome: string): Maker {
  return (draw) => {
    const size = aFew(draw);
    return labCase(
      'close-kills-server',
      { server },
      {
        args: bursts(size, 2, draw.step(500, 1000, 100), ALONE),
        outcomes: { 101: exactly(size), [outcome]: exactly(size) },
      },
    );
  };
}

export const deniedHaproxy: Maker = (draw) => {
  const size = aFew(draw);
  return rowCase(denied({ ...BENCH, size }), { args: burst(size), outcomes: { 403: exactly(size) } });
};

export const rejectedHaproxy: Maker = (draw) => {
  const size = aFew(draw);
  const outcomes = { reset: any(size), 'reset-connect': any(size), closed: any(size) };
  return rowCase(rejected({ ...BENCH, size }), { args: burst(size, ALONE), outcomes });
};

export const return444Nginx: Maker = (draw) => {
  const size = aFew(draw);
  return rowCase(return444({ ...BENCH, size }), { args: burst(size, ALONE), outcomes: { closed: exactly(size) } });
};

export const tarpitHaproxy: Maker = (draw) => {
  const size = aFew(draw);
  const row = tarpit({ ...BENCH, size, tarpitMs: draw.step(700, 1500, 100) });
  return rowCase(row, { args: burst(size, ALONE), outcomes: { 429: exactly(size) } });
};

/** The tunnels are there, and are cut while they are held. */
export function cut(lab: 'idle-cut' | 'cut-after-upgrade', end: string): Maker {
  return (draw) => {
    const size = aFew(draw);
    const afterMs = lab === 'idle-cut' ? draw.step(700, 1300, 100) : draw.int(1, 20);
    const options = { after: `${afterMs}ms`, end };
    return labCase(lab, options, { args: burst(size, '--hold', '3s'), outcomes: { 101: exactly(size) } });
  };
}

export const idleChecked: Maker = (draw) =>
  labChecked('idle-cut', '101', { after: `${draw.step(700, 1300, 100)}ms` }, { args: ['--idle', '4s'] })(draw);

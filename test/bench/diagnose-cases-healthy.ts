/** Runs in which nothing is wrong: nothing may be diagnosed, however slow, paced, large or secret the target is. */
import type { GatewayName } from '../gateways/configs.js';
import { PATIENT, type Row } from '../gateways/row.js';
import { slowConcurrent, slowSerial } from '../gateways/rows-capacity.js';
import { limitReq, rateLimitSessions } from '../gateways/rows-limits.js';
import { burst, bursts, exactly, labCase, type Maker, rowCase, twoSizes } from './diagnose-case.js';

const BENCH = { where: 'bench' } as const;

export const plain: Maker = (draw) => {
  const size = draw.int(100, 600);
  return labCase('healthy', {}, { args: bursts(size, 2, 300), outcomes: { 101: exactly(2 * size) } });
};

export const large: Maker = (draw) => {
  const size = draw.step(1500, 2500, 100);
  return labCase('healthy', {}, { name: 'healthy, large', args: burst(size), outcomes: { 101: exactly(size) } });
};

export const overTls: Maker = (draw) => {
  const size = draw.int(50, 150);
  return labCase(
    'healthy',
    { tls: true },
    {
      name: 'healthy, wss',
      args: burst(size, '-k', '--gate', draw.pick(['connect', 'tls', 'upgrade'])),
      outcomes: { 101: exactly(size) },
    },
  );
};

export const held: Maker = (draw) => {
  const size = draw.int(50, 300);
  const args = burst(size, '--hold', '1500ms', '--after', '3s');
  return labCase('healthy', {}, { name: 'healthy, held and probed', args, outcomes: { 101: exactly(size) } });
};

export const streamed: Maker = (draw) => {
  const total = draw.step(1000, 3000, 500);
  const args = ['churn', 'URL', '-n', `${total}`, '-c', `${draw.int(10, 50)}`];
  return labCase('healthy', {}, { name: 'healthy, churn', args, outcomes: { 101: exactly(total) } });
};

export const checked: Maker = () =>
  labCase('healthy', {}, { name: 'healthy, check', args: ['check', 'URL', '--idle', '1s'], outcomes: { 101: [1, 1] } });

/** A healthy server behind a gateway. */
export function through(gateway: GatewayName, secure = false): Maker {
  return (draw) => {
    const size = secure ? draw.int(40, 100) : draw.int(100, 500);
    const row: Row = {
      kind: 'healthy',
      id: `${gateway}/healthy`,
      gateway,
      cause: null,
      story: 'a server that works',
      settings: PATIENT,
      backend: { kind: 'ws', built: 'port' },
      shots: [],
      where: 'bench',
    };
    const name = `healthy, ${gateway}${secure ? ', wss' : ''}`;
    return rowCase(row, { name, secure, args: burst(size), outcomes: { 101: exactly(size) } });
  };
}

/** One after another, but all within T. */
export function slowButFine(gateway: GatewayName): Maker {
  return (draw) => {
    const serviceMs = draw.int(2, 8);
    const size = draw.int(60, 200);
    const row = slowSerial({ ...BENCH, gateway, size, readMs: 8000, serviceMs });
    return rowCase(row, {
      name: `${row.kind}, in time, ${gateway}`,
      args: burst(size),
      outcomes: { 101: exactly(size) },
    });
  };
}

export const slowButFineLab: Maker = (draw) => {
  const size = draw.int(60, 200);
  const options = { timeout: '8s', service: `${draw.int(2, 8)}ms` };
  return labCase('simultaneous-504', options, {
    ...twoSizes(Math.floor(size / 2), size, 300),
    name: 'slow serial, in time',
    group: 'healthy',
    truth: [],
    outcomes: { 101: exactly(size + Math.floor(size / 2)) },
  });
};

/** All at once, each of them slow. */
export const slowTogether: Maker = (draw) => {
  const size = draw.int(100, 400);
  const delayMs = draw.step(200, 700, 50);
  const row = slowConcurrent({ ...BENCH, gateway: 'nginx', size, readMs: 5000, delayMs, atOnce: null });
  return rowCase(row, { args: burst(size), outcomes: { 101: exactly(size) } });
};

/** Within what is admitted: they wait for their turn, and all get in. */
export const pacedNginx: Maker = (draw) => {
  const size = draw.int(60, 120);
  const row = limitReq({ ...BENCH, size, rate: draw.int(60, 100), burst: size + 20, delays: true });
  return rowCase(
    { ...row, cause: null },
    { name: 'paced, nginx', args: burst(size), outcomes: { 101: exactly(size) } },
  );
};

export const pacedHaproxy: Maker = (draw) => {
  const rate = draw.int(40, 80);
  const size = 2 * rate + draw.int(10, 60);
  return rowCase(rateLimitSessions({ ...BENCH, size, rate }), { args: burst(size), outcomes: { 101: exactly(size) } });
};

/** A limit that is not reached. */
export const withinLimit: Maker = (draw) => {
  const max = draw.int(200, 400);
  const size = max - draw.int(20, 60);
  return labCase(
    'limit',
    { max },
    {
      name: 'limit, not reached',
      group: 'healthy',
      truth: [],
      args: bursts(size, 3, 300),
      outcomes: { 101: exactly(3 * size) },
    },
  );
};

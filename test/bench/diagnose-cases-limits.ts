/**
 * Cases in which something carries so many connections, or admits so many a second, and no more. Where one burst cannot
 * tell a number from a rate, the user fires several within a second, two sizes, or a stream.
 */
import { negativeCache } from '../gateways/rows-capacity.js';
import {
  caddyDescriptors,
  frontendMaxconn,
  globalMaxconn,
  limitConn,
  limitReq,
  maxConnections,
  requestWorkers,
  serverMaxconn,
  sourcePorts,
  stickTable,
  workerConnections,
  workerDescriptors,
} from '../gateways/rows-limits.js';
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
  some,
  twoSizes,
} from './diagnose-case.js';

const BENCH = { where: 'bench' } as const;

/** A limit that all bursts meet. */
function limited(draw: Draw): { max: number; size: number } {
  const max = draw.int(20, 120);
  return { max, size: max + draw.int(30, 200) };
}

/** Counts over `times` bursts whose limit is the same. */
function same(max: number, size: number, times: number, failure: string): Case['outcomes'] {
  return { 101: [times * max - times * 2, times * max + times * 2], [failure]: [1, times * (size - max) + times * 2] };
}

/** @param answer the lab's word; its outcome as the second */
export function limitSeveral(answer: string, outcome: string): Maker {
  return (draw) => {
    const { max, size } = limited(draw);
    return labCase(
      'limit',
      { max, answer },
      {
        args: bursts(size, 3, draw.step(200, 300, 50)),
        outcomes: same(max, size, 3, outcome),
      },
    );
  };
}

export function limitTwoSizes(answer: string, outcome: string): Maker {
  return (draw) => {
    const { max, size } = limited(draw);
    const second = size + draw.int(40, 150);
    return labCase(
      'limit',
      { max, answer },
      {
        ...twoSizes(size, second, draw.step(200, 300, 50)),
        outcomes: { 101: exactly(2 * max), [outcome]: exactly(size + second - 2 * max) },
      },
    );
  };
}

/** Those beyond the limit wait for an answer that never comes. */
export const limitSilent: Maker = (draw) => {
  const { max, size } = limited(draw);
  const timeout = draw.step(1200, 2000, 100);
  return labCase(
    'limit',
    { max, answer: 'silent' },
    {
      args: burst(size, '-t', `${timeout}ms`),
      outcomes: { 101: exactly(max), 'timeout-upgrade': exactly(size - max) },
    },
  );
};

export const limitQueue: Maker = (draw) => {
  const { max, size } = limited(draw);
  return labCase(
    'limit',
    { max, answer: 'queue', queue: `${draw.step(600, 1500, 100)}ms` },
    {
      args: burst(size),
      outcomes: { 101: exactly(max), 503: exactly(size - max) },
    },
  );
};

export function limitConnNginx(status: '503' | '429'): Maker {
  return (draw) => {
    const { max: limit, size } = limited(draw);
    return rowCase(limitConn({ ...BENCH, size, limit, status }), {
      args: bursts(size, 3, draw.step(200, 300, 50)),
      outcomes: same(limit, size, 3, status),
    });
  };
}

export const serverMaxconnHaproxy: Maker = (draw) => {
  const { max: limit, size } = limited(draw);
  return rowCase(serverMaxconn({ ...BENCH, size, limit, queueMs: draw.step(600, 1500, 100) }), {
    args: burst(size),
    outcomes: { 101: exactly(limit), 503: exactly(size - limit) },
  });
};

/** Hangs up on those beyond; with the single handshakes before it one burst tells. */
export const workerConnectionsNginx: Maker = (draw) => {
  const connections = draw.step(64, 160, 16);
  const size = connections + draw.int(40, 150);
  return rowCase(workerConnections({ ...BENCH, size, connections }), {
    args: bursts(size, 2, 300),
    outcomes: { 101: [connections / 2, 2 * connections], closed: any(2 * size), reset: any(2 * size) },
  });
};

export function maxConnectionsBehind(gateway: 'nginx' | 'haproxy'): Maker {
  return (draw) => {
    const { max: limit, size } = limited(draw);
    return rowCase(maxConnections({ ...BENCH, gateway, size, limit }), {
      args: bursts(size, 3, 300),
      outcomes: same(limit, size, 3, '502'),
    });
  };
}

export const frontendMaxconnHaproxy: Maker = (draw) => {
  const limit = draw.int(20, 40);
  const size = 2 * limit + draw.int(20, 60);
  const timeoutMs = draw.step(1500, 2000, 100);
  return rowCase(frontendMaxconn({ ...BENCH, size, limit, timeoutMs }), {
    args: burst(size, '-t', `${timeoutMs}ms`),
    outcomes: { 101: exactly(limit), 'timeout-upgrade': some(size), 'timeout-connect': some(size) },
  });
};

export const globalMaxconnHaproxy: Maker = (draw) => {
  const limit = draw.int(20, 60);
  const size = limit + draw.int(20, 100);
  const timeoutMs = draw.step(1500, 2000, 100);
  return rowCase(globalMaxconn({ ...BENCH, size, limit, timeoutMs }), {
    args: burst(size, '-t', `${timeoutMs}ms`),
    outcomes: { 101: exactly(limit), 'timeout-upgrade': exactly(size - limit) },
  });
};

export const requestWorkersApache: Maker = (draw) => {
  const limit = draw.pick([32, 64]);
  const size = limit + draw.int(30, 80);
  const timeoutMs = draw.step(1500, 2000, 100);
  return rowCase(requestWorkers({ ...BENCH, size, limit, timeoutMs }), {
    args: burst(size, '-t', `${timeoutMs}ms`),
    outcomes: { 101: [limit - 5, limit], 'timeout-upgrade': [size - limit, size - limit + 5] },
  });
};

/** b and r; r is so small that the second burst comes when few places are free again. */
export const limitReqNginx: Maker = (draw) => {
  const rate = draw.int(4, 12);
  const admits = draw.int(30, 60);
  const size = admits + draw.int(40, 200);
  return rowCase(limitReq({ ...BENCH, size, rate, burst: admits, delays: false }), {
    args: bursts(size, 3, draw.step(200, 300, 50)),
    outcomes: { 101: [admits, 3 * size - 30], 503: [30, 3 * size] },
  });
};

export const rateSeveral: Maker = (draw) => {
  const settings = { rate: draw.int(4, 12), burst: draw.int(30, 60) };
  const size = settings.burst + draw.int(40, 200);
  return labCase('rate-limit', settings, {
    args: bursts(size, 3, draw.step(200, 300, 50)),
    outcomes: { 101: [settings.burst - 5, 3 * size - 30], 503: [30, 3 * size] },
  });
};

/** A stream of handshakes, each closed after its 101: a number of places would be free again at once. */
export const rateChurn: Maker = (draw) => {
  const settings = { rate: draw.int(20, 60), burst: draw.int(15, 60) };
  return labCase('rate-limit', settings, {
    args: ['churn', 'URL', '-c', `${draw.int(5, 20)}`, '-d', `${draw.step(2500, 4000, 500)}ms`],
    outcomes: { 101: [settings.burst - 5, 100_000], 503: [30, 100_000] },
  });
};

/** 429 with Retry-After says what it is. */
export const rateRetryAfter: Maker = (draw) => {
  const settings = { rate: draw.int(5, 30), burst: draw.int(15, 60), answer: '429' };
  const size = settings.burst + draw.int(40, 200);
  return labCase('rate-limit', settings, {
    args: burst(size),
    outcomes: { 101: [settings.burst - 5, size - 20], 429: [20, size] },
  });
};

export const stickTableHaproxy: Maker = (draw) => {
  const limit = draw.int(30, 90);
  const size = limit + draw.int(40, 150);
  return rowCase(stickTable({ ...BENCH, size, limit }), {
    args: bursts(size, 2, 300),
    outcomes: { 101: [limit - 6, limit], 429: [2 * size - limit, 2 * size - limit + 6] },
  });
};

/** 500 of a gateway that serves others at the same moment. */
export const descriptorsLab: Maker = (draw) => {
  const { max, size } = limited(draw);
  return labCase(
    'descriptor-limit',
    { max },
    {
      args: bursts(size, 2, 300),
      outcomes: { 101: exactly(2 * max), 500: exactly(2 * (size - max)) },
      also: ['connection-limit'],
    },
  );
};

export const descriptorsNginx: Maker = (draw) => {
  const descriptors = draw.step(60, 120, 10);
  const size = descriptors + draw.int(30, 100);
  return rowCase(workerDescriptors({ ...BENCH, size, descriptors }), {
    args: burst(size, '-t', '5s'),
    outcomes: { 101: [1, descriptors / 2], 500: [1, size], 'timeout-upgrade': any(size) },
    also: ['connection-limit'],
  });
};

/** Two descriptors a tunnel, some for itself. */
export const descriptorsCaddy: Maker = (draw) => {
  const descriptors = draw.step(60, 120, 10);
  const size = descriptors + draw.int(30, 100);
  return rowCase(caddyDescriptors({ ...BENCH, size, descriptors }), {
    args: burst(size, '-t', '5s'),
    outcomes: { 101: [1, descriptors / 2], 502: [1, size], 'timeout-upgrade': any(size) },
    also: ['connection-limit'],
  });
};

export const sourcePortsHaproxy: Maker = (draw) => {
  const ports = draw.int(20, 60);
  const size = ports + draw.int(30, 100);
  return rowCase(sourcePorts({ ...BENCH, size, firstPort: draw.step(21_000, 30_000, 100), ports }), {
    args: burst(size),
    outcomes: { 101: [ports - 6, ports], 503: [size - ports, size - ports + 6] },
    also: ['connection-limit'],
  });
};

/** The backend was away for one handshake and is back; the gateway does not know. */
export function remembered(gateway: 'nginx' | 'haproxy'): Maker {
  return (draw) => {
    const size = draw.int(30, 60);
    const row = negativeCache({ ...BENCH, gateway, size, readMs: 2000, failMs: draw.step(3000, 5000, 1000) });
    return rowCase(row, {
      args: ['burst', 'URL', '-c', `${size}`, ALONE, '--after', '8s'],
      outcomes: { [gateway === 'nginx' ? '502' : '503']: exactly(size) },
      also: ['backend-down'],
    });
  };
}

/** One burst alone tells no number from a rate: each must be named, and neither be sure. */
export const undecidedLimit: Maker = (draw) => {
  const { max, size } = limited(draw);
  return labCase(
    'limit',
    { max },
    {
      group: 'undecidable',
      args: burst(size),
      outcomes: { 101: exactly(max), 503: exactly(size - max) },
    },
  );
};

export const undecidedRate: Maker = (draw) => {
  const settings = { rate: draw.int(5, 20), burst: draw.int(20, 80) };
  const size = settings.burst + draw.int(40, 200);
  return labCase('rate-limit', settings, {
    group: 'undecidable',
    args: burst(size),
    outcomes: { 101: [settings.burst - 5, size - 20], 503: [20, size] },
  });
};

export const undecidedLimitConn: Maker = (draw) => {
  const { max: limit, size } = limited(draw);
  return rowCase(limitConn({ ...BENCH, size, limit, status: '503' }), {
    group: 'undecidable',
    args: burst(size),
    outcomes: { 101: exactly(limit), 503: exactly(size - limit) },
  });
};

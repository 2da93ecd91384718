/**
 * From a name to the addresses that are dialled: zones are this machine's own interfaces, mapped addresses are of the family
 * that sockets know, a resolver that is silent is not waited for, and an address that does not answer is not the only one.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { now } from '#dist/engine/machine/clock.js';
import { lookUp } from '#dist/engine/run/lookup.js';
import { preflight } from '#dist/engine/run/preflight.js';
import { lookUpFailed, type Resolution, resolveTarget } from '#dist/engine/run/resolve.js';
import type { Destination } from '#dist/engine/transport/transport.js';
import { UserError } from '#dist/errors.js';
import { planOf } from '#dist/index.js';
import { expandSourceIps } from '#dist/plan/address.js';
import { anyHost, onRequest, serve, switching } from './fire-raw.js';

const at = (zone: string) => ({
  target: { url: 'ws://x/', connectTo: `[fe80::1%${zone}]:8080` },
  stages: [{ burst: 2 }],
});

const NEVER = new AbortController().signal;

describe('the zone of an IPv6 address', () => {
  const [own] = Object.keys(os.networkInterfaces());
  for (const zone of [own, '1']) {
    test(`${zone} is dialled`, async () => {
      const { destinations } = await resolveTarget(planOf(at(zone)), NEVER, []);
      assert.deepEqual(destinations, [{ address: `fe80::1%${zone}`, port: 8080, family: 6 }]);
    });
  }

  test('one that this machine does not have is refused, with those that it has', async () => {
    await assert.rejects(resolveTarget(planOf(at('no9')), NEVER, []), (error: UserError) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.exitCode, 2);
      assert.equal(error.message, 'fe80::1%no9: no interface of this machine is called no9');
      assert.ok(error.hint?.includes(own), error.hint ?? 'no hint');
      return true;
    });
  });
});

describe('an IPv4 address in IPv6 notation', () => {
  test('is dialled as IPv4, in a URL and as --connect-to', async () => {
    for (const target of [
      { url: 'ws://[::ffff:127.0.0.1]:80/' },
      { url: 'ws://x/', connectTo: '[::FFFF:7f00:1]:80' },
    ]) {
      const { destinations, addresses } = await resolveTarget(planOf({ target, stages: [{ burst: 1 }] }), NEVER, []);
      assert.deepEqual(destinations, [{ address: '127.0.0.1', port: 80, family: 4 }]);
      assert.deepEqual(addresses, ['127.0.0.1']);
    }
  });

  test('is bound as IPv4', () => {
    assert.deepEqual(expandSourceIps(['::ffff:127.0.0.2', '127.0.0.2', '::1']), ['127.0.0.2', '::1']);
  });

  test('as a resolver may give it', async () => {
    const ask = async () => ({
      addresses: [{ address: '::ffff:10.0.0.1', family: 6 }],
      failure: null,
      tookMs: 1,
    });
    const { destinations } = await resolveTarget(named({}), NEVER, [], ask);
    assert.deepEqual(destinations, [{ address: '10.0.0.1', port: 80, family: 4 }]);
  });
});

function named(more: Readonly<Record<string, unknown>>, url = 'ws://target.example/'): ReturnType<typeof planOf> {
  return planOf({ target: { url }, stages: [{ burst: 1 }], ...more });
}

/** A resolver that says so, in no time. */
function saying(...addresses: string[]) {
  return async () => ({
    addresses: addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    failure: null,
    tookMs: 1,
  });
}

describe('the addresses of a name', () => {
  const texts = (all: readonly Destination[]) => all.map(({ address }) => address);

  test('the first is dialled, the others stand by; with resolve all they are dialled', async () => {
    const ask = saying('::1', '127.0.0.1', '10.0.0.1');
    const first = await resolveTarget(named({}), NEVER, [], ask);
    assert.deepEqual([texts(first.destinations), texts(first.others)], [['::1'], ['127.0.0.1', '10.0.0.1']]);
    const all = await resolveTarget(named({ resolve: 'all' }), NEVER, [], ask);
    assert.deepEqual([texts(all.destinations), texts(all.others)], [['::1', '127.0.0.1', '10.0.0.1'], []]);
  });

  test('one that needs consent does not stand by without it', async () => {
    const ask = saying('127.0.0.1', '8.8.8.8');
    assert.deepEqual(texts((await resolveTarget(named({}), NEVER, [], ask)).others), []);
    const profile = named({ allowHosts: ['target.example'] });
    assert.deepEqual(texts((await resolveTarget(profile, NEVER, [], ask)).others), [], 'a profile is no consent');
    const { others } = await resolveTarget(named({}), NEVER, ['Target.Example'], ask);
    assert.deepEqual(texts(others), ['8.8.8.8']);
  });

  test('none of the family of the source address is a failure of its own', async () => {
    const plan = planOf({ target: { url: 'ws://target.example/', sourceIps: ['::1'] }, stages: [{ burst: 1 }] });
    const { destinations, failure } = await resolveTarget(plan, NEVER, [], saying('127.0.0.1'));
    assert.deepEqual(destinations, []);
    assert.equal(failure, 'no address of the family of the source address');
  });
});

/** A program that says that it asks, and nothing more for ten seconds. */
async function withSilent<T>(use: (program: URL) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'wst-lookup-'));
  const file = path.join(folder, 'silent.mjs');
  await writeFile(file, "process.stdout.write('asking\\n'); setTimeout(() => {}, 10_000);");
  try {
    return await use(pathToFileURL(file));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('the look-up', () => {
  test('of a name of this machine', async () => {
    const { addresses, failure } = await lookUp('localhost', 5000, NEVER);
    assert.equal(failure, null);
    assert.ok(addresses.some(({ address }) => address === '127.0.0.1' || address === '::1'));
  });

  test('a resolver that does not answer is not waited for longer than the deadline, and is said to be silent', async () => {
    await withSilent(async (program) => {
      const { addresses, failure, tookMs } = await lookUp('target.example', 300, NEVER, program);
      assert.deepEqual([addresses, failure], [[], 'ETIMEOUT']);
      assert.ok(tookMs >= 290 && tookMs < 3000, `${tookMs} ms`);
      assert.match(lookUpFailed(named({ timeout: '300ms' }), 'ETIMEOUT'), /resolver did not answer .* 300 ?ms/);
    });
  });

  test('a stop ends it at once', async () => {
    await withSilent(async (program) => {
      const stop = new AbortController();
      const begin = now();
      const looking = lookUp('target.example', 60_000, stop.signal, program);
      setTimeout(() => stop.abort(), 300);
      assert.equal((await looking).failure, 'ECANCELLED');
      assert.ok(now() - begin < 3000);
      assert.equal(
        (await lookUp('target.example', 60_000, stop.signal, program)).failure,
        'ECANCELLED',
        'stopped before',
      );
    });
  });
});

describe('single handshakes and the addresses of a name', () => {
  const answer = onRequest((socket, request) => void socket.write(switching(request)));

  async function asked(resolve: 'first' | 'all', order: readonly ('alive' | 'dead')[]) {
    const server = await serve(answer);
    const dead = anyHost();
    const to = (address: string): Destination => ({ address, port: server.port, family: 4 });
    const all = order.map((kind) => to(kind === 'alive' ? server.host : dead));
    const resolution: Resolution = {
      destinations: resolve === 'all' ? all : all.slice(0, 1),
      others: resolve === 'all' ? [] : all.slice(1),
      addresses: all.map(({ address }) => address),
      dnsMs: 1,
      failure: null,
    };
    const plan = planOf({ target: { url: `ws://target.example:${server.port}/` }, stages: [{ burst: 1 }] });
    try {
      const found = await preflight({
        plan,
        inputs: { rows: [], env: {}, tls: { ca: null, cert: null, key: null } },
        resolution,
        tls: null,
        userAgent: 'test',
        portRange: [10_000, 19_999],
        signal: NEVER,
      });
      return { found, dead, alive: server.host };
    } finally {
      await server.close();
    }
  }

  test('with resolve all, one that answers is an answer, and the dead one is named', async () => {
    const { found, dead, alive } = await asked('all', ['dead', 'alive']);
    assert.equal(found.answered, true);
    assert.deepEqual(found.dead, [{ address: dead, outcome: 'refused' }]);
    assert.deepEqual(
      found.destinations.map(({ address }) => address),
      [dead, alive],
      'the plan says all',
    );
    assert.deepEqual(found.outcomes, { 101: 4, refused: 1 });
  });

  test('where the first does not answer, the run goes to the next that does', async () => {
    const { found, dead, alive } = await asked('first', ['dead', 'alive']);
    assert.equal(found.answered, true);
    assert.deepEqual(found.dead, [{ address: dead, outcome: 'refused' }]);
    assert.deepEqual(
      found.destinations.map(({ address }) => address),
      [alive],
    );
    assert.deepEqual(found.outcomes, { 101: 4, refused: 1 });
  });

  test('where the first answers, the others are left alone', async () => {
    const { found, alive } = await asked('first', ['alive', 'dead']);
    assert.deepEqual(found.dead, []);
    assert.deepEqual(
      found.destinations.map(({ address }) => address),
      [alive],
    );
    assert.deepEqual(found.outcomes, { 101: 5 });
  });

  test('where none answers, all of them are named', async () => {
    const { found, dead } = await asked('first', ['dead', 'dead']);
    assert.equal(found.answered, false);
    assert.deepEqual(
      found.dead.map(({ address }) => address),
      [dead, dead],
    );
    assert.deepEqual(Object.keys(found.outcomes), ['refused']);
  });
});

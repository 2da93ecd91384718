/**
 * Each shipped session against the real server where npm or Debian has one, else against the frames of its protocol's
 * document: clients become ready and stay; and the mistakes that people make end as what they are.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type ProfileDocument, planOf, type Result, run } from '#dist/index.js';
import { mqttConnect, mqttSubscribe } from '#dist/plan/session/mqtt-packets.js';
import { type ShippedSession, shippedSession, type WrittenLine } from '#dist/plan/session/shipped.js';
import { needs, needsProgram } from '../needs.js';
import { FOLDER, newFolder, type Server, startProgram, startScript } from '../servers/server.js';
import { startPlayer, TOKEN } from './session-players.js';

const CLIENTS = 10;
/** They wait for the most part. */
const AT_ONCE = 6;
/** Longer than any of the servers is patient. */
const HOLD_MS = 4500;
const FIRST_PORT = 61_500;

/** What became of the clients: ready ones that stayed, or how all of them ended; `fin|rst`: one of the two each. */
type Ends = 'stays' | { readonly refused: string } | { readonly notReady: string } | { readonly cut: string };

interface Trial {
  readonly what: string;
  readonly sessionVars?: Readonly<Record<string, string>>;
  /** Changes the shipped lines; the session is its list then. */
  readonly lines?: (shipped: readonly WrittenLine[]) => readonly WrittenLine[];
  readonly path?: string;
  readonly ends: Ends;
  /** In the words of the step, the message or the reason that the result keeps. */
  readonly says?: RegExp;
}

interface Case {
  readonly session: string;
  readonly server: string;
  start(t: Parameters<typeof needsProgram>[0]): Promise<{ readonly url: string; stop(): unknown } | null>;
  readonly trials: readonly Trial[];
}

async function outcomeOf(session: ShippedSession, url: string, trial: Trial): Promise<Result> {
  const { sessionVars = {}, lines, path } = trial;
  const shipped = session.lines(sessionVars);
  const base: ProfileDocument = {
    target: { url: url + (path ?? '') },
    stages: [{ burst: CLIENTS }],
    preflight: false,
    calibrate: false,
    workers: 1,
    messageTimeout: '5s',
    sessionVars,
  };
  const named = planOf({ ...base, session: session.name });
  if (lines === undefined) {
    const { script } = named.session;
    assert.ok(script !== null);
    return run({
      ...named,
      session: { holdMs: null, script: { ...script, steps: [...script.steps, { holdMs: HOLD_MS }] } },
    });
  }
  const own = lines(shipped);
  const used = JSON.stringify(own);
  const kept = Object.fromEntries(Object.entries(sessionVars).filter(([name]) => used.includes(`{{ var.${name} }}`)));
  const plan = planOf({ ...base, session: [...own, { hold: `${HOLD_MS}ms` }], sessionVars: kept });
  // What the shipped session adds to the target is wanted with changed lines too.
  return run({ ...plan, target: named.target });
}

function judge({ bursts: [burst] }: Result, { ends, says }: Trial): void {
  assert.ok(burst !== undefined);
  const { sessions, outcomes } = burst;
  if (ends !== 'stays' && 'refused' in ends) {
    assert.deepEqual(outcomes, { [ends.refused]: CLIENTS });
    return;
  }
  assert.deepEqual(outcomes, { 101: CLIENTS });
  assert.ok(sessions !== null);
  const isReady = ends === 'stays' || !('notReady' in ends);
  assert.deepEqual(
    {
      ready: sessions.ready,
      notReady: counted(sessions.notReady),
      cut: counted(sessions.cut),
      closed: sessions.closed,
    },
    {
      ready: isReady ? CLIENTS : 0,
      notReady: ends !== 'stays' && 'notReady' in ends ? { [ends.notReady]: CLIENTS } : {},
      cut: ends !== 'stays' && 'cut' in ends ? { [ends.cut]: CLIENTS } : {},
      closed: ends === 'stays' ? { 1000: CLIENTS } : {},
    },
  );
  const kept = JSON.stringify({ ...sessions.notReadyEnds, ...sessions.ends });
  if (says !== undefined) assert.match(kept, says);
}

/** A server that ends TCP with data unread sends FIN or RST, as the race goes. */
function counted({ fin = 0, rst = 0, ...others }: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return fin + rst === 0 ? others : { ...others, 'fin|rst': fin + rst };
}

const npm = (name: string, port: number, server = name): Pick<Case, 'server' | 'start'> => ({
  server,
  async start(t) {
    if (!needs(t, isInstalled(server), `${server}: npm run servers:install`)) return null;
    const place = { host: '127.0.0.1', port };
    const started: Server = await startScript(process.execPath, 'npm-servers.mjs', name, place);
    return { url: `ws://127.0.0.1:${port}`, stop: () => started.stop() };
  },
});

function isInstalled(name: string): boolean {
  return spawnSync(process.execPath, ['-e', `import(${JSON.stringify(name)})`], { cwd: FOLDER }).status === 0;
}

const played = (session: Parameters<typeof startPlayer>[0]): Pick<Case, 'session' | 'server' | 'start'> => ({
  session,
  server: 'frames of its document',
  start: () => startPlayer(session),
});

const without = (key: 'when' | 'every' | 'expect') => (lines: readonly WrittenLine[]) =>
  lines.filter((line) => !(key in line));
/** The same beats, as fast as the servers here want them. */
const quickly = (lines: readonly WrittenLine[]) =>
  lines.map((line) => ('every' in line ? { ...line, every: '200ms' } : line));
const firstly = (line: WrittenLine) => (lines: readonly WrittenLine[]) => [line, ...lines];

const MQTT_LOGIN = { login: 'user', passcode: TOKEN };
/** CONNECT with a keep-alive of two seconds, in the place of the shipped one's minute. */
const impatient = (beats: boolean) => (lines: readonly WrittenLine[]) => {
  const [connect, ...rest] = lines.filter((line) => !('when' in line) && (beats || !('every' in line)));
  assert.ok(connect !== undefined && 'send' in connect);
  return quickly([{ send: { $binary: mqttConnect(2, MQTT_LOGIN.login, MQTT_LOGIN.passcode) } }, ...rest]);
};
const MQTT_TRIALS: readonly Trial[] = [
  { what: 'right', sessionVars: { ...MQTT_LOGIN, channel: 'a/b' }, ends: 'stays' },
  { what: 'right, with its pings', sessionVars: MQTT_LOGIN, lines: impatient(true), ends: 'stays' },
  { what: 'wrong password', sessionVars: { ...MQTT_LOGIN, passcode: 'wrong' }, ends: { notReady: 'rejected' } },
  {
    what: 'subscribes first',
    sessionVars: MQTT_LOGIN,
    lines: firstly({ send: { $binary: mqttSubscribe('a/b') } }),
    ends: { notReady: 'fin|rst' },
  },
];

/** Cut one and a half times its keep-alive after its last packet; mosquitto looks only every few seconds. */
const NO_MQTT_PINGS: Trial = {
  what: 'no pings',
  sessionVars: MQTT_LOGIN,
  lines: impatient(false),
  ends: { cut: 'fin|rst' },
};

const CASES: readonly Case[] = [
  {
    session: 'graphql-ws',
    ...npm('graphql-ws-login', FIRST_PORT, 'graphql-ws'),
    trials: [
      { what: 'right', sessionVars: { token: TOKEN, query: 'subscription { tick }' }, ends: 'stays' },
      { what: 'wrong token', sessionVars: { token: 'old' }, ends: { notReady: '4403' }, says: /Forbidden/ },
      {
        what: 'subscribes first',
        sessionVars: { token: TOKEN },
        lines: firstly({ send: { id: '1', type: 'subscribe', payload: { query: 'subscription { tick }' } } }),
        ends: { notReady: '4401' },
        says: /Unauthorized/,
      },
      {
        what: 'no connection_init',
        lines: (lines) => lines.filter((line) => !('send' in line) || 'when' in line),
        ends: { notReady: '4408' },
        says: /initialisation timeout/,
      },
      {
        what: 'unknown field',
        sessionVars: { token: TOKEN, query: 'subscription { tock }' },
        ends: { cut: 'rejected' },
        says: /tock/,
      },
    ],
  },
  {
    session: 'socket.io',
    ...npm('socket.io-login', FIRST_PORT + 1, 'socket.io'),
    trials: [
      { what: 'right', sessionVars: { token: TOKEN }, ends: 'stays' },
      { what: 'wrong token', sessionVars: { token: 'old' }, ends: { notReady: 'rejected' }, says: /not authorized/ },
      {
        what: 'an event first',
        sessionVars: { token: TOKEN },
        lines: firstly({ send: '42["hello"]' }),
        ends: { notReady: '1005' },
      },
      {
        what: 'no pong',
        sessionVars: { token: TOKEN },
        lines: (lines) => lines.filter((line) => line.when !== '2'),
        ends: { cut: '1005' },
      },
    ],
  },
  { session: 'mqtt', ...npm('aedes-login', FIRST_PORT + 2, 'aedes'), trials: [...MQTT_TRIALS, NO_MQTT_PINGS] },
  { session: 'mqtt', server: 'mosquitto', start: startMosquitto, trials: MQTT_TRIALS },
  {
    ...played('signalr'),
    trials: [
      {
        what: 'right',
        path: '/hub',
        sessionVars: { token: TOKEN, method: 'JoinGroup', channel: 'news' },
        lines: quickly,
        ends: 'stays',
      },
      { what: 'wrong token', path: '/hub', sessionVars: { token: 'old' }, ends: { refused: '401' } },
      {
        what: 'calls first',
        path: '/hub',
        sessionVars: { token: TOKEN },
        lines: firstly({ send: '{"type":1}\u001e' }),
        ends: { notReady: 'rejected' },
        says: /canceled/,
      },
      {
        what: 'unknown method',
        path: '/hub',
        sessionVars: { token: TOKEN, method: 'Nope' },
        ends: { notReady: 'rejected' },
        says: /Unknown hub method/,
      },
      {
        what: 'no ping',
        path: '/hub',
        sessionVars: { token: TOKEN },
        lines: without('every'),
        ends: { cut: 'rejected' },
        says: /type\D+7/,
      },
    ],
  },
  {
    ...played('stomp'),
    trials: [
      {
        what: 'right',
        path: '/ws',
        sessionVars: { login: 'u', passcode: TOKEN, channel: '/topic/a' },
        lines: quickly,
        ends: 'stays',
      },
      {
        what: 'wrong passcode',
        path: '/ws',
        sessionVars: { login: 'u', passcode: 'old' },
        ends: { notReady: 'rejected' },
        says: /Access refused/,
      },
      {
        what: 'subscribes first',
        path: '/ws',
        sessionVars: { passcode: TOKEN },
        lines: firstly({ send: 'SUBSCRIBE\nid:0\n\n\0' }),
        ends: { notReady: 'rejected' },
        says: /Illegal command/,
      },
      {
        what: 'no beats',
        path: '/ws',
        sessionVars: { passcode: TOKEN },
        lines: without('every'),
        ends: { cut: '1002' },
        says: /heart-beat missed/,
      },
    ],
  },
  {
    ...played('phoenix'),
    trials: [
      { what: 'right', sessionVars: { token: TOKEN, channel: 'room:lobby' }, lines: quickly, ends: 'stays' },
      { what: 'wrong token', sessionVars: { token: 'old' }, ends: { refused: '403' } },
      {
        what: 'unknown topic',
        sessionVars: { token: TOKEN, channel: 'hall' },
        ends: { notReady: 'rejected' },
        says: /unmatched topic/,
      },
      { what: 'no heartbeats', sessionVars: { token: TOKEN }, lines: without('every'), ends: { cut: '1000' } },
    ],
  },
  {
    ...played('actioncable'),
    trials: [
      { what: 'right', sessionVars: { token: TOKEN, channel: 'ChatChannel' }, ends: 'stays' },
      { what: 'wrong token', sessionVars: { token: 'old' }, ends: { notReady: 'rejected' }, says: /unauthorized/ },
      {
        what: 'unknown channel',
        sessionVars: { token: TOKEN, channel: 'Nope' },
        ends: { notReady: 'rejected' },
        says: /reject_subscription/,
      },
      {
        what: 'waits for a confirmation that it never asked for',
        sessionVars: { token: TOKEN },
        lines: (lines) => [...lines, { expect: { type: 'confirm_subscription' } }],
        ends: { notReady: 'timeout-message' },
        says: /confirm_subscription/,
      },
    ],
  },
  {
    ...played('centrifugo'),
    trials: [
      { what: 'right', sessionVars: { token: TOKEN, channel: 'news' }, ends: 'stays' },
      { what: 'wrong token', sessionVars: { token: 'old' }, ends: { notReady: '3500' }, says: /invalid token/ },
      {
        what: 'subscribes first',
        sessionVars: { token: TOKEN },
        lines: firstly({ send: { id: 2, subscribe: { channel: 'news' } } }),
        ends: { notReady: '3501' },
        says: /bad request/,
      },
      {
        what: 'no pong',
        sessionVars: { token: TOKEN },
        lines: (lines) => lines.filter((line) => line.when !== '{}'),
        ends: { cut: '3012' },
        says: /no pong/,
      },
    ],
  },
  {
    ...played('pusher'),
    trials: [
      { what: 'right', sessionVars: { key: TOKEN, channel: 'news' }, ends: 'stays' },
      { what: 'wrong key', sessionVars: { key: 'old' }, ends: { refused: '400' } },
      {
        what: 'private channel without a signature',
        sessionVars: { key: TOKEN, channel: 'private-a' },
        ends: { notReady: 'rejected' },
        says: /Auth value is missing/,
      },
      {
        what: 'no pong',
        sessionVars: { key: TOKEN },
        lines: (lines) => lines.filter((line) => !('when' in line)),
        ends: { cut: '4201' },
        says: /Pong reply not received/,
      },
    ],
  },
];

async function startMosquitto(t: Parameters<typeof needsProgram>[0]) {
  if (!needsProgram(t, 'mosquitto', 'apt-get install mosquitto')) return null;
  const place = { host: '127.0.0.1', port: FIRST_PORT + 3 };
  const folder = newFolder();
  const passwords = join(folder, 'passwords');
  const made = spawnSync('mosquitto_passwd', ['-b', '-c', passwords, MQTT_LOGIN.login, MQTT_LOGIN.passcode]);
  assert.equal(made.status, 0, String(made.stderr));
  const beside = place.port + 1;
  writeFileSync(
    join(folder, 'mosquitto.conf'),
    // 2.0.11 does not start with listeners for WebSocket alone.
    `listener ${place.port}\nprotocol websockets\nlistener ${beside} ${place.host}\nallow_anonymous false\nuser root\npassword_file ${passwords}\n`,
  );
  const server = await startProgram(['mosquitto', '-c', 'mosquitto.conf'], place, { folder, accepted: () => 0 });
  return { url: `ws://127.0.0.1:${place.port}`, stop: () => server.stop() };
}

describe('shipped sessions', { concurrency: AT_ONCE }, () => {
  for (const { session, server, start, trials } of CASES) {
    test(`${session} (${server})`, async (t) => {
      const shipped = shippedSession(session);
      assert.ok(shipped !== null);
      const started = await start(t);
      if (started === null) return;
      try {
        for (const trial of trials) {
          await t.test(trial.what, async () => judge(await outcomeOf(shipped, started.url, trial), trial));
        }
      } finally {
        await started.stop();
      }
    });
  }
});

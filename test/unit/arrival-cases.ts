/**
 * Arrivals through the engine, before raw servers: counts, planned instants, room, holds, and a stop. Over one way in the
 * unit tests, over all of them in the long ones.
 */
import assert from 'node:assert/strict';
import type net from 'node:net';
import { test } from 'node:test';
import { startTimes } from '#dist/plan/arrivals.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { scheduleOf } from '#dist/plan/stages/arrive.js';
import { type FireAtOptions, type Fired, fireAt, onRequest, pause, rowMs, switching } from './fire-raw.js';

const accept = onRequest((socket, request) => socket.write(switching(request)));

/** The planned instants of the run's only burst, ms after T0. */
function planned(stage: object): Float64Array {
  const plan = compilePlan(checkProfile({ target: { url: 'ws://127.0.0.1/' }, stages: [stage] }, 'test'));
  const [first] = plan.stages;
  assert.ok(first?.kind === 'arrive');
  return startTimes(scheduleOf(first, plan.seed, 0));
}

function accounted({ arrivals, outcomes, rows }: Fired): { started: number; skipped: number; planned: number } {
  assert.ok(arrivals !== null);
  const attempts = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  assert.equal(arrivals.started, attempts);
  assert.equal(rows.length, attempts);
  return arrivals;
}

/** Declares the tests. @param options how connections are made */
export function arrivalTests(options: FireAtOptions): void {
  test('each start of the schedule is one connection at its planned instant, never before', async () => {
    let connections = 0;
    const stage = { arrive: { rate: '200/s', for: '400ms', spacing: 'poisson' } };
    const fired = await fireAt(
      (socket) => {
        connections++;
        accept(socket);
      },
      { ...options, stage },
    );
    assert.deepEqual(fired.outcomes, { 101: 80 });
    assert.equal(connections, 80);
    assert.equal(accounted(fired).skipped, 0);
    const times = planned(stage);
    const byAttempt = [...fired.rows].sort((a, b) => Number(a.attempt) - Number(b.attempt));
    // Without a wall clock `released_us` counts on the clock of the engine: distances from the first one.
    const first = rowMs(byAttempt[0], 'released_us') - rowMs(byAttempt[0], 'late_us') - times[0];
    byAttempt.forEach((row, i) => {
      assert.equal(row.attempt, `${i}`);
      const late = rowMs(row, 'late_us');
      assert.ok(late >= 0, `late by ${late} ms`);
      // Both columns are rounded to a microsecond, as are those of the first row.
      assert.ok(Math.abs(rowMs(row, 'released_us') - late - first - times[i]) < 0.01, `attempt ${i}`);
    });
    assert.ok((fired.arrivals?.lateMaxMs ?? 0) >= Math.max(...byAttempt.map((row) => rowMs(row, 'late_us'))) - 0.01);
  });

  test('a target that stands still does not hold up the starts, and its delay counts from the planned instants', async () => {
    const waiting: (() => void)[] = [];
    let isStill = false;
    const server = onRequest((socket, request) => {
      const answer = () => socket.write(switching(request));
      if (isStill) waiting.push(answer);
      else answer();
    });
    const still = setTimeout(() => {
      isStill = true;
    }, 100);
    const on = setTimeout(() => {
      isStill = false;
      for (const answer of waiting.splice(0)) answer();
    }, 500);
    const fired = await fireAt(server, { ...options, stage: { arrive: { rate: '200/s', for: '600ms' } } });
    clearTimeout(still);
    clearTimeout(on);
    assert.deepEqual(fired.outcomes, { 101: 120 });
    assert.equal(accounted(fired).skipped, 0);
    const waits = fired.rows.map((row) => rowMs(row, 'done_us') + rowMs(row, 'late_us'));
    // 80 come while it stands still, evenly over 400 ms: a closed loop would see one of them wait.
    assert.ok(waits.filter((ms) => ms > 50).length >= 50, `${waits.filter((ms) => ms > 50).length} waited`);
    assert.ok(Math.max(...waits) > 300);
  });

  test('a start for which there is no room is skipped and counted, and no attempt', async () => {
    let inFlight = 0;
    let most = 0;
    const slow = onRequest((socket, request) => {
      most = Math.max(most, ++inFlight);
      setTimeout(() => {
        inFlight--;
        socket.write(switching(request));
      }, 200);
    });
    const stage = { arrive: { rate: '200/s', for: '300ms', maxOpen: 10 } };
    const fired = await fireAt(slow, { ...options, stage });
    const { started, skipped, planned: all } = accounted(fired);
    assert.equal(all, 60);
    assert.equal(started + skipped, 60);
    assert.ok(skipped > 0 && started >= 10, `${started} started`);
    assert.ok(most <= 10, `${most} in flight`);
    assert.deepEqual(fired.outcomes, { 101: started });
  });

  test('where the machine has room for few, the others are skipped', async () => {
    const slow = onRequest((socket, request) => setTimeout(() => socket.write(switching(request)), 100));
    const fired = await fireAt(slow, { ...options, room: 5, stage: { arrive: { rate: '100/s', for: '200ms' } } });
    const { started, skipped } = accounted(fired);
    assert.equal(started + skipped, 20);
    assert.ok(skipped > 0);
  });

  test('with a hold each connection is kept so long from its own 101, and its slot used again', async () => {
    const lives: number[] = [];
    const keeping = onRequest((socket, request) => {
      const since = performance.now();
      socket.write(switching(request));
      socket.once('close', () => lives.push(performance.now() - since));
      socket.once('end', () => socket.end());
    });
    const stage = { arrive: { rate: '50/s', for: '600ms', hold: '100ms' } };
    // Of 30 connections 5 are open at a time; the others need the slots of earlier ones.
    const fired = await fireAt(keeping, { ...options, room: 25, stage, seen: () => lives.length === 30 });
    assert.deepEqual(fired.outcomes, { 101: 30 });
    assert.equal(accounted(fired).skipped, 0);
    assert.deepEqual(fired.sessions.closed, { rst: 30 });
    assert.equal(fired.lost, 0);
    assert.ok((fired.sessions.heldMs?.min ?? 0) >= 99, `held for ${fired.sessions.heldMs?.min} ms`);
    // The server may be told a little late, and may have answered a little before it looked at its clock.
    assert.ok(Math.min(...lives) > 50);
    for (const row of fired.rows) assert.ok(rowMs(row, 'end_us') - rowMs(row, 'ready_us') >= 99);
  });

  test('a spread burst is held until so long after its last attempt, as a burst is', async () => {
    let open = 0;
    let most = 0;
    const keeping = onRequest((socket: net.Socket, request) => {
      socket.write(switching(request));
      most = Math.max(most, ++open);
      socket.once('end', () => socket.end());
      socket.once('close', () => open--);
    });
    const stage = { burst: 60, spread: '300ms' };
    const fired = await fireAt(keeping, { ...options, stage, profile: { session: { hold: '100ms' } } });
    assert.deepEqual(fired.outcomes, { 101: 60 });
    assert.equal(most, 60);
    assert.ok((fired.sessions.heldMs?.max ?? 0) > (fired.sessions.heldMs?.min ?? 0) + 150);
  });

  test('a stop ends what is in flight and starts no more; what was counted stays', async () => {
    let started = 0;
    const fired = await fireAt(
      (socket) => {
        started++;
        socket.resume();
      },
      { ...options, stage: { arrive: { rate: '100/s', for: '20s' } }, stopWhen: () => started >= 20 },
    );
    const { started: attempts, planned: all, skipped } = accounted(fired);
    assert.equal(all, 2000);
    assert.equal(skipped, 0);
    assert.ok(attempts >= 20 && attempts < 2000);
    assert.deepEqual(fired.outcomes, { aborted: attempts });
  });

  test('a stop ends connections that are held, and counts them as aborted', async () => {
    let isOpen = 0;
    const keeping = onRequest((socket, request) => {
      socket.write(switching(request));
      isOpen++;
    });
    const fired = await fireAt(keeping, {
      ...options,
      stage: { arrive: { rate: '100/s', for: '200ms', hold: '60s' } },
      stopHold: () => isOpen === 20,
    });
    assert.deepEqual(fired.outcomes, { 101: 20 });
    assert.equal(fired.sessions.aborted, 20);
    accounted(fired);
  });

  test('what the target ends while it is held is counted as lost, whenever it does', async () => {
    const cutting = onRequest((socket, request) => {
      socket.write(switching(request));
      setTimeout(() => socket.end(Buffer.from([0x88, 0x02, 0x03, 0xe9])), 50);
    });
    const stage = { arrive: { rate: '100/s', for: '300ms', hold: '5s' } };
    const fired = await fireAt(cutting, { ...options, stage, held: () => pause(300), stopHold: () => true });
    assert.deepEqual(fired.outcomes, { 101: 30 });
    assert.equal(fired.lost, 30);
    assert.deepEqual(fired.sessions.cut, { 1001: 30 });
  });
}

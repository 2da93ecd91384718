/**
 * Targets whose limit varies: one that an overload leaves with less for a while (caches lost, pods restarting, its own
 * retries), and one that fails at random under any load. A search for the drop-off must not be misled by them.
 */
import { nowUs } from '../server/due.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import { nginxPage } from '../server/pages.js';
import { type LabSettings, numberOf } from '../server/target-options.js';

/** How many it can carry after an overload. */
export function leftOf(settings: LabSettings): number {
  return Math.floor((numberOf(settings, 'capacity') * numberOf(settings, 'share')) / 100);
}

/** Refusing a client at its limit counts as an overload, and renews it while its effect lasts. */
export function startHysteretic(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const forUs = numberOf(settings, 'for') * 1000;
  const capacity = numberOf(settings, 'capacity');
  let taken = 0;
  let suffersUntilUs = Number.NEGATIVE_INFINITY;
  return openLab('hysteretic', settings, env, {
    onRequest(connection, request) {
      if (taken < (nowUs() < suffersUntilUs ? leftOf(settings) : capacity)) {
        connection.upgrade(request);
        if (connection.upgraded) taken += 1;
        return;
      }
      suffersUntilUs = nowUs() + forUs;
      connection.finish('503', nginxPage('503'));
    },
    onLeave() {
      taken -= 1;
    },
  });
}

const MILLION = 1_000_000;

export function startFlaky(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const failures = numberOf(settings, 'failures');
  const capacity = numberOf(settings, 'capacity');
  const random = randomFrom(numberOf(settings, 'seed'));
  let taken = 0;
  return openLab('flaky', settings, env, {
    onRequest(connection, request) {
      if (random() * MILLION < failures) connection.finish('500', nginxPage('500'));
      else if (capacity > 0 && taken >= capacity) connection.finish('503', nginxPage('503'));
      else {
        connection.upgrade(request);
        if (connection.upgraded) taken += 1;
      }
    },
    onLeave() {
      taken -= 1;
    },
  });
}

/** mulberry32: 32 bits of state are enough to choose failures. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

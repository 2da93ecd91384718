/**
 * Random plans against targets of the lab whose outcomes are certain, each fired over both transports: they must count the
 * same, and that is what the catalogue promises. A seed gives the same plans on every machine.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Kernel } from '#dist/engine/transport/epoll/system-calls.js';
import { findTarget } from '#dist/lab/catalogue/catalogue.js';
import { readSettings } from '#dist/lab/server/target-options.js';
import { type SpawnedLab, spawnLab } from '#dist/lab/spawn.js';
import { fire } from './fire-raw.js';

type Options = Readonly<Record<string, string | number | boolean>>;
type Counts = Readonly<Record<string, number>>;

export interface RandomPlan {
  readonly target: string;
  readonly options: Options;
  readonly size: number;
  readonly gate: 'connect' | 'upgrade';
  readonly timeoutMs: number;
  readonly close: 'clean' | 'reset';
  readonly sourceIps: readonly string[];
}

/** Of the same size as `LARGEST`, where a limit must not lie between. */
const LARGEST = 400;

/** Every target that speaks ws, with settings under which no clock and no chance has a part. */
const TARGETS: readonly (readonly [name: string, options: Options])[] = [
  ['healthy', {}],
  ['simultaneous-504', { timeout: '400ms', service: '10ms' }],
  ['slow-concurrent', { timeout: '500ms', service: '200ms', width: 20 }],
  ['negative-cache', { timeout: '400ms', service: '10ms' }],
  ...['503', '429', 'reset', 'closed', 'silent'].map((answer) => ['limit', { answer, max: 60 }] as const),
  ['limit', { answer: 'queue', queue: '200ms', max: 60 }],
  ['descriptor-limit', { max: 120 }],
  ['ports-exhausted', { max: 7 }],
  ['rate-limit', { rate: 0, burst: 90 }],
  ['rate-limit', { rate: 0, burst: 30, answer: '429' }],
  ['slow-accept', { backlog: LARGEST, block: '100ms' }],
  ['hysteretic', { capacity: 150 }],
  ['flaky', { failures: 0, capacity: 80 }],
  ['flaky', { failures: 1_000_000 }],
  ['backend-refused', {}],
  ['backend-unreachable', { connect: '50ms' }],
  ['backend-died', {}],
  ['backend-hangs', { timeout: '300ms' }],
  ['close-kills-server', {}],
  ['application-error', {}],
  ...['426', '404', '200'].map((answer) => ['upgrade-not-forwarded', { answer }] as const),
  ['plain-site', {}],
  ['wrong-path', {}],
  ['version-mismatch', {}],
  ['origin-refused', {}],
  ['auth-refused', {}],
  ['forbidden', {}],
  ['redirect', {}],
  ['bad-request', {}],
  ['header-too-large', {}],
  ['silent', {}],
  ['drip', { interval: '20ms' }],
  ['reset', {}],
  ['accept-then-fin', {}],
  ['half-head', {}],
  ['half-head', { end: 'hold' }],
  ['bad-accept', {}],
  ['response-too-large', {}],
  ['not-http', {}],
  ['malformed-answer', {}],
  ['tls-port', {}],
  ['tls-port', { answer: 'closed' }],
  ['nothing-listens', {}],
  ['syn-dropped', {}],
  ['idle-cut', { after: '20s' }],
  ['cut-after-upgrade', {}],
  ['cut-after-upgrade', { end: 'reset' }],
];

/** Nobody else's, so that closed pairs of one test do not stand in the way of another's. */
let lastHost = 0;
function nextHost(): string {
  lastHost = (lastHost % 40) + 1;
  return `127.0.7.${lastHost}`;
}

export function randomPlans(count: number, seed: number): RandomPlan[] {
  const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: LARGEST }));
  // Unbiased: small numbers and edges are the generator's, and here all sizes matter alike.
  const arbitrary = fc.noBias(
    fc.record({
      at: fc.nat({ max: TARGETS.length - 1 }),
      size,
      wantsUpgrade: fc.boolean(),
      shortMs: fc.integer({ min: 200, max: 900 }),
      longMs: fc.integer({ min: 6000, max: 60_000 }),
      close: fc.constantFrom('clean', 'reset', 'reset'),
      sources: fc.constantFrom(0, 0, 1, 3),
    }),
  );
  return fc.sample(arbitrary, { numRuns: count, seed }).map((drawn) => {
    const [target, options] = TARGETS[drawn.at];
    const expected = Object.keys(expectedOf(target, options, LARGEST));
    const isSilent = expected.length === 1 && expected[0].startsWith('timeout');
    // Where some are answered and others are not, the short time must do for those that are.
    const isHalf = !isSilent && expected.some((id) => id.startsWith('timeout'));
    const gates = findTarget(target)?.gates ?? [];
    return {
      target,
      options,
      size: drawn.size,
      gate: drawn.wantsUpgrade && gates.includes('upgrade') ? 'upgrade' : 'connect',
      timeoutMs: isSilent ? drawn.shortMs : isHalf ? 2000 : drawn.longMs,
      close: drawn.close as RandomPlan['close'],
      sourceIps: Array.from({ length: drawn.sources }, (_, i) => `127.0.8.${i + 1}`),
    };
  });
}

function expectedOf(target: string, options: Options, size: number): Counts {
  const found = findTarget(target);
  assert.ok(found !== null, target);
  const expected = found.expects(size, readSettings(target, found.options, options));
  assert.ok(expected !== null, `${target} ${JSON.stringify(options)} has an exact prediction`);
  return expected as Counts;
}

/** Whether a burst leaves the target as it found it, whatever its size. */
function isStateless({ target, options }: RandomPlan): boolean {
  return findTarget(target)?.expectsLater == null && Object.keys(expectedOf(target, options, LARGEST)).length === 1;
}

/** Targets that stay as they are, by what they are: started once for all plans. */
export class Labs {
  readonly #labs = new Map<string, Promise<SpawnedLab>>();

  /** A target nobody has been at, or one that does not mind. */
  at(plan: RandomPlan, use: string): Promise<SpawnedLab> {
    const key = JSON.stringify([plan.target, plan.options, isStateless(plan) ? null : use]);
    const lab = this.#labs.get(key) ?? spawnLab(plan.target, { ...plan.options, host: nextHost() });
    this.#labs.set(key, lab);
    return lab;
  }

  /** Ends all that somebody has been at. */
  async stop(use: string | null = null): Promise<void> {
    for (const [key, lab] of this.#labs) {
      if (use !== null && (JSON.parse(key) as unknown[])[2] !== use) continue;
      this.#labs.delete(key);
      await (await lab).stop();
    }
  }
}

/** Fires the plan over both. @throws AssertionError where they differ, or are not what the catalogue promises */
export async function checkBoth(plan: RandomPlan, labs: Labs, kernel: Kernel): Promise<void> {
  const countedBy = async (name: string, way: Kernel | null): Promise<Counts> => {
    const lab = await labs.at(plan, name);
    const { outcomes } = await fire(lab.url, {
      kernel: way,
      n: plan.size,
      gate: plan.gate,
      timeoutMs: plan.timeoutMs,
      close: plan.close,
      target: { sourceIps: plan.sourceIps },
    });
    await labs.stop(name);
    return outcomes;
  };
  // Side by side: most of the time passes in waiting for a gateway's patience.
  const [node, epoll] = await Promise.all([countedBy('node', null), countedBy('epoll', kernel)]);
  assert.deepEqual(epoll, node, 'both count the same');
  assert.deepEqual(epoll, expectedOf(plan.target, plan.options, plan.size), 'and what the target states');
}

export function titleOf(plan: RandomPlan): string {
  const options = Object.entries(plan.options).map(([name, value]) => `--${name} ${value}`);
  const sources = plan.sourceIps.length === 0 ? '' : `, ${plan.sourceIps.length} sources`;
  return `${plan.size} at ${[plan.target, ...options].join(' ')}, gate ${plan.gate}, -t ${plan.timeoutMs}ms, ${plan.close}${sources}`;
}

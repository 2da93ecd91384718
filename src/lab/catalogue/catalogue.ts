/**
 * The catalogue of targets that fail as real stacks do, as data: what each one is, its options, its cause, and the
 * outcomes that a burst against it must produce. Tests, `lab --list` and the documentation all read it, so they cannot
 * contradict each other.
 */

import { type LabTarget, split, withDefaults } from '../server/target.js';
import { startHealthy } from '../targets/healthy.js';
import { BACKEND_TARGETS } from './catalogue-backend.js';
import { CAPACITY_TARGETS } from './catalogue-capacity.js';
import { CONFIGURATION_TARGETS } from './catalogue-configuration.js';
import { HOP_TARGETS } from './catalogue-hops.js';
import { STORM_TARGETS } from './catalogue-storms.js';
import { WIRE_TARGETS } from './catalogue-wire.js';

const HEALTHY: LabTarget = withDefaults({
  name: 'healthy',
  story: 'A ws server that works. Echoes messages.',
  cause: () => null,
  expects: (n) => split(n, n, '101'),
  start: startHealthy,
});

export const CATALOGUE: readonly LabTarget[] = [
  HEALTHY,
  ...CAPACITY_TARGETS,
  ...BACKEND_TARGETS,
  ...CONFIGURATION_TARGETS,
  ...HOP_TARGETS,
  ...WIRE_TARGETS,
  ...STORM_TARGETS,
];

/** null when there is no such target. */
export function findTarget(name: string): LabTarget | null {
  return CATALOGUE.find((target) => target.name === name) ?? null;
}

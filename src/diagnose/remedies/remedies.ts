/**
 * What to do about a cause: how to confirm it and how to mend it, in general and with the directives of the gateway that
 * was recognised. Text as data: the diagnosis quotes it, the documentation prints it whole.
 */
import type { CauseId } from '../causes.js';
import { BACKEND_REMEDIES } from './remedies-backend.js';
import { CAPACITY_REMEDIES } from './remedies-capacity.js';
import { SETUP_REMEDIES } from './remedies-setup.js';
import type { Remedy } from './remedy.js';

const REMEDIES: Readonly<Record<string, Remedy>> = { ...CAPACITY_REMEDIES, ...BACKEND_REMEDIES, ...SETUP_REMEDIES };

/** @throws Error for a cause without one: a bug, and a test looks for it */
export function remedyOf(cause: CauseId): Remedy {
  const remedy = REMEDIES[cause];
  if (remedy === undefined) throw new Error(`no remedy for ${cause}`);
  return remedy;
}

/** The directive of the hop first, the general advice after it. */
export function remedyText(cause: CauseId, hop: string | null): string {
  const { fix, at } = remedyOf(cause);
  const there = hop === null ? undefined : at?.[hop];
  return there === undefined ? fix : `${there} ${fix}`;
}

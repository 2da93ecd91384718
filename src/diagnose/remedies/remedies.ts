/**
 * What to do about a cause: how to confirm it and how to fix it, in general and with the directives of the recognised
 * gateway. Text as data: the diagnosis quotes it, the documentation prints all of it.
 */
import type { CauseId } from '../causes.js';
import { BACKEND_REMEDIES } from './remedies-backend.js';
import { CAPACITY_REMEDIES } from './remedies-capacity.js';
import { HOP_REMEDIES } from './remedies-hops.js';
import { SETUP_REMEDIES } from './remedies-setup.js';
import type { Remedy } from './remedy.js';

const REMEDIES: Readonly<Record<string, Remedy>> = {
  ...CAPACITY_REMEDIES,
  ...BACKEND_REMEDIES,
  ...SETUP_REMEDIES,
  ...HOP_REMEDIES,
};

/** @throws Error for a cause without a remedy: a bug, which a test looks for */
export function remedyOf(cause: CauseId): Remedy {
  const remedy = REMEDIES[cause];
  if (remedy === undefined) throw new Error(`no remedy for ${cause}`);
  return remedy;
}

/**
 * With these statuses a gateway reports a problem of its backend: changing the gateway's own directives does not help.
 */
const OF_THE_BACKEND = new Set(['502', '504', '521', '522', '524']);

/**
 * The directive of the hop first, then the general advice.
 * @param outcomes the outcomes that the cause explains: they show whose limit it is
 */
export function remedyText(cause: CauseId, hop: string | null, outcomes: readonly string[] = []): string {
  const { fix, at, behind } = remedyOf(cause);
  const isBehind = behind !== undefined && outcomes.length > 0 && outcomes.every((id) => OF_THE_BACKEND.has(id));
  const there = isBehind ? behind : hop === null ? undefined : at?.[hop];
  return there === undefined ? fix : `${there} ${fix}`;
}

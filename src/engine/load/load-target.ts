/** The target of a load: the plan's, or the local test server in its place. */
import type { Inputs, Plan } from '../../plan/plan.js';
import type { Destination } from '../transport/transport.js';

export interface LoadTarget {
  readonly plan: Plan;
  readonly inputs: Inputs;
  readonly destinations: readonly Destination[];
  readonly tlsSession: Uint8Array | null;
  readonly wantRows: boolean;
}

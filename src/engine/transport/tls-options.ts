/** The TLS settings of a plan, without a connection: trusted CAs, client certificate, session to resume. */
import tls from 'node:tls';
import type { Inputs, Plan } from '../../plan/plan.js';

export interface TlsOptions {
  readonly context: tls.SecureContext;
  /** The name that the certificate must match; also sent as SNI unless it is an address (RFC 6066 section 3). */
  readonly servername: string;
  readonly rejectUnauthorized: boolean;
  /** A session from the preflight to resume; null: full handshakes. */
  readonly session: Buffer | null;
}

/** One SecureContext for all connections: building one costs more than a handshake. Null over ws. */
export function tlsOptions(plan: Plan, inputs: Inputs, session: Uint8Array | null): TlsOptions | null {
  if (plan.target.scheme !== 'wss') return null;
  const { ca, cert, key } = inputs.tls;
  return {
    context: tls.createSecureContext({ ca: ca ?? undefined, cert: cert ?? undefined, key: key ?? undefined }),
    servername: plan.target.tls.servername ?? plan.target.host,
    rejectUnauthorized: !plan.target.tls.insecure,
    session: session === null ? null : Buffer.from(session),
  };
}

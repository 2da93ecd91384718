/**
 * Targets with one TLS problem each: certificates that a client does not accept, versions that it does not support, a
 * client certificate that it does not have, a plaintext port for clients that use TLS, and the reverse.
 */
import { createSecureContext, TLSSocket } from 'node:tls';
import { LAB_CERTIFICATE, LAB_PRIVATE_KEY } from '../server/certificate.js';
import type { Behaviour, Connection } from '../server/connection.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import { nginxNoClientCertificate, nginxPage, nginxPlainToTls } from '../server/pages.js';
import { type LabSettings, textOf } from '../server/target-options.js';
import { WRONG_CERTIFICATES } from '../server/wrong-certificates.js';
import { wsServer } from './healthy.js';

interface TlsFault {
  /** Id of its cause. */
  readonly cause: string;
  readonly behaviour: Partial<Behaviour>;
}

/** By the word of `--fault`. */
const FAULTS: Readonly<Record<string, TlsFault>> = {
  expired: { cause: 'tls-expired', behaviour: { tls: { cert: WRONG_CERTIFICATES.expired } } },
  'not-yet-valid': { cause: 'tls-expired', behaviour: { tls: { cert: WRONG_CERTIFICATES['not-yet-valid'] } } },
  'wrong-name': { cause: 'tls-wrong-name', behaviour: { tls: { cert: WRONG_CERTIFICATES['wrong-name'] } } },
  'unknown-ca': { cause: 'tls-untrusted', behaviour: { tls: { cert: WRONG_CERTIFICATES['unknown-ca'] } } },
  'old-version': {
    cause: 'tls-protocol',
    // OpenSSL 3 signs for TLS 1.1 only at security level 0.
    behaviour: { tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } },
  },
  'no-common-cipher': {
    cause: 'tls-protocol',
    // These ciphers need RSA certificates, and the lab has none.
    behaviour: { tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' } },
  },
  'client-certificate': {
    cause: 'tls-client-certificate',
    behaviour: { wantsCertificate: true, tls: { ca: LAB_CERTIFICATE } },
  },
};

export const TLS_FAULT_NAMES: readonly string[] = [...Object.keys(FAULTS), 'client-certificate-400', 'plaintext'];

export function causeOfTlsFault(fault: string): string {
  if (fault === 'plaintext') return 'plaintext-port';
  return FAULTS[fault]?.cause ?? 'tls-client-certificate';
}

export function startTlsWrong(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const fault = textOf(settings, 'fault');
  if (fault === 'plaintext') return startPlaintext(settings, env);
  const server = wsServer();
  const served: Behaviour = {
    onRequest: () => {},
    onConnection: (connection) => server.adopt(connection.stream, connection),
    onStop: () => server.stop(),
    // Most clients reject a certificate after the server has finished its part of the handshake.
    leftAfterTls: 'tls',
    ...FAULTS[fault]?.behaviour,
  };
  /** nginx asks for a certificate, completes TLS without one, and refuses the request. */
  const refused: Behaviour = {
    onRequest: (connection) => connection.finish('400', nginxNoClientCertificate()),
  };
  const behaviour = fault === 'client-certificate-400' ? refused : served;
  return openLab('tls-wrong', { ...settings, tls: true }, env, behaviour);
}

/** The server finds no HTTP in the client's hello; the client finds no TLS in the server's 400. */
function startPlaintext(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return openLab('tls-wrong', { ...settings, tls: false }, env, {
    scheme: 'wss',
    onRequest: (connection, request) => connection.upgrade(request),
    onTlsHello(connection) {
      connection.countUnasked('tls');
      connection.stream.end(nginxPage('400'), 'latin1');
    },
  });
}

/** Its URL says ws://; a client that uses TLS anyway finds a healthy server. */
export function startTlsPort(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const answer = textOf(settings, 'answer');
  const context = createSecureContext({ cert: LAB_CERTIFICATE, key: LAB_PRIVATE_KEY });
  const server = wsServer();
  return openLab('tls-port', { ...settings, tls: false }, env, {
    scheme: 'ws',
    onRequest(connection) {
      if (answer === 'closed') connection.finish('closed', '');
      else connection.finish('400', nginxPlainToTls());
    },
    onTlsHello: (connection, hello) => server.adopt(secured(connection, hello, context), connection),
    onStop: () => server.stop(),
  });
}

function secured(connection: Connection, hello: Buffer, secureContext: ReturnType<typeof createSecureContext>) {
  const { stream } = connection.take();
  stream.unshift(hello);
  const tls = new TLSSocket(stream, { isServer: true, secureContext });
  tls.on('error', () => {});
  tls.on('_tlsError', () => stream.destroy());
  return tls;
}

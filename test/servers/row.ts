/**
 * A row of the server matrix, as data: a real server, the request that is right for it, and mistakes that people make
 * with it, each with what the handshake ends in and the cause that explains it. Knows neither how a server is started nor
 * how a row is judged.
 */
import type { Place, Server } from './server.js';

/** A request as a user writes it. SECRET in the path stands for what the server told when it started. */
export interface Asked {
  /** With its query; may hold the tool's `{{ index }}`. */
  readonly path: string;
  /** Default ws. */
  readonly scheme?: 'ws' | 'wss';
  readonly subprotocol?: string;
  readonly origin?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Mistake {
  /** A few words, as in `no subprotocol`. */
  readonly what: string;
  readonly asked: Asked;
  /** How every such handshake may end, here and for an ordinary client. 101: the server rejects after it has accepted. */
  readonly ends: readonly string[];
  /** Ids of causes, any of which is right. */
  readonly causes: readonly string[];
  /**
   * What tells the cause. `answer` (the default): the answer itself, so that check and burst name it first. `probes`: only
   * the probes of check, which must name it first. `nothing`: others would look the same, and check names it among them.
   * Where a burst cannot know it must not be sure of another.
   */
  readonly toldBy?: 'answer' | 'probes' | 'nothing';
}

/** Where a server comes from, and the line that installs it. */
export type Source =
  | 'npm'
  | { readonly program: string; readonly debian: string }
  | { readonly module: string; readonly debian: string };

export interface Row {
  /** As in a title: `socket.io`. */
  readonly id: string;
  readonly source: Source;
  /** The same one every time, outside of the ephemeral ports and of those that other tests take. */
  readonly port: number;
  /** Default: one of loopback of its own. */
  readonly host?: string;
  readonly start: (place: Place) => Promise<Server>;
  /** How it counts what it accepts; null: it does not tell. */
  readonly counts: string | null;
  /** Attempts of a burst; default 200. Fewer where its listen queue holds no more: then several bursts are fired. */
  readonly size?: number;
  readonly right: Asked;
  readonly mistakes: readonly Mistake[];
  /** In every long run; all others run in the benchmark only. */
  readonly isLong?: true;
  /** What is special about it. */
  readonly note?: string;
}

/** Ends of a handshake to which no HTTP answer comes: FIN or RST is up to the server's kernel where bytes are left unread. */
export const NO_ANSWER = ['closed', 'reset'];
export const SILENCE = ['timeout-upgrade'];

export function wrongPath(path: string, ends: string, asked: Omit<Asked, 'path'> = {}): Mistake {
  // A hop that takes Upgrade away makes the same 404 of a right path.
  const toldBy = ends === '404' ? 'nothing' : 'answer';
  return { what: 'wrong path', asked: { ...asked, path }, ends: [ends], causes: ['wrong-path'], toldBy };
}

export function wrongToken(path: string, ends: string, causes: readonly string[] = ['auth-refused']): Mistake {
  return { what: 'expired token', asked: { path }, ends: [ends], causes };
}

export function wrongOrigin(asked: Asked, ends: string): Mistake {
  const origin = 'https://other.example';
  return { what: 'wrong Origin', asked: { ...asked, origin }, ends: [ends], causes: ['origin-refused'] };
}

/** wss:// to a port that speaks no TLS. */
export function overTls(asked: Asked): Mistake {
  return {
    what: 'wss:// to its plain port',
    asked: { ...asked, scheme: 'wss' },
    ends: ['tls'],
    causes: ['plaintext-port'],
  };
}

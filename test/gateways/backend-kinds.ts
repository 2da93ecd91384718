/**
 * What can stand behind a gateway, as data: the kinds of backend and their settings, and what a backend tells of itself.
 * Knows no socket; backend.ts is the process.
 */

/** How a ws server was built: what an ordinary GET is answered with, and what becomes of it when it closes itself. */
export type Built =
  /** `new WebSocketServer({ port })`. */
  | 'port'
  /** `{ server }` beside an application that answers every other path as Express does. */
  | 'express'
  /** `{ server }` beside a handler of its own that answers every GET. */
  | 'handler'
  /** `{ server }` of an http server that nobody gave a handler. */
  | 'bare'
  /** As `bare`, and somebody else listens to 'upgrade' too: an agent that watches, another ws server. */
  | 'watched'
  /** `{ noServer }`: the application hands upgrades over. */
  | 'noServer';

export type BackendSettings =
  | { readonly kind: 'none' }
  /** @property closesItself the handler of a socket's end closes the server of all */
  | { readonly kind: 'ws'; readonly built: Built; readonly closesItself?: boolean }
  /** Checks each client for `delayMs`; closes itself when `after` of them are being checked. */
  | { readonly kind: 'closes-in-flight'; readonly delayMs: number; readonly after: number }
  /** A web server that knows no WebSocket. */
  | { readonly kind: 'site' }
  /**
   * One upgrade after another, `serviceMs` each, the k-th of a queue at k times that on an absolute schedule, so that a
   * late timer costs nothing; `burns`: by computing for so long, as a password hash does.
   */
  | { readonly kind: 'serial'; readonly serviceMs: number; readonly servesDead?: boolean; readonly burns?: boolean }
  /** `delayMs` each, at most `atOnce` at a time; null: all. */
  | { readonly kind: 'concurrent'; readonly delayMs: number; readonly atOnce: number | null }
  | { readonly kind: 'hangs' }
  /** Killed `afterMs` after it has read `after` requests, having answered none. */
  | { readonly kind: 'dies'; readonly after: number; readonly afterMs: number }
  /** A healthy server that, told to, stands still until `blockMs` after somebody waits in its accept queue. */
  | { readonly kind: 'blocks'; readonly backlog: number; readonly blockMs: number }
  /** `server.maxConnections`. */
  | { readonly kind: 'limited'; readonly max: number }
  /** Answers every request with these bytes, as they are. */
  | { readonly kind: 'says'; readonly text: string; readonly ends: boolean };

/** Since the last report. */
export interface BackendReport {
  /** Upgrades that were asked for. */
  readonly asked: number;
  /** Upgrades that were granted. */
  readonly served: number;
  /** First to last of those asked for. */
  readonly spreadMs: number;
  /** Serial: the mean time between two services while others waited. Concurrent: how long one took. Null: none to tell. */
  readonly serviceMs: number | null;
  /** For how long it was kept from running since the first of them, by its own work or by other processes. */
  readonly stalledMs: number;
}

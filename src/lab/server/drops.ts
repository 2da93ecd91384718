/**
 * The open tunnels of a target that can be told to drop them: by an HTTP request to `/drop` at its own port
 * (`curl http://127.0.0.1:PORT/drop`), or by itself once `--drop-at` of them are open. What follows a drop is the
 * target's affair.
 */
import type { Connection } from './connection.js';
import { labAnswer } from './pages.js';
import { hasToken, type Request } from './request-head.js';
import { type LabOption, type LabSettings, numberOf, textOf } from './target-options.js';
import { closeFrame } from './tunnel.js';

const DROP_PATH = '/drop';
/** A client that has not closed by then is cut, as the exit of a process does. */
const PATIENCE_MS = 1000;

const SERVICE_RESTART = 1012;
const DROP_ENDS = ['fin', 'reset', 'close-frame'];

/** The options of every target that drops its clients. */
export const DROP_OPTIONS: readonly LabOption[] = [
  {
    name: 'drop-at',
    type: 'count',
    choices: [],
    default: 0,
    help: 'drop once so many connections are open together; 0: only when GET /drop asks for it',
  },
  {
    name: 'drop-delay',
    type: 'duration',
    choices: [],
    default: '5s',
    help: 'how long after --drop-at was reached',
  },
  {
    name: 'end',
    type: 'choice',
    choices: DROP_ENDS,
    default: 'fin',
    help: 'how clients are dropped: TCP closed, reset, or a close frame with 1012',
  },
];

export class Drops {
  readonly #at: number;
  readonly #delayMs: number;
  readonly #end: string;
  readonly #order: () => void;
  readonly #open = new Set<Connection>();
  #timer: NodeJS.Timeout | null = null;
  #isSpent = false;

  /** @param order called when the clients are to be dropped */
  constructor(settings: LabSettings, order: () => void) {
    this.#at = numberOf(settings, 'drop-at');
    this.#delayMs = numberOf(settings, 'drop-delay');
    this.#end = textOf(settings, 'end');
    this.#order = order;
  }

  /** Whether the request was an order to drop; it is answered then. */
  obeys(connection: Connection, request: Request): boolean {
    const isHandshake = hasToken(request.headers.get('upgrade'), 'websocket');
    if (request.target.split('?')[0] !== DROP_PATH || isHandshake) return false;
    connection.finish('200', labAnswer(`dropping ${this.#open.size} connections\n`));
    this.#order();
    return true;
  }

  /** It has had its 101. */
  joined(connection: Connection): void {
    this.#open.add(connection);
    if (this.#at === 0 || this.#isSpent || this.#open.size < this.#at) return;
    this.#isSpent = true;
    this.#timer = setTimeout(this.#order, this.#delayMs);
  }

  left(connection: Connection): void {
    this.#open.delete(connection);
  }

  /** Ends those that `isMeant` chooses, all if it is absent. */
  drop(isMeant: (connection: Connection) => boolean = () => true): void {
    const dropped = [...this.#open].filter(isMeant);
    for (const connection of dropped) this.#endOne(connection);
    setTimeout(() => {
      for (const connection of dropped) connection.destroy();
    }, PATIENCE_MS).unref();
  }

  #endOne(connection: Connection): void {
    if (!connection.open) return;
    if (this.#end === 'reset') connection.reset('reset');
    else connection.stream.end(this.#end === 'fin' ? '' : closeFrame(SERVICE_RESTART, 'service restart'));
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}

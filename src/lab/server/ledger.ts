/**
 * What a lab target received and sent: connections accepted, complete requests, and for each request the outcome that
 * its client must see. The counts of a load generator are checked against it, so it counts the target's own events and
 * knows nothing about clients.
 */
import { createWriteStream, openSync, type WriteStream } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { UserError } from '../../errors.js';
import { monotonicMs } from '../../host.js';
import type { OutcomeId } from '../../names/outcomes.js';

export interface LabReport {
  readonly target: string;
  /** TCP connections accepted. */
  readonly accepted: number;
  /** Request heads received completely. */
  readonly requests: number;
  /** Valid 101s sent. */
  readonly upgraded: number;
  /** Answered by anything but a valid 101, including RST and a failed TLS handshake; no answer is not counted here. */
  readonly refused: number;
  /** The outcome that each client must have seen; `timeout-upgrade` is a request without an answer. */
  readonly byOutcome: Readonly<Record<string, number>>;
  /** The largest number of TCP connections open at the same time. */
  readonly openMax: number;
  /** The largest number of upgraded connections open at the same time. */
  readonly upgradedOpenMax: number;
}

/** When a request was complete, on two clocks: since the Unix epoch, and CLOCK_MONOTONIC; both in µs. */
export interface Receipt {
  readonly epochUs: number;
  readonly monotonicUs: number;
}

const LOG_HEADER = 'received_us,remote_port,outcome,monotonic_us\n';
const LOG_FLUSH_CHARACTERS = 65_536;

export class Ledger {
  readonly #target: string;
  readonly #byOutcome = new Map<OutcomeId, number>();
  #accepted = 0;
  #requests = 0;
  #open = 0;
  #openMax = 0;
  #upgradedOpen = 0;
  #upgradedOpenMax = 0;
  #log: WriteStream | null = null;
  #rows = '';
  #flushing: NodeJS.Timeout | null = null;

  /**
   * @param log a file with one row per request: receipt in µs since the epoch, the client's port, outcome, and the
   * receipt on CLOCK_MONOTONIC, which a client on the same machine can compare without adjusting clocks
   * @param note called once when the log can no longer be written
   * @throws UserError `lab` when the log cannot be opened
   */
  constructor(target: string, log: string | null, note: (message: string) => void) {
    this.#target = target;
    if (log === null) return;
    this.#log = createWriteStream(log, { fd: openLog(log) });
    this.#log.on('error', (error) => {
      if (this.#log !== null) note(`the log ${log} ends here: ${error.message}`);
      this.#log = null;
    });
    this.#rows = LOG_HEADER;
    // Flushed every second: written only at the end, the log would be lost if the lab is killed; one write per row
    // would cost more than a response.
    this.#flushing = setInterval(() => this.#flush(), 1000).unref();
  }

  connectionOpened(): void {
    this.#accepted += 1;
    this.#open += 1;
    if (this.#open > this.#openMax) this.#openMax = this.#open;
  }

  connectionClosed(wasUpgraded: boolean): void {
    this.#open -= 1;
    if (wasUpgraded) this.#upgradedOpen -= 1;
  }

  requestReceived(): Receipt {
    this.#requests += 1;
    return {
      epochUs: Math.round((performance.timeOrigin + performance.now()) * 1000),
      monotonicUs: Math.round(monotonicMs() * 1000),
    };
  }

  /** @param receipt null for an outcome without a request: a failed TLS handshake */
  outcomeGiven(outcome: OutcomeId, remotePort: number, receipt: Receipt | null): void {
    this.#byOutcome.set(outcome, (this.#byOutcome.get(outcome) ?? 0) + 1);
    if (outcome === '101') {
      this.#upgradedOpen += 1;
      if (this.#upgradedOpen > this.#upgradedOpenMax) this.#upgradedOpenMax = this.#upgradedOpen;
    }
    if (this.#log === null) return;
    this.#rows += `${receipt?.epochUs ?? ''},${remotePort},${outcome},${receipt?.monotonicUs ?? ''}\n`;
    if (this.#rows.length >= LOG_FLUSH_CHARACTERS) this.#flush();
  }

  report(): LabReport {
    const byOutcome = Object.fromEntries([...this.#byOutcome].sort(([a], [b]) => (a < b ? -1 : 1)));
    const ended = [...this.#byOutcome.values()].reduce((sum, count) => sum + count, 0);
    const upgraded = this.#byOutcome.get('101') ?? 0;
    return {
      target: this.#target,
      accepted: this.#accepted,
      requests: this.#requests,
      upgraded,
      refused: ended - upgraded - (this.#byOutcome.get('timeout-upgrade') ?? 0),
      byOutcome,
      openMax: this.#openMax,
      upgradedOpenMax: this.#upgradedOpenMax,
    };
  }

  /** Writes the rest of the log and closes it. */
  async close(): Promise<void> {
    if (this.#flushing !== null) clearInterval(this.#flushing);
    this.#flush();
    const log = this.#log;
    if (log === null) return;
    await new Promise<void>((resolve) => {
      log.once('error', () => resolve());
      log.end(resolve);
    });
  }

  #flush(): void {
    if (this.#rows !== '') this.#log?.write(this.#rows);
    this.#rows = '';
  }
}

function openLog(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new UserError(`lab --log: cannot write ${path}: ${(error as Error).message}`, { code: 'lab' });
  }
}

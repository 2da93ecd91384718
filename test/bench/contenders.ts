/**
 * What is measured side by side in one run: both transports of wstampede, as far as this machine has them, and the
 * reference client where WST_REF_CLIENT names one. Each is a command line; how it is measured is not known here.
 */
import { fileURLToPath } from 'node:url';
import type { Result } from '#dist/result/result.js';
import { CLI } from '../cli.js';
import type { Table } from './figures.js';
import { type Target, timed } from './processes.js';

export const TRANSPORTS = ['epoll', 'node'] as const;
export type Transport = (typeof TRANSPORTS)[number];

export const WS_CLIENT = fileURLToPath(new URL('./ws-client.js', import.meta.url));

export interface Contenders {
  /** Those that work here, in the order of the columns. */
  readonly transports: readonly Transport[];
  /** The others, and why they do not. */
  readonly missing: readonly (readonly [transport: Transport, reason: string])[];
  /** Program of the reference client. */
  readonly reference: string | null;
}

export function wstampede(transport: Transport, ...args: readonly string[]): readonly string[] {
  return [process.execPath, CLI, ...args, '--transport', transport, '--no-progress', '--json'];
}

/** Without the handshakes before the burst, which would be measured along with it. */
export function bare(transport: Transport, ...args: readonly string[]): readonly string[] {
  return wstampede(transport, ...args, '--no-preflight');
}

/** Asks each transport for one handshake: what is refused, or silently replaced by another, is missing. */
export async function findContenders(target: Target, reference: string | null): Promise<Contenders> {
  const transports: Transport[] = [];
  const missing: [Transport, string][] = [];
  for (const transport of TRANSPORTS) {
    const ran = await timed(bare(transport, 'burst', target.url(), '-c', '1', '--no-calibrate'));
    const used = ran.code === 0 ? (JSON.parse(ran.stdout) as Result).generators[0].transport : null;
    if (used === transport) transports.push(transport);
    else missing.push([transport, used === null ? firstLine(ran.stderr) : `${used} took its place`]);
  }
  if (transports.length === 0) throw new Error(`no transport works: ${missing.map((one) => one[1]).join('; ')}`);
  return { transports, missing, reference };
}

function firstLine(text: string): string {
  return text
    .trim()
    .split('\n')[0]
    .replace(/^wstampede: /, '');
}

/** The rows that a table owes to what could not be measured; the reasons are told once. */
export function missingRows({ missing }: Contenders, width: number): Table['rows'] {
  const rest = Array.from({ length: width - 2 }, () => '');
  return missing.map(([transport]) => [`wstampede ${transport}`, 'not available', ...rest]);
}

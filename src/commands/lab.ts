/**
 * `wstampede lab`: starts a target that fails as real stacks do, or lists the targets. Reads the catalogue and has no
 * code for particular targets.
 */
import { EXIT, type ExitCode, SIGNAL_EXIT, type SignalName, UserError } from '../errors.js';
import type { Host } from '../host.js';
import { CATALOGUE, findTarget } from '../lab/catalogue/catalogue.js';
import { BEHIND } from '../lab/gateway/behind.js';
import { GATEWAYS } from '../lab/gateway/gateway-config.js';
import { serveLab } from '../lab/serve.js';
import type { LabTarget } from '../lab/server/target.js';
import { COMMON_OPTIONS, type LabOption, type LabSettings, readSettings } from '../lab/server/target-options.js';
import { didYouMean, nearest } from '../plan/suggest.js';
import { wrap } from '../report/terminal/text-width.js';
import { listenForSignals } from './console.js';

export interface LabArguments {
  readonly name?: string;
  readonly list?: boolean;
  /** The flags of the target, not parsed yet. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The burst size for the expected outcomes in `--list`. */
const LISTED_BURST = 500;
const LINE_WIDTH = 78;

/**
 * Serves until a signal comes, then prints what the target received; the second signal ends at once.
 * @throws UserError `lab` for an unknown target or option, or an address that cannot be used
 */
export async function lab(args: LabArguments, host: Host): Promise<ExitCode> {
  if (args.list === true || args.name === undefined) {
    const [stray] = Object.keys(args.options);
    if (stray !== undefined) {
      const near = nearest(stray, ['list']);
      throw new UserError(
        `lab has no option --${stray} without a target${near === null ? '' : ' (did you mean --list?)'}`,
        {
          code: 'lab',
          hint: 'wstampede lab NAME --help',
        },
      );
    }
    await new Promise((resolve) => host.stdout.write(listing(), resolve));
    return EXIT.ok;
  }
  const target = findTarget(args.name);
  if (target === null) throw unknownTarget(args.name);
  const settings = readSettings(target.name, target.options, args.options, nearest);
  const signals = listenForSignals(host, { note: () => {}, leave: () => {} });
  const stopped = new Promise<void>((resolve) => {
    signals.signal.addEventListener('abort', () => resolve());
  });
  // There is nothing to be saved.
  signals.hurry.addEventListener('abort', () => host.exit(SIGNAL_EXIT[signals.hurry.reason as SignalName]));
  try {
    await serveLab(target, settings, host, stopped);
  } finally {
    signals.stop();
  }
  return EXIT.ok;
}

/** The options of the target named in `words`, for its help; without a target, where to find them. */
export function labHelp(words: readonly string[]): string {
  const target = CATALOGUE.find(({ name }) => words.includes(name));
  if (target === undefined) return 'Options of a target: wstampede lab NAME --help';
  return `${describeTarget(target)}\n\nAs every target\n${COMMON_OPTIONS.map(describeOption).join('\n')}`;
}

export function targetNames(): readonly string[] {
  return CATALOGUE.map(({ name }) => name);
}

function unknownTarget(name: string): UserError {
  const names = targetNames();
  return new UserError(`no lab target "${name}"${didYouMean(name, names)}`, {
    code: 'lab',
    hint: `targets: ${names.join(', ')} (wstampede lab --list)`,
  });
}

function listing(): string {
  const common = COMMON_OPTIONS.map(describeOption).join('\n');
  return `${CATALOGUE.map(describeTarget).join('\n\n')}\n\nEvery target\n${common}\n`;
}

function describeTarget(target: LabTarget): string {
  const own = target.options.filter((option) => !COMMON_OPTIONS.some((common) => common.name === option.name));
  const settings = readSettings(target.name, target.options, {});
  const expected = target.expects(LISTED_BURST, settings);
  const later = target.expectsLater?.(LISTED_BURST, settings) ?? null;
  const after = later === null || outcomes(later) === outcomes(expected ?? {}) ? null : outcomes(later);
  return [
    target.name,
    ...indented(target.story, 2),
    ...own.map(describeOption),
    ...indented(`a burst of ${LISTED_BURST}: ${expected === null ? 'no exact prediction' : outcomes(expected)}`, 2),
    ...(after === null ? [] : indented(`the next, once its clients have left: ${after}`, 2)),
    ...(BEHIND.has(target.name)
      ? [`  with a real gateway: --gateway ${gatewaysOf(target, settings).join(' | ')}`]
      : []),
    `  cause: ${target.cause(settings) ?? 'none, it is healthy'}`,
  ].join('\n');
}

/** The gateways that can show this behaviour with their default configuration. */
function gatewaysOf(target: LabTarget, settings: LabSettings): readonly string[] {
  return GATEWAYS.filter((gateway) => BEHIND.get(target.name)?.needs(gateway, settings) !== null);
}

function describeOption(option: LabOption): string {
  const value = option.type === 'switch' || option.default === null ? '' : ` (default ${option.default})`;
  const words = option.choices.length === 0 ? '' : `: ${option.choices.join(', ')}`;
  const kind = option.type === 'switch' ? '' : ` ${option.type.toUpperCase()}`;
  return [`    --${option.name}${kind}`, ...indented(`${option.help}${words}${value}`, 8)].join('\n');
}

function outcomes(expected: Readonly<Partial<Record<string, number>>>): string {
  return Object.entries(expected)
    .map(([outcome, count]) => `${count} x ${outcome}`)
    .join(', ');
}

function indented(text: string, indent: number): string[] {
  return wrap(text, LINE_WIDTH - indent).map((line) => ' '.repeat(indent) + line);
}

/**
 * Live progress on stderr while a run goes on: a bar on a terminal, plain lines in a log, nothing when asked to be
 * quiet. It only shows the numbers that it is given, and never writes to stdout. The bar's code is loaded only when
 * there is a bar, because loading it delays the first burst.
 */
import { type Host, monotonicMs } from '../../host.js';
import { glyphsOf, palette, safeText } from '../terminal/style.js';
import type { ProgressDisplay, ProgressOptions } from './display.js';

export async function startProgress(host: Pick<Host, 'stderr'>, options: ProgressOptions): Promise<ProgressDisplay> {
  const { yellow, dim } = palette(options.terminal.color);
  const glyphs = glyphsOf(options.terminal.unicode);
  const write = (text: string): void => {
    host.stderr.write(`${text}\n`);
  };
  const warning = (text: string): string => yellow(`warning: ${safeText(text)}`);
  const now = options.now ?? monotonicMs;
  if (options.enabled === 'bar') {
    const { LiveBar } = await import('./live-bar.js');
    return new LiveBar(host.stderr, options.terminal.width, glyphs, dim, warning, now);
  }
  if (options.enabled === 'plain') {
    const { PlainLines } = await import('./plain-lines.js');
    return new PlainLines(write, now, glyphs, warning);
  }
  return {
    note: (text) => {
      if (options.enabled === 'off') write(safeText(text));
    },
    warn: (text) => write(warning(text)),
    stage: () => {},
    burst: () => {},
    update: () => {},
    stop: () => {},
  };
}

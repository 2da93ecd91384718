/**
 * `session:` of a profile: a list of lines with six keys, the name of a shipped session, or the plain hold. Owns the
 * grammar of a line and the order of lines; sessionVars are held against it in session-checks.ts.
 */
import { z } from 'zod';
import type { Match, Payload, ScriptStep, StandingAnswer, StandingBeat } from '../../session/session-script.js';
import { templatedTexts } from '../../session/session-script.js';
import { didYouMean } from '../../suggest.js';
import { compileTemplate } from '../../template.js';
import { duration, map, shown, text } from '../field.js';
import { DAY_MS } from '../stages/bounds.js';
import { captures, closing, match, payload } from './contents.js';
import { readInto, toldApart } from './told-apart.js';

/** One entry of the list. */
export type SessionLine = ScriptStep | StandingAnswer | StandingBeat;

/** As written: which of the three, and what it says. */
export type WrittenSession =
  | { readonly kind: 'hold'; readonly holdMs: number | null }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'lines'; readonly lines: readonly SessionLine[] };

const MOST_LINES = 200;
const FASTEST_BEAT_MS = 10;

export const holdTime = duration(0, DAY_MS, 'Hold the connection this long');

/** Fast enough for any keep-alive, and no flood. */
export const beatTime = duration(FASTEST_BEAT_MS, DAY_MS, 'Send this often, from a random moment on');

const LINES = {
  when: map({ when: match, send: payload.optional(), close: closing.optional() }, 'a standing answer').transform(
    ({ when, send = null, close = null }, context): StandingAnswer => {
      if (send === null && close === null) {
        context.addIssue({ code: 'custom', message: 'missing, expected send or close: what to do when it comes' });
      }
      return { when, send, close };
    },
  ),
  every: map({ every: beatTime, send: payload }, 'a standing beat').transform(
    ({ every, send }): StandingBeat => ({ everyMs: every, send }),
  ),
  expect: map({ expect: match, capture: captures.optional() }, 'a step').transform(
    ({ expect, capture = null }): ScriptStep => ({ expect, capture }),
  ),
  hold: map({ hold: holdTime }, 'a step').transform(({ hold }): ScriptStep => ({ holdMs: hold })),
  send: map({ send: payload }, 'a step').transform(({ send }): ScriptStep => ({ send })),
  close: map({ close: closing }, 'a step').transform(({ close }): ScriptStep => ({ close })),
};

type Verb = keyof typeof LINES;

const VERBS = Object.keys(LINES) as Verb[];
/** In the order in which people read about them. */
const KEYS = 'send, expect, when, every, hold, close';

/** Keys that another verb may have beside it. */
const BESIDE: Readonly<Partial<Record<Verb, readonly Verb[]>>> = { when: ['send', 'close'], every: ['send'] };

const line = toldApart<SessionLine>(
  [LINES.send, LINES.expect, LINES.when, LINES.every, LINES.hold, LINES.close],
  (written) => {
    const expected = `expected a step, a map with one of ${KEYS}`;
    if (typeof written !== 'object' || written === null || Array.isArray(written)) {
      return { problem: `${expected}; found ${shown(written)}` };
    }
    const verbs = VERBS.filter((verb) => Object.hasOwn(written, verb));
    const [first] = verbs;
    if (first === undefined) {
      const keys = Object.keys(written);
      const hint = keys.map((key) => didYouMean(key, VERBS)).find((found) => found !== '') ?? '';
      return { problem: `${expected}; found ${keys.join(', ') || 'an empty map'}${hint}` };
    }
    const others = verbs.slice(1).filter((verb) => BESIDE[first]?.includes(verb) !== true);
    const isSeveral = others.length > 0;
    return isSeveral
      ? { problem: `expected one step, found ${[first, ...others].join(' and ')}: make them two lines` }
      : { way: LINES[first] };
  },
  'A step (send, expect, hold, close), or a line that holds beside the steps (when, every)',
);

const EXPECTED_LIST = `a list of 1 to ${MOST_LINES} steps`;

/** Each line is judged by itself, then its place among the others; what is wrong with one does not hide the rest. */
const lines = z.unknown().transform((written, context): WrittenSession => {
  const entries = written as readonly unknown[];
  if (entries.length === 0 || entries.length > MOST_LINES) {
    context.addIssue({ code: 'custom', message: `expected ${EXPECTED_LIST}, found ${entries.length}` });
    return z.NEVER;
  }
  const read = entries.map((entry, i) => readInto(context, line, entry, [i]));
  for (const { path, message } of [...orderProblems(read), ...captureProblems(read)]) {
    context.addIssue({ code: 'custom', message, path: [...path] });
  }
  return { kind: 'lines', lines: read.filter((one) => one !== null) };
});

interface LineProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Lines that nothing would ever reach. */
function orderProblems(read: readonly (SessionLine | null)[]): LineProblem[] {
  const at = (isMeant: (one: SessionLine) => boolean) => read.findIndex((one) => one !== null && isMeant(one));
  const close = at((one) => 'close' in one && !('when' in one));
  const hold = at((one) => 'holdMs' in one);
  return read.flatMap((one, i): LineProblem[] => {
    if (one === null) return [];
    if (close !== -1 && i > close) return [{ path: [i], message: 'nothing follows close: the connection has ended' }];
    if (hold === -1 || i <= hold) return [];
    if ('holdMs' in one) return [{ path: [i, 'hold'], message: 'a session has one hold, this is a second one' }];
    const kind = 'when' in one ? 'when' : 'everyMs' in one ? 'every' : null;
    return kind === null ? [] : [{ path: [i], message: `put ${kind} above the hold: it applies from its line on` }];
  });
}

function captureProblems(read: readonly (SessionLine | null)[]): LineProblem[] {
  const known = new Set<string>();
  // A line that could not be read may be the one that captures.
  const broken = read.indexOf(null);
  return read.slice(0, broken === -1 ? undefined : broken).flatMap((one, i) => {
    if (one === null) return [];
    const problems = lineTexts(one).flatMap(({ path, text: written }) =>
      capturedIn(written)
        .filter((name) => !known.has(name))
        .map((name) => {
          const hint = didYouMean(name, [...known]);
          return { path: [i, ...path], message: `no expect above captures {{ captured.${name} }}${hint}` };
        }),
    );
    if ('expect' in one) for (const name of Object.keys(one.capture ?? {})) known.add(name);
    return problems;
  });
}

function capturedIn(written: string): readonly string[] {
  return compileTemplate(written, 'session').captured;
}

/** The texts of a line that may hold templates, with their paths in it. */
export function lineTexts(one: SessionLine) {
  const of = (key: string, content: Payload | Match | null) =>
    content === null
      ? []
      : templatedTexts(content).map(({ path, text: written }) => ({ path: [key, ...path], text: written }));
  return [
    ...('when' in one ? of('when', one.when) : []),
    ...('expect' in one ? of('expect', one.expect) : []),
    ...('send' in one ? of('send', one.send) : []),
  ];
}

const shippedName = text(100, 'Name of a shipped session').transform(
  (name): WrittenSession => ({ kind: 'name', name }),
);

const plainHold = map(
  { hold: duration(0, DAY_MS, 'Hold every 101 this long after the last attempt of its burst ended').optional() },
  'session',
).transform(({ hold }): WrittenSession => ({ kind: 'hold', holdMs: hold ?? null }));

/** For editors; `lines` reads the list itself. */
const listOfLines = z.array(line).min(1).max(MOST_LINES);

export const session = toldApart<WrittenSession>(
  [listOfLines, shippedName, plainHold],
  (written) => {
    if (typeof written === 'string') return { way: shippedName };
    if (Array.isArray(written)) return { way: lines };
    if (typeof written === 'object' && written !== null) return { way: plainHold };
    return {
      problem: `expected ${EXPECTED_LIST}, the name of a shipped session, or {hold: TIME}; found ${shown(written)}`,
    };
  },
  'What each client says after its 101: a list of steps, the name of a shipped session (wstampede profiles --sessions), or {hold: TIME}',
);

/** The reconnect policies as a list for people: name, where it was read, and its parameters. */
import { policyWords } from '../../plan/policy/policy-words.js';
import { PRESETS } from '../../plan/policy/presets.js';
import { wrap } from './text-width.js';

const GAP = 2;

/** Ends with a line feed. */
export function policiesText(width: number): string {
  const label = Math.max(...PRESETS.map(({ policy }) => policy.name.length)) + GAP;
  const lines = PRESETS.flatMap(({ policy, of, isApproximate }) => {
    const text = `${of}${isApproximate ? ' (≈)' : ''}: ${policyWords(policy)}`;
    return wrap(text, Math.max(20, width - label)).map((line, i) =>
      `${(i === 0 ? policy.name : '').padEnd(label)}${line}`.trimEnd(),
    );
  });
  const note = '≈ the library has more states than these parameters say. Your own: `reconnect:` in a profile.';
  return `${[...lines, '', note].join('\n')}\n`;
}

/** The steps stage in a profile, `steps: { from: 100, to: 2000, by: 100 }`, and the sizes it produces. */
import type { StepsStage } from '../../stages/steps.js';
import { count, map, numberAbove } from '../field.js';
import { DEFAULT_REST_MS, EVEN_BESIDE_OTHERS, isSize, MOST_OPEN, MOST_TIMES, rest } from './bounds.js';

interface Steps {
  readonly from: number;
  readonly to: number;
  readonly by?: number | undefined;
  readonly factor?: number | undefined;
}

/** Sizes from `from` up to `to`; `to` is always the last one, even if the stride would skip it. */
function stepSizes({ from, to, by, factor }: Steps): number[] {
  const sizes = new Set<number>();
  for (let i = 0, size = from; size < to && sizes.size <= MOST_TIMES; i += 1) {
    sizes.add(size);
    // Powers of the factor, not products of rounded sizes, so that 100 × 1.1^n stays exact; at least 1 more each time.
    size = factor === undefined ? size + (by ?? 1) : Math.max(size + 1, Math.round(from * factor ** (i + 1)));
  }
  return [...sizes, to];
}

const written = map(
  {
    from: count(1, MOST_OPEN, 'First burst size'),
    to: count(1, MOST_OPEN, 'Last burst size; always one of the steps'),
    by: count(1, MOST_OPEN, 'Added from step to step; either this or factor').optional(),
    factor: numberAbove(1, 100, 'Multiplies from step to step; either this or by').optional(),
  },
  'steps',
).superRefine((value, context) => {
  for (const problem of stepsProblems(value)) context.addIssue({ code: 'custom', ...problem });
}, EVEN_BESIDE_OTHERS);

/** `value` may hold anything when one of its keys has a problem of its own. */
function stepsProblems(value: Steps): { readonly message: string; readonly path: string[] }[] {
  if (typeof value !== 'object' || value === null) return [];
  const { from, to, by, factor } = value;
  const problems: { message: string; path: string[] }[] = [];
  if (isSize(from) && isSize(to) && to < from) {
    problems.push({ message: `expected a size of at least from (${from}), found ${to}`, path: ['to'] });
  }
  if (by === undefined && factor === undefined) {
    problems.push({ message: 'expected by or factor, found neither', path: [] });
  } else if (by !== undefined && factor !== undefined) {
    problems.push({ message: 'expected by or factor, found both', path: ['factor'] });
  } else if (problems.length === 0 && [from, to].every(isSize) && (isSize(by) || isStride(factor))) {
    if (stepSizes(value).length > MOST_TIMES) {
      problems.push({ message: `expected at most ${MOST_TIMES} steps`, path: [] });
    }
  }
  return problems;
}

function isStride(value: unknown): value is number {
  return typeof value === 'number' && value > 1;
}

export const steps = map({ steps: written, rest }, 'a steps stage').transform(
  (s): StepsStage => ({ kind: 'steps', sizes: stepSizes(s.steps), restMs: s.rest ?? DEFAULT_REST_MS }),
);

/** Whether a value meets a condition of a threshold or an abort rule. */
import type { Condition } from '../plan/expressions/condition.js';

export function meets({ operator, limit }: Pick<Condition, 'operator' | 'limit'>, value: number): boolean {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    // Exact on purpose: a share is one division and its limit one decimal, each rounded once to the nearest double.
    case '==':
      return value === limit;
  }
}

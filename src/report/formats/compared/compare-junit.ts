/**
 * A comparison as JUnit's XML: whether the sides can be compared, and one case for each metric. What is not comparable is an
 * error, WORSE a failure, UNDECIDED and what nobody named are skipped: a green case means that something was shown.
 */
import type { ComparedMetric, Comparison } from '../../../compare/comparison.js';
import { compareHeadline, metricName, metricText } from '../../words/compared/compare-words.js';
import { type JunitCase, type JunitTrouble, junitDocument } from '../junit-suite.js';

export function comparisonJunit(comparison: Comparison): string {
  const { command, base, new: fresh, metrics, failOn } = comparison;
  const [from, to] = [
    [base.from, fresh.from].filter(isText).sort()[0],
    [base.to, fresh.to].filter(isText).sort().at(-1),
  ];
  const seconds = from === undefined || to === undefined ? 0 : (Date.parse(to) - Date.parse(from)) / 1000;
  return junitDocument([
    {
      name: `wstampede compare${command === null ? '' : ` ${command}`}`,
      startedAt: from ?? '1970-01-01T00:00:00Z',
      seconds: Math.max(0, seconds),
      cases: [comparable(comparison), ...metrics.map((metric) => caseOf(metric, failOn.length > 0))],
      says: compareHeadline(comparison).text,
    },
  ]);
}

function isText(text: string | null): text is string {
  return text !== null;
}

function comparable({ refused }: Comparison): JunitCase {
  const trouble: JunitTrouble = { is: 'error', type: 'not comparable', message: refused.join('; ') };
  return {
    classname: 'wstampede.comparable',
    name: 'the two sides can be compared',
    trouble: refused.length === 0 ? null : trouble,
  };
}

function caseOf(metric: ComparedMetric, isGated: boolean): JunitCase {
  const { gate } = metric;
  return {
    classname: 'wstampede.compare',
    name: `${metricName(metric)}${gate === null ? '' : `: ${gate}`}`,
    trouble: troubleOf(metric, isGated && gate === null),
  };
}

/** @param isShownOnly others were named, so this one fails nothing */
function troubleOf(metric: ComparedMetric, isShownOnly: boolean): JunitTrouble | null {
  const message = metricText(metric);
  const { verdict } = metric;
  if (verdict === 'better' || verdict === 'no worse') return null;
  if (verdict === 'undecided' || isShownOnly) return { is: 'skipped', type: verdict, message };
  return { is: verdict === 'worse' ? 'failure' : 'error', type: verdict, message };
}

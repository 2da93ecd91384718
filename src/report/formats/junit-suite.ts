/**
 * JUnit's XML as Jenkins and GitLab read it: suites of cases that passed, failed, could not be judged (error) or were not
 * judged (skipped). Some readers show the attribute `message` and others the text, so a message stands in both.
 */

export interface JunitCase {
  /** GitLab shows it as the suite, and drops a second case of the same class and name. */
  readonly classname: string;
  readonly name: string;
  readonly seconds?: number;
  /** null: it passed. */
  readonly trouble: JunitTrouble | null;
}

export interface JunitTrouble {
  /** failure: missed; error: invalid; skipped: undecided, or nothing to judge. */
  readonly is: 'failure' | 'error' | 'skipped';
  readonly type: string;
  readonly message: string;
}

export interface JunitSuite {
  readonly name: string;
  /** ISO 8601; written without its zone, which is UTC. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly cases: readonly JunitCase[];
  /** What a person should read first. */
  readonly says: string;
}

export function junitDocument(suites: readonly JunitSuite[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    ...suites.flatMap(suiteLines),
    '</testsuites>',
    '',
  ].join('\n');
}

function suiteLines({ name, startedAt, seconds, cases, says }: JunitSuite): string[] {
  const count = (is: JunitTrouble['is']) => cases.filter(({ trouble }) => trouble?.is === is).length;
  const attributes = attributesText({
    name,
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
    time: seconds.toFixed(3),
    timestamp: startedAt.slice(0, 19),
  });
  return [
    ` <testsuite${attributes}>`,
    ...cases.flatMap(caseLines),
    `  <system-out>${xmlText(says)}</system-out>`,
    ' </testsuite>',
  ];
}

function caseLines({ classname, name, seconds = 0, trouble }: JunitCase): string[] {
  const attributes = attributesText({ classname, name, time: seconds.toFixed(3) });
  if (trouble === null) return [`  <testcase${attributes}/>`];
  const { is, type, message } = trouble;
  // A skipped case has no type in the schemas of either reader.
  const inner = attributesText(is === 'skipped' ? { message } : { type, message });
  return [`  <testcase${attributes}>`, `   <${is}${inner}>${xmlText(message)}</${is}>`, '  </testcase>'];
}

function attributesText(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${xmlText(`${value}`)}"`)
    .join('');
}

/** What XML 1.0 can't hold, not even as a reference. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

function xmlText(text: string): string {
  return text
    .replace(FORBIDDEN, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

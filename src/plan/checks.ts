/**
 * What needs more than one key of a profile to judge: a gate that the target has not, templates without data, addresses of
 * two families. Asks the expression parser of another ring through ExpressionChecks; never reads a file.
 */
import { addressFamily } from './address.js';
import { burstSizes, type Stage } from './plan.js';
import type { Path, Problem } from './problems.js';
import type { Profile, ProfileOverrides } from './schema.js';
import { MOST_ATTEMPTS } from './stages.js';
import { compileTemplate } from './template.js';
import { formatCount } from './units.js';
import { parseUrl } from './url.js';

/** The grammar of thresholds and abort rules, injected: each returns what is wrong with a text, or null. */
export interface ExpressionChecks {
  threshold(text: string): string | null;
  abort(text: string): string | null;
}

type Written = Omit<Partial<Profile> | ProfileOverrides, 'thresholds'> & {
  /** What is no text here has been refused by the schema, and must not keep the others from being judged. */
  readonly thresholds?: readonly unknown[] | undefined;
};

/** Every problem between keys, of as much of a profile as there is. */
export function crossProblems(profile: Written, checks: ExpressionChecks): Problem[] {
  return [
    ...expressionProblems(profile, checks),
    ...targetProblems(profile),
    ...dataProblems(profile),
    ...stageTotalProblems(profile.stages ?? []),
  ];
}

function value(path: Path, message: string): Problem {
  return { path, at: 'value', message };
}

function expressionProblems({ thresholds = [], abort }: Written, checks: ExpressionChecks): Problem[] {
  const problems = thresholds.flatMap((text, i) => {
    const problem = typeof text === 'string' ? checks.threshold(text) : null;
    return problem === null ? [] : [value(['thresholds', i], problem)];
  });
  const wrongAbort = abort === undefined ? null : checks.abort(abort);
  return wrongAbort === null ? problems : [...problems, value(['abort'], wrongAbort)];
}

function targetProblems({ target, gate }: Written): Problem[] {
  if (target === undefined) return [];
  const problems: Problem[] = [];
  const url = target.url === undefined ? null : parseUrl(target.url);
  if (gate === 'tls' && url?.scheme === 'ws') {
    problems.push(value(['gate'], 'the gate tls needs a wss:// target: over ws:// there is no TLS to wait before'));
  }
  const { cert, key } = target.tls ?? {};
  if (cert !== undefined && key === undefined)
    problems.push(value(['target', 'tls', 'cert'], 'a client certificate needs its key: set key too'));
  if (key !== undefined && cert === undefined)
    problems.push(value(['target', 'tls', 'key'], 'a key needs its client certificate: set cert too'));
  if (target.origin !== undefined && (target.headers ?? []).some(([name]) => name.toLowerCase() === 'origin')) {
    problems.push(value(['target', 'origin'], 'Origin is set in headers too: keep one of them'));
  }
  const host = target.connectTo?.host ?? url?.host;
  const family = host === undefined ? null : addressFamily(host);
  const other = (target.sourceIps ?? []).find((ip) => family !== null && addressFamily(ip) !== family);
  if (other !== undefined) {
    problems.push(value(['target', 'sourceIps'], `${other} can't connect to ${host}: IPv4 and IPv6 do not mix`));
  }
  return problems;
}

/** Every templated text of a target, with its path. */
function templates({ target }: Written): (readonly [Path, string])[] {
  if (target === undefined) return [];
  return [
    ...(target.url === undefined ? [] : [[['target', 'url'], target.url] as const]),
    ...(target.headers ?? []).map(([name, text]) => [['target', 'headers', name], text] as const),
    ...(target.origin === undefined ? [] : [[['target', 'origin'], target.origin] as const]),
    ...(target.subprotocols ?? []).map((text, i) => [['target', 'subprotocols', i], text] as const),
  ];
}

function dataProblems(profile: Written): Problem[] {
  if (profile.data === undefined) {
    return templates(profile).flatMap(([path, text]) => {
      const [column] = compileTemplate(text).rowColumns;
      return column === undefined
        ? []
        : [value(path, `{{ row.${column} }} needs data: name a CSV file (data.file, --data)`)];
    });
  }
  if (profile.data.pick !== 'once') return [];
  return (profile.stages ?? []).flatMap((stage, i) =>
    stage.kind === 'churn' && stage.total === null
      ? [
          value(
            ['stages', i, 'churn'],
            'data.pick once needs a total, so that the rows can be counted before anything is sent',
          ),
        ]
      : [],
  );
}

function stageTotalProblems(stages: readonly Stage[]): Problem[] {
  const total = stages.flatMap(burstSizes).reduce<number>((sum, size) => sum + (size ?? 0), 0);
  return total <= MOST_ATTEMPTS
    ? []
    : [
        value(
          ['stages'],
          `expected at most ${formatCount(MOST_ATTEMPTS)} handshakes in one run, found ${formatCount(total)}`,
        ),
      ];
}

/**
 * What needs more than one key of a profile to judge: a gate that the target has not, templates without data, addresses of
 * two families. Asks the expression parser of another ring through ExpressionChecks; never reads a file.
 */
import { addressFamily } from '../address.js';
import { burstSizes, type Stage } from '../plan.js';
import { formatCount } from '../units.js';
import { parseUrl } from '../url.js';
import type { Path, Problem } from './problems.js';
import type { ProfileParts } from './profile-schema.js';
import { MOST_ATTEMPTS } from './stages.js';
import { templatesOf } from './templated-texts.js';

/** What a run will measure; null where it can't be told yet. */
export interface Measured {
  /** Some stage is a churn. */
  readonly rate: boolean | null;
  /** The target speaks TLS. */
  readonly tls: boolean | null;
  /** A name has to be looked up. */
  readonly dns: boolean | null;
  /** Some stage is a search for the drop-off; every stage is. */
  readonly search: boolean | null;
  readonly onlySearch: boolean | null;
}

/**
 * The grammar of thresholds and abort rules, injected: each returns what is wrong with a text, or null. With `measured` it
 * says too that a text could never be judged.
 */
export interface ExpressionChecks {
  threshold(text: string, measured?: Measured): string | null;
  abort(text: string, measured?: Measured): string | null;
}

/** Every problem between keys, of as much of a profile as there is. */
export function crossProblems(profile: ProfileParts, checks: ExpressionChecks): Problem[] {
  return [
    ...expressionProblems(profile, checks, measuredBy(profile)),
    ...targetProblems(profile),
    ...gateProblems(profile),
    ...transportProblems(profile),
    ...dataProblems(profile),
    ...stageTotalProblems(profile.stages ?? []),
    ...searchProblems(profile),
  ];
}

function value(path: Path, message: string): Problem {
  return { path, at: 'value', message };
}

/** What is wrong with each expression; what is no text has been refused by the schema. */
export function expressionProblems(
  { thresholds, abort }: { readonly thresholds?: unknown; readonly abort?: unknown },
  checks: ExpressionChecks,
  measured?: Measured,
): Problem[] {
  const problemOf = (text: unknown, check: ExpressionChecks['threshold'], path: Path): Problem[] => {
    const problem = typeof text === 'string' && text !== '' ? check(text, measured) : null;
    return problem === null ? [] : [value(path, problem)];
  };
  const list: readonly unknown[] = Array.isArray(thresholds) ? thresholds : [];
  return [
    ...list.flatMap((text, i) => problemOf(text, checks.threshold, ['thresholds', i])),
    ...problemOf(abort, checks.abort, ['abort']),
  ];
}

function measuredBy({ target, stages }: ProfileParts): Measured {
  const url = target?.url === undefined ? null : parseUrl(target.url);
  const host = target?.connectTo?.host ?? url?.host;
  return {
    rate: stages === undefined ? null : stages.some(({ kind }) => kind === 'churn'),
    tls: url === null ? null : url.scheme === 'wss',
    dns: host === undefined ? null : addressFamily(host) === null,
    search: stages === undefined ? null : stages.some(({ kind }) => kind === 'find'),
    onlySearch: stages === undefined ? null : stages.every(({ kind }) => kind === 'find'),
  };
}

function gateProblems({ gate, stages, target }: ProfileParts): Problem[] {
  if (gate === undefined) return [];
  if (stages?.every(({ kind }) => kind === 'churn') === true) {
    return [
      value(['gate'], 'a churn has no gate, and there is no other stage: its handshakes are never released together'),
    ];
  }
  const isPlain = target?.url !== undefined && parseUrl(target.url).scheme === 'ws';
  return gate === 'tls' && isPlain
    ? [value(['gate'], 'the gate tls needs a wss:// target: over ws:// there is no TLS to wait before')]
    : [];
}

function transportProblems({ transport, target }: ProfileParts): Problem[] {
  const isSecure = target?.url !== undefined && parseUrl(target.url).scheme === 'wss';
  return transport === 'epoll' && isSecure
    ? [value(['transport'], 'the transport epoll speaks no TLS, and the target is wss://: use auto or node')]
    : [];
}

function targetProblems({ target }: ProfileParts): Problem[] {
  if (target === undefined) return [];
  const problems: Problem[] = [];
  const url = target.url === undefined ? null : parseUrl(target.url);
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

function dataProblems(profile: ProfileParts): Problem[] {
  if (profile.data === undefined) {
    return templatesOf(profile.target).flatMap(({ path, template }) => {
      const [column] = template.rowColumns;
      return column === undefined
        ? []
        : [value(path, `{{ row.${column} }} needs data: name a CSV file (data.file, --data)`)];
    });
  }
  if (profile.data.file === undefined) {
    return [value(['data', 'pick'], 'there is nothing to pick from: name a CSV file (data.file, --data)')];
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

function searchProblems({ stages = [], after, data }: ProfileParts): Problem[] {
  const places = stages.flatMap(({ kind }, i) => (kind === 'find' ? [i] : []));
  const [first] = places;
  if (first === undefined) return [];
  const problems: Problem[] = [];
  if (places.length > 1) {
    problems.push(
      value(['stages', places[1] ?? 0, 'find'], 'expected one search in a run, found several: run them apart'),
    );
  }
  if (after !== undefined && after > 0 && places.length === stages.length) {
    problems.push(value(['after'], 'a search looks after the target between its bursts by itself: leave after out'));
  }
  if (data?.pick === 'once') {
    problems.push(
      value(['data', 'pick'], 'once needs the number of handshakes beforehand, and a search decides it as it goes'),
    );
  }
  return problems;
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

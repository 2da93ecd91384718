/**
 * Checks that need more than one key of a profile: a gate that the target does not have, templates without data,
 * addresses of two families, a threshold on something that the stages do not measure. Never reads a file.
 */
import { addressFamily } from '../address.js';
import { abortProblem, type Measurable, thresholdProblem } from '../expressions/rules.js';
import { burstSizes, type Stage } from '../plan.js';
import { isSearch, loadOf } from '../stages/kinds.js';
import { formatCount } from '../units.js';
import type { Path, Problem } from './problems.js';
import type { ProfileParts } from './profile-schema.js';
import { MOST_ATTEMPTS } from './stages/bounds.js';
import { sessionTemplates, templatesOf } from './templated-texts.js';

/** Every problem between keys; the profile may be incomplete. */
export function crossProblems(profile: ProfileParts): Problem[] {
  return [
    ...expressionProblems(profile),
    ...targetProblems(profile),
    ...gateProblems(profile),
    ...transportProblems(profile),
    ...maxOpenProblems(profile),
    ...dataProblems(profile),
    ...stageTotalProblems(profile.stages ?? []),
    ...searchProblems(profile),
  ];
}

function value(path: Path, message: string): Problem {
  return { path, at: 'value', message };
}

/** Expressions that no run of this profile could be judged by. */
function expressionProblems(profile: ProfileParts): Problem[] {
  const run = measuredBy(profile);
  const problemAt = (path: Path, problem: string | null): Problem[] => (problem === null ? [] : [value(path, problem)]);
  const { thresholds = [], abort } = profile;
  return [
    ...thresholds.flatMap((threshold, i) => problemAt(['thresholds', i], thresholdProblem(threshold, run))),
    ...(abort === undefined ? [] : problemAt(['abort'], abortProblem(abort, run))),
  ];
}

function measuredBy({ target, stages, session }: ProfileParts): Measurable {
  const host = target?.connectTo?.host ?? target?.host;
  return {
    rate: stages === undefined ? null : stages.some((stage) => loadOf(stage).hasRate),
    tls: target?.scheme === undefined ? null : target.scheme === 'wss',
    dns: host === undefined ? null : addressFamily(host) === null,
    message: expectsMessage(session),
    search: stages === undefined ? null : stages.some(isSearch),
    storm: stages === undefined ? null : stages.some(({ kind }) => kind === 'storm'),
    onlySearch: stages === undefined ? null : stages.every(isSearch),
  };
}

/** Every shipped session waits for its protocol's acknowledgement. */
function expectsMessage(session: ProfileParts['session']): boolean {
  if (session?.kind === 'lines') return session.lines.some((line) => 'expect' in line);
  return session?.kind === 'name';
}

function gateProblems({ gate, stages, target }: ProfileParts): Problem[] {
  if (gate === undefined) return [];
  if (stages?.some(({ kind }) => kind === 'arrive') === true) {
    const reason = 'handshakes that start one by one wait at no gate: leave gate out beside spread and arrive';
    return gate === 'connect' ? [] : [value(['gate'], reason)];
  }
  const [first] = stages ?? [];
  if (first !== undefined && stages?.every((stage) => !loadOf(stage).isReleasedTogether) === true) {
    const reason = `a ${first.kind} has no gate, and there is no other stage: its handshakes are never released together`;
    return [value(['gate'], reason)];
  }
  return gate === 'tls' && target?.scheme === 'ws'
    ? [value(['gate'], 'the gate tls needs a wss:// target: over ws:// there is no TLS to wait before')]
    : [];
}

/** Each worker starts its own part of the arrivals, and may have its own part of them in flight. */
function maxOpenProblems({ stages = [], workers = 1 }: ProfileParts): Problem[] {
  return stages.flatMap((stage, i) =>
    stage.kind === 'arrive' && stage.maxOpen !== null && stage.maxOpen < workers
      ? [value(['stages', i, 'arrive', 'maxOpen'], `${stage.maxOpen} in flight are fewer than the ${workers} workers`)]
      : [],
  );
}

function transportProblems({ transport, target }: ProfileParts): Problem[] {
  return transport === 'epoll' && target?.scheme === 'wss'
    ? [value(['transport'], 'the transport epoll speaks no TLS, and the target is wss://: use auto or node')]
    : [];
}

function targetProblems({ target }: ProfileParts): Problem[] {
  if (target === undefined) return [];
  const problems: Problem[] = [];
  const { cert, key } = target.tls ?? {};
  if (cert !== undefined && key === undefined)
    problems.push(value(['target', 'tls', 'cert'], 'a client certificate needs its key: set key too'));
  if (key !== undefined && cert === undefined)
    problems.push(value(['target', 'tls', 'key'], 'a key needs its client certificate: set cert too'));
  if (target.origin !== undefined && (target.headers ?? []).some(([name]) => name.toLowerCase() === 'origin')) {
    problems.push(value(['target', 'origin'], 'Origin is set in headers too: keep one of them'));
  }
  const host = target.connectTo?.host ?? target.host;
  const family = host === undefined ? null : addressFamily(host);
  const other = (target.sourceIps ?? []).find((ip) => family !== null && addressFamily(ip) !== family);
  if (other !== undefined) {
    problems.push(value(['target', 'sourceIps'], `${other} can't connect to ${host}: IPv4 and IPv6 do not mix`));
  }
  return problems;
}

function dataProblems(profile: ProfileParts): Problem[] {
  if (profile.data === undefined) {
    return [...templatesOf(profile.target), ...sessionTemplates(profile)].flatMap(({ path, template }) => {
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
    burstSizes(stage).includes(null)
      ? [
          value(
            ['stages', i, stage.kind],
            'data.pick once needs a total, so that the rows can be counted before anything is sent',
          ),
        ]
      : [],
  );
}

function searchProblems({ stages = [], after, data }: ProfileParts): Problem[] {
  const searches = stages.flatMap((stage, i) => (isSearch(stage) ? [{ kind: stage.kind, i }] : []));
  if (searches.length === 0) return [];
  const problems: Problem[] = [];
  const [, second] = searches;
  if (second !== undefined) {
    problems.push(
      value(['stages', second.i, second.kind], 'expected one search in a run, found several: run them apart'),
    );
  }
  if (after !== undefined && after > 0 && searches.length === stages.length) {
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

/**
 * A check in words: its verdict, every step in the order taken, the probes and their meaning. Text from the target is
 * already masked in the result.
 */
import { isOpen, meaningOf, type OutcomeId } from '../../names/outcomes.js';
import { printable } from '../../plan/printable.js';
import { formatDuration } from '../../plan/units.js';
import type {
  Check,
  CheckCertificate,
  CheckClause,
  CheckExchange,
  CheckProbe,
  CheckTcp,
} from '../../result/check-facts.js';
import type { Result, Sample } from '../../result/result.js';
import { ailments, browsersRefused, firefoxTurnedAway, harmOf, harmText, stopText } from '../../tally/check-health.js';
import type { Headline } from './headline.js';
import { spokenMs } from './numbers.js';

export type Mark = 'yes' | 'no' | 'not judged';

export interface StepLine {
  readonly text: string;
  readonly mark?: Mark;
  /** Less important: a renderer may cut it. */
  readonly isAside?: boolean;
}

export interface CheckStep {
  readonly label: string;
  readonly lines: readonly StepLine[];
  readonly hasFailed: boolean;
  /** Lines of the exchange itself. They must not be wrapped: the parts would look like headers. */
  readonly isVerbatim?: boolean;
  /** Its duration, if shown separately from the text. */
  readonly times?: string;
}

const MOST_BODY_LINES = 8;

export function checkHeadline(result: Result, check: Check): Headline {
  const start = result.stopped === null ? '' : `PARTIAL (${printable(result.stopped)}): `;
  const { outcome, headMs, ping, close } = check;
  if (isOpen(outcome)) {
    const wrong = ailments(check);
    const time = headMs === null ? '' : ` after ${spokenMs(headMs)}`;
    if (wrong.length > 0) return { text: `${start}Unhealthy: a 101${time}, but ${wrong.join('; ')}.`, mood: 'bad' };
    const kept = [...(ping === null ? [] : ['ping']), ...(close === null ? [] : ['close'])].join(' and ');
    const answered = kept === '' ? '' : `; ${kept} answered`;
    const { session: walked = null } = check;
    const ready = walked === null || walked.readyMs === null ? '' : ` and was ready after ${spokenMs(walked.readyMs)}`;
    const text = `${start}Healthy: the handshake got its 101${time}${ready}${answered}${turnedAway(result, check)}.`;
    return { text, mood: start === '' ? 'good' : 'bad' };
  }
  const harm = harmOf(check.probes);
  const harmed = harm === null ? '' : `; ${harmText(harm)}`;
  return { text: `${start}No WebSocket: ${failureText(check)}${harmed}.`, mood: 'bad' };
}

/** Clients that do not get what this one got. */
function turnedAway(result: Result, check: Check): string {
  if (browsersRefused(check, sentOrigin(result)) !== null) return BROWSERS_REFUSED;
  const firefox = firefoxTurnedAway(check);
  if (firefox === null) return '';
  const got = isOpen(firefox.outcome) ? 'its connection is ended' : `it got ${firefox.outcome}`;
  return `; but Firefox is refused: with its "Connection: keep-alive, Upgrade" ${got}`;
}

const BROWSERS_REFUSED =
  "; but browsers are refused unless the page's Origin is allowed: try --origin https://your.site";

function sentOrigin({ plan: { target } }: Result): boolean {
  return target.origin !== null || target.headers.some(([name]) => /^origin$/i.test(name));
}

function failureText(check: Check): string {
  const { outcome, tls } = check;
  const detail = check.detail === null ? '' : ` (${printable(check.detail)})`;
  if (outcome === 'tls' && tls !== null && tls.problems.length > 0) {
    return `TLS failed${detail}: ${printable(tls.problems[0])}`;
  }
  return /^\d+$/.test(outcome)
    ? `the handshake was answered ${statusOf(check)}${detail}`
    : `${outcome}${detail}, ${meaningOf(outcome as OutcomeId)}${dialled(check)}`;
}

/** The address that did not connect, and those of the same name that do. */
function dialled({ tcp: [first, ...others] }: Check): string {
  if (first === undefined || first.tookMs !== null) return '';
  const open = others.filter(({ tookMs }) => tookMs !== null).map(addressOf);
  const instead =
    open.length === 0 ? '' : `; ${open.join(' and ')} of the same name ${open.length === 1 ? 'is' : 'are'} open`;
  return `, at ${addressOf(first)}${instead}`;
}

function addressOf({ address, port }: CheckTcp): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** `404 Not Found`. */
function statusOf({ outcome, answer: sample }: Check): string {
  const line = sample?.statusLine ?? '';
  return printable(line.replace(/^HTTP\/1\.\d /, '') || outcome, 60);
}

export function checkContext({ plan: { target, timeoutMs } }: Result): string[] {
  return [`check ${printable(target.url)}`, `timeout ${formatDuration(timeoutMs)} a step`];
}

/** Grouped by topic. */
export function checkSteps(check: Check): CheckStep[][] {
  return [
    [...dns(check), ...tcp(check), ...tls(check)],
    [request(check)],
    [answer(check)],
    [clauses(check)],
    session(check),
    [...received(check), ...exchange('ping', check.ping), ...idle(check), ...exchange('close', check.close)],
  ];
}

function dns({ dns: found }: Check): CheckStep[] {
  if (found === null) return [];
  const { name, addresses, failure, tookMs } = found;
  const text =
    failure === null
      ? `${addresses.map((one) => printable(one)).join(', ')} in ${spokenMs(tookMs)}`
      : `${printable(failure)} after ${spokenMs(tookMs)}`;
  return [{ label: 'dns', lines: [{ text: `${printable(name)}: ${text}` }], hasFailed: failure !== null }];
}

function tcp({ tcp: tries }: Check): CheckStep[] {
  if (tries.length === 0) return [];
  return [{ label: 'tcp', lines: tries.map((one) => ({ text: tcpText(one) })), hasFailed: tries[0].failure !== null }];
}

function tcpText(tried: CheckTcp): string {
  const { tookMs, failure, synRetries } = tried;
  const end = tookMs === null ? printable(failure ?? '') : `open after ${spokenMs(tookMs)}`;
  const times = synRetries === 1 ? 'once' : `${synRetries} times`;
  const lost =
    tookMs === null
      ? `, ${synRetries + 1} SYNs without an answer`
      : `: as if SYN was sent again ${times} (listen queue full, or packets lost)`;
  return `${addressOf(tried)} ${end}${synRetries > 0 ? lost : ''}`;
}

function tls({ tls: found }: Check): CheckStep[] {
  if (found === null) return [];
  const { protocol, cipher, alpn, tookMs, chain, problems, failure } = found;
  const time = spokenMs(tookMs);
  const agreed =
    protocol === null ? `${printable(failure ?? 'failed')} after ${time}` : `${protocol} ${cipher ?? ''} in ${time}`;
  const spoken =
    alpn === null ? [] : [`ALPN ${printable(alpn)}${alpn === 'h2' ? ', if asked; handshakes do not ask' : ''}`];
  const lines: StepLine[] = [
    ...[agreed, ...spoken].map((text) => ({ text })),
    ...chain.flatMap(certificateLines),
    ...problems.map((problem) => ({ mark: 'no', text: printable(problem) }) as const),
  ];
  return [{ label: 'tls', lines, hasFailed: failure !== null }];
}

/** `place`: 0 is the server's own certificate. */
function certificateLines(certificate: CheckCertificate, place: number): StepLine[] {
  const { subject, issuer, names, validFrom, validTo } = certificate;
  const days = `${validFrom.slice(0, 10)} to ${validTo.slice(0, 10)}`;
  const by = subject === issuer ? 'signed by itself' : `by ${printable(issuer)}`;
  const text = `${place === 0 ? 'certificate' : 'issuer'} ${printable(subject)} ${by}, ${days}`;
  return place === 0 && names.length > 0
    ? [{ text }, { text: `names ${names.map((name) => printable(name)).join(', ')}` }]
    : [{ text, isAside: true }];
}

function request({ request: sent }: Check): CheckStep {
  const label = 'request';
  if (sent === null) return { label, lines: [{ text: 'not sent' }], hasFailed: false };
  const lines = sent.split('\n').map((line) => ({ text: printable(line, 2048) }));
  return { label, lines, hasFailed: false, isVerbatim: true };
}

function answer({ answer: sample, outcome, firstByteMs, headMs }: Check): CheckStep {
  const hasFailed = !isOpen(outcome);
  const times = [
    firstByteMs === null ? null : `first byte after ${spokenMs(firstByteMs)}`,
    headMs === null ? null : `whole head after ${spokenMs(headMs)}`,
  ]
    .filter((time) => time !== null)
    .join(', ');
  const label = 'answer';
  if (sample === null) {
    return { label, lines: [{ text: times === '' ? 'none' : `${times}, and no more` }], hasFailed };
  }
  const lines = [...headLines(sample), ...bodyLines(sample)].map((text) => ({ text }));
  return { label, lines, hasFailed, isVerbatim: true, times };
}

function headLines({ statusLine, headers }: Sample): string[] {
  return [
    ...(statusLine === null ? [] : [printable(statusLine)]),
    ...headers.map(([name, value]) => `${printable(name)}: ${printable(value)}`),
  ];
}

function bodyLines({ body, statusLine }: Sample): string[] {
  if (body === null) return [];
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  const shown = lines.slice(0, MOST_BODY_LINES).map((line) => printable(line));
  return [...(statusLine === null ? [] : ['']), ...shown, ...(lines.length > shown.length ? ['…'] : [])];
}

function clauses({ clauses: all }: Check): CheckStep {
  const label = 'rfc 6455';
  if (all.every(({ ok }) => ok === null)) {
    return { label, lines: [{ text: 'nothing to judge: no head of an answer came' }], hasFailed: false };
  }
  return { label, lines: all.map(clauseLine), hasFailed: false };
}

function clauseLine({ ok, section, text, found }: CheckClause): StepLine {
  const clause = `${text} (${section})`;
  if (ok === null) return { mark: 'not judged', text: `${clause}: not judged` };
  return { mark: ok ? 'yes' : 'no', text: ok || found === null ? clause : `${clause}: ${printable(found)}` };
}

function received({ received: first }: Check): CheckStep[] {
  if (first == null) return [];
  const { is, text } = first;
  const what = { text: 'a message', binary: 'a binary message', other: 'bytes that are no frames' }[is];
  return [{ label: 'received', lines: [{ text: `${what}: ${printable(text, 200)}` }], hasFailed: is === 'other' }];
}

/** Each step with its time and message; the one that stopped it; those that were not reached. */
function session({ session: walked }: Check): CheckStep[] {
  if (walked == null) return [];
  const stopped = walked.readyMs === null ? walked.steps.findIndex(({ tookMs }) => tookMs === null) : -1;
  const lines = walked.steps.map(({ step, tookMs, message }, place): StepLine => {
    const came = message === null ? '' : `: ${printable(message, 200)}`;
    if (tookMs !== null) return { mark: 'yes', text: `${printable(step)}${came} (${spokenMs(tookMs)})` };
    return { mark: place === stopped ? 'no' : 'not judged', text: printable(step) };
  });
  const end =
    walked.readyMs === null ? `stopped ${printable(stopText(walked))}` : `ready after ${spokenMs(walked.readyMs)}`;
  return [{ label: 'session', lines: [...lines, { text: end }], hasFailed: walked.readyMs === null }];
}

function exchange(label: string, found: CheckExchange | null): CheckStep[] {
  if (found === null) return [];
  const time = found.tookMs === null ? '' : ` after ${spokenMs(found.tookMs)}`;
  return [{ label, lines: [{ text: `${printable(found.found)}${time}` }], hasFailed: !found.ok }];
}

function idle({ idle: found }: Check): CheckStep[] {
  if (found === null) return [];
  const { livedMs, cutBy, forMs, pings } = found;
  const kept = pings === 0 ? '' : `; ${pings} pings of the target were answered meanwhile`;
  const text =
    livedMs === null
      ? `still open after ${spokenMs(forMs)} of silence${kept}`
      : `cut after ${spokenMs(livedMs)}: ${printable(cutBy ?? '')}${kept}`;
  return [{ label: 'idle', lines: [{ text }], hasFailed: livedMs !== null }];
}

export interface ProbeWords {
  readonly id: string;
  /** How it ended, with the URL if it is a different one. */
  readonly end: string;
  /** What was changed, and why. */
  readonly asks: string;
  /** What its end means. */
  readonly says: string;
}

export function probeWords({ id, asks, outcome, detail, tookMs, says, url }: CheckProbe): ProbeWords {
  const why = detail === null ? '' : ` (${printable(detail)})`;
  const where = id === 'direct' || id === 'other-slash' || id === 'other-scheme' ? `${printable(url)} ` : '';
  return { id, end: `${where}${outcome}${why} after ${spokenMs(tookMs)}`, asks, says };
}

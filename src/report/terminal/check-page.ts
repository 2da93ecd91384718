/**
 * A check on the terminal: the sentence that it comes to, then every step in the order in which it was taken, the probes and
 * what each says, the line that repeats the request. A pure function from a result to text. What the target said is printed
 * as it lies in the result, where it is masked and harmless already.
 */

import { meaningOf, type OutcomeId } from '../../names/outcomes.js';
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
import { ailments } from '../../tally/check-health.js';
import { spokenMs } from '../words/numbers.js';
import { diagnosisBlock } from './diagnosis.js';
import { glyphsOf, palette, safeText, type Terminal } from './style.js';
import { renderSummary } from './summary.js';
import type { Pen } from './tables.js';
import { asciiOnly, clip, wrapAndClip } from './text-width.js';

const LABEL_WIDTH = 9;
const INDENT = ' '.repeat(LABEL_WIDTH + 2);
const MOST_BODY_LINES = 8;
const PROBE_WIDTH = 17;

/** Text that ends with a line end. */
export function renderCheck(result: Result, terminal: Terminal): string {
  const { check } = result;
  if (check === null) return renderSummary(result, terminal);
  const pen: Pen = { width: terminal.width, glyphs: glyphsOf(terminal.unicode), paint: palette(terminal.color) };
  const blocks = [
    sentence(result, check, pen),
    [...dns(check, pen), ...tcp(check, pen), ...tls(check, pen)],
    request(check, pen),
    answer(check, pen),
    clauses(check, pen),
    [...exchange('ping', check.ping, pen), ...idle(check, pen), ...exchange('close', check.close, pen)],
    probes(check, pen),
    repeat(check, pen),
    diagnosisBlock(result.diagnosis, pen),
  ];
  const text = blocks
    .filter((block) => block.length > 0)
    .map((block) => `${block.join('\n')}\n`)
    .join('\n');
  return terminal.unicode ? text : asciiOnly(text);
}

function sentence(result: Result, check: Check, pen: Pen): string[] {
  const { text, isGood } = verdict(result, check, pen);
  const paint = isGood ? pen.paint.green : pen.paint.red;
  const { target, timeoutMs } = result.plan;
  const under = `check ${safeText(target.url)} ${pen.glyphs.dot} timeout ${formatDuration(timeoutMs)} a step`;
  return [
    ...wrapAndClip(text, pen.width, pen.glyphs).map((line) => pen.paint.bold(paint(line))),
    pen.paint.dim(clip(under, pen.width, pen.glyphs)),
  ];
}

function verdict(result: Result, check: Check, pen: Pen): { text: string; isGood: boolean } {
  const start = result.stopped === null ? '' : `PARTIAL (${safeText(result.stopped)}): `;
  const { outcome, headMs, ping, close } = check;
  if (outcome === '101') {
    const wrong = ailments(check);
    const time = headMs === null ? '' : ` after ${spokenMs(headMs, pen.glyphs)}`;
    if (wrong.length > 0) return { text: `${start}Unhealthy: a 101${time}, but ${wrong.join('; ')}.`, isGood: false };
    const kept = [...(ping === null ? [] : ['ping']), ...(close === null ? [] : ['close'])].join(' and ');
    const answered = kept === '' ? '' : `; ${kept} answered`;
    return { text: `${start}Healthy: the handshake got its 101${time}${answered}.`, isGood: start === '' };
  }
  const detail = check.detail === null ? '' : ` (${safeText(check.detail)})`;
  if (outcome === 'tls' && check.tls !== null && check.tls.problems.length > 0) {
    return { text: `${start}No WebSocket: TLS failed${detail}: ${safeText(check.tls.problems[0])}.`, isGood: false };
  }
  const text = /^\d+$/.test(outcome)
    ? `No WebSocket: the handshake was answered ${statusOf(check)}${detail}.`
    : `No WebSocket: ${outcome}${detail}, ${meaningOf(outcome as OutcomeId)}.`;
  return { text: `${start}${text}`, isGood: false };
}

/** `404 Not Found`. */
function statusOf({ outcome, answer: sample }: Check): string {
  const line = sample?.statusLine ?? '';
  return safeText(line.replace(/^HTTP\/1\.\d /, '') || outcome, 60);
}

/** `label    text`; further lines below the text. */
function step(label: string, lines: readonly string[], pen: Pen, paint = pen.paint.dim): string[] {
  const width = pen.width - INDENT.length;
  return lines
    .flatMap((line) => wrapAndClip(line, width, pen.glyphs, '  '))
    .map((line, i) => (i === 0 ? `  ${paint(label.padEnd(LABEL_WIDTH))}${line}` : `${INDENT}${line}`));
}

function dns({ dns: found }: Check, pen: Pen): string[] {
  if (found === null) return [];
  const time = spokenMs(found.tookMs, pen.glyphs);
  const name = safeText(found.name);
  if (found.failure !== null)
    return step('dns', [`${name}: ${safeText(found.failure)} after ${time}`], pen, pen.paint.red);
  return step('dns', [`${name}: ${found.addresses.map((one) => safeText(one)).join(', ')} in ${time}`], pen);
}

function tcp({ tcp: tries }: Check, pen: Pen): string[] {
  const lines = tries.map((one) => tcpLine(one, pen));
  return step('tcp', lines, pen, tries[0]?.failure == null ? pen.paint.dim : pen.paint.red);
}

function tcpLine({ address, port, tookMs, failure, synRetries }: CheckTcp, pen: Pen): string {
  const where = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const end = tookMs === null ? safeText(failure ?? '') : `open after ${spokenMs(tookMs, pen.glyphs)}`;
  const times = synRetries === 1 ? 'once' : `${synRetries} times`;
  const lost =
    tookMs === null
      ? `, ${synRetries + 1} SYNs without an answer`
      : `: as if SYN was sent again ${times} (listen queue full, or packets lost)`;
  return `${where} ${end}${synRetries > 0 ? lost : ''}`;
}

function tls({ tls: found }: Check, pen: Pen): string[] {
  if (found === null) return [];
  const { protocol, cipher, alpn, tookMs, chain, problems, failure } = found;
  const time = spokenMs(tookMs, pen.glyphs);
  const agreed =
    protocol === null ? `${safeText(failure ?? 'failed')} after ${time}` : `${protocol} ${cipher ?? ''} in ${time}`;
  const lines = [
    agreed,
    ...(alpn === null ? [] : [`ALPN ${safeText(alpn)}${alpn === 'h2' ? ', if asked; handshakes do not ask' : ''}`]),
    ...chain.flatMap((one, place) => certificateLines(one, place, pen)),
    ...problems.map((problem) => `${pen.glyphs.no} ${safeText(problem)}`),
  ];
  return step('tls', lines, pen, failure === null ? pen.paint.dim : pen.paint.red);
}

function certificateLines(certificate: CheckCertificate, place: number, pen: Pen): string[] {
  const { subject, issuer, names, validFrom, validTo } = certificate;
  const days = `${validFrom.slice(0, 10)} to ${validTo.slice(0, 10)}`;
  const by = subject === issuer ? 'signed by itself' : `by ${safeText(issuer)}`;
  const line = `${place === 0 ? 'certificate' : 'issuer'} ${safeText(subject)} ${by}, ${days}`;
  return place === 0 && names.length > 0
    ? [line, `names ${names.map((name) => safeText(name)).join(', ')}`]
    : [clip(line, 2 * pen.width, pen.glyphs)];
}

/** Lines of the exchange stay as they are, cut at the edge: broken ones would look like other headers. */
function verbatim(label: string, lines: readonly string[], pen: Pen, paint = pen.paint.dim): string[] {
  return lines
    .map((line) => clip(line, pen.width - INDENT.length, pen.glyphs))
    .map((line, i) => (i === 0 ? `  ${paint(label.padEnd(LABEL_WIDTH))}${line}` : `${INDENT}${line}`));
}

function request(check: Check, pen: Pen): string[] {
  if (check.request === null) return step('request', ['not sent'], pen);
  return verbatim(
    'request',
    check.request.split('\n').map((line) => safeText(line, 2048)),
    pen,
  );
}

function answer({ answer: sample, outcome, firstByteMs, headMs }: Check, pen: Pen): string[] {
  const paint = outcome === '101' ? pen.paint.dim : pen.paint.red;
  const times = [
    firstByteMs === null ? null : `first byte after ${spokenMs(firstByteMs, pen.glyphs)}`,
    headMs === null ? null : `whole head after ${spokenMs(headMs, pen.glyphs)}`,
  ].filter((time) => time !== null);
  if (sample === null) {
    const nothing = times.length === 0 ? 'none' : `${times.join(', ')}, and no more`;
    return step('answer', [nothing], pen, paint);
  }
  return [
    ...verbatim('answer', [...head(sample), ...body(sample, pen)], pen, paint),
    `${INDENT}${pen.paint.dim(`(${times.join(', ')})`)}`,
  ];
}

function head({ statusLine, headers }: Sample): string[] {
  return [
    ...(statusLine === null ? [] : [safeText(statusLine)]),
    ...headers.map(([name, value]) => `${safeText(name)}: ${safeText(value)}`),
  ];
}

function body({ body: text, statusLine }: Sample, pen: Pen): string[] {
  if (text === null) return [];
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const shown = lines.slice(0, MOST_BODY_LINES).map((line) => safeText(line));
  const rest = lines.length > shown.length ? [pen.glyphs.ellipsis] : [];
  return [...(statusLine === null ? [] : ['']), ...shown, ...rest];
}

function clauses({ clauses: all }: Check, pen: Pen): string[] {
  if (all.every(({ ok }) => ok === null)) return step('rfc 6455', ['nothing to judge: no head of an answer came'], pen);
  return step(
    'rfc 6455',
    all.map((clause) => clauseLine(clause, pen)),
    pen,
  );
}

function clauseLine({ ok, section, text, found }: CheckClause, pen: Pen): string {
  const { yes, no, dash } = pen.glyphs;
  const mark = ok === null ? dash : ok ? yes : no;
  const seen = found === null || ok === true ? '' : `: ${safeText(found)}`;
  return `${mark} ${text} (${section})${ok === null ? ': not judged' : seen}`;
}

function exchange(label: string, found: CheckExchange | null, pen: Pen): string[] {
  if (found === null) return [];
  const time = found.tookMs === null ? '' : ` after ${spokenMs(found.tookMs, pen.glyphs)}`;
  return step(label, [`${safeText(found.found)}${time}`], pen, found.ok ? pen.paint.dim : pen.paint.red);
}

function idle({ idle: found }: Check, pen: Pen): string[] {
  if (found === null) return [];
  const { livedMs, cutBy, forMs, pings } = found;
  const kept = pings === 0 ? '' : `; ${pings} pings of the target were answered meanwhile`;
  const text =
    livedMs === null
      ? `still open after ${spokenMs(forMs, pen.glyphs)} of silence${kept}`
      : `cut after ${spokenMs(livedMs, pen.glyphs)}: ${safeText(cutBy ?? '')}${kept}`;
  return step('idle', [text], pen, livedMs === null ? pen.paint.dim : pen.paint.red);
}

function probes({ probes: all }: Check, pen: Pen): string[] {
  if (all.length === 0) return [];
  return [
    `  ${pen.paint.bold('probes: the same handshake with one thing changed')}`,
    ...all.flatMap((probe) => probeLines(probe, pen)),
  ];
}

function probeLines({ id, asks, outcome, detail, tookMs, says, url }: CheckProbe, pen: Pen): string[] {
  const why = detail === null ? '' : ` (${safeText(detail)})`;
  const where = id === 'direct' || id === 'other-slash' || id === 'other-scheme' ? `${safeText(url)} ` : '';
  const lines = [`${where}${outcome}${why} after ${spokenMs(tookMs, pen.glyphs)}`, asks, says];
  const indent = ' '.repeat(PROBE_WIDTH + 4);
  const width = pen.width - indent.length;
  const [first, ...rest] = lines.flatMap((line, i) =>
    wrapAndClip(line, width, pen.glyphs).map((one) => (i === 1 ? pen.paint.dim(one) : one)),
  );
  return [`    ${id.padEnd(PROBE_WIDTH)}${first}`, ...rest.map((line) => indent + line)];
}

/** Whole, on a line of its own, so that it can be pasted. */
function repeat({ curl }: Check, pen: Pen): string[] {
  return [`  ${pen.paint.bold('to repeat it by hand')}`, `  ${safeText(curl, 32_768)}`];
}

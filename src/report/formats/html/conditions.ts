/** Why it failed and what to change; under which conditions it was measured; what the words mean. */
import { printable } from '../../../plan/printable.js';
import { formatCount, formatDuration } from '../../../plan/units.js';
import type { Generator, Result } from '../../../result/result.js';
import { type Markup, markup } from '../../charts/markup.js';
import { causeWords } from '../../words/cause-words.js';
import type { Fact } from '../../words/fact.js';
import { reasonsForNothing } from '../../words/run-facts.js';
import { commandLine } from '../../words/written/command-line.js';
import { facts, type PageContext, section, verbatim } from './parts.js';

export function whySection(context: PageContext): Markup {
  const { result } = context;
  const isMeasured = result.bursts.length > 0;
  const causes = result.diagnosis.map(causeWords).map(
    ({
      label,
      name,
      title,
      facts: all,
    }) => markup`<p><strong>${label}: ${name}</strong>${title === '' ? '' : `. ${title}`}</p>
${facts(all)}`,
  );
  const parts = [...(isMeasured ? [] : [facts(reasonsForNothing(result))]), ...causes];
  return section(context, 'why', 'Why, and what to change', parts);
}

export function conditionsSection(context: PageContext): Markup {
  const { result } = context;
  return section(context, 'conditions', 'Conditions', [
    markup`<p>To repeat it (secrets are masked, defaults left out):</p>
${verbatim(commandLine(result))}`,
    facts([...runConditions(result), ...result.generators.flatMap(generatorFacts), ...planFacts(result)]),
  ]);
}

function runConditions({
  startedAt,
  endedAt,
  addresses,
  tool,
  schemaVersion,
  exitCode,
  finished,
  stopped,
}: Result): Fact[] {
  return [
    { label: 'started', text: startedAt },
    { label: 'ended', text: finished === false ? 'not yet: this run has not ended' : endedAt },
    ...(stopped === null ? [] : [{ label: 'stopped', text: printable(stopped) }]),
    ...(addresses.length === 0
      ? []
      : [{ label: 'addresses', text: addresses.map((one) => printable(one)).join(', ') }]),
    { label: 'tool', text: `wstampede ${printable(tool.version)}, result schema ${schemaVersion}` },
    { label: 'exit code', text: `${exitCode}` },
  ];
}

function generatorFacts({ host, cpus, node, platform, transport, transportNote, workers, limits }: Generator): Fact[] {
  const known = (value: number | null) => (value === null ? 'unknown' : formatCount(value));
  const why = transportNote === null ? '' : ` (${printable(transportNote)})`;
  return [
    { label: 'generator', text: `${printable(host)}: ${cpus} cores, ${printable(platform)}, Node ${printable(node)}` },
    { label: 'transport', text: `${printable(transport)}${why}, ${formatCount(workers)} worker threads` },
    { label: 'limits', text: `${known(limits.fds)} descriptors, ${known(limits.ports)} local ports` },
  ];
}

function planFacts({ plan }: Result): Fact[] {
  const { target, timeoutMs, gate, seed, name, about } = plan;
  return [
    ...(name === null ? [] : [{ label: 'profile', text: printable(name) }]),
    ...(about === null ? [] : [{ label: 'about', text: printable(about) }]),
    { label: 'target', text: printable(target.url) },
    ...target.headers.map(([header, value], i) => ({
      label: i === 0 ? 'headers' : '',
      text: `${printable(header)}: ${printable(value)}`,
    })),
    { label: 'gate', text: gate },
    { label: 'timeout', text: formatDuration(timeoutMs) },
    { label: 'seed', text: `${seed}` },
  ];
}

const WORDS: readonly (readonly [word: string, meaning: string])[] = [
  ['gate', 'The step at which all handshakes of a burst wait to be released together: connect, tls or upgrade.'],
  ['spread', 'Time from the first to the last start in a burst. The smaller it is, the more simultaneous the burst.'],
  ['handshake', 'Time from the release of the burst to the complete answer: what a client felt.'],
  ['floor', 'The same burst against a local test server: what this generator adds by itself.'],
  ['lower bound (≥)', 'The generator measured late: the true value is between this and the value before it.'],
  [
    'valid, suspect, invalid',
    'Whether the generator was the limit: no; perhaps, for the reasons given; yes, so nothing is known about the target.',
  ],
  ['drop-off', 'The burst size at which half of the bursts miss the objective.'],
  [
    '95% interval',
    'The range in which the drop-off is likely to be, from all bursts together. Plan with its lower end.',
  ],
  [
    'p99',
    'The time within which 99 of 100 of those who got a 101 had it. – means that there are too few values for it.',
  ],
];

export function wordsSection(): Markup {
  const rows = WORDS.map(
    ([word, meaning]) => markup`<dt>${word}</dt><dd>${meaning}</dd>
`,
  );
  return markup`<section id="words"><h2>Words</h2>
<dl>
${rows}</dl></section>
`;
}

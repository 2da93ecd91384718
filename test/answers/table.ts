/**
 * The matrix as a table for people: every answer with its bytes, the outcome by the RFCs, and what ws and Chromium saw of
 * it. Pure: from the rows and the record to Markdown.
 */
import type { Answer, Step } from './answer.js';
import type { Recorded, Seen } from './clients.js';

/** RFC 6455 section 1.3. */
const SAMPLE_ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const LONGEST = 200;

type Verdict = 'open' | 'open, lost' | 'not open';

export function verdictOf(answer: Answer): Verdict {
  if (answer.outcome !== '101') return 'not open';
  return answer.isLost ? 'open, lost' : 'open';
}

export function verdictSeen({ events }: Seen): Verdict {
  if (!events.startsWith('open')) return 'not open';
  return /close|error/.test(events) ? 'open, lost' : 'open';
}

export function answersTable(chapters: Readonly<Record<string, readonly Answer[]>>, recorded: Recorded): string {
  const { versions } = recorded;
  const rows = Object.values(chapters).flat();
  const differing = rows.filter(({ why }) => why !== undefined).length;
  const parts = Object.entries(chapters).map(([title, answers]) => chapter(title, answers, recorded));
  return `# The answer matrix

What a client makes of ${rows.length} answers to one handshake: \`wstampede\` by the words of the RFCs, and beside it the ws package
(${versions.ws}, on Node ${versions.node}) and Chromium (${versions.chromium}). In ${differing} rows one of them differs; each says why. Written by
\`UPDATE_GOLDEN=1 node --test test/.out/whole/answer-matrix.test.js\`; the same test asserts every cell but the reasons.

- **Sent**: \`↵\` is CR LF, \`␊\` LF alone, \`␍\` CR alone, \`\\x00\` a byte, \`(x)×9\` nine times x, \`[FIN]\` \`[RST]\` an end, \`[taken]\` that the
  client has read it all so far, \`…\` a part left out. An answer without an end leaves the connection open. The Accept shown is that of RFC 6455's sample key.
- **Outcome**: the tool's, with its detail; *lost*: counted as \`101\`, and as lost while held.
- **ws** and **Chromium**: \`fails\`, \`waits\` (neither opened nor failed while others had long done so), or \`open\` and what followed: the
  length of each message, an error, the close code. Chromium shows a page no status and no reason: a handshake that fails is an error
  without words and close 1006, whatever came. The words in the table are those of its console, which scripts cannot read.

${parts.join('\n')}`;
}

function chapter(title: string, answers: readonly Answer[], { rows }: Recorded): string {
  const lines = answers.map((answer) => {
    const seen = rows[answer.name];
    const cells = [
      `**${answer.name.replaceAll('-', ' ')}**${asked(answer)}`,
      code(sent(answer.steps(SAMPLE_ACCEPT))),
      `\`${answer.outcome}\`${answer.isLost ? ', *lost*' : ''}${answer.detail === null ? '' : `: ${text(answer.detail)}`}`,
      text(answer.by),
      seen === undefined ? '' : cell(seen.ws),
      seen === undefined ? '' : cell(seen.chromium),
      text(answer.why ?? ''),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `## ${title}

| answer | sent | outcome | by | ws | Chromium | why they differ |
| --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`;
}

function asked(answer: Answer): string {
  if (answer.isSecure) return ' (wss)';
  if (answer.asked === 'chat') return ' (chat.v1, chat.v2 asked for)';
  return answer.asked === 'deflate' ? ' (compression asked for)' : '';
}

function cell({ events, words }: Seen): string {
  return `${events}${words === null ? '' : `: ${text(words)}`}`;
}

function sent(steps: readonly Step[]): string {
  if (steps.length === 0) return '(nothing)';
  return steps
    .map((step) => {
      if ('write' in step) return visible(step.write);
      if ('drip' in step) return `${visible(step.drip)} [a byte a segment]`;
      return 'end' in step ? `[${step.end}]` : '[taken]';
    })
    .join(' ');
}

function visible(bytes: string): string {
  const shown = bytes
    .replace(/([\s\S]{1,40}?)\1{9,}/g, (all, unit: string) => `(${unit})×${all.length / unit.length}`)
    .replaceAll('\r\n', '↵')
    .replaceAll('\n', '␊')
    .replaceAll('\r', '␍')
    .replace(
      /[\0-\x1f\x7f-\xa0\xad\xae-\xd6\xd8-\xff]/g,
      (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST)}…` : shown;
}

/** A code span that may hold back-quotes (CommonMark 6.1), in a cell that may not hold bars. */
function code(shown: string): string {
  return `\`${shown.replaceAll('|', '\\|').replaceAll('`', "'")}\``;
}

function text(plain: string): string {
  return plain.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*').replaceAll('\n', ' ');
}

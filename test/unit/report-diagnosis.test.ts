/** How a diagnosis reads on a terminal: golden text at two widths and in ASCII, harmless whatever a target said. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { diagnose } from '#dist/diagnose/diagnose.js';
import { diagnosisBlock } from '#dist/report/terminal/diagnosis.js';
import type { Pen } from '#dist/report/terminal/page.js';
import { glyphsOf, palette } from '#dist/report/terminal/style.js';
import { columnsOf } from '#dist/report/terminal/text-width.js';
import type { Diagnosis } from '#dist/result/result.js';
import { burst, nginx, page, quick, refusedAtOnce, serialBehind } from './diagnose-answers.js';
import { always, around, failed, inSteps, ok, resultOf, type Told, unconnected } from './diagnose-results.js';

/** From test/.out/unit as well as from test/unit. */
const GOLDEN = new URL(import.meta.url.includes('/.out/') ? '../../golden/' : '../golden/', import.meta.url);

const pen = (width: number, unicode = true, color = false): Pen => ({
  width,
  glyphs: glyphsOf(unicode),
  paint: palette(color),
});

const TOLD: Readonly<Record<string, Told>> = {
  'serial behind nginx': serialBehind(nginx(504), '504', 1000, 5),
  'in steps, direct': {
    ...burst(ok(inSteps(464, 16, 101)), failed('timeout-upgrade', around(500, 3000, 5))),
    timeoutMs: 3000,
  },
  'a limit, or a rate': burst(quick(400), refusedAtOnce(100, '503', nginx(503))),
  'Upgrade stripped, or a wrong path': always(
    '404',
    2,
    page('<pre>Cannot GET /ws</pre>', ['Server', 'nginx/1.22.1'], ['X-Powered-By', 'Express']),
  ),
  'this machine': burst(quick(200), unconnected('local-fds', around(300, 0.2))),
  'nothing that is known': always('418', 2, page('I am a teapot')),
};

function rendered(terminal: Pen): string {
  return Object.entries(TOLD)
    .map(([what, told]) => [`== ${what}`, '', ...diagnosisBlock(diagnose(resultOf(told)), terminal), '', ''].join('\n'))
    .join('');
}

const plain = (text: string): string => text.replace(/\x1b\[\d+m/g, '');

describe('the diagnosis', () => {
  for (const [name, terminal] of Object.entries({
    'diagnosis-80': pen(80),
    'diagnosis-120': pen(120),
    'diagnosis-ascii': pen(80, false),
  })) {
    it(`reads as in golden/${name}.txt`, () => {
      const text = rendered(terminal);
      const file = fileURLToPath(new URL(`${name}.txt`, GOLDEN));
      if (process.env.UPDATE_GOLDEN === '1') {
        mkdirSync(GOLDEN, { recursive: true });
        writeFileSync(file, text);
      }
      assert.equal(text, readFileSync(file, 'utf8'));
    });
  }

  it('fits every width, and says the same in colour', () => {
    for (const width of [40, 60, 80, 100, 120]) {
      for (const line of rendered(pen(width)).split('\n'))
        assert.ok(line.startsWith('== ') || columnsOf(line) <= width);
    }
    const coloured = rendered(pen(80, true, true));
    assert.ok(coloured.includes('\x1b['));
    assert.equal(plain(coloured), rendered(pen(80)));
    assert.match(rendered(pen(80, false)), /^[\n -~]*$/);
  });

  it('is silent when there is none', () => assert.deepEqual(diagnosisBlock([], pen(80)), []));

  it('never brings a control character to the terminal', () => {
    const evil = fc.string({ unit: 'binary', maxLength: 200 });
    const property = fc.property(evil, evil, fc.boolean(), (a, b, unicode) => {
      const one: Diagnosis = {
        cause: `x${a}`,
        evidence: `\x1b[2J${a}`,
        remedy: `\x1b]0;owned\x07${b}`,
        confidence: 0.5,
        outcomes: [],
        gateway: null,
        apart: `\u202e\u0085${b}`,
        figures: {},
      };
      const text = diagnosisBlock([one], pen(60, unicode)).join('');
      assert.doesNotMatch(text, /[\p{C}\p{Zl}\p{Zp}]/u);
      assert.ok(diagnosisBlock([one], pen(60, unicode)).every((line) => columnsOf(line) <= 60));
    });
    fc.assert(property, { numRuns: 100, seed: 4 });
  });

  it('is short, of a target that says much too', () => {
    // As long as samples keep a value.
    const long = 'x'.repeat(300);
    const headers: [string, string][] = [
      'Location',
      'WWW-Authenticate',
      'Sec-WebSocket-Version',
      'Retry-After',
      'Upgrade',
    ].map((name) => [name, long]);
    for (const outcome of ['301', '400', '401', '403', '426', '429', 'malformed', 'closed', '503'] as const) {
      const found = diagnose(resultOf(always(outcome, 2, { headers, body: `Origin ${long}`, statusLine: long }, long)));
      for (const { evidence } of found) assert.ok(evidence.length < 1000, `${outcome}: ${evidence.length}`);
    }
  });
});

/** Results in every format: against files that were read, and read back by the programs that they are for. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'csv-parse/sync';
import { ENDINGS, formatFor, misfitOf } from '#dist/report/formats/formats.js';
import type { Result } from '#dist/result/result.js';
import { LatencyHistogram } from '#dist/tally/histogram.js';
import { ROOT } from '../cli.js';
import { needsProgram } from '../needs.js';
import { type BurstSpec, floor, NGINX_504, rampAndCluster, result } from './report-results.js';
import { searchResult, searchSpecs } from './report-searches.js';

const found = searchResult(searchSpecs().found);

const HOSTILE = '`|<b>@team *x* [y](z) "&\'</script><!--\u0007=1+1';

/** Three bursts of different fates, one of them invalid. */
const three = result({
  ...rampAndCluster,
  command: 'run',
  stages: [{ kind: 'burst', size: 500, times: 3, restMs: 0 }],
  bursts: [
    rampAndCluster.bursts[0],
    { endings: [{ outcome: '504', count: 100, atMs: (i) => 1000 + i }], samples: { 504: NGINX_504 } },
    {
      endings: [{ outcome: '101', count: 50, atMs: (i) => 3 + i / 10 }],
      validity: { verdict: 'invalid', reasons: ['this machine ran out of local ports'] },
      calibration: floor(50),
    },
  ] satisfies BurstSpec[],
});

const invalid = result({
  bursts: [{ endings: [{ outcome: 'local-ports', count: 5, atMs: () => 1 }] }],
  validity: { verdict: 'invalid', reasons: ['this machine ran out of local ports'] },
  thresholds: rampAndCluster.thresholds,
  exitCode: 4,
});

/** Texts that a target or a user chose, everywhere a result has some. */
const hostile: Result = {
  ...three,
  command: HOSTILE,
  plan: { ...three.plan, name: HOSTILE, target: { ...three.plan.target, url: `ws://h/${HOSTILE}` } },
  thresholds: [{ expression: HOSTILE, actual: 1, actualLower: null, floor: null, ok: false }],
  validity: { verdict: 'suspect', reasons: [HOSTILE] },
};

async function rendered(name: string, ...results: readonly Result[]): Promise<string> {
  const format = formatFor(name);
  assert.ok(format, name);
  return `${await format.render(results)}`;
}

const GOLDENS: readonly (readonly [file: string, results: readonly Result[]])[] = [
  ['formats-three.md', [three]],
  ['formats-find.md', [found]],
  ['formats-invalid.md', [invalid]],
  ['formats-three.xml', [three]],
  ['formats-invalid.xml', [invalid]],
  ['formats-several.xml', [three, found]],
  ['formats-three.csv', [three]],
  ['formats-three.hgrm', [three]],
  ['formats-three.connect.hgrm', [three]],
  ['formats-three.hlog', [three]],
  ['formats-three.prom', [three]],
  ['formats-find.prom', [found]],
];

describe('formats', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wst-formats-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [file, results] of GOLDENS) {
    it(`is as read: ${file}`, async () => {
      const text = await rendered(file, ...results);
      const golden = `${ROOT}test/golden/${file}`;
      if (process.env.UPDATE_GOLDEN === '1') writeFileSync(golden, text);
      assert.equal(text, readFileSync(golden, 'utf8'), 'UPDATE_GOLDEN=1 writes it anew');
    });
  }

  it('gives the same percentiles to the readers of hgrm and hlog', async () => {
    const { bursts, totals } = three;
    const require = createRequire(import.meta.url);
    const { HistogramLogReader } = require('hdr-histogram-js') as typeof import('hdr-histogram-js');
    const reader = new HistogramLogReader(await rendered('x.hlog', three));
    const merged = new LatencyHistogram();
    for (const burst of bursts.filter(({ latencyMs }) => latencyMs.handshake !== null)) {
      const histogram = reader.nextIntervalHistogram();
      assert.ok(histogram !== null && 'getValueAtPercentile' in histogram);
      assert.equal(histogram.tag, `burst-${burst.index}`);
      for (const [percent, key] of [
        [50, 'p50'],
        [90, 'p90'],
        [99, 'p99'],
      ] as const) {
        assert.equal(histogram.getValueAtPercentile(percent) / 1000, burst.latencyMs.handshake?.[key]);
      }
      merged.merge(LatencyHistogram.decode(burst.latencyMs.handshake?.hdr ?? ''));
    }
    assert.equal(reader.nextIntervalHistogram(), null);
    assert.equal(merged.percentileMs(99), totals.latencyMs.handshake?.p99, 'lines merge to the totals');
    const rows = (await rendered('x.hgrm', three)).split('\n').filter((line) => /^ +\d/.test(line));
    for (const [share, key] of [
      [0.5, 'p50'],
      [0.75, 'p75'],
      [0.9, 'p90'],
      [1, 'max'],
    ] as const) {
      const row = rows.map((line) => line.trim().split(/ +/).map(Number)).find(([, at]) => at >= share - 1e-9);
      const wanted = totals.latencyMs.handshake?.[key] ?? 0;
      assert.ok(
        row !== undefined && Math.abs(row[0] - wanted) <= 0.001 + wanted / 1000,
        `${key}: ${row} for ${wanted}`,
      );
    }
  });

  it('is JUnit that the readers of CI accept', async (t) => {
    if (!needsProgram(t, 'xmllint')) return;
    for (const [i, results] of [[three], [invalid], [three, found], [hostile]].entries()) {
      const file = join(folder, `${i}.xml`);
      writeFileSync(file, await rendered('x.xml', ...results));
      execFileSync('xmllint', ['--noout', '--nonet', '--schema', `${ROOT}test/junit.xsd`, file], { stdio: 'pipe' });
    }
  });

  it('judges nothing of an invalid run in JUnit', async () => {
    const xml = await rendered('x.xml', invalid);
    assert.match(xml, /tests="5" failures="0" errors="1" skipped="4"/);
    assert.match(xml, /<error type="invalid" message="invalid: this machine ran out of local ports">/);
  });

  it('is a text file that Prometheus accepts', async (t) => {
    if (!needsProgram(t, 'promtool')) return;
    for (const one of [three, invalid, hostile]) {
      const input = await rendered('x.prom', one);
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
      assert.equal(status, 0, `${stdout}${stderr}`);
    }
  });

  it('is a CSV of one row a burst and phase, with nothing that a spreadsheet runs', async () => {
    const rows = parse(await rendered('x.csv', { ...hostile, command: '=1+1' }), { columns: true }) as Record<
      string,
      string
    >[];
    assert.deepEqual(
      rows.map(({ burst, phase }) => `${burst} ${phase}`),
      ['0 connect', '0 upgrade', '0 handshake', '1 connect', '1 handshake', '2 connect', '2 upgrade', '2 handshake'],
    );
    assert.equal(rows[0].command, "'=1+1");
    const [, , handshake, , none] = rows;
    assert.equal(Number(handshake.p99_ms), three.bursts[0].latencyMs.handshake?.p99);
    assert.equal(handshake.p999_ms, '', 'p99.9 of 200 values is not known');
    assert.deepEqual([none.count, none.p50_ms, none.failed], ['0', '', '100']);
  });

  it('escapes what a target sent in Markdown', async () => {
    const text = (await rendered('x.md', hostile)).replace(/```text\n[\s\S]*?\n```/g, '');
    const own = text.replace(/<\/?(details|summary)>/g, '');
    assert.doesNotMatch(own, /<[^>]|@team|\[y\]|\u0007/);
  });

  it('says which formats fit what can not be held', () => {
    for (const ending of ['.csv', '.hgrm', '.hlog', '.prom']) {
      const format = formatFor(`x${ending}`);
      assert.ok(format);
      const misfit = misfitOf(format, ['check']);
      assert.match(misfit?.why ?? '', /a result of check has nothing for/);
      assert.ok(!(misfit?.fitting ?? '').includes(ending));
    }
    for (const ending of ENDINGS) {
      const format = formatFor(`x${ending}`);
      assert.ok(format);
      assert.equal(misfitOf(format, ['burst']), null);
      const holds = ['.html', '.md', '.xml', '.csv'].includes(ending);
      assert.equal(misfitOf(format, ['burst', 'find']) === null, holds, ending);
    }
    assert.equal(formatFor('.json'), undefined);
    assert.equal(formatFor('x.tls.HGRM')?.ending, '.tls.hgrm');
  });
});

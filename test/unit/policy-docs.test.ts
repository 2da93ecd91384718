/** docs/policies.md does not drift: its tables come from the code (UPDATE_GOLDEN=1 writes them). */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { simulateOutage } from '#dist/plan/policy/outage.js';
import { policyWords } from '#dist/plan/policy/policy-words.js';
import { PRESETS } from '#dist/plan/policy/presets.js';
import { recoveryBound } from '#dist/plan/policy/recovery.js';
import { reconnect } from '#dist/plan/profile/policy-schema.js';
import { formatDuration } from '#dist/plan/units.js';

const PAGE = fileURLToPath(new URL('../../../docs/policies.md', import.meta.url));
const CLIENTS = 10_000;
/** The default of `-t`, which limits an attempt where the library does not. */
const TIMEOUT_MS = 75_000;

function presetRows(): string[][] {
  return PRESETS.map(({ policy, of, isApproximate }) => {
    const away = (outageMs: number): string => {
      const outage = {
        policy,
        clients: CLIENTS,
        outageMs,
        perSecond: null,
        timeoutMs: null,
        windowMs: 3_600_000,
        seed: 1,
      };
      const { t50Ms, t99Ms, peakPerSecond } = simulateOutage(outage);
      if (t50Ms === null) return 'gone';
      const seconds = (ms: number | null): string =>
        ms === null ? 'never' : formatDuration(Math.round(ms / 100) * 100);
      return `${seconds(t50Ms)} / ${seconds(t99Ms)}, ${Math.round((100 * peakPerSecond) / CLIENTS)}%`;
    };
    const { needPerSecond } = recoveryBound(policy, 1000, null, TIMEOUT_MS);
    return [
      `\`${policy.name}\`${isApproximate ? ' ≈' : ''}`,
      of,
      policyWords(policy),
      away(0),
      away(10_000),
      away(60_000),
      policy.attempts === 0 ? '' : needPerSecond === 0 ? 'any' : needPerSecond.toFixed(0),
    ];
  });
}

function presetTable(): string {
  return table(['preset', 'read from', 'what a client does', 'away 0 s', '10 s', '60 s', 'needs/s'], presetRows());
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const FULL_JITTER = { waits: { first: '1s', grow: 2, max: '20s', jitter: [0, 1] } };

/** What the page compares: a preset, or a policy as it is written. */
const COMPARED: readonly (readonly [label: string, reconnect: unknown])[] = [
  ['`socket.io`', 'socket.io'],
  ['`reconnecting-websocket`', 'reconnecting-websocket'],
  ['`centrifuge`', 'centrifuge'],
  ['`phoenix`', 'phoenix'],
  ['full jitter up to 20s, 5s an attempt', { ...FULL_JITTER, timeout: '5s' }],
  ['full jitter up to 20s, 25s an attempt', { ...FULL_JITTER, timeout: '25s' }],
];

function recoveryTable(): string {
  const [clients, perSecond] = [5000, 250];
  const lines = COMPARED.map(([label, written]) => {
    const [policy] = reconnect.parse(written);
    const { needPerSecond } = recoveryBound(policy, clients, perSecond, null);
    const outage = { policy, clients, outageMs: 0, perSecond, timeoutMs: null, windowMs: 900_000, seed: 1 };
    const { t100Ms, stillTrying, wastedShare, attemptsPerClient } = simulateOutage(outage);
    const share = (value: number): string => `${Math.round(100 * value)}%`;
    return [
      label,
      needPerSecond === 0 ? 'any' : `${Math.round(needPerSecond)}`,
      t100Ms === null
        ? `${share(stillTrying / clients)} not back after 15 minutes`
        : `all back after ${formatDuration(Math.round(t100Ms / 100) * 100)}`,
      share(wastedShare),
      attemptsPerClient.mean.toFixed(1),
    ];
  });
  return table(
    ['policy', 'needs/s', 'what happens', 'handshakes for clients that had left', 'attempts a client'],
    lines,
  );
}

/** The page with each generated part in its place. */
function written(page: string): string {
  const parts = { presets: presetTable(), recovery: recoveryTable() };
  return Object.entries(parts).reduce((text, [name, part]) => {
    const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
    const [before, rest = ''] = text.split(begin);
    const [, behind = ''] = rest.split(end);
    return `${before}${begin}\n${part}\n${end}${behind}`;
  }, page);
}

test("the tables of the page are the code's own", () => {
  const expected = written(readFileSync(PAGE, 'utf8'));
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(PAGE, expected);
  assert.equal(readFileSync(PAGE, 'utf8'), expected, 'UPDATE_GOLDEN=1 writes it anew');
});

test('every policy that the page shows is read', () => {
  const blocks = [...readFileSync(PAGE, 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  assert.ok(blocks.length >= 2);
  for (const block of blocks) {
    const { reconnect: written } = parse(block) as { reconnect: unknown };
    const parsed = reconnect.safeParse(written);
    assert.ok(parsed.success, `${block}\n${JSON.stringify(parsed.error?.issues)}`);
  }
});

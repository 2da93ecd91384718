/**
 * The README does not drift: its tables are those of the code's own data (UPDATE_GOLDEN=1 writes them), its example runs,
 * and the commands it shows exist.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { CAUSES, type CauseId } from '#dist/diagnose/causes.js';
import { remedyOf } from '#dist/diagnose/remedies/remedies.js';
import { CATALOGUE } from '#dist/lab/catalogue/catalogue.js';
import { readSettings } from '#dist/lab/server/target-options.js';
import { spawnLab } from '#dist/lab/spawn.js';
import { NAMED_OUTCOMES } from '#dist/names/outcomes.js';
import { ROOT } from '../cli.js';

const README = join(ROOT, 'README.md');
const PROFILES = join(ROOT, 'profiles');
const BURST = 500;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

function outcomes(): string {
  const rows = NAMED_OUTCOMES.map(({ id, meaning, blame }) => [`\`${id}\``, meaning, blame]);
  return table(['outcome', 'meaning', 'blame'], [['`101`', 'a valid upgrade (RFC 6455 section 4.1)', 'none'], ...rows]);
}

function lab(): string {
  return table(
    ['target', 'what it is', 'cause', `a burst of ${BURST}`],
    CATALOGUE.map((target) => {
      const settings = readSettings(target.name, target.options, {});
      const [expected, cause] = [target.expects(BURST, settings), target.cause(settings)];
      const counts = Object.entries(expected ?? {}).map(([id, count]) => `${count} × ${id}`);
      return [
        `\`${target.name}\``,
        target.story,
        cause === null ? 'none' : `\`${cause}\``,
        expected === null ? 'depends on its options' : counts.join(', '),
      ];
    }),
  );
}

function profiles(): string {
  const names = readdirSync(PROFILES).filter((file) => file.endsWith('.yaml'));
  const rows = names.sort().map((file) => {
    const { name, about } = parse(readFileSync(join(PROFILES, file), 'utf8')) as { name: string; about: string };
    return [`\`${name}\``, about];
  });
  return table(['profile', 'the question that it answers'], rows);
}

/** The first cause of each group. */
const GROUPS: Partial<Record<CauseId, string>> = {
  'slow-serial-upgrade': 'Alone a handshake works, many at once do not',
  'backend-down': 'The backend',
  'gateway-misconfigured': 'Configuration: a single handshake fails as well',
  'tls-untrusted': 'TLS',
  'dns-failure': 'The way there',
  'rejected-after-accept': 'After the handshake',
  'generator-limit': 'Not the target',
};

/** Gateways as people write them, in the order in which their directives are listed. */
const GATEWAYS: Readonly<Record<string, string>> = {
  nginx: 'nginx',
  haproxy: 'HAProxy',
  apache: 'Apache',
  caddy: 'Caddy',
  varnish: 'Varnish',
  squid: 'Squid',
  lighttpd: 'lighttpd',
  h2o: 'h2o',
  envoy: 'Envoy',
  traefik: 'Traefik',
  alb: 'AWS ALB',
  'api-gateway': 'AWS API Gateway',
  cloudflare: 'Cloudflare',
  google: 'Google Cloud',
  heroku: 'Heroku',
};

const html = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** A folded paragraph a cause: the titles are the table of contents. */
function causes(): string {
  return CAUSES.map(({ id, title }) => {
    const { symptom, confirm, fix, at = {}, behind } = remedyOf(id);
    for (const hop of Object.keys(at)) assert.ok(GATEWAYS[hop], `no name for ${hop}`);
    const general = [`*Seen:* ${symptom}`, `*Confirm:* ${confirm}`, `*Fix:* ${fix}`];
    if (behind !== undefined) general.push(`*From a gateway that answers 502 or 504:* ${behind}`);
    const there = Object.entries(GATEWAYS).flatMap(([hop, name]) =>
      at[hop] === undefined ? [] : [`*${name}:* ${at[hop]}`],
    );
    const advice = [general, there].filter((part) => part.length > 0).map((part) => part.join('<br>'));
    const group = GROUPS[id];
    return [
      ...(group === undefined ? [] : [`\n**${group}**\n`]),
      `<details><summary><code>${id}</code> ${html(title)}</summary>\n`,
      `${advice.join('<br>\n')}\n</details>`,
    ].join('\n');
  })
    .join('\n')
    .trim();
}

for (const [name, expected] of Object.entries({ outcomes, causes, lab, profiles })) {
  test(`the table of ${name} is the code's own`, () => {
    const text = readFileSync(README, 'utf8');
    const [begin, end] = [`<!-- ${name}:begin -->\n`, `<!-- ${name}:end -->`];
    const from = text.indexOf(begin) + begin.length;
    const to = text.indexOf(end);
    assert.ok(from >= begin.length && to >= from, `README has no place for the table of ${name}`);
    const wanted = `${expected()}\n`;
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(README, text.slice(0, from) + wanted + text.slice(to));
    else assert.equal(text.slice(from, to), wanted);
  });
}

test('the example runs as it stands, but for its URL', async () => {
  const example = /```ts\n(.*?)```/s.exec(readFileSync(README, 'utf8'))?.[1] ?? '';
  assert.match(example, /ws:\/\/127\.0\.0\.1:8080\/ws/);
  const target = await spawnLab('healthy', {});
  // Below the package, where its own name resolves to it.
  const folder = mkdtempSync(join(ROOT, 'test', '.out', 'readme-'));
  try {
    const file = join(folder, 'example.mjs');
    writeFileSync(file, example.replace('ws://127.0.0.1:8080/ws', target.url));
    const ran = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(ran.stderr, '');
    assert.match(ran.stdout, /^\{ '101': 400 \} (valid|suspect) 0\n$/);
    assert.equal(ran.status, 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await target.stop();
  }
});

test('every command that the README shows exists', () => {
  const commands = new Set(
    [...readFileSync(README, 'utf8').matchAll(/^\$ wstampede (\w+)/gm)].map(([, command]) => command),
  );
  assert.ok(commands.size >= 4);
  for (const command of commands) {
    const ran = spawnSync(process.execPath, [join(ROOT, 'dist', 'cli.js'), command, '--help'], { encoding: 'utf8' });
    assert.equal(ran.status, 0, `${command}: ${ran.stderr}`);
  }
});

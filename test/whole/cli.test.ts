/**
 * The command line before anything is sent: help, mistakes of every kind with the way out, the guard, where a value comes
 * from. Mistakes end with exit 2, words on stderr and nothing on stdout.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { CATALOGUE } from '#dist/lab/catalogue/catalogue.js';
import { ATTEMPTS_HEADER } from '#dist/tally/attempt-row.js';
import { CLI, labFor, ROOT, resultOf, wstampede } from '../cli.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'wst-cli-'));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

/** Nothing listens there; a run that should have been refused would say so. */
const NOWHERE = 'ws://127.0.0.1:9/';

// Nothing here measures: two at a time.
describe('help', { concurrency: 2 }, () => {
  test('--version, and -V', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    for (const flag of ['--version', '-V']) {
      const ran = await wstampede([flag]);
      assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, `${version}\n`, '']);
    }
  });

  for (const command of ['', 'burst', 'churn', 'run', 'lab', 'demo', 'profiles']) {
    test(`${command} --help`, async () => {
      const ran = await wstampede([...command.split(' ').filter(Boolean), '--help']);
      assert.equal(ran.code, 0);
      assert.equal(ran.stderr, '');
      assert.match(ran.stdout, command === '' ? /Exit codes: 0 fine/ : new RegExp(`wstampede ${command}`));
      const longest = Math.max(...ran.stdout.split('\n').map((line) => line.length));
      assert.ok(longest <= 100, `a line of ${longest} characters`);
    });
  }

  test('lab NAME --help tells the options of that target', async () => {
    const ran = await wstampede(['lab', 'limit', '--help']);
    assert.equal(ran.code, 0);
    for (const option of ['--max', '--answer', '--tls', '--port']) assert.ok(ran.stdout.includes(option), option);
  });

  test('lab --list and profiles name all there is', async () => {
    const [labs, profiles] = await Promise.all([wstampede(['lab', '--list']), wstampede(['profiles'])]);
    for (const { name } of CATALOGUE) assert.match(labs.stdout, new RegExp(`^${name}$`, 'm'));
    for (const name of ['quick-look', 'simultaneous-504', 'tls-burst']) assert.ok(profiles.stdout.includes(name));
  });

  test('the completion script completes commands and flags', async () => {
    const script = await wstampede(['completion']);
    assert.equal(script.code, 0);
    assert.match(script.stdout, /-wstampede-completions-/);
    const words = await wstampede(['--get-yargs-completions', 'wstampede', 'bu']);
    assert.match(words.stdout, /^burst/m);
    const flags = await wstampede(['--get-yargs-completions', 'wstampede', 'burst', '--thr']);
    assert.match(flags.stdout, /^--threshold/m);
    const profiles = await wstampede(['--get-yargs-completions', 'wstampede', 'run', 'qu']);
    assert.equal(profiles.stdout, 'quick-look\n');
    const targets = await wstampede(['--get-yargs-completions', 'wstampede', 'lab', 'simul']);
    assert.match(targets.stdout, /^simultaneous-504\n/);
    const runFlags = await wstampede(['--get-yargs-completions', 'wstampede', 'run', 'quick-look', '--thr']);
    assert.match(runFlags.stdout, /^--threshold/m);
  });
});

const MISTAKES: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[], /expected a command/],
  [['brst', NOWHERE], /"brst"; did you mean "burst"\?/],
  [['burst'], /expected URL/],
  [['burst', NOWHERE, 'too-much'], /unexpected "too-much"/],
  [['burst', NOWHERE, '--conections', '5'], /--conections; did you mean "connections"\?/],
  [['burst', NOWHERE, '--total', '5'], /--total/],
  [['burst', NOWHERE, '-c'], /-c expects a value/],
  [['burst', NOWHERE, '--output'], /--output expects a value/],
  [['burst', NOWHERE, '-c', '5', '--connections', '6'], /--connections is given 2 times/],
  [
    ['burst', NOWHERE, '-c', '5x', '-t', '5parsecs'],
    /--connections: expected a whole number(?:.|\n)*--timeout: expected a/,
  ],
  [['burst', NOWHERE, '-c', '0'], /--connections: .*from 1 to/],
  [['burst', NOWHERE, '--after', '15'], /--after: expected a duration/],
  [['burst', NOWHERE, '-w', '0'], /--workers: .*from 1 to/],
  [
    ['burst', NOWHERE, '--gate', 'tsl'],
    /--gate: expected connect or tls or upgrade, found "tsl"; did you mean "tls"\?/,
  ],
  [['burst', NOWHERE, '--no-such'], /there is no flag --no-such\n/],
  [['burst', NOWHERE, '-qz'], /there is no flag -z\n/],
  [['lab', 'healthy', '--constructor', '1'], /there is no flag --constructor\n/],
  [['burst', NOWHERE, '--__proto__', '1'], /there is no flag --__proto__\n/],
  [['burst', NOWHERE, '--no-timeout'], /there is no flag --no-timeout\n/],
  [['burst', NOWHERE, '--no-preflight=maybe'], /--no-preflight takes no value/],
  [['burst', NOWHERE, '--dry-run=5'], /--dry-run takes no value(?:.|\n)*=true or =false/],
  [['burst', NOWHERE, '-k=yes'], /-k takes no value/],
  [['demo', '--json'], /there is no flag --json\n/],
  [['burst', NOWHERE, '-H', 'Authorization:', 'Bearer', 's3cret'], /put the whole header in quotes/],
  [['ws://127.0.0.1:9/?token=s3cret'], /there is no command "ws:.*token=\*\*\*"\n {2}wstampede burst URL/],
  [['run', 'ws://127.0.0.1:9/?token=s3cret'], /no profile "ws:.*token=\*\*\*"/],
  [['burst', 'http://127.0.0.1:9/?token=s3cret'], /did you mean ws:\/\/127\.0\.0\.1:9\/\?token=\*\*\*\?/],
  [['burst', NOWHERE, '--connect-to', 'ws://h/?token=s3cret'], /--connect-to: expected HOST:PORT/],
  [['burst', ''], /^wstampede: URL: expected a text/],
  [['burst', NOWHERE, '--threshold', ''], /^wstampede: --threshold: expected a text/],
  [['burst', NOWHERE, '--subprotocol', 'a', '--subprotocol', 'a'], /--subprotocol: "a" is offered twice/],
  [['burst', NOWHERE, '--origin', 'not a url'], /--origin: expected null or SCHEME:\/\/HOST/],
  [['churn', NOWHERE, '--gate', 'upgrade'], /there is no flag --gate/],
  [['churn', NOWHERE, '--hold', '1s'], /there is no flag --hold\n/],
  [['arrive', NOWHERE, '--gate', 'upgrade'], /there is no flag --gate/],
  [['arrive', NOWHERE, '-r', '50'], /--rate: expected a rate such as 200\/s.*add the time it is meant for: 50\/s/],
  [['arrive', NOWHERE, '-r', '1/s..2/s..3/s'], /--rate: expected a rate .*or a ramp such as 50\/s\.\.500\/s/],
  [['arrive', NOWHERE, '-r', '0/s'], /--rate: expected a rate/],
  [['arrive', NOWHERE, '--max-open', '1', '-w', '2'], /--max-open: 1 in flight are fewer than the 2 workers/],
  [['arrive', NOWHERE, '-r', '2k/s', '-d', '24h'], /handshakes in one run, found 172,800,000/],
  [
    ['burst', NOWHERE, '--spread', '5s', '--gate', 'upgrade'],
    /--gate: handshakes that start one by one wait at no gate/,
  ],
  [['burst', NOWHERE, '--spacing', 'poisson'], /--spacing: .*give spread too/],
  [['burst', NOWHERE, '--threshold', 'rate > 5/s'], /--threshold: only a churn and arrivals have a rate/],
  [['burst', NOWHERE, '--threshold', 'dropOff > 5'], /--threshold: no stage searches for the drop-off/],
  [
    ['burst', NOWHERE, '--threshold', 'p99(message) < 1s'],
    /--threshold: the phase message needs a session that expects one/,
  ],
  [['burst', NOWHERE, '--threshold', 'p99(tls) < 1s'], /--threshold: over ws:\/\//],
  [['burst', NOWHERE, '--threshold', 'p99(dns) < 1s'], /--threshold: .*no name is looked up/],
  [
    ['burst', 'ws://localhost:9/', '--connect-to', '127.0.0.1:9', '--abort', 'p99(dns) > 1s'],
    /--abort: .*no name is looked up/,
  ],
  [
    ['burst', NOWHERE, '--cert', '/no/such.pem'],
    /2 problems(?:.|\n)*--cert: .*key too\n(?:.|\n)*--cert: there is no file/,
  ],
  [
    ['burst', NOWHERE, '-H', 'X: {{ env.WST_NO_SUCH }}'],
    /--header "X": the environment variable WST_NO_SUCH is not set/,
  ],
  [['burst', NOWHERE, '-H', 'no colon', '-c', 'x'], /--header: expected NAME: VALUE(?:.|\n)*--connections: /],
  [['burst', NOWHERE, '--pick', 'once'], /--pick: there is nothing to pick from/],
  [['run', 'quick-look', '--rest', '25h'], /--rest: expected a duration .*to 24h/],
  [['burst', NOWHERE, '--gate', 'tls'], /--gate: the gate tls needs a wss:\/\/ target/],
  [['burst', 'http://127.0.0.1/'], /URL: .*did you mean ws:\/\/127\.0\.0\.1\/\?/],
  [['burst', 'ws://{{ env.HOST }}/'], /templates are not allowed in host or port/],
  [['burst', 'ws://127.0.0.1:9/{{ env.WST_NO_SUCH }}'], /WST_NO_SUCH/],
  [['burst', 'ws://127.0.0.1:9/{{ row.x }}'], /row\.x/],
  [['burst', NOWHERE, '-H', 'no colon'], /--header: expected NAME: VALUE/],
  [['burst', NOWHERE, '-H', 'Two Words: x'], /--header "Two Words": no header name/],
  [['burst', NOWHERE, '-H', 'A: b\nInjected: c'], /--header "A": .*must not hold LF/],
  [['burst', NOWHERE, '--threshold', 'share(101) >> 3%'], /--threshold: .*at character 12/],
  [['burst', NOWHERE, '--threshold', 'shar(101) > 3%'], /did you mean share\?/],
  [['burst', NOWHERE, '--abort', 'often'], /--abort: /],
  [['burst', NOWHERE, '--source-ip', '300.1.1.1'], /--source-ip: expected an IP address/],
  [['burst', NOWHERE, '--ca', 'no-such.pem'], /--ca: there is no file no-such\.pem/],
  [['burst', NOWHERE, '-o', 'r.pdf'], /-o r\.pdf: "\.pdf"/],
  [['burst', NOWHERE, '-o', '/no/such/r.json'], /there is no folder \/no\/such/],
  [['burst', NOWHERE, '-o', 'a.json', '-o', './a.json'], /the same file/],
  [['run', 'quick-lok'], /did you mean "quick-look"\?/],
  [['lab', 'limitt'], /did you mean "limit"\?/],
  [['lab', '--lst'], /--lst without a target \(did you mean --list\?\)/],
  [['lab', 'limit', '--mx', '5'], /did you mean --max\?/],
  [['lab', 'limit', '--max', 'many'], /--max: expected a whole number/],
];

describe('mistakes', { concurrency: 2 }, () => {
  for (const [args, says] of MISTAKES) {
    test(JSON.stringify(args.join(' ')), async () => {
      const ran = await wstampede(args);
      assert.match(ran.stderr, says);
      assert.doesNotMatch(ran.stderr, /internal error|\n\s+at |s3cret/);
      assert.deepEqual([ran.code, ran.stdout], [2, '']);
    });
  }

  test('with --json too, nothing comes on stdout', async () => {
    const ran = await wstampede(['burst', NOWHERE, '-c', 'x', '--json']);
    assert.deepEqual([ran.code, ran.stdout], [2, '']);
  });

  test('all mistakes of a profile at once, each with its place and the way out', async () => {
    const file = join(FOLDER, 'wrong.yaml');
    writeFileSync(
      file,
      'target:\n  url: ws://127.0.0.1:9/\n  heders: { A: b }\ngate: upgrad\nstages:\n  - { burst: many }\n',
    );
    const ran = await wstampede(['run', file]);
    assert.deepEqual([ran.code, ran.stdout], [2, '']);
    const lines = ran.stderr.split('\n').map((line) => line.trim());
    assert.match(lines[0], /3 problems/);
    assert.equal(lines[1], `${file}:3:3  target.heders: unknown key; did you mean "headers"?`);
    assert.match(lines[2], /:4:7 {2}gate: expected .*found "upgrad"; did you mean "upgrade"\?$/);
    assert.match(lines[3], /:6:14 {2}stages\[0\]\.burst: expected a whole number .*found "many"$/);
  });

  test('keys, files, variables and columns of a profile and the flags over it: all in one list', async () => {
    writeFileSync(join(FOLDER, 'rows.csv'), 'user,token\na,b\n');
    const file = join(FOLDER, 'all.yaml');
    writeFileSync(
      file,
      `nmae: all
target:
  url: wss://127.0.0.1:9/?u={{ row.usr }}
  tls: { ca: no-such-ca.pem }
  headers: { A: "{{ env.WST_NO_SUCH }}" }
data: { file: rows.csv }
stages: [{ steps: { from: 100, to: 20, by: 0 } }]
`,
    );
    const args = ['run', file, '-H', 'B: {{ env.WST_NOR_THIS }}', '--key', 'no-such-key.pem', '-t', 'soon'];
    const ran = await wstampede(args);
    assert.deepEqual([ran.code, ran.stdout], [2, '']);
    const [head, ...lines] = ran.stderr.trimEnd().split('\n');
    assert.equal(head, `wstampede: 10 problems in ${file} and the command line:`);
    const expected = [
      `${file}:1:1  nmae: unknown key; did you mean "name"?`,
      `${file}:3:8  target.url: no column "usr" in rows.csv; did you mean "user"?`,
      `${file}:4:14  target.tls.ca: there is no file no-such-ca.pem`,
      `${file}:5:17  target.headers.A: the environment variable WST_NO_SUCH is not set`,
      `${file}:7:36  stages[0].steps.to: expected a size of at least from (100)`,
      `${file}:7:44  stages[0].steps.by: expected a whole number`,
      '--timeout: expected a duration',
      '--key: a key needs its client certificate',
      '--key: there is no file',
      '--header "B": the environment variable WST_NOR_THIS is not set',
    ];
    assert.equal(lines.length, expected.length, ran.stderr);
    for (const line of expected)
      assert.ok(
        lines.some((one) => one.trim().startsWith(line)),
        `${line}\n${ran.stderr}`,
      );
  });

  test('the columns of a file without a header row are not shown when they look like tokens', async () => {
    writeFileSync(join(FOLDER, 'bare.csv'), 'sk-live-4fA9Zq81LmNw02XcVb77,alice\n');
    const ran = await wstampede(['burst', NOWHERE, '--data', join(FOLDER, 'bare.csv'), '-H', 'A: {{ row.token }}']);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /--header "A": no column "token" in .*bare\.csv; it has "\*\*\*", "alice"/);
  });

  test('a profile without a target runs against the one that is given', async () => {
    const file = join(FOLDER, 'anywhere.yaml');
    writeFileSync(file, 'stages: [{ burst: 5 }]\n');
    const alone = await wstampede(['run', file]);
    assert.equal(alone.code, 2);
    assert.match(alone.stderr, /anywhere\.yaml:1:1 {2}target\.url: missing, expected a ws:\/\//);
    const ran = await wstampede(['run', file, '-u', NOWHERE, '--dry-run']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /target +ws:\/\/127\.0\.0\.1:9\//);
  });

  test('a wrong value of a variable is told by the variable', async () => {
    const env = { WSTAMPEDE_CONNECTIONS: 'abc', WSTAMPEDE_GATE: 'upgarde' };
    const ran = await wstampede(['burst', NOWHERE], { env });
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /\n {2}WSTAMPEDE_CONNECTIONS: expected a whole number/);
    assert.match(ran.stderr, /\n {2}WSTAMPEDE_GATE: expected connect or .*did you mean "upgrade"\?/);
    const maybe = await wstampede(['burst', NOWHERE], { env: { WSTAMPEDE_PREFLIGHT: 'maybe' } });
    assert.equal(maybe.code, 2);
    assert.match(maybe.stderr, /WSTAMPEDE_PREFLIGHT: expected true or false/);
    // What is on the command line goes before it, so that it is never read.
    const over = await wstampede(['burst', NOWHERE, '--dry-run', '-c', '5', '--gate', 'connect'], { env });
    assert.equal(over.code, 0, over.stderr);
  });
});

describe('what a person wrote', { concurrency: 2 }, () => {
  test('headers are sent as written, whatever an object would make of their names', async () => {
    const headers = ['constructor: x', '__proto__: y', 'X-Id: 0012345'];
    const ran = await wstampede(['burst', NOWHERE, ...headers.flatMap((text) => ['-H', text]), '--dry-run']);
    assert.equal(ran.code, 0, ran.stderr);
    for (const text of headers) assert.ok(ran.stdout.includes(text), text);
  });

  test('a variable that only every object has is not set', async () => {
    const ran = await wstampede(['burst', NOWHERE, '-H', 'X: {{ env.constructor }}', '--dry-run']);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /the environment variable constructor is not set/);
  });

  test('escapes in a profile never reach the terminal', async () => {
    const hostile = '\\e]0;owned\\a\\e[2J\\x9b31m\\u202e';
    const file = join(FOLDER, 'hostile.yaml');
    const target = `target: { url: "${NOWHERE}" }`;
    for (const text of [
      `${target}\nstages: [{ burst: 1 }]\ndata: { file: "${hostile}" }\n`,
      `target: { url: "${NOWHERE}", tls: { ca: "${hostile}" } }\nstages: [{ burst: 1 }]\n`,
      `${target}\nstages: [{ burst: 1, "${hostile}": 1 }]\n"${hostile}": 1\n`,
      `${target}\nstages: [{ "${hostile}": 1 }]\n`,
      `${target}\nstages: [{ burst: 1 }]\ngate: "${hostile}"\nallowHosts: "${hostile}"\n`,
      `target: { url: "${NOWHERE}", headers: { "${hostile}": x } }\nstages: [{ burst: 1 }]\n`,
    ]) {
      writeFileSync(file, text);
      const ran = await wstampede(['run', file]);
      assert.equal(ran.code, 2, ran.stderr);
      assert.doesNotMatch(ran.stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, text);
      assert.match(ran.stderr, /owned|hostile\.yaml/);
    }
  });
});

describe('the guard', { concurrency: 2 }, () => {
  const refusals: readonly (readonly string[])[] = [
    ['ws://192.0.2.1/'],
    ['ws://8.8.8.8/'],
    ['wss://[2001:4860:4860::8888]/'],
    ['ws://[::ffff:8.8.8.8]/'],
    ['ws://127.0.0.1/', '--connect-to', '8.8.8.8:80'],
    ['ws://127.0.0.1/', '--connect-to', '8.8.8.8:80', '--allow-host', '127.0.0.1'],
    ['ws://192.0.2.1/', '--allow-host', '192.0.2.2'],
  ];
  for (const args of refusals) {
    test(`refuses ${args.join(' ')}`, async () => {
      const ran = await wstampede(['burst', ...args, '-c', '1', '-t', '1s', '--json']);
      assert.deepEqual([ran.code, ran.stdout], [2, '']);
      assert.match(ran.stderr, /is a public address: .*\n {2}if you may test it, say so: --allow-host /);
    });
  }

  describe('of a profile that names hosts and variables', () => {
    const profile = join(FOLDER, 'somebody-elses.yaml');
    writeFileSync(
      profile,
      `target: { url: "ws://192.0.2.1/", headers: { X-Key: "{{ env.SOME_KEY }}" } }
allowHosts: [192.0.2.1, staging.example]
timeout: 1s
stages: [{ burst: 1 }]
`,
    );
    const env = { SOME_KEY: 'value-of-the-user' };

    test('refuses, and lists the hosts with the flag to add', async () => {
      const ran = await wstampede(['run', profile, '--json'], { env });
      assert.deepEqual([ran.code, ran.stdout], [2, '']);
      assert.match(ran.stderr, /say so: --allow-host 192\.0\.2\.1; allowHosts of the profile names 192\.0\.2\.1, stag/);
    });

    for (const [how, more, vars] of [
      ['the flag', ['--allow-host', '192.0.2.1'], {}],
      ['the environment', [], { WSTAMPEDE_ALLOW_HOST: '192.0.2.1' }],
    ] as const) {
      test(`goes on with consent by ${how}`, async () => {
        // A source address that no machine has stops the run behind the guard and before anything is sent.
        const ran = await wstampede(['run', profile, ...more, '--source-ip', '203.0.113.9'], {
          env: { ...env, ...vars },
        });
        assert.equal(ran.code, 4, ran.stderr);
        assert.match(ran.stdout, /no interface of this machine has the source address/);
      });
    }

    test('the dry run lists hosts and names of variables, never their values', async () => {
      const ran = await wstampede(['run', profile, '--dry-run'], { env });
      assert.match(ran.stdout, /target +ws:\/\/192\.0\.2\.1\//);
      assert.match(ran.stdout, /not allowed +192\.0\.2\.1, staging\.example: [^:]*--allow-host/);
      assert.match(ran.stdout, /environment +SOME_KEY: sent to the target/);
      assert.doesNotMatch(ran.stdout, /value-of-the-user/);
    });
  });

  test('a public host that was allowed may be planned for', async () => {
    const ran = await wstampede(['burst', 'ws://192.0.2.1/', '--allow-host', '192.0.2.1', '--dry-run']);
    assert.equal(ran.code, 0);
    assert.match(ran.stdout, /^Dry run: nothing is sent/);
  });
});

describe('where a value comes from', { concurrency: 2 }, () => {
  const file = join(FOLDER, 'precedence.yaml');
  writeFileSync(file, `target: { url: "${NOWHERE}" }\ntimeout: 11s\nstages: [{ burst: 5 }]\n`);
  const timeoutOf = async (args: readonly string[], env: Record<string, string> = {}) => {
    const ran = await wstampede([...args, '--dry-run'], { env });
    assert.equal(ran.code, 0, ran.stderr);
    return /timeout +(\S+) an attempt/.exec(ran.stdout)?.[1];
  };

  test('flag before environment before profile before default', async () => {
    const env = { WSTAMPEDE_TIMEOUT: '12s' };
    assert.equal(await timeoutOf(['burst', NOWHERE]), '75s');
    assert.equal(await timeoutOf(['run', file]), '11s');
    assert.equal(await timeoutOf(['run', file], env), '12s');
    assert.equal(await timeoutOf(['run', file, '-t', '13s'], env), '13s');
  });

  test('lists and switches from the environment', async () => {
    const env = { WSTAMPEDE_HEADER: 'A: 1\nB: 2', WSTAMPEDE_PREFLIGHT: 'false', WSTAMPEDE_DRY_RUN: '1' };
    const ran = await wstampede(['burst', NOWHERE], { env });
    assert.match(ran.stdout, /A: 1/);
    assert.match(ran.stdout, /B: 2/);
    assert.doesNotMatch(ran.stdout, /in the preflight/);
    assert.equal(ran.stderr, '');
  });

  test('a variable that names no flag warns, and a wrong value is an error', async () => {
    const ran = await wstampede(['burst', NOWHERE, '--dry-run'], { env: { WSTAMPEDE_TIMEOT: '1s' } });
    assert.equal(ran.code, 0);
    assert.match(ran.stderr, /warning: WSTAMPEDE_TIMEOT names no flag; did you mean "timeout"\?/);
    const wrong = await wstampede(['burst', NOWHERE, '--dry-run'], { env: { WSTAMPEDE_TIMEOUT: 'soon' } });
    assert.equal(wrong.code, 2);
  });
});

test('the dry run prints the plan and its needs, and sends nothing', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.2' });
  const ran = await wstampede(['burst', lab.url, '-c', '500', '-b', '3', '--dry-run']);
  assert.equal(ran.code, 0);
  for (const need of ['descriptors', 'local ports', 'memory', 'bytes', 'time']) assert.ok(ran.stdout.includes(need));
  assert.equal((await lab.stop()).accepted, 0);
});

test('a target that is down: exit 5, the reason, what to try, and a document with no bursts', async () => {
  const rows = join(FOLDER, 'rows.csv');
  writeFileSync(rows, 'rows of an earlier run\n');
  const ran = await wstampede(['burst', NOWHERE, '-c', '10', '--json', '--attempts', rows]);
  const result = resultOf(ran);
  assert.equal(ran.code, 5);
  assert.equal(readFileSync(rows, 'utf8'), `${ATTEMPTS_HEADER}\n`);
  assert.deepEqual(result.bursts, []);
  assert.deepEqual(Object.keys(result.preflight?.outcomes ?? {}), ['refused']);
  assert.match(result.stopped ?? '', /no answer at preflight \(refused\)/);
  const text = await wstampede(['burst', NOWHERE, '-c', '10']);
  assert.equal(text.code, 5);
  assert.match(text.stdout, /no answer at preflight(?:.|\n)*try .*listens at 127\.0\.0\.1:9/);
});

test('what ended while it was armed says nothing of how long the release took', async () => {
  const args = ['burst', NOWHERE, '-c', '10', '--gate', 'upgrade', '--no-preflight', '--no-calibrate', '--json'];
  for (const transport of ['auto', 'node']) {
    const [burst] = resultOf(await wstampede([...args, '--transport', transport])).bursts;
    assert.deepEqual([burst.outcomes, burst.makespanMs], [{ refused: 10 }, null], transport);
  }
});

test('a name that does not exist: exit 5, and without preflight every attempt is a dns failure', async () => {
  // RFC 6761 section 6.4: .invalid never resolves.
  const url = 'ws://wstampede.invalid/';
  const stopped = resultOf(await wstampede(['burst', url, '-c', '5', '--json']));
  assert.equal(stopped.exitCode, 5);
  const counted = resultOf(await wstampede(['burst', url, '-c', '5', '--no-preflight', '--json']));
  assert.equal(counted.exitCode, 3);
  assert.deepEqual(counted.totals.outcomes, { dns: 5 });
});

test('a slow reader of a long output gets all of it', () => {
  const ran = spawnSync('sh', ['-c', '"$0" "$@" | (sleep 1; cat)', process.execPath, CLI, 'profiles', '--schema'], {
    encoding: 'utf8',
  });
  assert.equal(typeof JSON.parse(ran.stdout), 'object');
});

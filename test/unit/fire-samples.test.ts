import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { wstampede } from '../cli.js';
import { anyPort, fireAt, onRequest, pause, rowMs, serve } from './fire-raw.js';

const HOSTILE = '\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe\u200b\x00\x08\r';
/** Everything a terminal, a bidi renderer or a spreadsheet could obey. */
const UNSAFE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/;

describe('samples of failures', () => {
  test('at most 1 KiB of body, however much comes and however it is announced', async () => {
    for (const announced of [
      'Content-Length: 9000000',
      'Content-Length: -5',
      'Content-Length: x',
      'Transfer-Encoding: chunked',
    ]) {
      const big = onRequest((socket) => {
        socket.write(`HTTP/1.1 500 No\r\n${announced}\r\n\r\n`);
        socket.write('y'.repeat(200_000));
      });
      const { samples, outcomes } = await fireAt(big, { n: 3 });
      assert.deepEqual(outcomes, { '500': 3 });
      const body = samples['500']?.body ?? '';
      assert.ok(body.length >= 1024 && body.length <= 1024 + 3, `${announced}: ${body.length}`);
    }
  });

  test('a body that comes later than its head is waited for, but not for long, and the outcome’s time is the head’s', async () => {
    const late = onRequest((socket) => {
      socket.write('HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n');
      setTimeout(() => socket.write('be'), 30);
      setTimeout(() => socket.write('hind'), 60);
    });
    const never = onRequest((socket) => socket.write('HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\nbe'));
    let patience = Promise.resolve(0);
    const held = () => {
      const begun = performance.now();
      patience = pause(250).then(() => performance.now() - begun);
    };
    const [full, cut] = [await fireAt(late), await fireAt(never, { held })];
    assert.equal(full.samples['502']?.body, 'behind');
    assert.equal(cut.samples['502']?.body, 'be');
    // The patience for a body is a quarter of a second; twice what such a timer takes here is for two noisy cores.
    assert.ok(cut.closingMs < 2 * (await patience), `${cut.closingMs} ms`);
    assert.equal(full.samples['502']?.atMs, rowMs(full.rows[0], 'first_byte_us'));
  });

  test('the telling headers only, at most 24 of them, 256 characters each', async () => {
    const lines = Array.from({ length: 30 }, (_, i) => `X-Amzn-${i}: ${'v'.repeat(2000)}`);
    const many = onRequest((socket) => socket.end(`HTTP/1.1 503 No\r\nX-Other: 1\r\n${lines.join('\r\n')}\r\n\r\n`));
    const headers = (await fireAt(many)).samples['503']?.headers ?? [];
    assert.equal(headers.length, 24);
    for (const [name, value] of headers) assert.ok(name.startsWith('X-Amzn-') && value.length <= 256 + 3);
  });

  test('headers in which a refusal says why', async () => {
    const refusing = onRequest((socket) =>
      socket.end(
        'HTTP/1.1 403 No\r\nX-WebSocket-Reject-Reason: Origin not allowed\r\nX-Message: later\r\nX-Other: 1\r\n\r\n',
      ),
    );
    assert.deepEqual((await fireAt(refusing)).samples['403']?.headers, [
      ['X-WebSocket-Reject-Reason', 'Origin not allowed'],
      ['X-Message', 'later'],
    ]);
  });

  test('nine hundred statuses give one sample each and no detail more than 20', async () => {
    let status = 100;
    const next = onRequest((socket) => {
      status++;
      socket.end(status === 101 || status > 199 ? `HTTP/1.1 ${status} X\n\n` : 'HTTP/1.1 200');
    });
    const { outcomes, details } = await fireAt(next, { n: 400 });
    assert.equal(
      Object.values(outcomes).reduce((sum, n) => sum + n, 0),
      400,
    );
    for (const rows of Object.values(details)) assert.ok(Object.keys(rows).length <= 21);
  });
});

describe('what the target echoes', () => {
  const TOKEN = 'tok3n-of-Row-42';
  const echo = onRequest((socket, request) => {
    const seen = request.replaceAll('\r\n', ' | ').slice(0, 900);
    const html = seen.replaceAll('&', '&amp;');
    socket.end(`HTTP/1.1 403 You sent ${seen}\r\nServer: ${seen}\r\nX-Request-Id: ${seen}\r\n\r\n${seen}\n${html}`);
  });
  const secret = {
    target: {
      headers: { Authorization: 'Bearer s3cr3t-Value', 'X-Row': '{{ row.token }}', 'X-Env': '{{ env.HUSH }}' },
    },
    profile: { data: { file: 'rows.csv' } },
    inputs: { rows: [{ token: TOKEN }], env: { HUSH: 'hush-hush-77' } },
  };

  test('secrets of the plan, of the row and of the environment are masked in status line, headers and body', async () => {
    const text = JSON.stringify((await fireAt(echo, secret)).samples);
    for (const hidden of ['s3cr3t-Value', TOKEN, 'hush-hush-77']) assert.ok(!text.includes(hidden), hidden);
    assert.ok(text.includes('***'));
    assert.ok(text.includes('X-Row: ***'));
  });

  test('tokens of other rows are masked on the terminal and in files; kinds that many rows share are not', async () => {
    const tokens = Array.from({ length: 40 }, (_, i) => `Tok/${i}+of-a-client`);
    const mixedUp = onRequest((socket) => {
      const body = `${tokens.join('\n')}\n${tokens.map(encodeURIComponent).join('\n').toLowerCase()}\neurope-west`;
      socket.end(`HTTP/1.1 403 No\r\nX-Request-Id: ${tokens[7]}\r\n\r\n${body.slice(0, 900)} europe-west`);
    });
    const server = await serve(mixedUp);
    const folder = mkdtempSync(join(tmpdir(), 'wst-rows-'));
    try {
      const [data, json, csv] = ['rows.csv', 'r.json', 'a.csv'].map((name) => join(folder, name));
      writeFileSync(data, `token,region\n${tokens.map((token) => `${token},europe-west\n`).join('')}`);
      const headers = ['-H', 'X-Row: {{ row.token }}', '-H', 'X-Region: {{ row.region }}', '--data', data];
      const args = [server.url, '-t', '3s', ...headers];
      const burst = await wstampede([
        'burst',
        ...args,
        '-c',
        '3',
        '--no-calibrate',
        '-o',
        json,
        '--attempts',
        csv,
        '-v',
      ]);
      const check = await wstampede(['check', ...args, '--no-probes', '-v']);
      assert.equal(burst.code, 3, burst.stderr);
      const texts = [
        burst.stdout,
        burst.stderr,
        check.stdout,
        check.stderr,
        ...[json, csv].map((file) => readFileSync(file, 'utf8')),
      ];
      for (const text of texts) assert.doesNotMatch(text, /of-a-client/i);
      const sample = JSON.parse(readFileSync(json, 'utf8')).totals.samples['403'];
      assert.deepEqual(sample.headers, [['X-Request-Id', '***']]);
      // The row's own value stays hidden whatever it is.
      assert.match(sample.body, /^\*\*\*\n\*\*\*/);
    } finally {
      rmSync(folder, { recursive: true });
      await server.close();
    }
  });

  test('a secret that the end of the sample cuts through leaves nothing of use behind', async () => {
    for (let shown = 1; shown < TOKEN.length; shown++) {
      const cut = onRequest((socket) => {
        socket.end(
          `HTTP/1.1 403 No\r\nContent-Length: 4000\r\n\r\n${'x'.repeat(1024 - shown)}${TOKEN}${'x'.repeat(2000)}`,
        );
      });
      const body = (await fireAt(cut, secret)).samples['403']?.body ?? '';
      const left = body.replaceAll('x', '');
      // Up to 3 characters are too few to be told from chance.
      assert.ok(shown < 4 ? left.length < 4 : left === '***', `${shown} characters: ${left}`);
    }
  });

  test('terminal escapes come out harmless in JSON, CSV, HTML-free summary and progress', async () => {
    const line = Buffer.from(HOSTILE.replaceAll('\r', '').replaceAll('\0', '')).toString('latin1');
    const hostile = onRequest((socket) => {
      socket.end(`HTTP/1.1 418 ${line}\r\nServer: ${line}\r\nRetry-After: =cmd|' /C calc'!A0\r\n\r\n`);
    });
    const broken = onRequest((socket) => {
      const text = `HTTP/1.1 500 X\r\nContent-Length: 60\r\n\r\n${HOSTILE}`;
      socket.end(Buffer.from(text));
    });
    for (const handler of [hostile, broken]) {
      const server = await serve(handler);
      const csv = join(tmpdir(), `wst-hostile-${anyPort()}-${Date.now()}.csv`);
      try {
        const args = ['burst', server.url, '-c', '3', '--no-preflight', '--no-calibrate', '-t', '3s'];
        const json = await wstampede([...args, '--json', '--attempts', csv]);
        assert.equal(json.code, 3, json.stderr);
        assert.ok(!UNSAFE.test(json.stdout), 'JSON');
        assert.ok(!UNSAFE.test(JSON.parse(json.stdout).totals.samples['418']?.statusLine ?? ''), 'JSON, decoded');
        assert.ok(!UNSAFE.test(readFileSync(csv, 'utf8')), 'CSV');
        const text = await wstampede(args);
        assert.ok(!UNSAFE.test(text.stdout) && !UNSAFE.test(text.stderr), 'summary');
        assert.match(text.stdout, /418|500/);
      } finally {
        rmSync(csv, { force: true });
        await server.close();
      }
    }
  });

  test('escapes in a body are visible text in its sample', async () => {
    const body = onRequest((socket) => {
      socket.end(Buffer.from(`HTTP/1.1 500 X\r\nContent-Length: ${Buffer.byteLength(HOSTILE)}\r\n\r\n${HOSTILE}`));
    });
    const sample = (await fireAt(body)).samples['500']?.body ?? '';
    assert.ok(!UNSAFE.test(sample), JSON.stringify(sample));
    assert.ok(sample.includes('\\x1b[2J') && sample.includes('\\u202e'));
  });
});

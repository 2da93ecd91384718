/** What `check` prints, held against files: of targets of the lab, and of gateways as Debian has them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { WebSocketServer } from 'ws';
import { type GatewayName, startDoor } from '../check-gateways.js';
import { checkGolden } from '../check-golden.js';
import { labFor } from '../cli.js';
import { freePorts } from '../gateways/child.js';
import { needsProgram } from '../needs.js';

interface Row {
  readonly name: string;
  readonly target: string;
  readonly options?: Readonly<Record<string, string | boolean>>;
  readonly args?: readonly string[];
  readonly exitCode: number;
  readonly cause: string | null;
}

const ROWS: readonly Row[] = [
  { name: 'healthy', target: 'healthy', exitCode: 0, cause: null },
  { name: 'healthy-wss', target: 'healthy', options: { tls: true }, args: ['-k'], exitCode: 0, cause: null },
  { name: 'backend-refused', target: 'backend-refused', exitCode: 3, cause: 'backend-down' },
  { name: 'close-kills-server', target: 'close-kills-server', exitCode: 3, cause: 'server-closed-itself' },
  { name: 'upgrade-not-forwarded', target: 'upgrade-not-forwarded', exitCode: 3, cause: 'upgrade-not-forwarded' },
  { name: 'silent', target: 'silent', exitCode: 5, cause: 'silent-server' },
  { name: 'accept-then-fin', target: 'accept-then-fin', exitCode: 5, cause: 'closed-without-answer' },
  { name: 'bad-accept', target: 'bad-accept', exitCode: 3, cause: 'invalid-upgrade-answer' },
  { name: 'not-http', target: 'not-http', exitCode: 3, cause: 'not-http' },
  { name: 'tls-self-signed', target: 'tls-self-signed', exitCode: 3, cause: 'tls-untrusted' },
  { name: 'auth-refused', target: 'auth-refused', exitCode: 3, cause: 'auth-refused' },
  { name: 'version-mismatch', target: 'version-mismatch', exitCode: 3, cause: 'version-mismatch' },
  { name: 'redirect', target: 'redirect', exitCode: 3, cause: 'redirected' },
];

test('targets of the lab', { concurrency: 2 }, async (t) => {
  await Promise.all(
    ROWS.map(({ name, target, options, args = [], exitCode, cause }) =>
      t.test(name, async (t) => {
        const { url } = await labFor(t, target, options ?? {});
        const result = await checkGolden(name, [url, '-t', '2s', ...args], [new URL(url).port]);
        assert.equal(result.exitCode, exitCode);
        assert.equal(result.diagnosis[0]?.cause ?? null, cause);
      }),
    ),
  );
});

interface GatewayRow {
  readonly gateway: GatewayName;
  readonly hasBackend: boolean;
  readonly cause: string;
  readonly directive: RegExp;
}

const GATEWAY_ROWS: readonly GatewayRow[] = [
  { gateway: 'nginx', hasBackend: true, cause: 'upgrade-not-forwarded', directive: /proxy_set_header Upgrade/ },
  { gateway: 'haproxy', hasBackend: false, cause: 'backend-down', directive: /server/ },
  { gateway: 'apache2', hasBackend: true, cause: 'upgrade-not-forwarded', directive: /upgrade=websocket|ProxyPass/ },
  { gateway: 'caddy', hasBackend: false, cause: 'backend-down', directive: /reverse_proxy/ },
];

for (const { gateway, hasBackend, cause, directive } of GATEWAY_ROWS) {
  test(`${gateway}, ${cause}`, async (t) => {
    if (!needsProgram(t, gateway)) return;
    const [behind] = await freePorts(1);
    if (hasBackend) {
      const server = new WebSocketServer({ host: '127.0.0.1', port: behind });
      t.after(() => server.close());
    }
    const door = await startDoor(gateway, behind);
    t.after(() => door.stop());
    const direct = hasBackend ? ['--direct', `ws://127.0.0.1:${behind}`] : [];
    const args = [`ws://127.0.0.1:${door.port}/ws`, '-t', '6s', ...direct];
    const result = await checkGolden(`gateway-${gateway}`, args, [`${door.port}`, `${behind}`]);
    assert.equal(result.exitCode, 3);
    assert.equal(result.diagnosis[0]?.cause, cause);
    assert.match(result.diagnosis[0]?.remedy ?? '', directive);
  });
}

/**
 * What a test needs beyond Node. Where it is missing the test is skipped by name with the line that mends it; with
 * WST_REQUIRE_ALL=1 (the gate in continuous integration) it fails instead, so that nothing goes untested unnoticed.
 */
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

const INSTALL: Readonly<Record<string, string>> = {
  nginx: 'apt-get install nginx',
  haproxy: 'apt-get install haproxy',
  apache2: 'apt-get install apache2',
  caddy: 'apt-get install caddy',
  chromium: 'apt-get install chromium',
  tcpdump: 'apt-get install tcpdump',
  ip: 'apt-get install iproute2',
  xmllint: 'apt-get install libxml2-utils',
  promtool: 'apt-get install prometheus',
};

/** Whoever can be left out: a test, or a case of a benchmark. */
export type Skippable = Pick<TestContext, 'skip'>;

/** True when the test may go on; else it has been skipped, or failed. @param missing what is missing and how to get it */
export function needs(t: Skippable, isThere: boolean, missing: string): boolean {
  if (isThere) return true;
  if (process.env.WST_REQUIRE_ALL === '1') throw new Error(`needs ${missing}`);
  t.skip(`needs ${missing}`);
  return false;
}

/** For suites that need the transport `epoll`. @param trouble why it does not work here, or null @returns node:test's `skip` */
export function withoutEpoll(trouble: string | null): string | false {
  if (trouble === null) return false;
  const missing = `needs the transport epoll (${trouble}): npm ci, on Linux`;
  if (process.env.WST_REQUIRE_ALL === '1') throw new Error(missing);
  return missing;
}

/** Whether the program can be started; see `needs`. @param install the line that installs it, where INSTALL does not say */
export function needsProgram(t: Skippable, name: string, install = `install ${name}`): boolean {
  const found = spawnSync('sh', ['-c', `command -v "$0"`, name], { stdio: 'ignore' }).status === 0;
  return needs(t, found, `${name}: ${INSTALL[name] ?? install}`);
}

/** Whether Debian's Python has the module; see `needs`. */
export function needsPythonModule(t: Skippable, name: string, debian: string): boolean {
  const found = spawnSync('/usr/bin/python3', ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0;
  return needs(t, found, `Debian's Python with ${name}: apt-get install ${debian}`);
}

export function needsRoot(t: Skippable): boolean {
  return needs(t, process.getuid?.() === 0, 'root: run the tests as root');
}

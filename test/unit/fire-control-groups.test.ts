import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { longestWaitMs, runQueue, throttledMs } from '#dist/engine/machine/cpu-limits.js';
import { memoryFree } from '#dist/engine/machine/machine.js';

const V2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n';
const V1_CPU = '33 25 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct\n';
const V1_MEMORY = '34 25 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n';
const UNIFIED = '29 25 0:27 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n';

/** A file system with these files under a folder of its own. */
function tree(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'wst-proc-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const file = join(root, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return root;
}

test('throttling is that of the own control group and of those above it, whatever version mounts them', (t) => {
  const cases: [string, Record<string, string>, number | null][] = [
    [
      'v2: the root of the machine has no throttled lines',
      {
        'proc/self/cgroup': '0::/system.slice/load.service\n',
        'proc/self/mountinfo': V2,
        'sys/fs/cgroup/cpu.stat': 'usage_usec 9000000\n',
        'sys/fs/cgroup/system.slice/load.service/cpu.stat': 'usage_usec 5\nnr_throttled 51\nthrottled_usec 3960000\n',
      },
      3960,
    ],
    [
      'v2: the quota of a slice above',
      {
        'proc/self/cgroup': '0::/limited.slice/a.scope\n',
        'proc/self/mountinfo': V2,
        'sys/fs/cgroup/limited.slice/cpu.stat': 'nr_throttled 5\nthrottled_usec 250000\n',
        'sys/fs/cgroup/limited.slice/a.scope/cpu.stat': 'nr_throttled 0\nthrottled_usec 0\n',
      },
      250,
    ],
    [
      'v2: a container with a name space of its own',
      {
        'proc/self/cgroup': '0::/\n',
        'proc/self/mountinfo': V2.replace(' / /sys', ' /docker/77ab /sys'),
        'sys/fs/cgroup/cpu.stat': 'nr_throttled 3\nthrottled_usec 120000\n',
      },
      120,
    ],
    [
      'v1: ns, and a container that is told its path on the host',
      {
        'proc/self/cgroup': '5:memory:/docker/77ab\n4:cpu,cpuacct:/docker/77ab\n1:name=systemd:/docker/77ab\n',
        'proc/self/mountinfo': V1_MEMORY + V1_CPU.replace(' / /sys', ' /docker/77ab /sys'),
        'sys/fs/cgroup/cpu,cpuacct/cpu.stat': 'nr_periods 56\nnr_throttled 51\nthrottled_time 3960000000\n',
      },
      3960,
    ],
    [
      'hybrid: the controller is in v1, v2 beside it has none',
      {
        'proc/self/cgroup': '4:cpu,cpuacct:/load\n1:name=systemd:/user.slice\n0::/user.slice\n',
        'proc/self/mountinfo': V1_CPU + UNIFIED,
        'sys/fs/cgroup/cpu,cpuacct/cpu.stat': 'nr_periods 0\nnr_throttled 0\nthrottled_time 0\n',
        'sys/fs/cgroup/cpu,cpuacct/load/cpu.stat': 'nr_periods 9\nnr_throttled 4\nthrottled_time 8000000\n',
        'sys/fs/cgroup/unified/user.slice/cpu.stat': 'usage_usec 77\n',
      },
      8,
    ],
    ['no control groups', { 'proc/self/stat': '' }, null],
  ];
  for (const [what, files, ms] of cases) assert.equal(throttledMs(tree(t, files)), ms, what);
});

test("the longest wait for a core is one thread's, of those that are left", (t) => {
  const at = (delays: Readonly<Record<string, number>>) =>
    runQueue(
      tree(
        t,
        Object.fromEntries(
          Object.entries(delays).map(([thread, ms]) => [
            `proc/self/task/${thread}/schedstat`,
            `5000000 ${ms * 1e6} 12\n`,
          ]),
        ),
      ),
    );
  assert.equal(longestWaitMs(at({ 10: 5, 11: 100, 12: 900 }), at({ 10: 25, 11: 130, 13: 7 })), 30);
  assert.equal(longestWaitMs(at({}), at({})), null);
});

test('memory is what the own control group and those above it leave, and what this process has of it', (t) => {
  const MIB = 2 ** 20;
  const machine = {
    'proc/meminfo': `MemAvailable: ${8000 * 1024} kB\n`,
    'proc/self/status': `VmRSS:\t${50 * 1024} kB\n`,
  };
  const v2 = { ...machine, 'proc/self/cgroup': '0::/user.slice/a.scope\n', 'proc/self/mountinfo': V2 };
  const hybrid = {
    ...machine,
    'proc/self/cgroup': '5:memory:/load\n4:cpu,cpuacct:/\n0::/user.slice\n',
    'proc/self/mountinfo': V1_MEMORY + V1_CPU + UNIFIED,
    // No limit, as version 1 writes it.
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    'sys/fs/cgroup/memory/memory.usage_in_bytes': `${900 * MIB}\n`,
  };
  const cases: [string, Record<string, string>, number][] = [
    ['no group has a limit', { ...v2, 'sys/fs/cgroup/user.slice/memory.max': 'max\n' }, 8050],
    [
      'v2: the own group, with pages of files that are given back',
      {
        ...v2,
        'sys/fs/cgroup/memory.max': `${9 * MIB}\n`,
        'sys/fs/cgroup/user.slice/a.scope/memory.max': `${500 * MIB}\n`,
        'sys/fs/cgroup/user.slice/a.scope/memory.current': `${400 * MIB}\n`,
        'sys/fs/cgroup/user.slice/a.scope/memory.stat': `anon 7\ninactive_file ${30 * MIB}\nactive_file 9\n`,
      },
      180,
    ],
    [
      'v2: a slice above',
      {
        ...v2,
        'sys/fs/cgroup/user.slice/memory.max': `${300 * MIB}\n`,
        'sys/fs/cgroup/user.slice/memory.current': `${200 * MIB}\n`,
        'sys/fs/cgroup/user.slice/a.scope/memory.max': 'max\n',
        'sys/fs/cgroup/user.slice/a.scope/memory.current': `${200 * MIB}\n`,
      },
      150,
    ],
    [
      'hybrid: the controller is in v1',
      {
        ...hybrid,
        'sys/fs/cgroup/memory/load/memory.limit_in_bytes': `${256 * MIB}\n`,
        'sys/fs/cgroup/memory/load/memory.usage_in_bytes': `${200 * MIB}\n`,
        'sys/fs/cgroup/memory/load/memory.stat': `inactive_file 1\ntotal_inactive_file ${4 * MIB}\n`,
      },
      110,
    ],
    ['hybrid: without a limit', hybrid, 8050],
  ];
  for (const [what, files, mib] of cases) assert.equal(memoryFree(tree(t, files)), mib * MIB, what);
});

/** How many threads are started before the command line is parsed: as many as its plan will ask for, or none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadsFor } from '#dist/commands/early-start.js';
import { workersOf } from '#dist/plan/resources.js';

const PLENTY = 20_000;
const CPUS = 4;

function guessed(words: string, env: Record<string, string> = {}, descriptors = PLENTY): number {
  return threadsFor({ argv: words.split(' '), env }, descriptors, CPUS);
}

test('as many as the plan asks for', () => {
  for (const size of [1, 249, 250, 251, 600, 1000, 1001, 5000]) {
    const stages = [{ kind: 'burst', size, times: 1, restMs: 0 }] as const;
    const asked = workersOf({ workers: null, stages }, { cpus: CPUS });
    for (const flag of [`-c ${size}`, `-c${size}`, `--connections ${size}`, `--connections=${size}`]) {
      assert.equal(guessed(`burst ws://127.0.0.1:1/ ${flag}`), asked, flag);
    }
  }
  assert.equal(guessed('churn ws://127.0.0.1:1/ -n 10k -c 2k'), CPUS);
});

test('none where nothing is fired, where it cannot be told, and where an early start would harm', () => {
  for (const words of [
    'burst ws://127.0.0.1:1/ -c 500 --dry-run',
    'burst --help -c 500',
    'burst ws://127.0.0.1:1/ -c 500 -w 3',
    'burst ws://127.0.0.1:1/ -c 6k',
    'burst ws://127.0.0.1:1/ -c many',
    'burst ws://127.0.0.1:1/',
    'find ws://127.0.0.1:1/ --max 500',
    'lab healthy',
    '',
  ]) {
    assert.equal(guessed(words), 0, words);
  }
  assert.equal(guessed('burst ws://127.0.0.1:1/ -c 500', { WSTAMPEDE_WORKERS: '1' }), 0);
  assert.equal(guessed('burst ws://127.0.0.1:1/ -c 500', {}, 1024), 0);
});

/** The offset to the wall clock, on clocks of the test's own: the thread loses its core wherever it hurts most. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { now, wallOffset } from '#dist/engine/machine/clock.js';

const STEP_MS = 0.0003;
/** Numbers of the size of an epoch in ms have a resolution of 0.25 µs. */
const ROUNDING_MS = 0.0005;
const PRECISION_MS = 0.005;

/** A clock that moves by a step each time it is read, and by far more after some readings. */
function clocks(trueOffset: number, start: number, gaps: readonly { every: number; ms: number }[]) {
  let at = start;
  let reads = 0;
  const advance = () => {
    reads += 1;
    at += STEP_MS;
    for (const { every, ms } of gaps) if (reads % every === 0) at += ms;
    return at;
  };
  return { wall: () => Math.floor(advance() + trueOffset), monotonic: advance };
}

test('however often the core is lost, the offset is never too large; when it is not, it is good to 5 µs', () => {
  const gap = fc.record({ every: fc.integer({ min: 2, max: 4000 }), ms: fc.double({ min: 0, max: 4, noNaN: true }) });
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(part, part, fc.array(gap, { maxLength: 3 }), (offset, start, gaps) => {
      const trueOffset = 1_700_000_000_000 + offset;
      const { wall, monotonic } = clocks(trueOffset, start, gaps);
      const error = wallOffset(wall, monotonic) - trueOffset;
      assert.ok(error <= ROUNDING_MS, `${error} ms too large`);
      if (gaps.length === 0) assert.ok(error >= -PRECISION_MS - ROUNDING_MS, `${-error} ms too small`);
    }),
  );
});

test('a clock that never ticks does not hold up a burst', () => {
  let at = 0;
  const offset = wallOffset(
    () => 5,
    () => {
      at += 0.5;
      return at;
    },
  );
  assert.ok(at <= 25 && Number.isFinite(offset));
});

test('the offset of the real clocks leads to the real time', () => {
  const before = Date.now();
  const time = now() + wallOffset();
  // 20 ms of patience, and a thread that lost its core in each of them: only a gross error is meant here.
  assert.ok(time >= before - 25 && time <= Date.now() + 1);
});

/** When recorded instants are due in a replay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkSpeed, intendedMs, parseSpeed } from '../../../bench/replay/replay-schedule.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';

test('intended instants keep the recorded gaps, divided by the speed, from the first record on', () => {
  assert.equal(intendedMs(500, 2_000_000, 2_000_000, 1), 500);
  assert.equal(intendedMs(500, 2_000_000, 3_500_000, 1), 2_000);
  assert.equal(intendedMs(500, 2_000_000, 3_500_000, 2), 1_250);
  assert.equal(intendedMs(500, 2_000_000, 3_500_000, 0.5), 3_500);
});

test('the order of records is the order of their instants, at any speed', () => {
  const times = fc.array(fc.nat(10_000_000), { minLength: 2 }).map((list) => list.sort((a, b) => a - b));
  fc.assert(
    fc.property(times, fc.double({ min: 0.001, max: 1000, noNaN: true }), (list, speed) => {
      const due = list.map((timeUs) => intendedMs(0, list[0]!, timeUs, speed));
      assert.ok(due.every((ms, i) => i === 0 || ms >= due[i - 1]!));
      const length = (list.at(-1)! - list[0]!) / 1000;
      assert.ok(Math.abs(due.at(-1)! - length / speed) <= 1e-9 * length);
    }),
  );
});

test('a speed is a number above zero, or max', () => {
  assert.equal(parseSpeed('max'), 'max');
  assert.equal(parseSpeed('0.5'), 0.5);
  assert.equal(checkSpeed(2), 2);
  for (const text of ['0', '-1', 'fast', '', 'NaN', 'Infinity', '1e9']) {
    assert.throws(
      () => parseSpeed(text),
      (error: Error) => {
        assert.ok(error instanceof ConfigFailure);
        assert.match(
          error.message,
          new RegExp(`^--speed: ${text} - allowed: max, or a number from 0\\.001 to 1000000 `),
        );
        return true;
      },
    );
  }
});

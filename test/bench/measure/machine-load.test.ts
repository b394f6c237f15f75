/** What others use of the machine: from /proc/stat, less server and engine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  busyWarning,
  othersCores,
  parseBusyMicros,
  readMachine,
} from '../../../bench/measure/machine-load.ts';

test('busy time of all cores: without idling and waiting for disks, with what other virtual machines took', () => {
  const stat = 'cpu  100 20 30 9000 500 4 6 40 7 0\ncpu0 50 10 15 4500 250 2 3 20 3 0\nintr 1\n';
  assert.equal(parseBusyMicros(stat), (100 + 20 + 30 + 4 + 6 + 40) * 10_000);
  assert.equal(parseBusyMicros('nonsense'), null);
});

test('others are what is busy and neither server nor engine', () => {
  const before = { atMs: 1_000, busyMicros: 5_000_000, ownMicros: 1_000_000 };
  const after = { atMs: 3_000, busyMicros: 8_600_000, ownMicros: 2_400_000 };
  assert.ok(Math.abs(othersCores(before, after)! - 1.1) < 1e-9);
  assert.equal(othersCores(before, { ...after, ownMicros: 9_000_000 }), 0, 'ticks are coarse');
  assert.equal(othersCores(null, after), null);
});

test('a warning names the cores; a quiet machine, or one that cannot be looked at, gives none', () => {
  assert.match(busyWarning(1.1, 2)!, /other programs use 1\.1 of its 2 cores/);
  assert.equal(busyWarning(0.1, 2), null);
  assert.equal(busyWarning(null, 2), null);
});

test('a server that is gone leaves no reading', { skip: process.platform !== 'linux' }, () => {
  assert.notEqual(readMachine([]), null);
  assert.equal(readMachine([2 ** 22 + 1]), null);
});

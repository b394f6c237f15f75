import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tick } from '../../../src/server/host/tick.ts';

test('each 50 ms, however many rounds there are, and once behind a pause', () => {
  const tick = new Tick(1000);
  const due: number[] = [];
  for (let nowMs = 1000; nowMs <= 1200; nowMs += 10) if (tick.isDue(nowMs)) due.push(nowMs);
  for (let nowMs = 9000; nowMs <= 9060; nowMs += 10) if (tick.isDue(nowMs)) due.push(nowMs);
  assert.deepEqual(due, [1050, 1100, 1150, 1200, 9000, 9050]);
});

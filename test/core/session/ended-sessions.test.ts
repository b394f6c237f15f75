import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndedSessions } from '../../../src/core/session/ended-sessions.ts';
import { HASH } from '../support/hash.ts';

test('the last ones are remembered, the oldest forgotten', () => {
  const ended = new EndedSessions(HASH);
  for (let n = 0; n < 16_384; n++) ended.add(7, n);
  ended.add(7, 5);
  assert.ok(ended.has(7, 0) && ended.has(7, 16_383));
  ended.add(-1, 0);
  ended.add(-1, 1);
  assert.ok(!ended.has(7, 0) && !ended.has(7, 1) && ended.has(7, 2));
  assert.ok(ended.has(-1, 0) && ended.has(-1, 1));
});

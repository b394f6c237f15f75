/** Silence is proven up to the moment at which the sockets were asked for what waits, however long that takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hearing } from '../../../src/server/host/hearing.ts';

class ManualSockets {
  asked = 0;
  isDone = true;
  ask(): void {
    this.asked++;
    this.isDone = false;
  }
}

test('what clients had sent has been heard up to when the sockets were asked, not to when they were done', () => {
  const sockets = new ManualSockets();
  const hearing = new Hearing(sockets, 1000);
  assert.deepEqual([hearing.heardMs, hearing.hasHeard()], [1000, false]);
  hearing.ask(3000);
  assert.deepEqual([hearing.heardMs, hearing.hasHeard()], [1000, false]);
  sockets.isDone = true;
  assert.deepEqual([hearing.hasHeard(), hearing.heardMs], [true, 3000]);
  assert.equal(hearing.hasHeard(), false, 'told once');
});

test('a pause while it is under way does not begin it again, and does not count as heard', () => {
  const sockets = new ManualSockets();
  const hearing = new Hearing(sockets, 1000);
  hearing.ask(3000);
  hearing.ask(19_000);
  assert.equal(sockets.asked, 1);
  sockets.isDone = true;
  assert.deepEqual([hearing.hasHeard(), hearing.heardMs], [true, 3000]);
  hearing.ask(19_010);
  assert.equal(sockets.asked, 2);
});

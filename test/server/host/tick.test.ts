/** When the tick comes: on time each 50 ms, and after a pause only behind the sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventLoop } from '../../../src/base/event-loop.ts';
import { Tick } from '../../../src/server/host/tick.ts';
import { LoopSocketTurns } from '../../../src/server/io/socket-turns.ts';

class ManualSockets {
  asked = 0;
  isDone = true;
  ask(): void {
    this.asked++;
    this.isDone = false;
  }
}

test('each 50 ms while the rounds come on time, however many there are', () => {
  const sockets = new ManualSockets();
  const tick = new Tick(sockets, 1000);
  const due: number[] = [];
  for (let nowMs = 1000; nowMs <= 1200; nowMs += 10) if (tick.isDue(nowMs)) due.push(nowMs);
  assert.deepEqual(due, [1050, 1100, 1150, 1200]);
  assert.equal(sockets.asked, 0);
});

test('after a pause the sockets come first, and then it is on time again', () => {
  const sockets = new ManualSockets();
  const tick = new Tick(sockets, 1000);
  assert.equal(tick.isDue(9000), false);
  assert.equal(sockets.asked, 1);
  assert.equal(tick.isDue(9010), false);
  assert.equal(sockets.asked, 1, 'asked once');
  sockets.isDone = true;
  assert.equal(tick.isDue(9020), true);
  assert.equal(tick.isDue(9030), false);
  assert.equal(tick.isDue(9070), true);
  assert.equal(tick.lateCount, 1);
});

test('another pause before the sockets are done begins it again', () => {
  const sockets = new ManualSockets();
  const tick = new Tick(sockets, 1000);
  tick.isDue(9000);
  sockets.isDone = true;
  assert.equal(tick.isDue(19_000), false, 'what came meanwhile has not been read');
  assert.equal(sockets.asked, 2);
  sockets.isDone = true;
  assert.equal(tick.isDue(19_010), true);
});

test('the sockets have had three turns of the loop after the last time they were asked for', () => {
  const queue: (() => void)[] = [];
  const loop = { soon: (callback) => void queue.push(callback) } as Partial<EventLoop> as EventLoop;
  let done = 0;
  const turns = new LoopSocketTurns(loop, () => done++);
  const turn = (): void => queue.shift()!();
  assert.equal(turns.isDone, true);
  turns.ask();
  assert.equal(turns.isDone, false);
  turn();
  turn();
  turns.ask();
  turn();
  turn();
  assert.deepEqual([turns.isDone, done], [false, 0]);
  turn();
  assert.deepEqual([turns.isDone, done, queue.length], [true, 1, 0]);
});

/** How many turns of the loop the sockets get, and what is waited for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventLoop } from '../../../src/base/event-loop.ts';
import { LoopSocketTurns } from '../../../src/server/io/socket-turns.ts';

function manualLoop() {
  const soon: (() => void)[] = [];
  const later: (() => void)[] = [];
  const loop: Pick<EventLoop, 'soon' | 'after'> = {
    soon: (callback) => void soon.push(callback),
    after: (_delayMs, callback) => {
      later.push(callback);
      return { cancel: () => undefined };
    },
  };
  const intake = { isHoldingBack: false };
  const done = { count: 0 };
  const turns = new LoopSocketTurns(loop as EventLoop, intake, () => done.count++);
  /** Turns until nothing is to come soon; how many. */
  const turnAll = (): number => {
    let count = 0;
    for (; soon.length > 0; count++) soon.shift()!();
    return count;
  };
  return { turns, intake, done, later, turnAll };
}

test('three turns: the one under way, one that accepts, one that reads what was accepted', () => {
  const { turns, done, turnAll } = manualLoop();
  assert.equal(turns.isDone, true);
  turns.ask();
  turns.ask();
  assert.deepEqual([turns.isDone, done.count], [false, 0]);
  assert.equal(turnAll(), 3);
  assert.deepEqual([turns.isDone, done.count], [true, 1]);
});

test('while connections are held back it goes on, for a bounded time', () => {
  const { turns, intake, done, later, turnAll } = manualLoop();
  intake.isHoldingBack = true;
  turns.ask();
  assert.equal(turnAll(), 3);
  assert.deepEqual([turns.isDone, later.length], [false, 1]);
  intake.isHoldingBack = false;
  later.shift()!();
  assert.equal(turnAll(), 3, 'what they have sent meanwhile is read');
  assert.deepEqual([turns.isDone, done.count], [true, 1]);

  intake.isHoldingBack = true;
  turns.ask();
  let retries = 0;
  for (; !turns.isDone && retries < 1000; retries++) {
    turnAll();
    later.shift()?.();
  }
  assert.ok(retries > 50 && retries < 200, `${retries} times`);
  assert.equal(done.count, 2);
});

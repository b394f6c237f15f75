import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentLoop } from '../../src/shm/agent.ts';
import { Bell, createBell } from '../../src/shm/bell.ts';

test('the loop works until idle, looks again, parks, and ends after the bell is closed and the rest is done', () => {
  const buffer = createBell();
  const bell = new Bell(buffer);
  const calls: string[] = [];
  const work = [3, 1, 0];
  let left = 2;
  new AgentLoop({
    agent: {
      role: 'test',
      onStart: () => calls.push('start'),
      doWork: (nowMs) => {
        const amount = work.shift() ?? (bell.isClosed && left-- > 0 ? 1 : 0);
        calls.push(`work ${amount} at ${nowMs}`);
        return amount;
      },
      onClose: () => calls.push('close'),
    },
    bell,
    hasWork: () => {
      calls.push('look');
      new Bell(buffer).close();
      return false;
    },
    nowMs: () => 7,
    parkMsMax: 60_000,
  }).run();
  const turns = (...amounts: number[]): string[] => amounts.map((amount) => `work ${amount} at 7`);
  assert.deepEqual(calls, ['start', ...turns(3, 1, 0), 'look', ...turns(1, 1, 0), 'close']);
});

test('a failing agent ends the loop with its error and is not closed', () => {
  let closed = false;
  const loop = new AgentLoop({
    agent: {
      role: 'test',
      doWork: () => {
        throw new Error('disk on fire');
      },
      onClose: () => {
        closed = true;
      },
    },
    bell: new Bell(createBell()),
    hasWork: () => false,
    nowMs: () => 0,
    parkMsMax: 1,
  });
  assert.throws(() => loop.run(), /disk on fire/);
  assert.equal(closed, false);
});

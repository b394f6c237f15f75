/** LearnerTurns: before a client is taken for silent, every learner has answered a PING that was sent behind the question. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LearnerTurns } from '../../../src/server/ensemble/learner-turns.ts';

function turns(...links: number[]) {
  let now = 0;
  const asked: LearnerTurns = new LearnerTurns(
    () => now,
    () => {
      for (const link of links) asked.onPing(link);
    },
  );
  const pass = (ms: number): void => {
    now += ms;
  };
  return { asked, pass };
}

test('nobody follows: there is nobody to ask', () => {
  const { asked } = turns();
  asked.ask();
  assert.equal(asked.isDone, true);
});

test('the answer to an older PING, which waited in the kernel, is not the answer', () => {
  const { asked } = turns(1, 2);
  asked.onPing(1);
  asked.ask();
  asked.onAnswer(2);
  asked.onAnswer(1);
  assert.equal(asked.isDone, false);
  asked.onAnswer(1);
  assert.equal(asked.isDone, true);
});

test('a learner that goes is not waited for, one that is silent not for ever', () => {
  const { asked, pass } = turns(1, 2);
  asked.ask();
  asked.onGone(1);
  assert.equal(asked.isDone, false);
  pass(1999);
  assert.equal(asked.isDone, false);
  pass(1);
  assert.equal(asked.isDone, true);
  asked.onAnswer(7);
});

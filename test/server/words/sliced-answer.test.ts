/** Steps of text become pieces of bounded work; what a step throws stays in the answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlicedAnswer } from '../../../src/server/words/sliced-answer.ts';
import type { Steps } from '../../../src/server/words/steps.ts';

function sliced(steps: Steps, onFailure: (name: string, error: unknown) => void = assert.fail): SlicedAnswer {
  return new SlicedAnswer(steps, { name: 'wchc', isLong: true, isReady: () => true, onFailure });
}

function pieces(answer: SlicedAnswer): string[] {
  const texts: string[] = [];
  for (let piece = answer.next(); piece !== null; piece = answer.next())
    texts.push(Buffer.from(piece).toString());
  return texts;
}

test('a piece is some hundred steps or some kilobytes, whichever comes first', () => {
  function* many(): Steps {
    for (let i = 0; i < 2000; i++) yield i % 500 === 0 ? `${i} ` : '';
  }
  assert.deepEqual(pieces(sliced(many())), ['0 500 ', '1000 ', '1500 ', '']);
  function* wide(): Steps {
    for (let i = 0; i < 100; i++) yield 'ü'.repeat(1000);
  }
  const texts = pieces(sliced(wide()));
  assert.deepEqual(
    texts.map((text) => text.length),
    [17_000, 17_000, 17_000, 17_000, 17_000, 15_000],
  );
});

test('what a step throws: the answer says what is missing, and somebody is told', () => {
  function* broken(): Steps {
    yield 'first\n';
    throw new Error('the table is on fire');
  }
  const told: string[] = [];
  const texts = pieces(sliced(broken(), (name, error) => told.push(`${name}: ${error}`)));
  assert.deepEqual(texts, ['first\n\nwchc is not complete: the table is on fire\n']);
  assert.deepEqual(told, ['wchc: Error: the table is on fire']);
});

test('an answer that nobody wants any more lets go of what it walks along', () => {
  let isLetGo = false;
  function* walk(): Steps {
    try {
      for (;;) yield 'x'.repeat(20_000);
    } finally {
      isLetGo = true;
    }
  }
  const answer = sliced(walk());
  answer.next();
  answer.abandon();
  assert.equal(isLetGo, true);
  assert.equal(answer.next(), null);
});

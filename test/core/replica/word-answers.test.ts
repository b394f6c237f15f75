/** Answers to four-letter words in the making: in turn, as far as their clients read, a bounded number at a time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WordAnswer } from '../../../src/core/ports/word-answer.ts';
import { STUCK_MS } from '../../../src/core/request/word-answers.ts';
import { wordAnswer } from '../support/fake-ports.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';

const AT_ONCE = 4;

class Words {
  readonly harness = new ReplicaHarness();

  ask(answer: WordAnswer): Connection {
    const connection = this.harness.accept();
    const client = this.harness.parts.clients.get(connection.conn)!;
    this.harness.turn(() => this.harness.parts.words.begin(client, answer));
    return connection;
  }

  round(): boolean {
    return this.harness.background();
  }

  /** Until nothing moves. */
  run(): void {
    while (this.round());
  }
}

function textOf({ wire }: Connection): string {
  return Buffer.concat(wire.chunks).toString();
}

function long(name: string, pieces = 3): WordAnswer {
  return wordAnswer(
    Array.from({ length: pieces }, (_, i) => `${name}${i} `),
    true,
  );
}

test('a short answer that waits for nothing is there at once', () => {
  const words = new Words();
  const connection = words.ask(wordAnswer(['i', 'mok']));
  assert.equal(textOf(connection), 'imok');
  assert.equal(connection.wire.closed, true);
  assert.equal(words.harness.replica.hasBackgroundWork, false);
});

test('long ones take turns, a piece a round, and the others wait in their order', () => {
  const words = new Words();
  const asked = Array.from({ length: AT_ONCE + 2 }, (_, i) => words.ask(long(`${i}:`)));
  for (let round = 0; round < AT_ONCE; round++) words.round();
  assert.deepEqual(asked.map(textOf), ['0:0 ', '1:0 ', '2:0 ', '3:0 ', '', '']);
  assert.equal(words.harness.replica.hasBackgroundWork, true);
  words.run();
  for (const [i, connection] of asked.entries()) {
    assert.equal(textOf(connection), `${i}:0 ${i}:1 ${i}:2 `);
    assert.equal(connection.wire.closed, true);
  }
});

test('who does not read is not written for, and goes on once it has read', () => {
  const words = new Words();
  const connection = words.ask(long('a', 10));
  connection.wire.room = 5;
  words.run();
  assert.equal(textOf(connection), 'a0 a1 ');
  assert.equal(connection.wire.closed, false);
  words.harness.pass(10 * STUCK_MS);
  assert.equal(connection.wire.closed, false, 'nobody waits for its place');
  connection.wire.room = 1000;
  words.harness.turn(() => words.harness.replica.onDrained(connection.conn));
  words.run();
  assert.equal(textOf(connection), 'a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 ');
  assert.equal(connection.wire.closed, true);
});

test('who does not read makes room for who waits, counted; who leaves does at once', () => {
  const words = new Words();
  const deaf = Array.from({ length: AT_ONCE }, () => words.ask(long('d', 100)));
  for (const { wire } of deaf) wire.room = 1;
  words.run();
  const next = words.ask(long('n'));
  const last = words.ask(long('l'));
  const leaver = words.ask(long('x'));
  words.run();
  assert.equal(textOf(next), '');
  words.harness.turn(() => words.harness.replica.onDisconnect(leaver.conn));
  words.harness.pass(STUCK_MS, STUCK_MS);
  words.run();
  assert.equal(textOf(next), 'n0 n1 n2 ');
  assert.deepEqual(
    deaf.map(({ wire }) => wire.closed),
    [true, false, false, false],
  );
  assert.equal(textOf(last), 'l0 l1 l2 ', 'in the same place');
  assert.equal(words.harness.parts.clients.limitEnds.counts.unreadWord, 1);
  words.harness.turn(() => words.harness.replica.onDisconnect(deaf[1]!.conn));
  assert.equal(deaf[1]!.wire.released, true);
  assert.equal(textOf(leaver), '');
});

test('an answer that waits for something keeps nobody busy, and is made when it has come', () => {
  const words = new Words();
  let isReady = false;
  const inner = wordAnswer(['now']);
  const connection = words.ask({
    isLong: false,
    get isReady() {
      return isReady;
    },
    next: () => inner.next(),
    abandon: () => {},
  });
  assert.equal(words.harness.replica.hasBackgroundWork, false);
  assert.equal(textOf(connection), '');
  isReady = true;
  assert.equal(words.harness.replica.hasBackgroundWork, true);
  words.run();
  assert.equal(textOf(connection), 'now');
  assert.equal(connection.wire.closed, true);
});

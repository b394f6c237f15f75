/**
 * Every order of the shared accesses of ring, bell, epochs, counters and accept limits, run on the real classes; and broken
 * variants that the explorer must catch, which shows that it looks where it should.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Exploration, explore } from './interleave.ts';

type Part = 'explorer' | 'ring' | 'bell' | 'epochs' | 'counters' | 'accept-limits';

function run(part: Part, name: string): Promise<Exploration> {
  return explore(new URL(`./${part}.models.ts`, import.meta.url), name);
}

const CORRECT: readonly (readonly [Part, string])[] = [
  ['ring', 'oneConsumer'],
  ['ring', 'twoConsumers'],
  ['bell', 'blocking'],
  ['bell', 'twoProducers'],
  ['bell', 'async'],
  ['bell', 'twoProducersAsync'],
  ['bell', 'byMessage'],
  ['bell', 'closing'],
  ['epochs', 'oneReader'],
  ['epochs', 'twoReaders'],
  ['counters', 'reader'],
  ['accept-limits', 'twoLeave'],
  ['accept-limits', 'twoCome'],
  ['accept-limits', 'twoAddresses'],
  ['accept-limits', 'twoComeOneGoes'],
];

for (const [part, name] of CORRECT) {
  test(`${part} ${name}: correct in every order`, async (context) => {
    const exploration = await run(part, name);
    context.diagnostic(`${exploration.executions} executions`);
    assert.equal(exploration.failure, null);
    assert.equal(exploration.stuck, 0);
    assert.ok(exploration.executions > 10);
  });
}

test('the explorer runs all orders of dependent steps and one of independent ones', async () => {
  // Two threads of two steps each: 4! / (2! 2!) orders.
  assert.equal((await run('explorer', 'sameWord')).executions, 6);
  assert.equal((await run('explorer', 'differentWords')).executions, 1);
});

test('the explorer finds a lost update and a deadlock', async () => {
  assert.match((await run('explorer', 'lostUpdate')).failure ?? '', /lost update/);
  const deadlock = await run('explorer', 'deadlock');
  assert.equal(deadlock.stuck, deadlock.executions);
});

test('a ring whose memory is given back too early is caught', async () => {
  const { failure } = await run('ring', 'memoryGivenBackTooEarly');
  assert.match(failure ?? '', /payload of the record|records arrive in order/);
});

test('a bell without the second look loses a wake-up', async () => {
  const { stuck, failure } = await run('bell', 'noSecondLook');
  assert.equal(failure, null);
  assert.ok(stuck > 0);
});

test('a writer that frees without asking the readers is caught', async () => {
  const { failure } = await run('epochs', 'writerDoesNotAsk');
  assert.match(failure ?? '', /freed record|changed under its reader/);
});

test('a reader that enters after loading the offset is caught', async () => {
  const { failure } = await run('epochs', 'readerEntersTooLate');
  assert.match(failure ?? '', /freed record|changed under its reader/);
});

test('connections that look their count up again when they leave are caught', async () => {
  const { failure } = await run('accept-limits', 'twoLeaveBySearch');
  assert.match(failure ?? '', /a count is left over/);
});

/** Points, settings and what the search may try. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonical, parseParameter, settingsOf, withoutFixed } from '../../../bench/tune/space.ts';
import { SPACES } from '../../../bench/tune/spaces.ts';
import { startPoints } from '../../../bench/tune/start-points.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { Prng } from '../../../src/base/prng.ts';

const PARAMETERS = [
  { key: 'flushDelay', values: ['1', '5'] },
  { key: 'maxWriteQueuePollTime', values: ['1'], onlyWith: { key: 'flushDelay' } },
  { key: 'mode', values: ['shared', 'dedicated'] },
  { key: 'threads', values: ['2', '4'], onlyWith: { key: 'mode', values: ['dedicated'] } },
];

test('what does nothing goes back to its default', () => {
  assert.deepEqual(canonical(PARAMETERS, [0, 1, 1, 2]), [0, 0, 1, 0]);
  assert.deepEqual(canonical(PARAMETERS, [2, 1, 2, 2]), [2, 1, 2, 2]);
  assert.deepEqual(settingsOf(PARAMETERS, [2, 0, 2, 1]), {
    flushDelay: '5',
    mode: 'dedicated',
    threads: '2',
  });
});

test('what the target sets is not tuned, nor what depends on another value of it', () => {
  const keys = (fixed: Record<string, string>) => withoutFixed(PARAMETERS, fixed).map(({ key }) => key);
  assert.deepEqual(keys({ mode: 'shared' }), ['flushDelay', 'maxWriteQueuePollTime']);
  assert.deepEqual(keys({ mode: 'dedicated' }), ['flushDelay', 'maxWriteQueuePollTime', 'threads']);
  assert.equal(withoutFixed(PARAMETERS, { mode: 'dedicated' })[2]!.onlyWith, undefined);
});

test('start points fill the space: all different, none the default, every level about equally often', () => {
  const points = startPoints(SPACES.ringkeeper, 12, new Prng(1));
  assert.equal(new Set(points.map(String)).size, 12);
  assert.ok(points.every((point) => point.some((level) => level > 0)));
  const flushDelays = [0, 1, 2, 3].map((level) => points.filter((point) => point[0] === level).length);
  assert.deepEqual(flushDelays, [3, 3, 3, 3]);
});

test('never is a parameter tuned without which acknowledged writes may be lost', () => {
  for (const parameters of Object.values(SPACES)) {
    assert.ok(parameters.every(({ key }) => !/sync/i.test(key)));
  }
  for (const text of ['forceSync=no', 'zookeeper.forceSync=no,yes'])
    assert.throws(() => parseParameter(text), /not tuned: .* not on disk/);
});

test('a parameter is a key and its values', () => {
  assert.deepEqual(parseParameter('ringkeeper.ioThreads=2, 4'), {
    key: 'ringkeeper.ioThreads',
    values: ['2', '4'],
  });
  for (const text of ['flushDelay', 'flushDelay=', 'flushDelay=1,1', 'flushDelay=1,,2', '=1'])
    assert.throws(() => parseParameter(text), ConfigFailure, text);
});

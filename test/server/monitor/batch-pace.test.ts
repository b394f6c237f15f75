/** What group commit has come to: the figures, and when they are news. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchEnd, BatchPace, type PaceReport, paceText } from '../../../src/server/monitor/batch-pace.ts';

const AT_EASE: PaceReport = {
  endedBy: BatchEnd.load,
  recordsPerBatch: 2,
  flushMs: 0.1,
  recordsPerSecond: 1,
};

test('is the mean of the batches since the last look, and of what ended most of them', () => {
  const pace = new BatchPace();
  pace.look(1_000);
  for (const records of [1000, 1000, 400])
    pace.onBatch(records, 2, records === 1000 ? BatchEnd.size : BatchEnd.load);
  const report = pace.look(3_000);
  assert.deepEqual(report, {
    endedBy: BatchEnd.size,
    recordsPerBatch: 800,
    flushMs: 2,
    recordsPerSecond: 1_200,
  });
  assert.equal(paceText(report!), 'group commit: 800 records a batch, no more because of maxBatchSize');
  assert.equal(pace.look(4_000), null, 'no batch, no pace');
});

test('another reason is news, or a size that is 8 times as large or small; what is as it was is not', () => {
  const pace = new BatchPace();
  assert.equal(pace.isNews(AT_EASE, 0), false);
  assert.equal(pace.isNews({ ...AT_EASE, recordsPerBatch: 9 }, 1_000), true);
  assert.equal(pace.isNews({ ...AT_EASE, recordsPerBatch: 9 }, 100_000), false);
  assert.equal(pace.isNews({ ...AT_EASE, recordsPerBatch: 1 }, 100_000), true);
  assert.equal(pace.isNews({ ...AT_EASE, recordsPerBatch: 1, endedBy: BatchEnd.size }, 200_000), true);
});

test('news are told once a minute at most, and commands are none', () => {
  const pace = new BatchPace();
  const bound = { ...AT_EASE, endedBy: BatchEnd.size };
  assert.equal(pace.isNews(bound, 0), true);
  assert.equal(pace.isNews(AT_EASE, 59_999), false);
  assert.equal(pace.isNews(AT_EASE, 60_000), true);
  assert.equal(pace.isNews({ ...AT_EASE, endedBy: BatchEnd.command }, 200_000), false);
});

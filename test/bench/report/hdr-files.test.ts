/** `.hlog` and `.hgrm` as HdrHistogram's own reader sees them, and histograms that survive being merged and saved. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as hdr from 'hdr-histogram-js';
import {
  decodeHistogram,
  fileNameText,
  HDR_UNIT_RATIO,
  hlogLines,
  mergeHistograms,
  NameTable,
  writeHgrm,
} from '../../../bench/latency/hdr-files.ts';
import { newHistogram } from '../../../bench/latency/latency-recorder.ts';
import { SAMPLE_START_MS, sampleIntervals } from './support/sample-intervals.ts';

/** What was saved knows its maximum to a bucket only, which it gives as the end of that, like Java's tools. */
function saved(histogram: hdr.Histogram): hdr.Histogram {
  return decodeHistogram(hdr.encodeIntoCompressedBase64(histogram));
}

function readAll(log: string): hdr.Histogram[] {
  const reader = new hdr.HistogramLogReader(log, 64);
  const found: hdr.Histogram[] = [];
  for (;;) {
    const histogram = reader.nextIntervalHistogram();
    if (histogram === null) return found;
    found.push(histogram as hdr.Histogram);
  }
}

test('the library reads back every interval with its tag, times and counts', () => {
  const written = [...sampleIntervals(3)];
  const read = readAll([...hlogLines(sampleIntervals(3), SAMPLE_START_MS)].join(''));
  assert.equal(read.length, written.length);
  read.forEach((histogram, index) => {
    const { label, startMs, endMs, histogram: original } = written[index]!;
    assert.equal(histogram.tag, `mixed.${label.replace(' ', '_')}`);
    assert.equal(Math.round(histogram.startTimeStampMsec), startMs);
    assert.equal(Math.round(histogram.endTimeStampMsec), endMs);
    assert.equal(histogram.totalCount, original.totalCount);
    assert.equal(writeHgrm(histogram), writeHgrm(saved(original)));
  });
});

test('the maximum in the log is in ms, by the ratio that readers must be told', () => {
  const histogram = newHistogram();
  histogram.recordValue(1500);
  const log = [...hlogLines([{ phase: 'p', label: 'get', startMs: 1000, endMs: 2000, histogram }], 0)].join(
    '',
  );
  const line = log.split('\n').find((text) => text.startsWith('Tag='))!;
  assert.equal(HDR_UNIT_RATIO, 1000);
  assert.deepEqual(line.split(',').slice(0, 4), ['Tag=p.get', '1.000', '1.000', '1.500']);
});

test('tags hold no comma, space or line break, and different labels have different tags', () => {
  const histogram = newHistogram();
  histogram.recordValue(1);
  const labels = ['a b', 'a,b', 'a\nb', 'a_b'];
  const log = [
    ...hlogLines(
      labels.map((label) => ({ phase: 'p', label, startMs: 0, endMs: 1, histogram })),
      0,
    ),
  ].join('');
  const tags = readAll(log).map(({ tag }) => tag);
  assert.equal(new Set(tags).size, labels.length);
  for (const tag of tags) assert.match(tag, /^[^\s,]+$/);
});

test('a log without intervals is a log all the same', () => {
  assert.deepEqual(readAll([...hlogLines([], SAMPLE_START_MS)].join('')), []);
});

test('intervals merged give the distribution of the whole', () => {
  const latencies = fc.array(fc.integer({ min: 0, max: 100_000_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(fc.array(latencies, { minLength: 1, maxLength: 6 }), (parts) => {
      const whole = newHistogram();
      const encoded = parts.map((values) => {
        const part = newHistogram();
        for (const value of values) {
          part.recordValue(value);
          whole.recordValue(value);
        }
        return hdr.encodeIntoCompressedBase64(part);
      });
      const merged = mergeHistograms(encoded)!;
      assert.equal(merged.totalCount, whole.totalCount);
      assert.equal(writeHgrm(merged), writeHgrm(saved(whole)));
    }),
    { numRuns: 40 },
  );
});

test('a histogram survives being saved', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 134_000_000 }), { minLength: 1, maxLength: 50 }),
      (values) => {
        const histogram = newHistogram();
        for (const value of values) histogram.recordValue(value);
        const read = saved(histogram);
        assert.equal(read.totalCount, values.length);
        for (const percentile of [0, 50, 90, 99, 99.9, 100]) {
          assert.equal(read.getValueAtPercentile(percentile), histogram.getValueAtPercentile(percentile));
        }
        assert.equal(writeHgrm(saved(read)), writeHgrm(read));
      },
    ),
    { numRuns: 40 },
  );
});

test('merging nothing gives nothing', () => assert.equal(mergeHistograms([]), null));

test('names of files are never paths and never the same', () => {
  assert.equal(fileNameText('../../etc/passwd'), '-..-etc-passwd');
  assert.equal(fileNameText('..'), 'unnamed');
  assert.equal(fileNameText('get: a/b c'), 'get-a-b-c');
  const names = new NameTable();
  assert.equal(names.nameOf('one', 'get'), 'get');
  assert.equal(names.nameOf('two', 'GET'), 'GET-2');
  assert.equal(names.nameOf('one', 'get'), 'get');
});

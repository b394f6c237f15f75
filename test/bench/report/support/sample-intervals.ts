/** Interval histograms of a run, made while they are read: a histogram per second and op. */

import type { IntervalHistogram } from '../../../../bench/latency/hdr-files.ts';
import { newHistogram, recordableUs } from '../../../../bench/latency/latency-recorder.ts';
import { Prng } from '../../../../src/base/prng.ts';
import { normal } from './sample-load.ts';

export const SAMPLE_START_MS = Date.parse('2026-11-20T07:32:59.120Z');

/** Two ops of one phase, `seconds` intervals each, a thousand latencies in each interval. */
export function* sampleIntervals(seconds: number): Generator<IntervalHistogram> {
  const random = new Prng(3);
  for (let second = 0; second < seconds; second++) {
    for (const [label, medianMs] of [
      ['get', 0.3],
      ['watch event', 1.2],
    ] as const) {
      const histogram = newHistogram();
      for (let i = 0; i < 1000; i++) {
        histogram.recordValue(recordableUs(medianMs * Math.exp(0.6 * normal(random))));
      }
      const startMs = SAMPLE_START_MS + second * 1000;
      yield { phase: 'mixed', label, startMs, endMs: startMs + 1000, histogram };
    }
  }
}

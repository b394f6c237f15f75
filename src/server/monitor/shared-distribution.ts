/**
 * A distribution that one thread records and the thread of the four-letter words reads and resets.
 *
 *     recorder: add … add, publish        buckets at once, count to max with `publish`
 *     reader:   reset asks (one word)  ─▶ the recorder starts afresh with its next `add`; until then it reads as empty
 *
 * So a reset needs no answer and no lock, and nothing that is recorded after it is lost.
 */
import { Counters, type CountersHandle, createCounters } from '../../shm/counters.ts';
import { controlWords, createRegion, LINE_BYTES } from '../../shm/region.ts';
import { BUCKETS, Distribution } from './distribution.ts';

/** Plain values, so it can be posted to a worker. */
export interface DistributionHandle {
  readonly region: SharedArrayBuffer;
  readonly counters: CountersHandle;
}

/** `resets`: of how many resets what is recorded knows. */
const Field = { count: 0, sum: 1, min: 2, max: 3, resets: 4 } as const;
const CONTROL_LINES = 1;
const ASKED_WORD = 0;

export function createDistribution(): DistributionHandle {
  return {
    region: createRegion(CONTROL_LINES, BUCKETS * Uint32Array.BYTES_PER_ELEMENT),
    counters: createCounters(Object.keys(Field)),
  };
}

function bucketsOf(handle: DistributionHandle): Uint32Array {
  return new Uint32Array(handle.region, CONTROL_LINES * LINE_BYTES, BUCKETS);
}

function recorded(counters: Counters, buckets: Uint32Array): Distribution {
  const distribution = new Distribution(buckets);
  distribution.count = counters.get(Field.count);
  distribution.sum = counters.get(Field.sum);
  distribution.min = counters.get(Field.min);
  distribution.max = counters.get(Field.max);
  return distribution;
}

/** One at a time; a new one goes on from what the one before has published. */
export class DistributionRecorder {
  private readonly words: Int32Array;
  private readonly counters: Counters;
  private readonly distribution: Distribution;
  private readonly published = new Float64Array(Object.keys(Field).length);
  private resets: number;

  constructor(handle: DistributionHandle) {
    this.words = controlWords(handle.region, CONTROL_LINES);
    this.counters = new Counters(handle.counters);
    this.distribution = recorded(this.counters, bucketsOf(handle));
    this.resets = this.counters.get(Field.resets);
    for (const field of Object.values(Field)) this.published[field] = this.counters.get(field);
  }

  add(value: number, times = 1): void {
    const asked = Atomics.load(this.words, ASKED_WORD);
    if (asked !== this.resets) {
      this.distribution.reset();
      this.resets = asked;
    }
    this.distribution.add(value, times);
  }

  publish(): void {
    const { distribution } = this;
    this.set(Field.count, distribution.count);
    this.set(Field.sum, Math.round(distribution.sum));
    this.set(Field.min, Math.round(distribution.min));
    this.set(Field.max, Math.round(distribution.max));
    this.set(Field.resets, this.resets);
  }

  // Most values are those of the last time, and a line of shared memory is dear.
  private set(field: number, value: number): void {
    if (this.published[field] === value) return;
    this.published[field] = value;
    this.counters.set(field, value);
  }
}

export class DistributionReader {
  private readonly words: Int32Array;
  private readonly counters: Counters;
  private readonly buckets: Uint32Array;

  constructor(handle: DistributionHandle) {
    this.words = controlWords(handle.region, CONTROL_LINES);
    this.counters = new Counters(handle.counters);
    this.buckets = bucketsOf(handle);
  }

  /** A copy of what has been published since the last reset. */
  read(): Distribution {
    if (this.counters.get(Field.resets) !== Atomics.load(this.words, ASKED_WORD)) return new Distribution();
    return recorded(this.counters, this.buckets.slice());
  }

  reset(): void {
    Atomics.add(this.words, ASKED_WORD, 1);
  }
}

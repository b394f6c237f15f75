/**
 * How late the generator itself was, over time: it counts how late it hands each request to a connection (`lag`), in
 * memory that is shared with the main thread. Looking at what has grown since the last look gives the worst of each
 * stretch, so that a slow reply can be told from a generator that had no processor.
 *
 *     lag counts   look                look                look
 *     time        ---|-- worst 0.4 ms --|-- worst 9.1 ms --|--->
 */
import { monotonicMs } from '../../base/phase-clock.ts';
import { bucketLowUs, LATENCY_BUCKETS } from '../../latency/latency-recorder.ts';
import type { Span } from './reply-times.ts';

/** The worst of requests that were handed over in the span. */
export interface Lateness extends Span {
  readonly worstMs: number;
}

export class LatenessWatch {
  /** Ten per second: an hour is 36,000 of them. */
  readonly stretches: Lateness[] = [];
  private readonly lag: Uint32Array;
  private readonly seen = new Uint32Array(LATENCY_BUCKETS);
  private readonly clock: () => number;
  private lastMs: number;

  /** `lag`: counts by bucket of latency-recorder.ts, which only grow. */
  constructor(lag: Uint32Array, clock: () => number = monotonicMs) {
    this.lag = lag;
    this.clock = clock;
    this.lastMs = clock();
  }

  look(): void {
    const nowMs = this.clock();
    let worst = -1;
    for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
      if (this.lag[bucket] === this.seen[bucket]) continue;
      this.seen[bucket] = this.lag[bucket]!;
      worst = bucket;
    }
    if (worst >= 0)
      this.stretches.push({ fromMs: this.lastMs, toMs: nowMs, worstMs: bucketLowUs(worst) / 1000 });
    this.lastMs = nowMs;
  }
}

/** The worst in any stretch that overlaps `[fromMs, toMs]`; null when none does. */
export function worstLateness(stretches: readonly Lateness[], fromMs: number, toMs: number): number | null {
  const inside = stretches.filter((stretch) => stretch.toMs >= fromMs && stretch.fromMs <= toMs);
  return inside.length === 0 ? null : Math.max(...inside.map(({ worstMs }) => worstMs));
}

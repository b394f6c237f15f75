/**
 * When requests of an open-loop phase are due, on one worker. The schedule knows nothing of the server: a slow
 * answer never delays a due time, which is what keeps coordinated omission out of the latencies.
 */
import { Prng } from '../../src/base/prng.ts';

export class ArrivalSchedule {
  /** The instant of the next request, on the caller's clock. */
  dueMs: number;
  private readonly gapMs: number;
  private readonly prng: Prng | null;

  /** `poisson`: exponential gaps, as independent users make them; otherwise equal gaps. */
  constructor(kind: 'constant' | 'poisson', ratePerSecond: number, startMs: number, seed: number) {
    this.gapMs = 1000 / ratePerSecond;
    this.prng = kind === 'poisson' ? new Prng(seed) : null;
    this.dueMs = startMs;
    this.advance();
  }

  advance(): void {
    const gap = this.prng === null ? 1 : -Math.log(1 - this.prng.fraction());
    this.dueMs += gap * this.gapMs;
  }
}

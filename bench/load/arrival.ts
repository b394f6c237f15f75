/**
 * When requests of an open-loop phase are due, on one worker. The schedule knows nothing of the server: a slow
 * answer never delays a due time, which is what keeps coordinated omission out of the latencies.
 *
 *     rate   |        ______ step 2
 *            |   ____/                       steps follow one another; the last one lasts
 *            |  / step 1
 *            | / ramp: the first step's rate rises from nearly nothing
 *            +------------------------> time since the start
 */
import { Prng } from '../../src/base/prng.ts';
import type { Arrival } from '../plan/plan.ts';

type OpenArrival = Extract<Arrival, { kind: 'open' }>;

/** A ramp begins with this share of the rate, so that its first gap is finite. */
const RAMP_SHARE_MIN = 0.02;

export class ArrivalSchedule {
  /** The instant of the next request, on the caller's clock. */
  dueMs: number;
  private readonly arrival: OpenArrival;
  private readonly startMs: number;
  private readonly rampMs: number;
  /** This worker's part of the rate. */
  private readonly share: number;
  private readonly prng: Prng | null;
  private step = 0;
  private stepEndMs: number;

  constructor(arrival: OpenArrival, startMs: number, rampMs: number, share: number, seed: number) {
    this.arrival = arrival;
    this.startMs = startMs;
    this.rampMs = rampMs;
    this.share = share;
    this.prng = arrival.gaps === 'poisson' ? new Prng(seed) : null;
    this.dueMs = startMs;
    this.stepEndMs = startMs + arrival.steps[0]!.forMs;
    this.advance();
  }

  /** Poisson: exponential gaps, as independent users make them; otherwise equal gaps. */
  advance(): void {
    const gap = this.prng === null ? 1 : -Math.log(1 - this.prng.fraction());
    this.dueMs += (gap * 1000) / this.rateNow();
  }

  private rateNow(): number {
    const { steps } = this.arrival;
    while (this.dueMs >= this.stepEndMs && this.step < steps.length - 1) {
      this.step++;
      this.stepEndMs += steps[this.step]!.forMs;
    }
    const rate = steps[this.step]!.ratePerSecond * this.share;
    const since = this.dueMs - this.startMs;
    return since < this.rampMs ? rate * Math.max(RAMP_SHARE_MIN, since / this.rampMs) : rate;
  }
}

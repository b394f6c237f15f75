/**
 * A replay over time: replies and errors by steps of 100 ms, percentiles by the second, and for availability the
 * worst that befell the requests that were due in each step. Grows with the duration, not with the requests.
 */
import { bucketLowUs, LATENCY_BUCKETS, latencyBucket } from '../latency/latency-recorder.ts';
import type { ProbeHistory, Verdict } from '../measure/probe-track.ts';
import type { LatencyPoint } from '../result/run-json.ts';
import type { Due } from './exchange.ts';

export const SERIES_STEP_MS = 100;
/** A request answered later than this after its turn had come was not served in time. */
export const AVAILABILITY_DEADLINE_MS = 1_000;

const POINT_MS = 1_000;
/** By weight: the worst of a step counts. */
const VERDICTS = ['ok', 'late', 'failed'] as const;
type Judged = (typeof VERDICTS)[number];

export class ReplayCurve {
  readonly replies: number[] = [];
  readonly errors: number[] = [];
  readonly startMs: number;
  /** By step: 0 = nothing was due, else 1 + index of the verdict. */
  private readonly judged: number[] = [];
  private readonly secondCounts = new Uint32Array(LATENCY_BUCKETS);
  private readonly finished: LatencyPoint[] = [];
  private second = 0;
  private inSecond = 0;

  constructor(startMs: number) {
    this.startMs = startMs;
  }

  /** Counts for rate and latency. */
  onReply(nowMs: number, latencyUs: number): void {
    add(this.replies, this.step(nowMs));
    const second = Math.floor(Math.max(0, nowMs - this.startMs) / POINT_MS);
    if (second !== this.second) this.finishSecond(second);
    this.secondCounts[latencyBucket(latencyUs)]!++;
    this.inSecond++;
  }

  onError(nowMs: number): void {
    add(this.errors, this.step(nowMs));
  }

  /** Counts for availability, which is not to blame for a replay that is late itself. */
  onAnswered(nowMs: number, { dueMs, handedMs }: Due): void {
    this.onJudged(dueMs, nowMs - handedMs <= AVAILABILITY_DEADLINE_MS ? 'ok' : 'late');
  }

  /** What became of a request that was due at `dueMs`. */
  onJudged(dueMs: number, judged: Judged): void {
    const step = this.step(dueMs);
    reach(this.judged, step);
    this.judged[step] = Math.max(this.judged[step]!, VERDICTS.indexOf(judged) + 1);
  }

  /** Steps 0 to the end at `endMs`, zero where nothing came. */
  series(counts: readonly number[], endMs: number): number[] {
    const length = Math.max(1, Math.ceil((endMs - this.startMs) / SERIES_STEP_MS));
    return Array.from({ length }, (_, step) => counts[step] ?? 0);
  }

  /** At the end. */
  takeLatencyPoints(): readonly LatencyPoint[] {
    this.finishSecond(this.second + 1);
    return this.finished;
  }

  /** One probe per step in which requests were due, at the beginning of the step; times since the start. */
  get history(): ProbeHistory {
    const steps: number[] = [];
    this.judged.forEach((code, step) => {
      if (code > 0) steps.push(step);
    });
    return {
      count: steps.length,
      dueMsAt: (index) => steps[index]! * SERIES_STEP_MS,
      verdictAt: (index): Verdict => VERDICTS[this.judged[steps[index]!]! - 1]!,
    };
  }

  private step(atMs: number): number {
    return Math.max(0, Math.floor((atMs - this.startMs) / SERIES_STEP_MS));
  }

  private finishSecond(next: number): void {
    if (this.inSecond > 0) {
      const at = (share: number): number => quantileMs(this.secondCounts, this.inSecond, share);
      const atMs = (this.second + 0.5) * POINT_MS;
      this.finished.push({ atMs, count: this.inSecond, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) });
      this.secondCounts.fill(0);
      this.inSecond = 0;
    }
    this.second = next;
  }
}

function add(counts: number[], step: number): void {
  reach(counts, step);
  counts[step]!++;
}

/** Filled up, because an array with holes is slow, and a step without replies is a zero. */
function reach(counts: number[], step: number): void {
  while (counts.length <= step) counts.push(0);
}

/** The end of the bucket in which the share is reached, as HdrHistogram has it. */
function quantileMs(counts: Uint32Array, total: number, share: number): number {
  const rank = Math.max(1, Math.ceil(share * total));
  let seen = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    seen += counts[bucket]!;
    if (seen >= rank) return (bucketLowUs(bucket + 1) - 1) / 1000;
  }
  return 0;
}

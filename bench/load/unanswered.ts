/**
 * Requests that got no reply: still waiting when the phase gave up, or lost with their connection. They belong to the
 * distribution, or a server that freezes to the end of a run would look fast; nobody knows how long they would have
 * taken, so they count as long as they waited. Never throughput. One per worker and phase; few of them as a rule.
 *
 *     due --sent--> waiting ............ given up, or connection lost       counted: given up - due (corrected),
 *                                                                           given up - sent (uncorrected)
 *
 * Kept as counts by interval, label and bucket, so their number has no bound but that of the buckets.
 */
import { latencyBucket, recordableUs } from '../latency/latency-recorder.ts';

/** As a worker reports it: `count` requests of `label` that waited as long as `bucket`. */
export interface UnansweredCount {
  /** Beginning of the interval in which they were given up, on the monotonic clock. */
  readonly fromMs: number;
  readonly label: number;
  readonly corrected: boolean;
  readonly bucket: number;
  readonly count: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export class Unanswered {
  private readonly byKey = new Map<string, Mutable<UnansweredCount>>();

  /** Instants of one clock; `sentMs` null when it never was. */
  add(fromMs: number, label: number, dueMs: number, sentMs: number | null, nowMs: number): void {
    this.count(fromMs, label, true, nowMs - dueMs);
    if (sentMs !== null) this.count(fromMs, label, false, nowMs - sentMs);
  }

  get counts(): readonly UnansweredCount[] {
    return [...this.byKey.values()];
  }

  private count(fromMs: number, label: number, corrected: boolean, waitedMs: number): void {
    const bucket = latencyBucket(recordableUs(waitedMs));
    const key = `${fromMs} ${label} ${corrected} ${bucket}`;
    const known = this.byKey.get(key);
    if (known !== undefined) known.count++;
    else this.byKey.set(key, { fromMs, label, corrected, bucket, count: 1 });
  }
}

/**
 * What this process knows of one instance by its own requests: how many are on their way, how long answers take, whether
 * it is left out for a time because it failed. Time is passed in. Pure.
 *
 *     in ──`errorsMax` failures in a row──▶ out for `outMs` ──▶ in again, with a clean record
 */

export interface Ejection {
  /** Failures in a row, none longer ago than `outMs`. */
  readonly errorsMax: number;
  readonly outMs: number;
  /** Of all instances; the rest goes on although it fails: a fault of our own must not empty the list. */
  readonly shareMax: number;
}

/** Curator's figures, and half of the instances. */
export const EJECTION_DEFAULT: Ejection = { errorsMax: 2, outMs: 30_000, shareMax: 0.5 };

/** Weight of the newest answer in the smoothed time. */
const NEWEST = 0.2;

export class InstanceRecord {
  inFlight = 0;
  latencyMs: number | null = null;
  private errors = 0;
  private firstErrorMs = 0;
  private outUntilMs = 0;

  succeeded(tookMs: number): void {
    this.errors = 0;
    this.latencyMs = this.latencyMs === null ? tookMs : this.latencyMs + NEWEST * (tookMs - this.latencyMs);
  }

  /** True: too often; it is to be left out, if `eject` may. */
  failed(nowMs: number, { errorsMax, outMs }: Ejection): boolean {
    if (nowMs - this.firstErrorMs > outMs) this.errors = 0;
    if (this.errors === 0) this.firstErrorMs = nowMs;
    this.errors++;
    return this.errors >= errorsMax;
  }

  eject(nowMs: number, { outMs }: Ejection): void {
    this.errors = 0;
    this.outUntilMs = nowMs + outMs;
  }

  isOut(nowMs: number): boolean {
    return nowMs < this.outUntilMs;
  }
}

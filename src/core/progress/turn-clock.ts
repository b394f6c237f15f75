/**
 * The time of the turn, brought by whoever owns the thread: read once, the same for all that happens in the turn, one
 * object shared by reference.
 */
export class TurnClock {
  private readonly times = new Float64Array(2);

  /** Monotonic: timeouts and latencies. */
  get nowMs(): number {
    return this.times[0]!;
  }

  /** Since 1970: time stamps of transactions, the ages of TTL nodes. */
  get wallMs(): number {
    return this.times[1]!;
  }

  set(nowMs: number, wallMs: number): void {
    this.times[0] = nowMs;
    this.times[1] = wallMs;
  }
}

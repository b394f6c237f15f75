/**
 * When the core's tick is due: container sweep, compaction, log lines. Core thread; asked once per round.
 */

/** How often the tick comes; far below any session timeout. */
export const TICK_MS = 50;

export class Tick {
  private nextMs: number;

  constructor(nowMs: number) {
    this.nextMs = nowMs + TICK_MS;
  }

  /** True once per tick, and then the caller ticks. */
  isDue(nowMs: number): boolean {
    if (nowMs < this.nextMs) return false;
    this.nextMs = nowMs + TICK_MS;
    return true;
  }
}

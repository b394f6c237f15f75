/**
 * When the core's tick is due: session expiry, the container sweep, compaction. Core thread; asked once per round.
 *
 * A process that stood still (SIGSTOP, a stopped virtual machine, a swapping host) finds everything due at once when it
 * goes on, the expiry of its sessions too, while their pings of that time wait in the kernel. So whoever comes late
 * to a tick gives the sockets their turn first:
 *
 *     on time ──gap between two rounds──▶ asked ──all waiting bytes have reached the core──▶ tick, on time
 *                                          │ ▲
 *                                          └─┘ another gap: asked again
 */

/** How often the tick comes; far below any session timeout. */
export const TICK_MS = 50;
/** A round comes each `TICK_MS` at the latest, so this is a thread that did not run. */
const GAP_MS = 2 * TICK_MS;

/** The threads with sockets, as a late core sees them. */
export interface SocketTurns {
  /** Let every socket be accepted and read that is ready now. Asked again before it is done: from the beginning. */
  ask(): void;
  /** What they have read has reached the core. */
  readonly isDone: boolean;
}

export class Tick {
  /** How often the sockets were given a turn first. */
  lateCount = 0;
  private readonly sockets: SocketTurns;
  private nextMs: number;
  private roundMs: number;
  private isAsking = false;

  constructor(sockets: SocketTurns, nowMs: number) {
    this.sockets = sockets;
    this.nextMs = nowMs + TICK_MS;
    this.roundMs = nowMs;
  }

  /** True once per tick, and then the caller ticks. */
  isDue(nowMs: number): boolean {
    const gapMs = nowMs - this.roundMs;
    this.roundMs = nowMs;
    if (nowMs < this.nextMs) return false;
    if (gapMs > GAP_MS) {
      this.lateCount++;
      this.isAsking = true;
      this.sockets.ask();
    }
    if (this.isAsking && !this.sockets.isDone) return false;
    this.isAsking = false;
    this.nextMs = nowMs + TICK_MS;
    return true;
  }
}

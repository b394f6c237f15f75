/**
 * Session ids and timeouts, pure. An id is 64 bits, unique over servers and restarts:
 *
 *     63      56 55                                    16 15              0
 *     +---------+----------------------------------------+----------------+
 *     | server  | start of the server, ms, low 40 bits   | counter from 0 |
 *     +---------+----------------------------------------+----------------+
 *
 * The counter carries into the time when it overflows: 65,536 sessions per millisecond of uptime are free. Two
 * values are never given out: 0 (means "new session" on the wire) and 0x8000000000000000 (owner of containers).
 */
import type { SessionTable } from './session-table.ts';

const TIME_RANGE = 2 ** 40;
const TIME_LOW_RANGE = 2 ** 16;
const CONTAINER_HIGH = -0x80000000;

export class SessionIds {
  /** The halves of the id given out last. */
  high: number;
  low: number;
  private readonly startHigh: number;
  private readonly startLow: number;

  /** `startMs` is wall time, so that ids go up over restarts; `serverId` is 0-255. */
  constructor(serverId: number, startMs: number) {
    const time = startMs % TIME_RANGE;
    this.high = (serverId << 24) | Math.floor(time / TIME_LOW_RANGE);
    this.low = ((time % TIME_LOW_RANGE) << 16) | 0;
    this.stepBack();
    this.startHigh = this.high;
    this.startLow = this.low;
  }

  /** Whether the id is one of those given out since the start. */
  hasGiven(high: number, low: number): boolean {
    return isAbove(high, low, this.startHigh, this.startLow) && !isAbove(high, low, this.high, this.low);
  }

  /** Moves `high` and `low` to the next id that is legal and not in use (the clock may have been set back). */
  advance(sessions: SessionTable): void {
    do {
      this.low = (this.low + 1) | 0;
      if (this.low === 0) this.high = (this.high + 1) | 0;
    } while (this.isReserved() || sessions.find(this.high, this.low) >= 0);
  }

  private isReserved(): boolean {
    return this.low === 0 && (this.high === 0 || this.high === CONTAINER_HIGH);
  }

  private stepBack(): void {
    if (this.low === 0) this.high = (this.high - 1) | 0;
    this.low = (this.low - 1) | 0;
  }
}

function isAbove(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high === otherHigh ? low >>> 0 > otherLow >>> 0 : high >>> 0 > otherHigh >>> 0;
}

/** The timeout a client gets for the one it asked for; 0 and negatives give the minimum. */
export function negotiateTimeoutMs(requestedMs: number, minMs: number, maxMs: number): number {
  return Math.min(Math.max(requestedMs, minMs), maxMs);
}

/**
 * The reads of a cache that are due: those that an event asks for go at once, those of a comparison at a bounded rate, and
 * both together never more than a window. A comparison begins after a pause by chance, so that the clients of a server
 * that went down do not all begin at the same moment. A machine: no clock.
 *
 *     urgent ──────────────────────────────▶ take ──▶ on its way (`inFlightMax`)
 *     paced  ──pause──▶ `perSecond` ────────▶
 */

/** What is asked of one znode. */
export interface CacheRead {
  readonly path: string;
  /** Data and Stat; or names of the children and Stat; or the Stat alone. */
  readonly kind: 'data' | 'children' | 'stat';
  /** Of `children`: those that are held already are to be compared too. */
  readonly deep: boolean;
  /** Which walk it belongs to; 0 = none. */
  walk: number;
  /** Whoever asked for freshness at this turn or later waits for it. */
  turn: number;
  /** It has left. */
  asked: boolean;
  /** The turn in which something happened to the znode since it left; 0 = nothing did. */
  again: number;
}

export interface QueuePace {
  readonly inFlightMax: number;
  /** Reads of comparisons per second; infinite = no bound. */
  readonly perSecond: number;
  /** A comparison begins so much later at most. */
  readonly jitterMs: number;
}

/** Paced reads go in groups of at least this much time. */
const GROUP_MS_MIN = 20;

class Fifo {
  private items: CacheRead[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  push(read: CacheRead): void {
    this.items.push(read);
  }

  shift(): CacheRead | undefined {
    const read = this.items[this.head];
    if (read === undefined) return undefined;
    this.head++;
    if (this.head === this.items.length) this.drain();
    return read;
  }

  drain(): CacheRead[] {
    const rest = this.items.slice(this.head);
    this.items = [];
    this.head = 0;
    return rest;
  }
}

export class ReadQueue {
  inFlight = 0;
  private readonly pace: QueuePace;
  private readonly groupMs: number;
  private readonly urgent = new Fifo();
  private readonly paced = new Fifo();
  private notBeforeMs = 0;
  /** Paced reads that may go now, and since when that counts; infinite while nothing bounds them. */
  private allowed = Number.POSITIVE_INFINITY;
  private allowedSinceMs = 0;

  constructor(pace: QueuePace) {
    this.pace = pace;
    this.groupMs = Math.max(GROUP_MS_MIN, 1000 / pace.perSecond);
  }

  push(read: CacheRead, isPaced: boolean): void {
    if (isPaced) this.paced.push(read);
    else this.urgent.push(read);
  }

  /** A comparison begins: with a pause, then at the rate. Returns the paced reads that were waiting, taken out. */
  restart(nowMs: number, chance: number): CacheRead[] {
    this.notBeforeMs = nowMs + chance * this.pace.jitterMs;
    this.allowed = this.pace.perSecond === Number.POSITIVE_INFINITY ? this.pace.perSecond : 0;
    this.allowedSinceMs = this.notBeforeMs - this.groupMs;
    return this.paced.drain();
  }

  /** The next one that may leave, or undefined. */
  take(nowMs: number): CacheRead | undefined {
    if (this.inFlight >= this.pace.inFlightMax) return undefined;
    let read = this.urgent.shift();
    if (read === undefined && this.mayPace(nowMs)) {
      read = this.paced.shift();
      if (read !== undefined) this.allowed--;
    }
    if (read !== undefined) this.inFlight++;
    return read;
  }

  /** When `take` may have one without anything else happening; infinite = it has none, or the window is full. */
  get nextMs(): number {
    if (this.inFlight >= this.pace.inFlightMax || this.paced.length === 0) return Number.POSITIVE_INFINITY;
    return Math.max(this.notBeforeMs, this.allowed >= 1 ? 0 : this.allowedSinceMs + this.groupMs);
  }

  clear(): void {
    this.urgent.drain();
    this.paced.drain();
  }

  private mayPace(nowMs: number): boolean {
    if (nowMs < this.notBeforeMs) return false;
    if (this.allowed >= 1) return true;
    const elapsedMs = nowMs - this.allowedSinceMs;
    if (elapsedMs < this.groupMs) return false;
    // Time in which nothing was to be read is not saved up.
    this.allowed = (this.pace.perSecond * this.groupMs) / 1000;
    this.allowedSinceMs = nowMs;
    return true;
  }
}

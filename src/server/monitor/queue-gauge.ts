/**
 * How full a ring between two threads is and has been, and how often it had no room. Kept at the core's end of the
 * ring, which is on the thread that answers the four-letter words; looked at once per batch.
 */
export class QueueGauge {
  readonly capacityBytes: number;
  bytesMax = 0;
  /** A producer found no room and had to wait. */
  fullCount = 0;
  private readonly usedBytes: () => number;

  constructor(capacityBytes: number, usedBytes: () => number) {
    this.capacityBytes = capacityBytes;
    this.usedBytes = usedBytes;
  }

  get bytesNow(): number {
    return this.usedBytes();
  }

  look(): void {
    const used = this.usedBytes();
    if (used > this.bytesMax) this.bytesMax = used;
  }

  reset(): void {
    this.bytesMax = 0;
    this.fullCount = 0;
  }
}

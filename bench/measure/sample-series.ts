/**
 * Samples by time, in the order in which they were taken. Bounded: when it is full every second sample goes, and from
 * then on only every second new one stays, so a long run keeps its whole span at one resolution. The first and the
 * newest sample are always there.
 */
export interface Timed {
  /** On the monotonic clock. */
  readonly atMs: number;
}

export class SampleSeries<T extends Timed> {
  private readonly countMax: number;
  private kept: T[] = [];
  private added = 0;
  /** Every so many samples one stays. */
  private stride = 1;
  /** The newest one is there until the next comes. */
  private newestPasses = false;

  constructor(countMax: number) {
    this.countMax = countMax;
  }

  add(sample: T): void {
    if (this.newestPasses) this.kept.pop();
    this.newestPasses = this.added++ % this.stride !== 0;
    this.kept.push(sample);
    if (!this.newestPasses && this.kept.length > this.countMax) this.thin();
  }

  private thin(): void {
    const newest = this.kept.at(-1)!;
    this.kept = this.kept.filter((_, i) => i % 2 === 0);
    this.stride *= 2;
    this.newestPasses = this.kept.at(-1) !== newest;
    if (this.newestPasses) this.kept.push(newest);
  }

  /** The newest sample at `atMs` or before. */
  lastUntil(atMs: number): T | null {
    return this.kept[this.countUntil(atMs) - 1] ?? null;
  }

  /** The oldest sample at `atMs` or behind. */
  firstFrom(atMs: number): T | null {
    const before = this.countUntil(atMs);
    const exact = this.kept[before - 1];
    return exact?.atMs === atMs ? exact : (this.kept[before] ?? null);
  }

  private countUntil(atMs: number): number {
    let low = 0;
    let high = this.kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.kept[middle]!.atMs <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * A set of small numbers (znode ids) of any size in which no single addition is long: a `Set` of a million entries that grows
 * copies them all at once. A small set is one `Set`; a larger one is cut by the upper bits of its numbers:
 *
 *     up to 8,192     { 17, 4, 90211, … }
 *     more            0 → { 17, 4, … }   11 → { 90211, … }   …        each has room for 8,192 numbers and no more
 *
 * Whoever walks may be interrupted while numbers come and go: one that stays is met; one that has gone may be met as well when
 * the set has been cut meanwhile, so what a number stands for is to be looked at. Core thread.
 */
const SHIFT = 13;
const SMALL_MAX = 1 << SHIFT;

/** For readers. */
export interface Ids {
  readonly size: number;
  values(): IterableIterator<number>;
}

export class IdSet implements Ids {
  size = 0;
  private small = new Set<number>();
  /** By upper bits; null while small. */
  private shards: Map<number, Set<number>> | null = null;

  /** False: it is there already. */
  add(id: number): boolean {
    const shard = this.shardFor(id);
    if (shard.has(id)) return false;
    shard.add(id);
    this.size++;
    if (this.shards === null && this.size > SMALL_MAX) this.cut();
    return true;
  }

  /** False: it is not there. */
  delete(id: number): boolean {
    const { shards } = this;
    const shard = shards === null ? this.small : shards.get(id >>> SHIFT);
    if (shard === undefined || !shard.delete(id)) return false;
    this.size--;
    if (shards !== null && shard.size === 0) shards.delete(id >>> SHIFT);
    return true;
  }

  /** Most entries that are kept in one place: what a single addition may have to copy. */
  get largestPart(): number {
    let largest = this.small.size;
    for (const shard of this.shards?.values() ?? []) largest = Math.max(largest, shard.size);
    return largest;
  }

  *values(): IterableIterator<number> {
    if (this.shards === null) yield* this.small.values();
    else for (const shard of this.shards.values()) yield* shard.values();
  }

  private shardFor(id: number): Set<number> {
    if (this.shards === null) return this.small;
    const known = this.shards.get(id >>> SHIFT);
    if (known !== undefined) return known;
    const shard = new Set<number>();
    this.shards.set(id >>> SHIFT, shard);
    return shard;
  }

  // The small set stays as it is for whoever walks along it.
  private cut(): void {
    const { small } = this;
    this.shards = new Map();
    this.small = new Set();
    for (const id of small) this.shardFor(id).add(id);
  }
}

/**
 * The bytes of one file of the memory disk: as they are now, and how to take back each write that was not synced.
 *
 *     bytes      | synced | written over, not synced | synced |      pending = [{ position, after, before }, …]
 *
 * A power loss undoes all of `pending`, last first, and then does any subset of its sectors again.
 */
import type { Prng } from '../../../src/base/prng.ts';

export const SECTOR_BYTES = 512;

interface PendingWrite {
  readonly position: number;
  /** Null = truncate to `position`. */
  readonly after: Uint8Array | null;
  /** What it replaced, and how long the file was. */
  readonly before: Uint8Array;
  readonly bytesBefore: number;
}

export class MemoryInode {
  bytes = 0;
  /** By sector: what the disk held before the contents that were synced last. */
  readonly before = new Map<number, Uint8Array>();
  private image = new Uint8Array(0);
  private pending: PendingWrite[] = [];

  static of(bytes: Uint8Array): MemoryInode {
    const inode = new MemoryInode();
    inode.image = new Uint8Array(bytes); // a copy, whichever kind of array it is
    inode.bytes = bytes.length;
    return inode;
  }

  contents(): Uint8Array {
    return this.image.slice(0, this.bytes);
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    const piece = this.image.subarray(
      Math.min(position, this.bytes),
      Math.min(position + length, this.bytes),
    );
    into.set(piece, at);
    return piece.length;
  }

  write(after: Uint8Array, position: number): void {
    const end = position + after.length;
    const bytesBefore = this.bytes;
    const before = this.image.slice(position, Math.min(end, bytesBefore));
    this.pending.push({ position, after, before, bytesBefore });
    this.put(after, position);
  }

  truncate(bytes: number): void {
    const before = this.image.slice(bytes, Math.max(bytes, this.bytes));
    this.pending.push({ position: bytes, after: null, before, bytesBefore: this.bytes });
    this.resize(bytes);
  }

  sync(): void {
    // The earliest write of a sector, seen last, knows what was durable before.
    for (const { position, after, before } of this.pending.toReversed()) {
      if (after !== null) this.remember(position, after, before);
    }
    this.pending = [];
  }

  /** The bytes of one sector, to be spoiled; the last one may be short. */
  sector(index: number): Uint8Array {
    return this.image.subarray(index * SECTOR_BYTES, Math.min(this.bytes, (index + 1) * SECTOR_BYTES));
  }

  /** What a power loss leaves: none, all, a prefix or any subset of the pending sectors. */
  survivor(prng: Prng): MemoryInode {
    const inode = MemoryInode.of(this.contents());
    for (const [index, bytes] of this.before) inode.before.set(index, bytes.slice());
    for (const write of this.pending.toReversed()) {
      if (write.bytesBefore > inode.bytes) inode.resize(write.bytesBefore);
      inode.put(write.before, write.position);
      inode.resize(write.bytesBefore);
    }
    const parts = this.pending.flatMap(sectorsOf);
    const prefix = prng.below(parts.length + 1);
    const subset = prng.chance(0.5);
    for (let i = 0; i < parts.length; i++) {
      if (subset ? prng.chance(0.5) : i >= prefix) continue;
      const { position, after } = parts[i]!;
      if (after === null) inode.resize(position);
      else inode.put(after, position);
    }
    return inode;
  }

  private put(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.bytes) this.resize(end);
    this.image.set(bytes, position);
  }

  // The image may be longer than the file; it is zero there.
  private resize(bytes: number): void {
    if (bytes > this.image.length) {
      const larger = new Uint8Array(Math.max(bytes, this.image.length * 2));
      larger.set(this.image.subarray(0, this.bytes));
      this.image = larger;
    }
    if (bytes < this.bytes) this.image.fill(0, bytes, this.bytes);
    this.bytes = bytes;
  }

  private remember(position: number, after: Uint8Array, before: Uint8Array): void {
    const end = position + after.length;
    for (let at = position - (position % SECTOR_BYTES); at < end; at += SECTOR_BYTES) {
      const from = Math.max(at, position);
      const to = Math.min(at + SECTOR_BYTES, end);
      if (this.isSame(from, to, before, from - position)) continue;
      const old = this.sectorBefore(at / SECTOR_BYTES);
      const now = this.image.subarray(at, at + SECTOR_BYTES);
      old.set(now);
      old.fill(0, now.length);
      old.fill(0, from - at, to - at);
      if (from - position < before.length) {
        old.set(before.subarray(from - position, Math.min(to - position, before.length)), from - at);
      }
    }
  }

  /** To be written over: a log appends to one sector many times, and an array for each was a tenth of the simulator's CPU. */
  private sectorBefore(index: number): Uint8Array {
    const known = this.before.get(index);
    if (known !== undefined) return known;
    const made = new Uint8Array(SECTOR_BYTES);
    this.before.set(index, made);
    return made;
  }

  /** Whether the file holds from `from` to `to` what `before` holds from `at` on; behind its end are zeros. */
  private isSame(from: number, to: number, before: Uint8Array, at: number): boolean {
    const { image } = this;
    const imageTo = Math.min(to, image.length);
    for (let i = from; i < imageTo; i++) if (image[i] !== (before[at + i - from] ?? 0)) return false;
    return true;
  }
}

interface Part {
  readonly position: number;
  readonly after: Uint8Array | null;
}

function sectorsOf({ position, after }: PendingWrite): Part[] {
  if (after === null) return [{ position, after }];
  const parts: Part[] = [];
  for (let at = 0; at < after.length; ) {
    const length = SECTOR_BYTES - ((position + at) % SECTOR_BYTES);
    parts.push({ position: position + at, after: after.subarray(at, at + length) });
    at += length;
  }
  return parts;
}

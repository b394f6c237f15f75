/**
 * Limits checked when a socket is accepted: connections in all, and connections per source address. The counts live
 * in shared memory, because with several io threads on one port each sees only a part of the connections, and a
 * limit per thread would let through a multiple of what was configured. Lock-free; called by io threads, once per
 * accept and once per close, so 64-bit atomics (slow as bigint) are fine here.
 *
 *     word 0: connections in all           cell (64 bits): │ hash of the address │ count │
 *     words 1..: `ways` cells per set, the set chosen by the hash
 *
 * A cell whose count is 0 is free for any address. Its key does not change while its count is above 0, and whoever was
 * counted in a cell takes exactly that count away again: `admit` says which cell, `leave` is told. To look the cell up
 * again at the end would find the count of another connection for one that was never counted, and with two such ends at
 * once the count goes below 0 and into the key:
 *
 *     cell │ a │ 1 │    thread 1: finds it    thread 2: finds it    1: −1 → 0    2: −1 → 4294967295, of an address a−1
 *
 * Two threads that admit a new address at the same instant may use two cells for it. Each counts itself first and adds up
 * all cells of the address then, so the limit holds all the same; at worst both see the other and both are refused.
 * Two addresses with equal hashes would share a count (one pair in 2^32; the hash is keyed, or somebody with a network of
 * IPv6 addresses would look for the one that takes another's count). When a set is full of other addresses, the
 * newcomer is not counted: the limit is against one address taking everything, which such a crowd is not.
 */
import { type HashKey, KeyedHash } from '../base/keyed-hash.ts';

export interface AcceptLimitsHandle {
  readonly buffer: SharedArrayBuffer;
  /** Powers of two. */
  readonly sets: number;
  readonly ways: number;
  /** 0 = no limit. */
  readonly connectionsMax: number;
  /** 0 = no limit. */
  readonly perAddressMax: number;
  readonly key: HashKey;
}

/** What `admit` answers and `leave` wants to know: where an admitted connection is counted. */
export type Admission = number;
/** There are too many of this address, or in all. */
export const REFUSED: Admission = -1;
export const REFUSED_IN_ALL: Admission = -2;
/** Admitted, and counted in all only. */
const IN_ALL_ONLY: Admission = 0;

const SETS = 4096; // 2^12 sets × 16 cells × 8 bytes = 512 KiB, touched only where used
const WAYS = 16;
const LOW_HALF = 0xffffffffn;
const WORD_BYTES = 8;
/** The longest text is that of an IPv6 address with a zone: 45 and the name of an interface. */
const ADDRESS_BYTES_MAX = 64;

export function createAcceptLimits(
  connectionsMax: number,
  perAddressMax: number,
  key: HashKey,
  sets = SETS,
  ways = WAYS,
): AcceptLimitsHandle {
  const buffer = new SharedArrayBuffer((1 + sets * ways) * WORD_BYTES);
  return { buffer, sets, ways, connectionsMax, perAddressMax, key };
}

export class AcceptLimits {
  private readonly words: BigInt64Array;
  private readonly sets: number;
  private readonly ways: number;
  private readonly connectionsMax: number;
  private readonly perAddressMax: number;
  private readonly hash: KeyedHash;
  private readonly text = new Uint8Array(ADDRESS_BYTES_MAX);

  constructor(handle: AcceptLimitsHandle) {
    this.words = new BigInt64Array(handle.buffer);
    this.sets = handle.sets;
    this.ways = handle.ways;
    this.connectionsMax = handle.connectionsMax;
    this.perAddressMax = handle.perAddressMax;
    this.hash = new KeyedHash(handle.key);
  }

  /** Not below 0: the connection is counted, and `leave` must follow with the same value. */
  admit(address: string): Admission {
    const before = Number(Atomics.add(this.words, 0, 1n));
    const isRoom = this.connectionsMax <= 0 || before < this.connectionsMax;
    const cell = !isRoom
      ? REFUSED_IN_ALL
      : this.perAddressMax <= 0
        ? IN_ALL_ONLY
        : this.count(this.hashOf(address));
    if (cell < 0) Atomics.add(this.words, 0, -1n);
    return cell;
  }

  leave(cell: Admission): void {
    Atomics.add(this.words, 0, -1n);
    if (cell !== IN_ALL_ONLY) Atomics.add(this.words, cell, -1n);
  }

  get connections(): number {
    return Number(Atomics.load(this.words, 0));
  }

  private count(hash: number): Admission {
    const first = 1 + (hash & (this.sets - 1)) * this.ways;
    for (;;) {
      const cell = this.find(first, hash);
      if (cell === IN_ALL_ONLY) return IN_ALL_ONLY;
      const seen = Atomics.load(this.words, cell);
      const count = countOf(seen);
      if (count > 0 && keyOf(seen) !== hash) continue; // taken by another thread in between: look again
      if (count >= this.perAddressMax) return REFUSED;
      const next = (BigInt(hash) << 32n) | BigInt(count + 1);
      if (Atomics.compareExchange(this.words, cell, seen, next) !== seen) continue;
      if (this.total(first, hash) <= this.perAddressMax) return cell;
      Atomics.add(this.words, cell, -1n);
      return REFUSED;
    }
  }

  /** As int32; addresses are ASCII. */
  private hashOf(address: string): number {
    const { text } = this;
    const length = Math.min(address.length, text.length);
    for (let i = 0; i < length; i++) text[i] = address.charCodeAt(i);
    return this.hash.of(text, 0, length);
  }

  /** The address's own cell, else a free one, else none. */
  private find(first: number, hash: number): Admission {
    let free = IN_ALL_ONLY;
    for (let cell = first; cell < first + this.ways; cell++) {
      const seen = Atomics.load(this.words, cell);
      if (countOf(seen) === 0) {
        if (free === IN_ALL_ONLY) free = cell;
      } else if (keyOf(seen) === hash) {
        return cell;
      }
    }
    return free;
  }

  private total(first: number, hash: number): number {
    let total = 0;
    for (let cell = first; cell < first + this.ways; cell++) {
      const seen = Atomics.load(this.words, cell);
      if (keyOf(seen) === hash) total += countOf(seen);
    }
    return total;
  }
}

function countOf(cell: bigint): number {
  return Number(cell & LOW_HALF);
}

function keyOf(cell: bigint): number {
  return Number(cell >> 32n);
}

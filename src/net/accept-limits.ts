/**
 * Limits checked when a socket is accepted: connections in all, and connections per source address. The counts live
 * in shared memory, because with several io threads on one port each sees only a part of the connections, and a
 * limit per thread would let through a multiple of what was configured. Lock-free; called by io threads, once per
 * accept and once per close, so 64-bit atomics (slow as bigint) are fine here.
 *
 *     word 0: connections in all           cell (64 bits): │ hash of the address │ count │
 *     words 1..: WAYS cells per set, the set chosen by the hash
 *
 * A cell whose count is 0 is free for any address. Two addresses with equal hashes would share a count (one pair in
 * 2^32); two threads that admit a new address at the same instant may use two cells for it, and then admit up to
 * twice the limit until those connections are gone. When a set is full of other addresses, the newcomer is not
 * counted: the limit is against one address taking everything, which such a crowd is not.
 */
export interface AcceptLimitsHandle {
  readonly buffer: SharedArrayBuffer;
  /** 0 = no limit. */
  readonly connectionsMax: number;
  /** 0 = no limit. */
  readonly perAddressMax: number;
}

const SETS = 4096; // 2^12 sets × 16 cells × 8 bytes = 512 KiB, touched only where used
const WAYS = 16;
const LOW_HALF = 0xffffffffn;

export function createAcceptLimits(connectionsMax: number, perAddressMax: number): AcceptLimitsHandle {
  return { buffer: new SharedArrayBuffer((1 + SETS * WAYS) * 8), connectionsMax, perAddressMax };
}

export class AcceptLimits {
  private readonly words: BigInt64Array;
  private readonly connectionsMax: number;
  private readonly perAddressMax: number;

  constructor(handle: AcceptLimitsHandle) {
    this.words = new BigInt64Array(handle.buffer);
    this.connectionsMax = handle.connectionsMax;
    this.perAddressMax = handle.perAddressMax;
  }

  /** True: the connection is counted, and `leave` must follow. */
  admit(address: string): boolean {
    const before = Number(Atomics.add(this.words, 0, 1n));
    if (this.connectionsMax > 0 && before >= this.connectionsMax) {
      Atomics.sub(this.words, 0, 1n);
      return false;
    }
    if (this.perAddressMax > 0 && !this.admitAddress(addressHash(address))) {
      Atomics.sub(this.words, 0, 1n);
      return false;
    }
    return true;
  }

  leave(address: string): void {
    Atomics.sub(this.words, 0, 1n);
    if (this.perAddressMax === 0) return;
    const hash = addressHash(address);
    const cell = this.findCell(hash);
    // The key half does not change while the count is above 0, so a plain subtraction cannot hit a stranger.
    if (cell !== 0) Atomics.sub(this.words, cell, 1n);
  }

  get connections(): number {
    return Number(Atomics.load(this.words, 0));
  }

  private admitAddress(hash: number): boolean {
    for (;;) {
      const own = this.findCell(hash);
      const cell = own !== 0 ? own : this.findFreeCell(hash);
      if (cell === 0) return true;
      const seen = Atomics.load(this.words, cell);
      const count = countOf(seen);
      const isOwn = count > 0 && keyOf(seen) === hash;
      if (count > 0 && !isOwn) continue; // taken by another thread in between: look again
      if (count >= this.perAddressMax) return false;
      const next = (BigInt(hash) << 32n) | BigInt(count + 1);
      if (Atomics.compareExchange(this.words, cell, seen, next) === seen) return true;
    }
  }

  private findCell(hash: number): number {
    const first = firstCell(hash);
    for (let cell = first; cell < first + WAYS; cell++) {
      const seen = Atomics.load(this.words, cell);
      if (countOf(seen) > 0 && keyOf(seen) === hash) return cell;
    }
    return 0;
  }

  private findFreeCell(hash: number): number {
    const first = firstCell(hash);
    for (let cell = first; cell < first + WAYS; cell++) {
      if (countOf(Atomics.load(this.words, cell)) === 0) return cell;
    }
    return 0;
  }
}

function firstCell(hash: number): number {
  return 1 + (hash & (SETS - 1)) * WAYS;
}

function countOf(cell: bigint): number {
  return Number(cell & LOW_HALF);
}

function keyOf(cell: bigint): number {
  return Number(cell >> 32n);
}

/** FNV-1a over the text, as int32, with the low bits mixed (they choose the set). */
function addressHash(address: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < address.length; i++) hash = Math.imul(hash ^ address.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}

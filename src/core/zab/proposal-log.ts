/**
 * The newest proposals as PROPOSAL packets, ready for the wire: a proposal is encoded once, and a learner's stream is a copy of
 * many at a time. It serves everybody who is not far behind; who is reads the log on the disk. Bounded in bytes and in number: the
 * oldest go, whether all learners have had them or not. Core thread.
 *
 *     bytes    [ packet 7 | packet 8 | packet 9 | ...free... | packet 4 | packet 5 | packet 6 |gap]
 *                                               ▲ next         ▲ oldest
 *     rows     zxid, offset, length of each; a ring
 *
 * A packet is never split: one that does not fit in front of the end begins at 0.
 */
import { assert } from '../../base/assert.ts';
import type { Zxid } from '../../base/zxid.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { PacketType } from '../../wire/quorum/packet-types.ts';
import { PACKET_BYTES_MIN, writeNoAuth, writePacketHead } from '../../wire/quorum/quorum-packet.ts';

/** A window too small for DIFFs is of no use: Apache's commitLogCount is at least 500. */
const ROWS_MIN = 1024;

export interface ProposalRange {
  /** `bytes[start, end)` are whole packets, one behind the other. */
  start: number;
  end: number;
  /** Of the last of them. */
  readonly lastZxid: Float64Array;
}

export class ProposalLog {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  private readonly rows: number;
  private readonly zxids: Float64Array;
  private readonly offsets: Int32Array;
  private readonly lengths: Int32Array;
  /** Rows count up for ever; row r is at r % rows. */
  private head = 0;
  private tail = 0;
  private next = 0;
  /** Everything greater than this is here. */
  private readonly floor = new Float64Array(1);

  /** `capacity` in bytes; `rows` a power of two. */
  constructor(capacity: number, rows = 64 * ROWS_MIN) {
    assert(rows >= 2 && (rows & (rows - 1)) === 0, 'rows are a power of two');
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
    this.rows = rows;
    this.zxids = new Float64Array(rows);
    this.offsets = new Int32Array(rows);
    this.lengths = new Int32Array(rows);
  }

  /** Empty, behind `zxid`: nothing up to there is here. */
  restart(zxid: Zxid): void {
    this.head = 0;
    this.tail = 0;
    this.next = 0;
    this.floor[0] = zxid;
  }

  get length(): number {
    return this.tail - this.head;
  }

  /** Whoever has everything up to `zxid` finds all that follows here. */
  reachesBackTo(zxid: Zxid): boolean {
    return zxid >= this.floor[0]!;
  }

  /** The greatest zxid here, or the floor. */
  get lastZxid(): Zxid {
    return this.length === 0 ? this.floor[0]! : this.zxids[(this.tail - 1) & (this.rows - 1)]!;
  }

  /** The transaction `source[start, end)`. Longer than the whole log: the log is empty behind it. */
  append(zxid: Zxid, source: Uint8Array, start: number, end: number): void {
    assert(zxid > this.lastZxid, 'proposals come in the order of their zxids');
    const length = end - start + PACKET_BYTES_MIN;
    if (length > this.bytes.length) {
      this.restart(zxid);
      return;
    }
    const at = this.makeRoom(length);
    const data = writePacketHead(this.view, at, PacketType.proposal, zxid, end - start);
    copyBytes(source, start, end - start, this.bytes, data);
    writeNoAuth(this.view, data + end - start);
    const row = this.tail & (this.rows - 1);
    this.zxids[row] = zxid;
    this.offsets[row] = at;
    this.lengths[row] = length;
    this.tail++;
    this.next = at + length;
  }

  /** The proposals behind `zxid` were taken back. */
  withdrawBehind(zxid: Zxid): void {
    while (this.length > 0 && this.lastZxid > zxid) {
      this.tail--;
      this.next = this.offsets[this.tail & (this.rows - 1)]!;
    }
    if (this.floor[0]! > zxid) this.floor[0] = zxid;
  }

  /**
   * The packets behind `zxid` and up to `limit` that lie together, at most `bytesMax` bytes of them but at least one; an
   * empty range if there is none. `reachesBackTo(zxid)` must hold.
   */
  rangeBehind(zxid: Zxid, limit: Zxid, bytesMax: number, range: ProposalRange): void {
    range.start = 0;
    range.end = 0;
    for (let row = this.rowBehind(zxid); row < this.tail; row++) {
      const i = row & (this.rows - 1);
      const start = this.offsets[i]!;
      const end = start + this.lengths[i]!;
      if (this.zxids[i]! > limit) return;
      if (range.end === 0) range.start = start;
      else if (start !== range.end || end - range.start > bytesMax) return;
      range.end = end;
      range.lastZxid[0] = this.zxids[i]!;
    }
  }

  /** The smallest zxid greater than `zxid`, -1 if there is none. */
  nextZxid(zxid: Zxid): Zxid {
    const row = this.rowBehind(zxid);
    return row === this.tail ? -1 : this.zxids[row & (this.rows - 1)]!;
  }

  /** The greatest zxid up to `zxid`, the floor included. */
  floorOf(zxid: Zxid): Zxid {
    const row = this.rowBehind(zxid);
    return row === this.head ? this.floor[0]! : this.zxids[(row - 1) & (this.rows - 1)]!;
  }

  /** The first row whose zxid is greater; learners that keep up ask for the newest few. */
  private rowBehind(zxid: Zxid): number {
    let low = this.head;
    let high = this.tail;
    for (let step = 1; low < high; step *= 2) {
      const probe = Math.max(high - step, low);
      if (this.zxids[probe & (this.rows - 1)]! <= zxid) {
        low = probe + 1;
        break;
      }
      high = probe;
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.zxids[middle & (this.rows - 1)]! <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Lets the oldest go until `length` bytes and a row are free, and returns where the bytes are. */
  private makeRoom(length: number): number {
    if (this.length === this.rows) this.dropOldest();
    for (;;) {
      if (this.length === 0) return 0;
      const oldest = this.offsets[this.head & (this.rows - 1)]!;
      const isWrapped = this.next <= oldest;
      if (isWrapped) {
        if (oldest - this.next >= length) return this.next;
      } else {
        if (this.bytes.length - this.next >= length) return this.next;
        if (oldest >= length) return 0;
      }
      this.dropOldest();
    }
  }

  private dropOldest(): void {
    this.floor[0] = this.zxids[this.head & (this.rows - 1)]!;
    this.head++;
  }
}

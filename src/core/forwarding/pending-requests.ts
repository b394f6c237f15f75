/**
 * Requests that have gone to the leader, oldest first: a ring of columns, no object per request. The leader keeps the order in
 * which they came from here, so only the oldest is ever looked at. One owner, core thread; how many there may be is the
 * forwarder's business.
 */
import { assert } from '../../base/assert.ts';
import type { Client } from '../client/client.ts';
import { grownFloats, grownInts } from '../collections/columns.ts';

const CAPACITY_START = 256;

export class PendingRequests {
  length = 0;
  private head = 0;
  private mask = CAPACITY_START - 1;
  private idHighs = new Int32Array(CAPACITY_START);
  private idLows = new Int32Array(CAPACITY_START);
  private cxids = new Int32Array(CAPACITY_START);
  private ops = new Int32Array(CAPACITY_START);
  private sizes = new Int32Array(CAPACITY_START);
  private writes = new Float64Array(CAPACITY_START);
  private receivedMs = new Float64Array(CAPACITY_START);
  private clients: (Client | null)[] = new Array(CAPACITY_START).fill(null);
  /** Of a multi: see MultiOps. */
  private subs: (Uint8Array | null)[] = new Array(CAPACITY_START).fill(null);

  push(
    client: Client,
    idHigh: number,
    idLow: number,
    cxid: number,
    op: number,
    write: number,
    receivedMs: number,
    size: number,
    subs: Uint8Array | null,
  ): void {
    if (this.length > this.mask) this.grow();
    const row = (this.head + this.length++) & this.mask;
    this.clients[row] = client;
    this.idHighs[row] = idHigh;
    this.idLows[row] = idLow;
    this.cxids[row] = cxid;
    this.ops[row] = op;
    this.writes[row] = write;
    this.receivedMs[row] = receivedMs;
    this.sizes[row] = size;
    this.subs[row] = subs;
  }

  /** Whether the oldest is this one. */
  isNext(idHigh: number, idLow: number, cxid: number): boolean {
    const { head } = this;
    return (
      this.length > 0 &&
      this.cxids[head] === cxid &&
      this.idLows[head] === idLow &&
      this.idHighs[head] === idHigh
    );
  }

  // ---- the oldest, which must be there -------------------------------------------------------------------

  get client(): Client {
    return this.clients[this.head]!;
  }
  get op(): number {
    return this.ops[this.head]!;
  }
  /** Its number among the writes of this server. */
  get write(): number {
    return this.writes[this.head]!;
  }
  get received(): number {
    return this.receivedMs[this.head]!;
  }
  /** Bytes of its packet. */
  get size(): number {
    return this.sizes[this.head]!;
  }
  get subOps(): Uint8Array | null {
    return this.subs[this.head]!;
  }

  shift(): void {
    assert(this.length > 0, 'no request is pending');
    this.clients[this.head] = null;
    this.subs[this.head] = null;
    this.head = (this.head + 1) & this.mask;
    this.length--;
  }

  private grow(): void {
    const before = this.mask + 1;
    const rows = Array.from({ length: before }, (_, i) => (this.head + i) & this.mask);
    this.idHighs = grownInts(unrolled(this.idHighs, this.head), 2 * before);
    this.idLows = grownInts(unrolled(this.idLows, this.head), 2 * before);
    this.cxids = grownInts(unrolled(this.cxids, this.head), 2 * before);
    this.ops = grownInts(unrolled(this.ops, this.head), 2 * before);
    this.sizes = grownInts(unrolled(this.sizes, this.head), 2 * before);
    this.writes = grownFloats(unrolled(this.writes, this.head), 2 * before);
    this.receivedMs = grownFloats(unrolled(this.receivedMs, this.head), 2 * before);
    const empty = new Array<null>(before).fill(null);
    this.clients = [...rows.map((row) => this.clients[row]!), ...empty];
    this.subs = [...rows.map((row) => this.subs[row]!), ...empty];
    this.mask = 2 * before - 1;
    this.head = 0;
  }
}

/** A full ring from its oldest row on. */
function unrolled<T extends Int32Array | Float64Array>(column: T, head: number): T {
  const make = column.constructor as new (length: number) => T;
  const rows = new make(column.length);
  rows.set(column.subarray(head));
  rows.set(column.subarray(0, head), column.length - head);
  return rows;
}

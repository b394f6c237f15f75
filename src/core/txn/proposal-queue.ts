/**
 * Transactions that have been proposed and are not committed yet, in zxid order, with what committing each will
 * do. Struct of arrays in two rings: a proposal is a row, its effects are consecutive groups of six int32.
 *
 *   effect: kind (an OpCode) | nodeId | record or tombstone | parentId | parentRecord | session slot or −1
 *
 * Kinds: create, create2 (any create that answers with a Stat), delete, setData, setAcl, check (changes nothing
 * but has its place among a multi's results), createSession, closeSession.
 *
 * Bounded, by number and by the memory of the records: `isFull` makes preparation wait exactly as a full log does. The
 * rings grow to what is in flight: a small one stays in the processor's cache. A row is valid until the next `push`.
 */
import { assert } from '../../base/assert.ts';
import type { Client } from '../client/client.ts';

const EFFECT_FIELDS = 6;
const PROPOSALS_MAX = 1 << 16;
const PROPOSALS_START = 1 << 10;
/** More than any memory; sums with it stay exact. */
const SHUT_BYTES = 2 ** 51;

type Column =
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

export class ProposalQueue {
  head = 0;
  tail = 0;
  zxids = new Float64Array(PROPOSALS_START);
  receivedMs = new Float64Array(PROPOSALS_START);
  /** The write's number on this server, or NO_WRITE. */
  writes = new Float64Array(PROPOSALS_START);
  ops = new Int32Array(PROPOSALS_START);
  xids = new Int32Array(PROPOSALS_START);
  errs = new Int32Array(PROPOSALS_START);
  /** Failed multi: which sub-operation failed, and of how many. */
  failedAt = new Int32Array(PROPOSALS_START);
  subCounts = new Int32Array(PROPOSALS_START);
  effectEnds = new Float64Array(PROPOSALS_START);
  /** Bytes of records built for each, and for all of them. */
  private recordBytes = new Float64Array(PROPOSALS_START);
  private allRecordBytes = 0;
  readonly recordBytesMax: number;
  digestHighs = new Uint32Array(PROPOSALS_START);
  digestLows = new Uint32Array(PROPOSALS_START);
  /** 1 = the transaction came with another digest than the tree has after it. */
  digestDiffers = new Uint8Array(PROPOSALS_START);
  private clients: (Client | null)[] = new Array(PROPOSALS_START).fill(null);
  private mask = PROPOSALS_START - 1;
  private effects = new Int32Array(4096 * EFFECT_FIELDS);
  private effectMask = 4095;
  /** Positions count up for ever; a position's place in the ring is its lower bits. */
  effectHead = 0;
  effectTail = 0;

  /** `recordBytesMax`: memory that the records of all proposals may take before no more are added. */
  constructor(recordBytesMax = Number.POSITIVE_INFINITY) {
    this.recordBytesMax = recordBytesMax;
  }

  get length(): number {
    return this.tail - this.head;
  }
  get isFull(): boolean {
    return this.tail - this.head === PROPOSALS_MAX || this.allRecordBytes > this.recordBytesMax;
  }
  /**
   * The same for what a leader has proposed: its decisions come behind it, so waiting for them to free memory would be waiting for
   * ever. What is in flight is bounded by the leader.
   */
  get isFullForFollowing(): boolean {
    return this.tail - this.head === PROPOSALS_MAX || this.allRecordBytes >= SHUT_BYTES;
  }
  /** Nothing can be added until `reopen`: counts as full, and costs `isFull` nothing. */
  shut(): void {
    this.allRecordBytes += SHUT_BYTES;
  }
  reopen(): void {
    this.allRecordBytes -= SHUT_BYTES;
  }
  /** Row of the oldest proposal. */
  get headRow(): number {
    return this.head & this.mask;
  }

  /** Row of the newest one; there must be one. */
  get tailRow(): number {
    return (this.tail - 1) & this.mask;
  }

  /** Position of the row's first effect. */
  effectStart(row: number): number {
    return row === this.headRow ? this.effectHead : this.effectEnds[(row - 1) & this.mask]!;
  }

  clientOf(row: number): Client | null {
    return this.clients[row]!;
  }

  pushEffect(
    kind: number,
    nodeId: number,
    record: number,
    parentId: number,
    parentRecord: number,
    owner = -1,
  ): void {
    if (this.effectTail - this.effectHead > this.effectMask) this.growEffects();
    const at = (this.effectTail++ & this.effectMask) * EFFECT_FIELDS;
    this.effects[at] = kind;
    this.effects[at + 1] = nodeId;
    this.effects[at + 2] = record;
    this.effects[at + 3] = parentId;
    this.effects[at + 4] = parentRecord;
    this.effects[at + 5] = owner;
  }

  /** Takes back the effects pushed since position `mark`: the change they belong to was rolled back. */
  dropEffects(mark: number): void {
    this.effectTail = mark;
  }

  kind(position: number): number {
    return this.effects[(position & this.effectMask) * EFFECT_FIELDS]!;
  }
  nodeId(position: number): number {
    return this.effects[(position & this.effectMask) * EFFECT_FIELDS + 1]!;
  }
  record(position: number): number {
    return this.effects[(position & this.effectMask) * EFFECT_FIELDS + 2]!;
  }
  parentId(position: number): number {
    return this.effects[(position & this.effectMask) * EFFECT_FIELDS + 3]!;
  }
  parentRecord(position: number): number {
    return this.effects[(position & this.effectMask) * EFFECT_FIELDS + 4]!;
  }

  /** Slot of the session that a created ephemeral was added to, or that a session effect is about; −1 = none. */
  owner(position: number): number {
    return this.effects[(position & this.effectMask) * EFFECT_FIELDS + 5]!;
  }

  /** Adds a proposal that owns all effects pushed since the one before; returns its row. */
  push(
    zxid: number,
    op: number,
    client: Client | null,
    xid: number,
    err: number,
    receivedMs: number,
    recordBytes = 0,
  ): number {
    assert(this.tail - this.head < PROPOSALS_MAX, 'proposal queue overflow');
    if (this.tail - this.head > this.mask) this.growRows();
    const row = this.tail++ & this.mask;
    this.zxids[row] = zxid;
    this.ops[row] = op;
    this.xids[row] = xid;
    this.errs[row] = err;
    this.receivedMs[row] = receivedMs;
    this.failedAt[row] = -1;
    this.subCounts[row] = 0;
    this.digestDiffers[row] = 0;
    this.recordBytes[row] = recordBytes;
    this.allRecordBytes += recordBytes;
    this.effectEnds[row] = this.effectTail;
    this.clients[row] = client;
    if (client !== null) client.proposals++;
    return row;
  }

  /** Forgets the oldest proposal and its effects. */
  shift(): void {
    const row = this.head & this.mask;
    this.effectHead = this.effectEnds[row]!;
    const client = this.clients[row]!;
    if (client !== null) client.proposals--;
    this.clients[row] = null;
    this.allRecordBytes -= this.recordBytes[row]!;
    this.head++;
  }

  /** Forgets the newest proposal and its effects; returns who waited for it. */
  pop(): Client | null {
    const row = this.tailRow;
    this.effectTail = this.effectStart(row);
    const client = this.clients[row]!;
    if (client !== null) client.proposals--;
    this.clients[row] = null;
    this.allRecordBytes -= this.recordBytes[row]!;
    this.tail--;
    return client;
  }

  private growRows(): void {
    const before = this.mask + 1;
    this.mask = 2 * before - 1;
    this.zxids = this.unrolled(this.zxids);
    this.receivedMs = this.unrolled(this.receivedMs);
    this.writes = this.unrolled(this.writes);
    this.ops = this.unrolled(this.ops);
    this.xids = this.unrolled(this.xids);
    this.errs = this.unrolled(this.errs);
    this.failedAt = this.unrolled(this.failedAt);
    this.subCounts = this.unrolled(this.subCounts);
    this.effectEnds = this.unrolled(this.effectEnds);
    this.recordBytes = this.unrolled(this.recordBytes);
    this.digestHighs = this.unrolled(this.digestHighs);
    this.digestLows = this.unrolled(this.digestLows);
    this.digestDiffers = this.unrolled(this.digestDiffers);
    const clients: (Client | null)[] = new Array(2 * before).fill(null);
    for (let at = this.head; at < this.tail; at++) clients[at & this.mask] = this.clients[at & (before - 1)]!;
    this.clients = clients;
  }

  /** A column of twice the length, with each row where it belongs there: both halves, of which one is in use. */
  private unrolled<T extends Column>(column: T): T {
    const make = column.constructor as new (length: number) => T;
    const longer = new make(2 * column.length);
    longer.set(column);
    longer.set(column, column.length);
    return longer;
  }

  private growEffects(): void {
    const capacity = (this.effectMask + 1) * 2;
    const larger = new Int32Array(capacity * EFFECT_FIELDS);
    for (let position = this.effectHead; position < this.effectTail; position++) {
      const from = (position & this.effectMask) * EFFECT_FIELDS;
      larger.set(
        this.effects.subarray(from, from + EFFECT_FIELDS),
        (position & (capacity - 1)) * EFFECT_FIELDS,
      );
    }
    this.effects = larger;
    this.effectMask = capacity - 1;
  }
}

/**
 * The sessions the server knows, in dense slots of typed arrays: the rest of the core speaks of a session by its
 * slot, a small number that stays the same for the session's life and is used again afterwards. Core thread.
 *
 *     free ──create──▶ open ──setClosing──▶ closing ──remove──▶ free
 *                        └─────────────remove─────────────────────▲
 *
 * A *closing* session has its closeSession transaction on the way: it exists until that is applied, but nothing
 * more is accepted from it. `timeoutMs` is what was agreed at creation (stored in snapshots); a reconnect may
 * agree on another, which counts only for expiry: `touchTimeoutMs`.
 *
 * A *local* session is this server's alone (request/local-sessions.ts): no transaction makes it, and it is no part of the state. It may
 * become one of all servers: *upgrading* while a leader has been asked for its createSession, which makes it like any other.
 *
 * `touch` is one store, because every request does it; who has expired is session-expiry.ts's business.
 */
import { assert } from '../../base/assert.ts';
import type { KeyedHash } from '../../base/keyed-hash.ts';
import { grownBytes, grownFloats, grownInts } from '../collections/columns.ts';
import { PairIndex } from '../collections/pair-index.ts';

/** Index of a session. */
export type SessionSlot = number;
export const NO_SESSION: SessionSlot = -1;
export const NO_CONNECTION = -1;
/** The session's first request tells. */
export const NO_OWNER = 0;
/** This server itself. */
export const OWN = -1;

/** What a session is to the committed state. */
const Standing = { committed: 0, proposed: 1, local: 2, upgrading: 3 } as const;
const State = { free: 0, open: 1, closing: 2, ending: 3 } as const;

const CAPACITY_START = 64;
/** Stands for a session that is another server's alone while a write of it is proposed; never in the table. */
const VISITOR: SessionSlot = 0;

export class SessionTable {
  /** The halves of the 64-bit id. Columns are read-only to others unless said otherwise. */
  idHigh = new Int32Array(CAPACITY_START);
  idLow = new Int32Array(CAPACITY_START);
  timeoutMs = new Int32Array(CAPACITY_START);
  /** The timeout that touches count with. Change it through `SessionExpiry.renegotiate`. */
  touchTimeoutMs = new Int32Array(CAPACITY_START);
  /** When the session was last heard of, on the caller's monotonic clock. */
  touchedMs = new Float64Array(CAPACITY_START);
  /** The connection serving the session, or NO_CONNECTION. Written by the owner of connections. */
  conn = new Int32Array(CAPACITY_START);
  /** On a leader: which server's requests are the session's, a learner's link; or one of the two below. Written by who forwards. */
  owner = new Int32Array(CAPACITY_START);
  /** Slots ever used: every slot in [1, slotEnd) is free, open or closing. */
  slotEnd = VISITOR + 1;
  private state = new Uint8Array(CAPACITY_START);
  private standing = new Uint8Array(CAPACITY_START);
  private locals = 0;
  private readonly freeSlots: SessionSlot[] = [];
  private readonly index: PairIndex;

  constructor(hash: KeyedHash) {
    this.index = new PairIndex(hash);
    this.standing[VISITOR] = Standing.local;
  }

  /** Open and closing sessions. */
  get size(): number {
    return this.index.size;
  }

  /** How many of them are local. */
  get localCount(): number {
    return this.locals;
  }

  /** Adds a session without a connection, touched now. The id must be new. */
  create(idHigh: number, idLow: number, timeoutMs: number, nowMs: number): SessionSlot {
    assert(this.index.find(idHigh, idLow) === NO_SESSION, 'session id in use');
    const slot = this.freeSlots.pop() ?? this.slotEnd++;
    if (slot === this.state.length) this.grow();
    this.index.insert(idHigh, idLow, slot);
    this.idHigh[slot] = idHigh;
    this.idLow[slot] = idLow;
    this.timeoutMs[slot] = timeoutMs;
    this.touchTimeoutMs[slot] = timeoutMs;
    this.touchedMs[slot] = nowMs;
    this.conn[slot] = NO_CONNECTION;
    this.owner[slot] = NO_OWNER;
    this.state[slot] = State.open;
    this.standing[slot] = Standing.committed;
    return slot;
  }

  /** The slot of a session, open or closing; NO_SESSION when unknown. */
  find(idHigh: number, idLow: number): SessionSlot {
    return this.index.find(idHigh, idLow);
  }

  /** Forgets the session; take it out of the expiry buckets first. */
  remove(slot: SessionSlot): void {
    assert(this.exists(slot), 'no session in this slot');
    this.index.remove(this.idHigh[slot]!, this.idLow[slot]!);
    this.setStanding(slot, Standing.committed);
    this.state[slot] = State.free;
    this.freeSlots.push(slot);
  }

  touch(slot: SessionSlot, nowMs: number): void {
    this.touchedMs[slot] = nowMs;
  }

  /** Those that were touched at `thenMs`. A walk over all. */
  touchAgain(thenMs: number, nowMs: number): void {
    for (let slot = 0; slot < this.slotEnd; slot++) {
      if (this.touchedMs[slot] === thenMs) this.touchedMs[slot] = nowMs;
    }
  }

  /** Another leadership: nobody is known yet to serve any of them. */
  forgetOwners(): void {
    this.owner.fill(NO_OWNER);
  }

  setClosing(slot: SessionSlot): void {
    assert(this.exists(slot), 'no session in this slot');
    this.state[slot] = State.closing;
  }

  /** A closeSession of it has been staged as another server has made it: there may come a second one, which ends nothing. */
  setEnding(slot: SessionSlot): void {
    assert(this.exists(slot), 'no session in this slot');
    this.state[slot] = State.ending;
  }

  isEnding(slot: SessionSlot): boolean {
    return this.state[slot] === State.ending;
  }

  /** Its closeSession has been taken back. */
  reopen(slot: SessionSlot): void {
    assert(this.exists(slot), 'no session in this slot');
    this.state[slot] = State.open;
  }

  /** Whether its createSession is on the way: it exists for preparation only. */
  setProposed(slot: SessionSlot, isProposed: boolean): void {
    this.setStanding(slot, isProposed ? Standing.proposed : Standing.committed);
  }

  setLocal(slot: SessionSlot): void {
    this.setStanding(slot, Standing.local);
  }

  /** A leader is asked to make it one of all servers. */
  setUpgrading(slot: SessionSlot): void {
    this.setStanding(slot, Standing.upgrading);
  }

  isUpgrading(slot: SessionSlot): boolean {
    return this.standing[slot] === Standing.upgrading;
  }

  /** The slot of a session that only another server knows, until the next call: local, and nowhere to be found. */
  visit(idHigh: number, idLow: number): SessionSlot {
    this.idHigh[VISITOR] = idHigh;
    this.idLow[VISITOR] = idLow;
    return VISITOR;
  }

  isLocal(slot: SessionSlot): boolean {
    return this.standing[slot] === Standing.local;
  }

  /** Whether it is part of the committed state. */
  isCommitted(slot: SessionSlot): boolean {
    return this.standing[slot] === Standing.committed;
  }

  isClosing(slot: SessionSlot): boolean {
    return this.state[slot]! >= State.closing;
  }

  exists(slot: SessionSlot): boolean {
    return this.state[slot] !== undefined && this.state[slot] !== State.free;
  }

  /** The slot of the first session at or behind `slot`, NO_SESSION at the end: `for (s = next(0); s >= 0; s = next(s + 1))`. */
  next(slot: SessionSlot): SessionSlot {
    while (slot < this.slotEnd && this.state[slot] === State.free) slot++;
    return slot < this.slotEnd ? slot : NO_SESSION;
  }

  private setStanding(slot: SessionSlot, standing: number): void {
    if (this.standing[slot] === Standing.local) this.locals--;
    if (standing === Standing.local) this.locals++;
    this.standing[slot] = standing;
  }

  private grow(): void {
    const capacity = this.state.length * 2;
    this.idHigh = grownInts(this.idHigh, capacity);
    this.idLow = grownInts(this.idLow, capacity);
    this.timeoutMs = grownInts(this.timeoutMs, capacity);
    this.touchTimeoutMs = grownInts(this.touchTimeoutMs, capacity);
    this.conn = grownInts(this.conn, capacity);
    this.owner = grownInts(this.owner, capacity);
    this.touchedMs = grownFloats(this.touchedMs, capacity);
    this.state = grownBytes(this.state, capacity);
    this.standing = grownBytes(this.standing, capacity);
  }
}

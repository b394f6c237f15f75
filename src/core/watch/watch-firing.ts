/**
 * Tells the watchers of a change. A firing reaches each connection at most once, however many of its rows match: its watcher
 * slot remembers the stamp of the last firing that reached it. Rows at the exact path fire in the order in which they were
 * made, after recursive ones from the root downwards. One that meets nothing costs one hash lookup.
 *
 * One that meets very many rows is cut: `allow` says how many may be met now, the rest is left over, and so is whatever is
 * fired behind it, in order, until `goOn` has come to the end. Meanwhile no watch may be set; connections may go.
 *
 *     rows of /a   met · met · met │ ·········· left over     rows of /   left over, whole
 *
 * Core thread only; driven by the committer.
 */
import { type KeyedHash, PrefixHashes } from '../../base/keyed-hash.ts';
import { Fifo } from '../collections/fifo.ts';
import { NO_PATH } from '../collections/path-set.ts';
import { NO_MORE_ROWS, type RingCursor } from '../collections/ring-cursor.ts';
import type { ConnId } from '../ports/ports.ts';
import { CHILD_TABLE, DATA_TABLE, NO_CONN, WatchMode, type WatchRows } from './watch-rows.ts';

/** As on the wire. */
export const EventType = {
  nodeCreated: 1,
  nodeDeleted: 2,
  nodeDataChanged: 3,
  nodeChildrenChanged: 4,
} as const;
export type EventType = (typeof EventType)[keyof typeof EventType];

/**
 * Receives the notifications of one firing. It must not change the table. The permission to see the event is its
 * business: a watch counts as fired, and is consumed, even if the receiver tells nobody.
 */
export interface WatchReceiver {
  onWatch(conn: ConnId, eventType: EventType): void;
  /** Of a firing that is left over: who is to be told of the rest, and `onEnd` when that has been met. */
  keep(): KeptReceiver;
}

export interface KeptReceiver {
  onWatch(conn: ConnId, eventType: EventType): void;
  onEnd(): void;
}

/** What is left of the rows of one path. */
interface LeftOver {
  readonly rows: RingCursor;
  readonly eventType: EventType;
  readonly modes: number;
  readonly consumed: number;
  readonly firing: number;
  readonly receiver: KeptReceiver;
}

const SLASH = 0x2f;

export class WatchFiring {
  private readonly rows: WatchRows;
  private readonly prefixes: PrefixHashes;
  private firing = 0;
  /** Rows that firings have met, ever. */
  met = 0;
  /** Of these may be met before the rest is left over. */
  private metMax = Number.POSITIVE_INFINITY;
  private readonly left = new Fifo<LeftOver>();

  constructor(rows: WatchRows, hash: KeyedHash) {
    this.rows = rows;
    this.prefixes = new PrefixHashes(hash);
  }

  /** So many rows may be met until the next call. */
  allow(rows: number): void {
    this.metMax = this.met + rows;
  }

  get mayMeet(): boolean {
    return this.met < this.metMax;
  }

  /** A firing is not at its end. */
  get isUnfinished(): boolean {
    return this.left.length > 0;
  }

  /** What has been left over, as far as is allowed. */
  goOn(): void {
    const { left, rows } = this;
    while (left.length > 0) {
      const { rows: cursor, eventType, modes, consumed, firing, receiver } = left.first;
      for (let row = cursor.take(); row !== NO_MORE_ROWS; row = cursor.take()) {
        this.meet(row, eventType, modes, consumed, firing, receiver);
        if (this.met >= this.metMax) return;
      }
      left.shift();
      rows.endWalk(cursor);
      receiver.onEnd();
    }
  }

  /** A change of the node itself: created or data changed. */
  triggerData(
    eventType: EventType,
    bytes: Uint8Array,
    start: number,
    length: number,
    hash: number,
    receiver: WatchReceiver,
  ): void {
    if (this.rows.dataCount === 0) return;
    this.firing++;
    this.fireData(eventType, bytes, start, length, hash, receiver);
  }

  /** A change of the node's children. */
  triggerChild(
    eventType: EventType,
    bytes: Uint8Array,
    start: number,
    length: number,
    hash: number,
    receiver: WatchReceiver,
  ): void {
    if (this.rows.childCount === 0) return;
    this.firing++;
    const path = this.rows.paths.find(bytes, start, length, hash);
    if (path !== NO_PATH) this.firePath(eventType, path, CHILD_TABLE, WatchMode.standardChild, receiver);
  }

  /**
   * The node is gone: NodeDeleted to its data watches, then to those of its child watches whose connection has
   * not been told already (the same firing, so the same stamp). The parent's children are the caller's to fire.
   */
  triggerDelete(
    bytes: Uint8Array,
    start: number,
    length: number,
    hash: number,
    receiver: WatchReceiver,
  ): void {
    if (this.rows.paths.size === 0) return;
    this.firing++;
    this.fireData(EventType.nodeDeleted, bytes, start, length, hash, receiver);
    const path = this.rows.paths.find(bytes, start, length, hash);
    if (path === NO_PATH) return;
    this.firePath(EventType.nodeDeleted, path, CHILD_TABLE, WatchMode.standardChild, receiver);
  }

  private fireData(
    eventType: EventType,
    bytes: Uint8Array,
    start: number,
    length: number,
    hash: number,
    receiver: WatchReceiver,
  ): void {
    if (this.rows.recursiveCount > 0) this.fireAncestors(eventType, bytes, start, length, receiver);
    const path = this.rows.paths.find(bytes, start, length, hash);
    if (path !== NO_PATH) this.firePath(eventType, path, DATA_TABLE, WatchMode.standardData, receiver);
  }

  /** The prefixes that end before a slash are the ancestors; their hashes fall out of one pass. */
  private fireAncestors(
    eventType: EventType,
    bytes: Uint8Array,
    start: number,
    length: number,
    receiver: WatchReceiver,
  ): void {
    const { prefixes } = this;
    prefixes.wrap(bytes, start);
    for (let i = 0; i < length; i++) {
      if (bytes[start + i] !== SLASH) continue;
      const path = this.rows.paths.find(bytes, start, i, prefixes.of(i));
      if (path !== NO_PATH) this.firePath(eventType, path, WatchMode.recursive, 0, receiver);
    }
  }

  /** Notifies the rows of a path that have one of `modes`; the mode `consumed` is gone afterwards. */
  private firePath(
    eventType: EventType,
    path: number,
    modes: number,
    consumed: number,
    receiver: WatchReceiver,
  ): void {
    const { rows, firing } = this;
    let row = rows.pathRings[path]!;
    if (this.met >= this.metMax) {
      this.leaveOver(row, eventType, modes, consumed, receiver);
      return;
    }
    const last = rows.pathLinks.before[row]!;
    for (;;) {
      // Read first: consuming may take the row, and with the last one the path, out of the table.
      const next = rows.pathLinks.after[row]!;
      const isLast = row === last;
      this.meet(row, eventType, modes, consumed, firing, receiver);
      if (isLast) return;
      if (this.met >= this.metMax) {
        this.leaveOver(next, eventType, modes, consumed, receiver);
        return;
      }
      row = next;
    }
  }

  private meet(
    row: number,
    eventType: EventType,
    modes: number,
    consumed: number,
    firing: number,
    receiver: { onWatch(conn: ConnId, eventType: EventType): void },
  ): void {
    const { rows } = this;
    this.met++;
    const rowModes = rows.rowModes[row]!;
    if ((rowModes & modes) === 0) return;
    const watcher = rows.rowWatchers[row]!;
    if ((rowModes & consumed) !== 0) rows.setModes(row, rowModes & ~consumed);
    if (rows.stamps[watcher] === firing) return;
    rows.stamps[watcher] = firing;
    const conn = rows.conns[watcher]!;
    if (conn !== NO_CONN) receiver.onWatch(conn, eventType);
  }

  // From `row` to the end of its ring.
  private leaveOver(
    row: number,
    eventType: EventType,
    modes: number,
    consumed: number,
    receiver: WatchReceiver,
  ): void {
    const { rows, firing } = this;
    const kept = receiver.keep();
    this.left.push({ rows: rows.beginWalk(row), eventType, modes, consumed, firing, receiver: kept });
  }
}

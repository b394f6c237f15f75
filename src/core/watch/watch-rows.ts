/**
 * The storage of watches: a relation between watchers (connections) and paths, each pair at most once, with mode
 * bits on it. What the modes mean and when they fire is watch-table.ts's business. Core thread only.
 *
 *     path number ──ring──▶ row ⇄ row          row: watcher, path, modes
 *     watcher     ──ring──▶ row ⇄ row          watcher: connection, stamp
 *
 * Typed-array columns and int32 links, about 60 bytes a row and 20 a path beside the path itself; no object,
 * string or Map per watch. A row exists exactly while it has modes, a path while it has rows, and a watcher
 * until its connection goes and the last of its rows has gone, some thousand a turn.
 */

import type { KeyedHash } from '../../base/keyed-hash.ts';
import { grownBytes, grownFloats, grownInts } from '../collections/columns.ts';
import { Fifo } from '../collections/fifo.ts';
import { PairIndex } from '../collections/pair-index.ts';
import { NO_PATH, PathSet } from '../collections/path-set.ts';
import { NO_MORE_ROWS, RingCursor } from '../collections/ring-cursor.ts';
import { EMPTY_RING, RingLinks } from '../collections/ring-links.ts';
import type { ConnId } from '../ports/ports.ts';

/** Bits of a row. */
export const WatchMode = {
  standardData: 1,
  standardChild: 2,
  persistent: 4,
  recursive: 8,
} as const;
export type WatchMode = (typeof WatchMode)[keyof typeof WatchMode];

/** The modes that belong to each of the two tables clients see. */
export const DATA_TABLE = WatchMode.standardData | WatchMode.persistent | WatchMode.recursive;
export const CHILD_TABLE = WatchMode.standardChild | WatchMode.persistent;

type WatchRow = number;
export const NO_ROW: WatchRow = -1;
/** Of `findOrAdd`: the connection, or all together, would watch more than the limits allow. */
export const CONNECTION_FULL = -2;
export const TABLE_FULL = -3;

/** A watch is charged this and the bytes of its path. */
export const WATCH_ROW_BYTES = 64;

export interface WatchLimits {
  /** What the watches of one connection may be charged, and those of all. */
  readonly connectionBytesMax: number;
  readonly bytesMax: number;
}

const CAPACITY_START = 64;
/** Rows that one turn drops, well below a millisecond. */
const ROWS_PER_SLICE = 1024;
/** Of a watcher whose connection has gone: no connection has this id. */
export const NO_CONN: ConnId = -1;

export class WatchRows {
  /** Rows with a data-table mode, with a child-table mode, and with the recursive mode. */
  dataCount = 0;
  childCount = 0;
  recursiveCount = 0;
  /** Paths, and watchers, with at least one data-table row: counted as rows change, never by looking at them all. */
  dataPathCount = 0;
  dataWatcherCount = 0;
  /** What all rows are charged. */
  bytes = 0;

  readonly paths: PathSet;
  /** By path number: the ring of its rows. */
  pathRings = new Int32Array(CAPACITY_START);
  /** By path number: how many of its rows are in the data table. */
  private pathDataCounts = new Int32Array(CAPACITY_START);
  readonly pathLinks = new RingLinks();

  /** Connection -> watcher. */
  readonly watchers = new Map<ConnId, number>();
  /** By watcher: its connection, the ring of its rows, the last firing that reached it. */
  conns = new Int32Array(CAPACITY_START);
  watcherRings = new Int32Array(CAPACITY_START);
  /** By watcher: how many of its rows are in the data table. */
  private watcherDataCounts = new Int32Array(CAPACITY_START);
  /** By watcher: what its rows are charged. */
  private watcherBytes = new Float64Array(CAPACITY_START);
  stamps = new Float64Array(CAPACITY_START);
  readonly watcherLinks = new RingLinks();

  /** By row. */
  rowWatchers = new Int32Array(CAPACITY_START);
  rowPaths = new Int32Array(CAPACITY_START);
  rowModes = new Uint8Array(CAPACITY_START);

  private readonly freeWatchers: number[] = [];
  private watcherEnd = 0;
  /** Watchers whose connection has gone and whose rows go in slices; nobody is told anything through them. */
  private readonly leaving = new Fifo<number>();
  private readonly freeRows: WatchRow[] = [];
  private rowEnd = 0;
  private readonly rowByWatcherAndPath: PairIndex;

  /** Walks that are under way: they must hear of each row that goes. */
  private readonly walks = new Set<RingCursor>();
  private readonly limits: WatchLimits;

  constructor(hash: KeyedHash, limits: WatchLimits) {
    this.limits = limits;
    this.paths = new PathSet(hash, pathStoreBytes(limits));
    this.rowByWatcherAndPath = new PairIndex(hash);
    this.pathLinks.reserve(CAPACITY_START);
    this.watcherLinks.reserve(CAPACITY_START);
  }

  find(conn: ConnId, bytes: Uint8Array, start: number, length: number, hash: number): WatchRow {
    const watcher = this.watchers.get(conn);
    if (watcher === undefined) return NO_ROW;
    const path = this.paths.find(bytes, start, length, hash);
    return path === NO_PATH ? NO_ROW : this.rowByWatcherAndPath.find(watcher, path);
  }

  /** The row of (conn, path), made if need be: the caller gives it a mode at once. Otherwise what there is no room for. */
  findOrAdd(
    conn: ConnId,
    bytes: Uint8Array,
    start: number,
    length: number,
    hash: number,
  ): WatchRow | typeof CONNECTION_FULL | typeof TABLE_FULL {
    let path = this.paths.find(bytes, start, length, hash);
    const known = this.watchers.get(conn);
    if (path !== NO_PATH && known !== undefined) {
      const row = this.rowByWatcherAndPath.find(known, path);
      if (row !== NO_ROW) return row;
    }
    const cost = WATCH_ROW_BYTES + length;
    const before = known === undefined ? 0 : this.watcherBytes[known]!;
    if (before + cost > this.limits.connectionBytesMax) return CONNECTION_FULL;
    if (!this.hasRoomFor(cost, length, path === NO_PATH)) return TABLE_FULL;
    // What went to make room may have been the last to watch this path.
    if (path !== NO_PATH && !this.paths.has(path)) path = NO_PATH;
    if (path === NO_PATH) path = this.addPath(bytes, start, length, hash);
    return this.addRow(known ?? this.addWatcher(conn), path, cost);
  }

  // Nobody is refused, and no other connection ended, for rows of those that have gone already.
  private hasRoomFor(cost: number, pathLength: number, isPathNew: boolean): boolean {
    for (;;) {
      if (this.bytes + cost <= this.limits.bytesMax && (!isPathNew || this.paths.fits(pathLength)))
        return true;
      if (!this.isDropping) return false;
      this.dropSome();
    }
  }

  /** The connection whose rows are charged most; -1 while there is none. A look at every watcher. */
  greediest(): ConnId {
    let greediest = -1;
    let most = 0;
    for (const [conn, watcher] of this.watchers) {
      if (this.watcherBytes[watcher]! <= most) continue;
      most = this.watcherBytes[watcher]!;
      greediest = conn;
    }
    return greediest;
  }

  /** The only place that changes a row: keeps the counts, and drops a row without modes. */
  setModes(row: number, modes: number): void {
    const old = this.rowModes[row]!;
    const dataDelta = oneIf(modes & DATA_TABLE) - oneIf(old & DATA_TABLE);
    if (dataDelta !== 0) this.countData(row, dataDelta);
    this.childCount += oneIf(modes & CHILD_TABLE) - oneIf(old & CHILD_TABLE);
    this.recursiveCount += oneIf(modes & WatchMode.recursive) - oneIf(old & WatchMode.recursive);
    this.rowModes[row] = modes;
    if (modes === 0) this.dropRow(row);
  }

  /** The connection watches nothing from now on. Very many rows of it go in slices: `dropSome`, while `isDropping`. */
  removeConnection(conn: ConnId): void {
    const watcher = this.watchers.get(conn);
    if (watcher === undefined) return;
    this.watchers.delete(conn);
    this.conns[watcher] = NO_CONN;
    this.leaving.push(watcher);
    if (this.leaving.length === 1) this.dropSome(ROWS_PER_SLICE);
  }

  get isDropping(): boolean {
    return this.leaving.length > 0;
  }

  /** Up to so many rows of connections that have gone, which need not be all. */
  dropSome(rowsMax = ROWS_PER_SLICE): void {
    let left = rowsMax;
    for (;;) {
      if (this.leaving.length === 0) return;
      const watcher = this.leaving.first;
      for (; left > 0 && this.watcherRings[watcher] !== EMPTY_RING; left--) {
        this.setModes(this.watcherRings[watcher]!, 0);
      }
      if (this.watcherRings[watcher] !== EMPTY_RING) return;
      this.leaving.shift();
      this.freeWatchers.push(watcher);
    }
  }

  /** A walk from `row` to the end of the ring of its path, of the rows that are there now; may be interrupted, is to be ended. */
  beginWalk(row: WatchRow): RingCursor {
    const head = this.pathRings[this.rowPaths[row]!]!;
    const cursor = new RingCursor(this.pathLinks, row, this.pathLinks.before[head]!);
    this.walks.add(cursor);
    return cursor;
  }

  endWalk(cursor: RingCursor): void {
    this.walks.delete(cursor);
  }

  /** The rows of a path that are there now; may be interrupted. */
  rowsOfPath(path: number): Generator<WatchRow> {
    return this.walk(new RingCursor(this.pathLinks, this.pathRings[path]!));
  }

  rowsOfWatcher(watcher: number): Generator<WatchRow> {
    return this.walk(new RingCursor(this.watcherLinks, this.watcherRings[watcher]!));
  }

  private *walk(cursor: RingCursor): Generator<WatchRow> {
    this.walks.add(cursor);
    try {
      for (let row = cursor.take(); row !== NO_MORE_ROWS; row = cursor.take()) yield row;
    } finally {
      this.walks.delete(cursor);
    }
  }

  private countData(row: number, delta: number): void {
    const path = this.rowPaths[row]!;
    const watcher = this.rowWatchers[row]!;
    this.dataCount += delta;
    this.dataPathCount -= oneIf(this.pathDataCounts[path]!);
    this.pathDataCounts[path]! += delta;
    this.dataPathCount += oneIf(this.pathDataCounts[path]!);
    this.dataWatcherCount -= oneIf(this.watcherDataCounts[watcher]!);
    this.watcherDataCounts[watcher]! += delta;
    this.dataWatcherCount += oneIf(this.watcherDataCounts[watcher]!);
  }

  private addRow(watcher: number, path: number, cost: number): number {
    this.charge(watcher, cost);
    const row = this.freeRows.pop() ?? this.rowEnd++;
    if (row === this.rowModes.length) {
      const capacity = row * 2;
      this.rowWatchers = grownInts(this.rowWatchers, capacity);
      this.rowPaths = grownInts(this.rowPaths, capacity);
      this.rowModes = grownBytes(this.rowModes, capacity);
      this.pathLinks.reserve(capacity);
      this.watcherLinks.reserve(capacity);
    }
    this.rowWatchers[row] = watcher;
    this.rowPaths[row] = path;
    this.rowByWatcherAndPath.insert(watcher, path, row);
    this.pathRings[path] = this.pathLinks.append(this.pathRings[path]!, row);
    this.watcherRings[watcher] = this.watcherLinks.append(this.watcherRings[watcher]!, row);
    return row;
  }

  private dropRow(row: number): void {
    const watcher = this.rowWatchers[row]!;
    const path = this.rowPaths[row]!;
    if (this.walks.size > 0) for (const walk of this.walks) walk.onRemove(row);
    this.rowByWatcherAndPath.remove(watcher, path);
    this.charge(watcher, -WATCH_ROW_BYTES - this.paths.lengthOf(path));
    this.watcherRings[watcher] = this.watcherLinks.remove(this.watcherRings[watcher]!, row);
    const head = this.pathLinks.remove(this.pathRings[path]!, row);
    this.pathRings[path] = head;
    if (head === EMPTY_RING) this.paths.remove(path);
    this.freeRows.push(row);
  }

  private charge(watcher: number, bytes: number): void {
    this.watcherBytes[watcher]! += bytes;
    this.bytes += bytes;
  }

  private addPath(bytes: Uint8Array, start: number, length: number, hash: number): number {
    const path = this.paths.add(bytes, start, length, hash);
    if (path === this.pathRings.length) {
      this.pathRings = grownInts(this.pathRings, path * 2);
      this.pathDataCounts = grownInts(this.pathDataCounts, path * 2);
    }
    this.pathRings[path] = EMPTY_RING;
    return path;
  }

  private addWatcher(conn: ConnId): number {
    const watcher = this.freeWatchers.pop() ?? this.watcherEnd++;
    if (watcher === this.conns.length) {
      this.conns = grownInts(this.conns, watcher * 2);
      this.watcherRings = grownInts(this.watcherRings, watcher * 2);
      this.watcherDataCounts = grownInts(this.watcherDataCounts, watcher * 2);
      this.stamps = grownFloats(this.stamps, watcher * 2);
      this.watcherBytes = grownFloats(this.watcherBytes, watcher * 2);
    }
    this.conns[watcher] = conn;
    this.watcherRings[watcher] = EMPTY_RING;
    this.watchers.set(conn, watcher);
    return watcher;
  }
}

// Blocks of the store are up to twice as long as the paths in them.
function pathStoreBytes(limits: WatchLimits): number {
  return 2 * limits.bytesMax;
}

function oneIf(count: number): number {
  return count === 0 ? 0 : 1;
}

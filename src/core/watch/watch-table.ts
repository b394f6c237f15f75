/**
 * Who wants to hear of what: the watches of all connections, keyed by (connection, path). Core thread only.
 *
 * One row holds every mode in which one connection watches one path; clients see two tables, and a mode belongs
 * to one or both of them:
 *
 *     mode            registered by              data table   child table   when fired
 *     standardData    getData, exists                x                      consumed
 *     standardChild   getChildren(2)                              x         consumed
 *     persistent      addWatch 0                     x            x         stays
 *     recursive       addWatch 1                     x                      stays; also fires for descendants
 *
 * Who is told of a change is found in watch-firing.ts; the rows themselves are in watch-rows.ts.
 */
import { assert } from '../../base/assert.ts';
import type { KeyedHash } from '../../base/keyed-hash.ts';
import { WatcherType } from '../../wire/opcodes.ts';
import type { ConnId } from '../ports/ports.ts';
import { WatchFiring } from './watch-firing.ts';
import {
  CHILD_TABLE,
  CONNECTION_FULL,
  DATA_TABLE,
  NO_CONN,
  NO_ROW,
  TABLE_FULL,
  type WatchLimits,
  WatchMode,
  WatchRows,
} from './watch-rows.ts';

/** Whether a watch could be registered; otherwise which of the limits it would exceed. */
type WatchRoom = 'ok' | 'connectionFull' | 'tableFull';

export interface PathsOfConnection {
  readonly conn: ConnId;
  readonly paths: Iterable<string | null>;
}

export interface ConnectionsOfPath {
  readonly path: string;
  readonly conns: Iterable<ConnId | null>;
}

interface WatchSummary {
  readonly connections: number;
  readonly paths: number;
  readonly watches: number;
}

const ALL_MODES = DATA_TABLE | CHILD_TABLE;

export class WatchTable {
  private readonly rows: WatchRows;
  /** Tells of changes. */
  readonly firing: WatchFiring;

  constructor(hash: KeyedHash, limits: WatchLimits) {
    this.rows = new WatchRows(hash, limits);
    this.firing = new WatchFiring(this.rows, hash);
  }

  /** Watches in both tables; a persistent watch counts in each. */
  get watchCount(): number {
    return this.rows.dataCount + this.rows.childCount;
  }

  /** What all watches are charged, against `WatchLimits.bytesMax`. */
  get bytes(): number {
    return this.rows.bytes;
  }

  /** Paths with a watch in the data table. */
  get watchedPathCount(): number {
    return this.rows.dataPathCount;
  }

  /** Connections with a watch in the data table. */
  get watchingClientCount(): number {
    return this.rows.dataWatcherCount;
  }

  /**
   * Registers a watch; doing so again changes nothing. Paths are in stored form, `hash` is their keyed hash.
   * Anything but `ok`: there is no room, and nothing has been registered.
   */
  add(
    conn: ConnId,
    bytes: Uint8Array,
    start: number,
    length: number,
    hash: number,
    mode: WatchMode,
  ): WatchRoom {
    const row = this.rows.findOrAdd(conn, bytes, start, length, hash);
    if (row === CONNECTION_FULL) return 'connectionFull';
    if (row === TABLE_FULL) return 'tableFull';
    this.rows.setModes(row, this.rows.rowModes[row]! | mode);
    return 'ok';
  }

  /** Whether the connection has a watch of the type (checkWatches). */
  has(conn: ConnId, bytes: Uint8Array, start: number, length: number, hash: number, type: number): boolean {
    const row = this.rows.find(conn, bytes, start, length, hash);
    return row !== NO_ROW && (this.rows.rowModes[row]! & modesOfType(type)) !== 0;
  }

  /** Removes the connection's watches of the type (removeWatches); false = there were none. */
  remove(
    conn: ConnId,
    bytes: Uint8Array,
    start: number,
    length: number,
    hash: number,
    type: number,
  ): boolean {
    const row = this.rows.find(conn, bytes, start, length, hash);
    const removed = row === NO_ROW ? 0 : this.rows.rowModes[row]! & modesOfType(type);
    if (removed === 0) return false;
    this.rows.setModes(row, this.rows.rowModes[row]! & ~removed);
    return true;
  }

  /** The connection with the most watches, by what they are charged; -1 = nobody watches anything. */
  greediest(): ConnId {
    return this.rows.greediest();
  }

  /** The connection is gone, and its watches with it: from now on it is told nothing. */
  removeConnection(conn: ConnId): void {
    this.rows.removeConnection(conn);
  }

  /** Rows of connections that are gone still take memory: `dropSome` takes a slice of them out. */
  get isDropping(): boolean {
    return this.rows.isDropping;
  }

  dropSome(): void {
    this.rows.dropSome();
  }

  // ---- views of the data table, for people ------------------------------------------------------------------

  /** Kept counts: asking costs nothing, however many watches there are. */
  summary(): WatchSummary {
    const { dataCount: watches } = this.rows;
    return { connections: this.watchingClientCount, paths: this.watchedPathCount, watches };
  }

  /**
   * Every connection with its paths. Whoever walks may stop in between while the table changes: a watch that stays is
   * met once. A step without a watch of the data table is `null`, so that no step is long.
   */
  *byConnection(): Generator<PathsOfConnection> {
    let left = this.rows.watchers.size;
    for (const [conn, watcher] of this.rows.watchers) {
      if (left-- === 0) return; // the others have come since
      yield { conn, paths: this.pathsOf(watcher) };
    }
  }

  /** Every path with its connections, likewise; a step without one is `null`. */
  *byPath(): Generator<ConnectionsOfPath | null> {
    const { paths } = this.rows;
    const { end } = paths;
    for (let path = 0; path < end; path++) {
      yield paths.has(path) ? { path: paths.text(path), conns: this.connectionsOf(path) } : null;
    }
  }

  private *pathsOf(watcher: number): Generator<string | null> {
    for (const row of this.rows.rowsOfWatcher(watcher)) {
      yield this.isData(row) ? this.rows.paths.text(this.rows.rowPaths[row]!) : null;
    }
  }

  private *connectionsOf(path: number): Generator<ConnId | null> {
    for (const row of this.rows.rowsOfPath(path)) {
      const conn = this.rows.conns[this.rows.rowWatchers[row]!]!;
      yield this.isData(row) && conn !== NO_CONN ? conn : null;
    }
  }

  private isData(row: number): boolean {
    return (this.rows.rowModes[row]! & DATA_TABLE) !== 0;
  }
}

/** The modes that a watcher type of checkWatches and removeWatches speaks of. */
function modesOfType(type: number): number {
  switch (type) {
    case WatcherType.children:
      return WatchMode.standardChild;
    case WatcherType.data:
      return WatchMode.standardData;
    case WatcherType.any:
      return ALL_MODES;
    case WatcherType.persistent:
      return WatchMode.persistent;
    default:
      assert(type === WatcherType.persistentRecursive, 'watcher type was not checked');
      return WatchMode.recursive;
  }
}

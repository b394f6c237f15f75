/**
 * Requests about watches: setting persistent ones, asking for and removing them. Reads register their own through `add`,
 * in the same turn, and so does whoever restores all of them after a reconnect (watch-restore.ts).
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import { AddWatchMode, OpCode, WatcherType } from '../../wire/opcodes.ts';
import { WatchModeRequest } from '../../wire/requests.ts';
import type { Client } from '../client/client.ts';
import type { ClientLimit } from '../client/limit-ends.ts';
import type { Replier } from '../client/replier.ts';
import type { RequestView } from '../client/request-view.ts';
import { parentLength } from '../path/path.ts';
import type { ConnId } from '../ports/ports.ts';
import { WatchMode } from '../watch/watch-rows.ts';
import type { WatchTable } from '../watch/watch-table.ts';
import type { PathLookup } from './path-lookup.ts';

/** The body of an addWatch reply: an error code once more, 0. */
const ADDED = new Uint8Array(4);

export class WatchOps {
  private readonly watches: WatchTable;
  private readonly lookup: PathLookup;
  private readonly replier: Replier;
  private readonly onLimit: (conn: ConnId, limit: ClientLimit) => void;
  private readonly watchMode = new WatchModeRequest();

  /** `onLimit`: the connection must end, its watches have been removed. */
  constructor(
    watches: WatchTable,
    lookup: PathLookup,
    replier: Replier,
    onLimit: (conn: ConnId, limit: ClientLimit) => void,
  ) {
    this.watches = watches;
    this.lookup = lookup;
    this.replier = replier;
    this.onLimit = onLimit;
  }

  execute(request: RequestView): void {
    const { client, op, bytes, view, start, end } = request;
    const asked = this.watchMode;
    if (!asked.wrap(bytes, view, start, end) || (asked.pathLength < 0 && op !== OpCode.removeWatches)) {
      this.status(request, ErrorCode.marshallingError);
    } else if (op === OpCode.addWatch) {
      this.addWatch(request, asked);
    } else {
      this.status(request, this.findWatch(client, op, asked));
    }
  }

  private addWatch(request: RequestView, asked: WatchModeRequest): void {
    if (asked.mode !== AddWatchMode.persistent && asked.mode !== AddWatchMode.persistentRecursive) {
      this.status(request, ErrorCode.marshallingError);
      return;
    }
    this.lookup.setPath(asked.bytes, asked.pathStart, asked.pathLength);
    const recursive = asked.mode === AddWatchMode.persistentRecursive;
    const mode = recursive ? WatchMode.recursive : WatchMode.persistent;
    if (!this.add(request.client, asked.bytes, mode)) return;
    this.replier.slice(request, ADDED, 0, ADDED.length);
  }

  private findWatch(client: Client, op: number, request: WatchModeRequest): number {
    const { bytes, mode } = request;
    if (mode < WatcherType.children || mode > WatcherType.persistentRecursive) {
      return ErrorCode.marshallingError;
    }
    if (request.pathLength < 0) return ErrorCode.noWatcher;
    // What Apache makes of a path that has no parent; asked to remove it, it says that there is none.
    if (op === OpCode.checkWatches && hasNoSlash(bytes, request.pathStart, request.pathLength)) {
      return ErrorCode.marshallingError;
    }
    this.lookup.setPath(bytes, request.pathStart, request.pathLength);
    const { conn } = client;
    const { pathStart, pathLength, hash } = this.lookup;
    const found =
      op === OpCode.checkWatches
        ? this.isWatched(conn, bytes, mode)
        : this.watches.remove(conn, bytes, pathStart, pathLength, hash, mode);
    return found ? ErrorCode.ok : ErrorCode.noWatcher;
  }

  /**
   * Java clients up to 3.8 take a persistent watch for one of data and of children too, and ask for it so. Removing by
   * those types leaves it alone: a later client that means its standard watch would lose it.
   */
  private isWatched(conn: ConnId, bytes: Uint8Array, type: number): boolean {
    const { pathStart, pathLength, hash } = this.lookup;
    const has = (of: number): boolean => this.watches.has(conn, bytes, pathStart, pathLength, hash, of);
    if (has(type)) return true;
    const isStandard = type === WatcherType.children || type === WatcherType.data;
    return isStandard && (has(WatcherType.persistent) || has(WatcherType.persistentRecursive));
  }

  /**
   * Registers a watch on the path that was looked up last. False: the client had too many and its connection has been
   * ended; nothing is to be answered any more. Where all connections together have too many, the one with the most
   * goes, which may be another.
   */
  add(client: Client, bytes: Uint8Array, mode: WatchMode): boolean {
    const { pathStart, pathLength, hash } = this.lookup;
    const { conn } = client;
    for (;;) {
      const room = this.watches.add(conn, bytes, pathStart, pathLength, hash, mode);
      if (room === 'ok') return true;
      const isOwn = room === 'connectionFull' || this.watches.watchCount === 0;
      const greedy = isOwn ? conn : this.watches.greediest();
      this.watches.removeConnection(greedy);
      this.onLimit(greedy, isOwn ? 'watchesOfConnection' : 'watchesOfAll');
      if (greedy === conn) return false;
    }
  }

  private status(request: RequestView, err: number): void {
    this.replier.header(request, err);
  }
}

function hasNoSlash(bytes: Uint8Array, start: number, length: number): boolean {
  return length > 0 && parentLength(bytes, start, length) < 0;
}

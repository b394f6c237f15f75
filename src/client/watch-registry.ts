/**
 * The watches of one session: who is told of what. A watch counts from the reply that set it. Five kinds, keyed by
 * server path:
 *
 *     data, exist   one table on the server: getData and exists of a znode that is there; exists of one that is not
 *     child         getChildren
 *     persistent    addWatch, this path           recursive   addWatch, this path and all below
 *
 *     event             one-shot watches it uses up      persistent at the path   recursive at path and ancestors
 *     created, changed  data, exist                      yes                      yes
 *     deleted           data, exist, child               yes                      yes
 *     children          child                            yes                      no
 *
 * Several watchers may share one watch of the server: it is given up only with the last of them. A machine: no clock,
 * nothing waits; watchers are told in the order in which events arrive.
 */
import { parentOf } from '../base/paths.ts';
import type { Zxid } from '../base/zxid.ts';
import { WatcherType } from '../wire/opcodes.ts';
import type { SetWatches2RequestValue } from '../wire/request-values.ts';
import { EventType, type WatchEvent } from '../wire/watch-event.ts';

export type WatchKind = 'data' | 'exist' | 'child' | 'persistent' | 'recursive';
export type NodeEventType = 'created' | 'changed' | 'deleted' | 'children';
/** Why events may be missing: the connection was away, the session is a new one, or the reader was too slow. */
export type GapCause = 'reconnect' | 'newSession' | 'overflow';

export interface Watcher {
  /** `path` is the server's; `zxid` null where the server does not tell it (before 3.9). */
  onEvent(type: NodeEventType, path: string, zxid: Zxid | null): void;
  /** Persistent kinds only: events may have been missed here. */
  onGap(cause: GapCause): void;
  /** One-shot kinds: the session ended, no event will come. Persistent kinds: the client was closed. */
  onEnd(): void;
}

const ONE_SHOT_KINDS = ['data', 'exist', 'child'] as const;
const PERSISTENT_KINDS = ['persistent', 'recursive'] as const;
const KINDS: readonly WatchKind[] = [...ONE_SHOT_KINDS, ...PERSISTENT_KINDS];

/** What one setWatches request may hold: below every server's limit, other requests pass in between. */
export const SET_WATCHES_BYTES_MAX = 128 * 1024;
/** Length of a string, in front of its bytes. */
const STRING_OVERHEAD_BYTES = 4;

type SetWatchesLists = Omit<SetWatches2RequestValue, 'op' | 'relativeZxid'>;

export class WatchRegistry {
  private readonly tables: Readonly<Record<WatchKind, Map<string, Set<Watcher>>>> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
    persistent: new Map(),
    recursive: new Map(),
  };
  /** Requests under way, by path, whose replies will set watches. */
  private readonly expected = new Map<string, number>();

  /** Watches of the server that this client holds, each counted once. */
  get size(): number {
    let size = 0;
    for (const kind of KINDS) size += this.tables[kind].size;
    return size;
  }

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    const table = this.tables[kind];
    const there = table.get(path);
    if (there === undefined) table.set(path, new Set([watcher]));
    else there.add(watcher);
  }

  /** A request that sets a watch was taken; a removal behind it would remove that watch too. */
  expect(path: string): void {
    this.expected.set(path, (this.expected.get(path) ?? 0) + 1);
  }

  expectNoMore(path: string): void {
    const count = this.expected.get(path)!;
    if (count === 1) this.expected.delete(path);
    else this.expected.set(path, count - 1);
  }

  has(kind: WatchKind, path: string, watcher: Watcher): boolean {
    return this.tables[kind].get(path)?.has(watcher) ?? false;
  }

  /** Whether anybody watches exactly this path, in whatever way. */
  isWatched(path: string): boolean {
    return this.expected.has(path) || KINDS.some((kind) => this.tables[kind].has(path));
  }

  /**
   * Takes a watcher out. Returns the `WatcherType` that the server is to be asked to remove because nobody here is left
   * who wants it, or null. Who is about to watch the same path wants it too: then it stays.
   */
  remove(kind: WatchKind, path: string, watcher: Watcher): number | null {
    const table = this.tables[kind];
    const there = table.get(path);
    if (there === undefined || !there.delete(watcher) || there.size > 0) return null;
    table.delete(path);
    return this.expected.has(path) ? null : this.unwantedType(kind, path);
  }

  /** Whom the event concerns; one-shot watches are used up by it. */
  dispatch(event: WatchEvent, zxid: Zxid | null): void {
    const { path } = event;
    const name = eventName(event.type);
    if (name === null) return;
    const told = new Set<Watcher>();
    if (name !== 'children') {
      this.takeOneShot('data', path, told);
      this.takeOneShot('exist', path, told);
    }
    if (name === 'deleted' || name === 'children') this.takeOneShot('child', path, told);
    for (const watcher of this.tables.persistent.get(path) ?? []) told.add(watcher);
    if (name !== 'children' && this.tables.recursive.size > 0) this.collectAncestors(path, told);
    for (const watcher of told) watcher.onEvent(name, path, zxid);
  }

  /**
   * What brings all watches to another connection of the same session: setWatches in parts. Persistent watches get no
   * catch-up from the server, so their watchers are told of a gap by `tellGap` once the parts are answered.
   */
  restoreParts(): SetWatchesLists[] {
    const parts: SetWatchesLists[] = [];
    let part = emptyPart();
    let bytes = 0;
    for (const [kind, field] of RESTORE_FIELDS) {
      for (const path of this.tables[kind].keys()) {
        const size = STRING_OVERHEAD_BYTES + Buffer.byteLength(path);
        if (bytes > 0 && bytes + size > SET_WATCHES_BYTES_MAX) {
          parts.push(part);
          part = emptyPart();
          bytes = 0;
        }
        part[field].push(path);
        bytes += size;
      }
    }
    if (bytes > 0) parts.push(part);
    return parts;
  }

  tellGap(cause: GapCause): void {
    for (const kind of PERSISTENT_KINDS) {
      for (const watchers of [...this.tables[kind].values()]) {
        for (const watcher of [...watchers]) watcher.onGap(cause);
      }
    }
  }

  /** The session is over: one-shot watches end. Returns the persistent ones, to be set again in the next session. */
  endSession(): { readonly kind: WatchKind; readonly path: string }[] {
    for (const kind of ONE_SHOT_KINDS) this.endAll(kind);
    return PERSISTENT_KINDS.flatMap((kind) => [...this.tables[kind].keys()].map((path) => ({ kind, path })));
  }

  /** The client is closed: everything ends. */
  endEverything(): void {
    for (const kind of KINDS) this.endAll(kind);
  }

  /** A persistent watch that could not be set again: its watchers are let go. */
  endPath(kind: WatchKind, path: string): void {
    const watchers = this.tables[kind].get(path);
    this.tables[kind].delete(path);
    for (const watcher of watchers ?? []) watcher.onEnd();
  }

  private endAll(kind: WatchKind): void {
    const all = [...this.tables[kind].values()];
    this.tables[kind].clear();
    for (const watchers of all) for (const watcher of watchers) watcher.onEnd();
  }

  private takeOneShot(kind: WatchKind, path: string, into: Set<Watcher>): void {
    const watchers = this.tables[kind].get(path);
    if (watchers === undefined) return;
    this.tables[kind].delete(path);
    for (const watcher of watchers) into.add(watcher);
  }

  private collectAncestors(path: string, into: Set<Watcher>): void {
    for (let at = path; ; at = parentOf(at)) {
      for (const watcher of this.tables.recursive.get(at) ?? []) into.add(watcher);
      if (at === '/') return;
    }
  }

  /** Data and exist watches are one on the server. */
  private unwantedType(kind: WatchKind, path: string): number | null {
    switch (kind) {
      case 'data':
        return this.tables.exist.has(path) ? null : WatcherType.data;
      case 'exist':
        return this.tables.data.has(path) ? null : WatcherType.data;
      case 'child':
        return WatcherType.children;
      case 'persistent':
        return WatcherType.persistent;
      case 'recursive':
        return WatcherType.persistentRecursive;
    }
  }
}

const RESTORE_FIELDS = [
  ['data', 'data'],
  ['exist', 'exist'],
  ['child', 'child'],
  ['persistent', 'persistent'],
  ['recursive', 'persistentRecursive'],
] as const;

function emptyPart(): Record<keyof SetWatchesLists, string[]> {
  return { data: [], exist: [], child: [], persistent: [], persistentRecursive: [] };
}

function eventName(type: number): NodeEventType | null {
  switch (type) {
    case EventType.nodeCreated:
      return 'created';
    case EventType.nodeDeleted:
      return 'deleted';
    case EventType.nodeDataChanged:
      return 'changed';
    case EventType.nodeChildrenChanged:
      return 'children';
    default:
      return null;
  }
}

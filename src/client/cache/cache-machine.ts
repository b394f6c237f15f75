/**
 * Keeps the contents of a cache equal to a part of the tree. It is told what comes from the server, in the order of the
 * wire, and asks for reads; it has no socket, clock, timer, chance or promise.
 *
 *     watch in place ──▶ walk: root, its children, theirs …        (load: data and names of what is not held)
 *     event          ──▶ read that znode again; `deleted` takes it out at once
 *     gap            ──▶ walk again, slowly: the zxids of what is held are compared, data are read only where they moved
 *
 * Why that is consistent: a server tells a change before any reply that could show it, and every reply is taken in its
 * turn. So each reply is true for the moment of its turn, what happens later is told later, and nothing is told twice.
 * Only a gap (the connection was away) loses events, and a whole walk behind it finds what they said: a znode made again
 * has another czxid, one written another mzxid, one deleted is missing in its parent's names.
 *
 * A znode is taken in only below a znode that is held: what may not be listed is not here, whatever events tell of it.
 */
import { childOf, parentOf } from '../../base/paths.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import type { Stat } from '../../wire/stat.ts';
import type { CacheChange, CacheEntry, CacheState } from './cache-entry.ts';
import { EntryTree } from './entry-tree.ts';
import { type CacheRead, ReadQueue } from './read-queue.ts';
import { TurnCount } from './turn-count.ts';

export interface CacheBounds {
  readonly root: string;
  /** How far below the root; infinite = the whole tree. */
  readonly depthMax: number;
  /** Which znodes are taken in, beside the root. */
  readonly accept: ((path: string) => boolean) | null;
  readonly nodesMax: number;
  readonly bytesMax: number;
  readonly inFlightMax: number;
  readonly perSecond: number;
  readonly jitterMs: number;
}

export type CacheFailure =
  | { readonly why: 'full'; readonly detail: string }
  /** A server's answer that leaves nothing to go on with. */
  | { readonly why: 'refused'; readonly err: number; readonly read: CacheRead };

export interface CachePorts<T> {
  /** Answered by one of `onData`, `onNames`, `onStat`, `onRefused` and `onUnanswered`. False: not taken. */
  send(read: CacheRead): boolean;
  /** `onTick` is wanted then. */
  wakeAt(atMs: number): void;
  /** Uniform in [0, 1). */
  random(): number;
  entry(path: string, data: Uint8Array | null, stat: Stat): CacheEntry<T>;
  onChange(change: CacheChange<T>): void;
  onFailed(failure: CacheFailure): void;
}

/** Before another try while the client takes no more requests. */
const FULL_PAUSE_MS = 20;

export class CacheMachine<T> {
  state: CacheState = 'loading';
  readonly tree = new EntryTree<T>();
  /** Found in their parent and not ours to read, as of the last look. */
  readonly denied = new Set<string>();
  private readonly bounds: CacheBounds;
  private readonly ports: CachePorts<T>;
  private readonly queue: ReadQueue;
  /** Reads of data that are due or on their way, by path: one at a time. */
  private readonly reading = new Map<string, CacheRead>();
  private readonly turns = new TurnCount();
  /** The present walk, counted from 1, and how many of its reads are open; 0 = none under way. */
  private walk = 0;
  private walkOpen = 0;
  /** A read was never answered: only another walk makes the contents whole. */
  private incomplete = false;

  constructor(bounds: CacheBounds, ports: CachePorts<T>) {
    this.bounds = bounds;
    this.ports = ports;
    this.queue = new ReadQueue(bounds);
  }

  get isOver(): boolean {
    return this.state === 'failed' || this.state === 'closed';
  }

  /** The watch is in place: everything is read for the first time. */
  load(nowMs: number): void {
    if (this.isOver || this.walk > 0) return;
    this.beginWalk(this.turns.present);
    this.pump(nowMs);
  }

  /** Events may have been missed; all watches are in place again. */
  onGap(nowMs: number): void {
    if (this.isOver) return;
    this.onAway('events may have been missed');
    this.compareAll(nowMs, this.ports.random());
  }

  /** Somebody wants to be sure. */
  refresh(nowMs: number): void {
    if (!this.isOver) this.compareAll(nowMs, 0);
  }

  /** There is no connection. */
  onAway(cause: string): void {
    if (this.state !== 'live') return;
    this.state = 'stale';
    this.ports.onChange({ kind: 'stale', cause });
  }

  onEvent(type: 'created' | 'changed' | 'deleted' | 'children', path: string, nowMs: number): void {
    if (this.isOver || this.walk === 0 || type === 'children' || !this.isWithin(path)) return;
    const read = this.reading.get(path);
    if (read?.asked === true && read.again === 0) read.again = this.turns.present;
    if (type === 'deleted') {
      this.drop(path);
      this.denied.delete(path);
    } else if (read === undefined && (path === this.bounds.root || this.tree.has(parentOf(path)))) {
      this.want(path, 0, this.turns.present);
      this.pump(nowMs);
    }
  }

  onData(read: CacheRead, data: Uint8Array | null, stat: Stat, nowMs: number): void {
    if (this.isOver) return;
    const { path } = read;
    if (path === this.bounds.root || this.tree.has(parentOf(path))) this.take(read, data, stat);
    this.finish(read, nowMs);
  }

  onNames(read: CacheRead, names: readonly string[], stat: Stat, nowMs: number): void {
    if (this.isOver) return;
    if (this.compare(read, stat)) this.takeNames(read, names);
    this.finish(read, nowMs);
  }

  onStat(read: CacheRead, stat: Stat, nowMs: number): void {
    if (this.isOver) return;
    this.compare(read, stat);
    this.finish(read, nowMs);
  }

  onRefused(read: CacheRead, err: number, nowMs: number): void {
    if (this.isOver) return;
    const { path } = read;
    if (err === ErrorCode.noNode) this.drop(path);
    else if (err === ErrorCode.noAuth && path !== this.bounds.root) {
      this.drop(path);
      this.denied.add(path);
    } else if (err === ErrorCode.throttledOp) {
      this.putOff(read, nowMs);
      return;
    } else {
      this.ports.onFailed({ why: 'refused', err, read });
      return;
    }
    this.finish(read, nowMs);
  }

  /** The session ended before its answer; a gap will follow. */
  onUnanswered(read: CacheRead, nowMs: number): void {
    if (this.isOver) return;
    this.incomplete = true;
    this.turns.carry(read.turn);
    this.finish(read, nowMs);
  }

  onTick(nowMs: number): void {
    if (!this.isOver) this.pump(nowMs);
  }

  /** All changes up to here have been told: `done` runs once they are in the contents. */
  whenCaughtUp(done: () => void): void {
    this.turns.wait(done);
  }

  end(state: 'failed' | 'closed'): void {
    this.state = state;
    this.queue.clear();
    this.reading.clear();
    this.tree.clear();
    this.denied.clear();
  }

  private compareAll(nowMs: number, chance: number): void {
    for (const read of this.queue.restart(nowMs, chance)) {
      if (read.kind === 'data') this.reading.delete(read.path);
      this.turns.carry(read.turn);
      this.turns.leave(read.turn);
    }
    this.beginWalk(this.turns.oldest);
    this.pump(nowMs);
  }

  private beginWalk(turn: number): void {
    const { root } = this.bounds;
    this.walk++;
    this.walkOpen = 0;
    this.incomplete = false;
    this.denied.clear();
    if (this.tree.has(root)) this.look(root, turn);
    else this.want(root, this.walk, turn);
    this.turns.carried();
  }

  /** Compares what is held, itself and what is below. */
  private look(path: string, turn: number): void {
    const kind = this.depthOf(path) < this.bounds.depthMax ? 'children' : 'stat';
    this.enqueue({ path, kind, deep: true, walk: this.walk, turn, asked: false, again: 0 });
  }

  /** The data of a znode, once at a time: who asks while a read is due or on its way shares it. */
  private want(path: string, walk: number, turn: number): void {
    const read = this.reading.get(path);
    if (read === undefined) {
      const fresh: CacheRead = { path, kind: 'data', deep: false, walk, turn, asked: false, again: 0 };
      this.reading.set(path, fresh);
      this.enqueue(fresh);
      return;
    }
    if (walk === this.walk && read.walk !== walk) {
      read.walk = walk;
      this.walkOpen++;
    }
    if (turn < read.turn) {
      this.turns.leave(read.turn);
      this.turns.enter(turn);
      read.turn = turn;
    }
  }

  private enqueue(read: CacheRead): void {
    if (read.walk === this.walk) this.walkOpen++;
    this.turns.enter(read.turn);
    this.queue.push(read, read.walk === this.walk);
  }

  private take(read: CacheRead, data: Uint8Array | null, stat: Stat): void {
    const { path } = read;
    let before = this.tree.get(path);
    if (before !== null && before.stat.czxid !== stat.czxid) {
      this.drop(path);
      before = null;
    }
    this.denied.delete(path);
    if (before?.stat.mzxid === stat.mzxid) return;
    const entry = this.ports.entry(path, data, stat);
    this.tree.put(entry);
    this.ports.onChange(
      before === null ? { kind: 'added', path, entry } : { kind: 'changed', path, entry, before },
    );
    if (this.isFull()) return;
    if (before !== null || stat.numChildren === 0 || this.depthOf(path) >= this.bounds.depthMax) return;
    const { walk, turn } = read;
    this.enqueue({ path, kind: 'children', deep: false, walk, turn, asked: false, again: 0 });
  }

  /** Whether the znode is the one that is held; where only its data moved, they are read. */
  private compare(read: CacheRead, stat: Stat): boolean {
    const { path, walk, turn } = read;
    const held = this.tree.get(path);
    if (held === null) return false;
    const isSame = held.stat.czxid === stat.czxid;
    if (!isSame) this.drop(path);
    if (!isSame || held.stat.mzxid !== stat.mzxid) this.want(path, walk, turn);
    return isSame;
  }

  private takeNames(read: CacheRead, names: readonly string[]): void {
    const { path, walk, turn, deep } = read;
    const { accept } = this.bounds;
    const held = this.tree.namesOf(path);
    if (held.size > 0) {
      const present = new Set(names);
      for (const name of [...held]) if (!present.has(name)) this.drop(childOf(path, name));
    }
    for (const name of names) {
      const child = childOf(path, name);
      if (!this.tree.has(child)) {
        if (accept === null || accept(child)) this.want(child, walk, turn);
      } else if (deep && walk === this.walk) this.look(child, turn);
    }
  }

  /** Takes a znode out with everything below. */
  private drop(path: string): void {
    if (!this.tree.has(path)) return;
    for (const before of this.tree.remove(path)) {
      this.ports.onChange({ kind: 'removed', path: before.path, before });
    }
  }

  private finish(read: CacheRead, nowMs: number): void {
    if (this.isOver) return;
    this.queue.inFlight--;
    if (read.kind === 'data') this.reading.delete(read.path);
    if (read.again > 0) this.want(read.path, 0, read.again);
    if (read.walk === this.walk) this.walkOpen--;
    this.turns.leave(read.turn);
    if (this.walkOpen === 0 && this.state !== 'live' && !this.incomplete) {
      this.state = 'live';
      this.ports.onChange({ kind: 'live' });
    }
    this.pump(nowMs);
  }

  private pump(nowMs: number): void {
    for (let read = this.queue.take(nowMs); read !== undefined; read = this.queue.take(nowMs)) {
      read.asked = true;
      if (this.ports.send(read)) continue;
      this.putOff(read, nowMs);
      return;
    }
    const { nextMs } = this.queue;
    if (nextMs !== Number.POSITIVE_INFINITY) this.ports.wakeAt(nextMs);
  }

  /** The client or the server takes no more now. */
  private putOff(read: CacheRead, nowMs: number): void {
    this.queue.inFlight--;
    read.asked = false;
    this.queue.push(read, true);
    this.ports.wakeAt(nowMs + FULL_PAUSE_MS);
  }

  private isFull(): boolean {
    const { nodesMax, bytesMax } = this.bounds;
    const { size, dataBytes } = this.tree;
    const detail =
      size > nodesMax
        ? `more than ${nodesMax} znodes`
        : dataBytes > bytesMax
          ? `more than ${bytesMax} bytes of data`
          : null;
    if (detail !== null) this.ports.onFailed({ why: 'full', detail });
    return detail !== null;
  }

  private isWithin(path: string): boolean {
    const { root, depthMax, accept } = this.bounds;
    if (path === root) return true;
    if (root !== '/' && !(path.startsWith(root) && path[root.length] === '/')) return false;
    return this.depthOf(path) <= depthMax && (accept === null || accept(path));
  }

  /** Steps below the root. */
  private depthOf(path: string): number {
    const { root, depthMax } = this.bounds;
    if (path === root || depthMax === Number.POSITIVE_INFINITY) return 0;
    let depth = 1;
    for (let i = root === '/' ? 1 : root.length + 1; i < path.length; i++) {
      if (path.charCodeAt(i) === 0x2f) depth++;
    }
    return depth;
  }
}

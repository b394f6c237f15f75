/**
 * The watches of one connection and the events that must come of them: for each transaction, by the protocol's rules,
 * what the client is to be told before it may see a reply of that zxid or a later one.
 *
 *     change of /a      one-shot of data (and exists)   one-shot of children   persistent     recursive on / or /a
 *     created /a        /a: created                     parent: children       both           created
 *     deleted /a        /a: deleted                     /a: deleted, parent    both           deleted
 *     data of /a        /a: data                        -                      /a: data       data
 */
import { Perm, type SentAcl } from '../../src/wire/acl.ts';
import { WatcherType } from '../../src/wire/opcodes.ts';
import { EventType } from '../../src/wire/watch-event.ts';
import { permits } from './access.ts';
import { type Change, type Model, parentOf } from './model.ts';
import { Violation } from './world.ts';

interface ExpectedEvent {
  readonly zxid: number;
  readonly type: number;
  readonly path: string;
}

export class WatchModel {
  /** One-shot; true = set by an exists of a znode that was missing. */
  readonly data = new Map<string, boolean>();
  readonly child = new Set<string>();
  readonly persistent = new Set<string>();
  readonly recursive = new Set<string>();
  private readonly model: Model;
  /** Who watches: nobody is told of what it may not read, and its watch is gone all the same. */
  private readonly user: string | null;
  private readonly expected: ExpectedEvent[] = [];
  /** Everything up to here has been turned into expectations. */
  private zxid = 0;

  constructor(model: Model, user: string | null) {
    this.model = model;
    this.user = user;
  }

  /** The connection's first reply: changes up to here are not its business. */
  begin(zxid: number): void {
    this.zxid = zxid;
  }

  onEvent(zxid: number, type: number, path: string): void {
    this.advance(zxid);
    const at = this.expected.findIndex((e) => e.zxid === zxid && e.type === type && e.path === path);
    if (at < 0) throw new Violation(`event ${type} of ${path} at zxid ${zxid}, for which no watch was set`);
    this.expected.splice(at, 1);
    const older = this.expected.find((event) => event.zxid < zxid);
    if (older !== undefined) throw missing(older, `an event of zxid ${zxid} came first`);
  }

  /** A reply that shows the state at `zxid`. */
  onReply(zxid: number): void {
    this.advance(zxid);
    const late = this.expected.find((event) => event.zxid <= zxid);
    if (late !== undefined) throw missing(late, `a reply of zxid ${zxid} came first`);
  }

  /** checkWatches: of data and of children is a persistent watch too. */
  has(path: string, type: number): boolean {
    const isStandard = type === WatcherType.children || type === WatcherType.data;
    if (isStandard && (this.persistent.has(path) || this.recursive.has(path))) return true;
    return this.kindsOf(type).some((kind) => kind.has(path));
  }

  /** removeWatches; false: there was none. */
  remove(path: string, type: number): boolean {
    let removed = false;
    for (const kind of this.kindsOf(type)) removed = kind.delete(path) || removed;
    return removed;
  }

  private kindsOf(type: number): { has(path: string): boolean; delete(path: string): boolean }[] {
    const { data, child, persistent, recursive } = this;
    switch (type) {
      case WatcherType.children:
        return [child];
      case WatcherType.data:
        return [data];
      case WatcherType.persistent:
        return [persistent];
      case WatcherType.persistentRecursive:
        return [recursive];
      default:
        return [data, child, persistent, recursive];
    }
  }

  private advance(zxid: number): void {
    for (;;) {
      const entry = this.model.after(this.zxid);
      if (entry === undefined || entry.txn.zxid > zxid) break;
      this.zxid = entry.txn.zxid;
      for (const change of entry.changes) this.expect(change);
    }
    this.zxid = Math.max(this.zxid, zxid);
  }

  private expect({ kind, path, acl, parentAcl }: Change): void {
    const { data, child } = this;
    if (kind === 'data') {
      const fires = data.delete(path) || this.persistent.has(path) || this.hasRecursive(path);
      if (fires) this.push(EventType.nodeDataChanged, path, acl);
      return;
    }
    let fires = data.delete(path);
    if (kind === 'deleted') fires = child.delete(path) || fires;
    if (fires || this.persistent.has(path) || this.hasRecursive(path)) {
      this.push(kind === 'created' ? EventType.nodeCreated : EventType.nodeDeleted, path, acl);
    }
    const parent = parentOf(path);
    if (child.delete(parent) || this.persistent.has(parent))
      this.push(EventType.nodeChildrenChanged, parent, parentAcl);
  }

  private hasRecursive(path: string): boolean {
    if (this.recursive.size === 0) return false;
    for (let at = path; ; at = parentOf(at)) {
      if (this.recursive.has(at)) return true;
      if (at === '/') return false;
    }
  }

  private push(type: number, path: string, acl: readonly SentAcl[]): void {
    if (permits(acl, Perm.read, this.user)) this.expected.push({ zxid: this.zxid, type, path });
  }
}

function missing(event: ExpectedEvent, why: string): Violation {
  return new Violation(`event ${event.type} of ${event.path} at zxid ${event.zxid} has not come; ${why}`);
}

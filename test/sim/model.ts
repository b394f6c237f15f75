/**
 * What the database is after each transaction, kept by rules of its own: the transactions come from the log thread's
 * ring, the states from this file. Every version of every znode is kept, so a reply can be judged at exactly the zxid
 * that its header names.
 *
 *     znode versions     /a:  zxid 5 {…}   zxid 9 {…}   zxid 12 null (deleted)
 *
 * A crash takes back what was never durable: `cutAfter`.
 */
import { epochOf, firstZxidOf } from '../../src/base/zxid.ts';
import { OPEN_ACL, type SentAcl } from '../../src/wire/acl.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import type { SubTxn, Txn } from '../support/wire/txn-values.ts';
import { Violation } from './world.ts';

export interface ModelNode {
  readonly data: Uint8Array | null;
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly version: number;
  /** As clients see it: creations and deletions of children. */
  readonly cversion: number;
  /** Children ever created: the number of the next sequential one. */
  readonly created: number;
  readonly owner: bigint;
  readonly kind: 'plain' | 'ephemeral' | 'container' | 'ttl';
  /** On the wall clock of the server; and for how long a znode with a TTL outlives that. */
  readonly mtimeMs: number;
  readonly ttlMs: number;
  readonly children: readonly string[];
  readonly acl: readonly SentAcl[];
  readonly aversion: number;
}

interface Version {
  readonly zxid: number;
  readonly node: ModelNode | null;
}

export type ChangeKind = 'created' | 'deleted' | 'data';

/** For watches: what happened to which path. */
export interface Change {
  readonly kind: ChangeKind;
  readonly path: string;
  /** Who may hear of it, and of the children of its parent. */
  readonly acl: readonly SentAcl[];
  readonly parentAcl: readonly SentAcl[];
}

interface ModelSession {
  readonly createdZxid: number;
  readonly timeoutMs: number;
  closedZxid: number;
}

export interface ModelTxn {
  readonly txn: Txn;
  readonly changes: readonly Change[];
}

export class Model {
  /** In order of their zxids. */
  readonly txns: ModelTxn[] = [];
  readonly sessions = new Map<bigint, ModelSession>();
  private readonly nodes = new Map<string, Version[]>();
  private changes: Change[] = [];

  constructor() {
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      this.nodes.set(path, [{ zxid: 0, node: newNode(0, new Uint8Array(0)) }]);
    }
    this.nodes.get('/')![0] = {
      zxid: 0,
      node: { ...newNode(0, new Uint8Array(0)), cversion: -1, children: ['zookeeper'] },
    };
    const zookeeper = newNode(0, new Uint8Array(0));
    this.nodes.get('/zookeeper')![0] = {
      zxid: 0,
      node: { ...zookeeper, children: ['quota', 'config'] },
    };
  }

  get lastZxid(): number {
    return this.txns.at(-1)?.txn.zxid ?? 0;
  }

  at(path: string, zxid: number): ModelNode | null {
    const versions = this.nodes.get(path);
    if (versions === undefined) return null;
    for (let i = versions.length - 1; i >= 0; i--) if (versions[i]!.zxid <= zxid) return versions[i]!.node;
    return null;
  }

  /** What was there at `zxid`, and everything since. */
  since(path: string, zxid: number): ModelNode[] {
    const versions = this.nodes.get(path) ?? [];
    const first = versions.findLastIndex((version) => version.zxid <= zxid);
    return versions.slice(Math.max(first, 0)).flatMap(({ node }) => node ?? []);
  }

  /** How many znodes there are. */
  countAt(zxid: number): number {
    let count = 0;
    for (const path of this.nodes.keys()) if (this.at(path, zxid) !== null) count++;
    return count;
  }

  /** Znodes at and below a path, and the bytes of their data. */
  usageAt(root: string, zxid: number): { readonly count: number; readonly bytes: number } {
    let [count, bytes] = [0, 0];
    for (const path of this.nodes.keys()) {
      if (path !== root && !path.startsWith(`${root}/`)) continue;
      const node = this.at(path, zxid);
      if (node === null) continue;
      count++;
      bytes += node.data?.length ?? 0;
    }
    return { count, bytes };
  }

  txn(zxid: number): ModelTxn | undefined {
    const entry = this.txns[this.countUpTo(zxid) - 1];
    return entry?.txn.zxid === zxid ? entry : undefined;
  }

  /** The first behind `zxid`. */
  after(zxid: number): ModelTxn | undefined {
    return this.txns[this.countUpTo(zxid)];
  }

  /** So many have this zxid or a smaller one. */
  countUpTo(zxid: number): number {
    const { txns } = this;
    let [low, high] = [0, txns.length];
    // Mostly the last one is asked for.
    if (high > 0 && txns[high - 1]!.txn.zxid <= zxid) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (txns[middle]!.txn.zxid <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  isLive(sessionId: bigint, zxid: number): boolean {
    const session = this.sessions.get(sessionId);
    return session !== undefined && session.createdZxid <= zxid && session.closedZxid > zxid;
  }

  /** All paths that exist at the end. */
  paths(): string[] {
    return [...this.nodes.keys()].filter((path) => this.at(path, this.lastZxid) !== null).sort();
  }

  /** Ephemerals of a session, as they are at the end. */
  ephemeralsOf(sessionId: bigint): string[] {
    return this.paths().filter((path) => this.at(path, this.lastZxid)!.owner === sessionId);
  }

  apply(txn: Txn): void {
    if (txn.zxid !== this.lastZxid + 1 && !isFirstOfLaterEpoch(txn.zxid, this.lastZxid)) {
      throw new Violation(`zxid ${txn.zxid} is proposed after ${this.lastZxid}`);
    }
    this.changes = [];
    const { body, zxid } = txn;
    switch (body.type) {
      case OpCode.createSession:
        this.sessions.set(txn.clientId, {
          createdZxid: zxid,
          timeoutMs: body.timeoutMs,
          closedZxid: Number.POSITIVE_INFINITY,
        });
        break;
      case OpCode.closeSession: {
        const session = this.sessions.get(txn.clientId);
        if (session === undefined) throw new Violation(`zxid ${zxid} closes an unknown session`);
        if (session.closedZxid < zxid) throw new Violation(`zxid ${zxid} closes a session again`);
        session.closedZxid = zxid;
        for (const path of this.ephemeralsOf(txn.clientId)) this.remove(path, zxid);
        break;
      }
      case OpCode.multi:
        // A multi of which one part failed is logged for its errors alone.
        if (!body.subs.some((sub) => sub.type === OpCode.error)) {
          for (const sub of body.subs) this.applySub(sub, txn);
        }
        break;
      default:
        this.applySub(body, txn);
    }
    this.txns.push({ txn, changes: this.changes });
  }

  /** The machine has forgotten everything behind `zxid`. */
  cutAfter(zxid: number): void {
    if (zxid >= this.lastZxid) return;
    this.txns.length = this.countUpTo(zxid);
    for (const versions of this.nodes.values()) {
      while (versions.length > 0 && versions.at(-1)!.zxid > zxid) versions.pop();
    }
    for (const [id, session] of this.sessions) {
      if (session.createdZxid > zxid) this.sessions.delete(id);
      else if (session.closedZxid > zxid) session.closedZxid = Number.POSITIVE_INFINITY;
    }
  }

  private applySub(sub: SubTxn, txn: Txn): void {
    const { zxid } = txn;
    switch (sub.type) {
      case OpCode.create:
      case OpCode.create2:
        this.create(sub.path!, txn, sub, sub.ephemeral ? 'ephemeral' : 'plain', 0);
        return;
      case OpCode.createContainer:
        this.create(sub.path!, txn, sub, 'container', 0);
        return;
      case OpCode.createTtl:
        this.create(sub.path!, txn, sub, 'ttl', sub.ttl);
        return;
      case OpCode.delete:
      case OpCode.deleteContainer:
        this.remove(sub.path!, zxid);
        return;
      case OpCode.setData: {
        const node = this.mustBe(sub.path!, zxid);
        const version = node.version + 1;
        if (sub.version !== version)
          throw new Violation(`zxid ${zxid}: version ${sub.version} of ${sub.path}`);
        this.put(sub.path!, zxid, { ...node, data: sub.data, mzxid: zxid, version, mtimeMs: txn.timeMs });
        this.changes.push({ kind: 'data', path: sub.path!, acl: node.acl, parentAcl: [] });
        return;
      }
      case OpCode.setAcl: {
        const node = this.mustBe(sub.path!, zxid);
        const aversion = node.aversion + 1;
        if (sub.version !== aversion)
          throw new Violation(`zxid ${zxid}: aversion ${sub.version} of ${sub.path}`);
        this.put(sub.path!, zxid, { ...node, acl: sub.acl!, aversion });
        return;
      }
      case OpCode.check:
      case OpCode.error:
        return;
      default:
        throw new Violation(`the model has no rule for transactions of type ${sub.type}`);
    }
  }

  private create(
    path: string,
    { zxid, clientId, timeMs }: Txn,
    { data, acl }: { readonly data: Uint8Array | null; readonly acl: readonly SentAcl[] | null },
    kind: ModelNode['kind'],
    ttlMs: number,
  ): void {
    if (this.at(path, zxid) !== null) throw new Violation(`zxid ${zxid} creates ${path} again`);
    const parent = this.mustBe(parentOf(path), zxid);
    const owner = kind === 'ephemeral' ? clientId : 0n;
    this.put(path, zxid, { ...newNode(zxid, data), owner, kind, ttlMs, mtimeMs: timeMs, acl: acl! });
    this.put(parentOf(path), zxid, {
      ...parent,
      children: [...parent.children, nameOf(path)],
      cversion: parent.cversion + 1,
      created: parent.created + 1,
      pzxid: zxid,
    });
    this.changes.push({ kind: 'created', path, acl: acl!, parentAcl: parent.acl });
  }

  private remove(path: string, zxid: number): void {
    const node = this.mustBe(path, zxid);
    if (node.children.length > 0) throw new Violation(`zxid ${zxid} deletes ${path}, which has children`);
    const parent = this.mustBe(parentOf(path), zxid);
    this.put(path, zxid, null);
    const name = nameOf(path);
    this.put(parentOf(path), zxid, {
      ...parent,
      children: parent.children.filter((child) => child !== name),
      cversion: parent.cversion + 1,
      pzxid: zxid,
    });
    this.changes.push({ kind: 'deleted', path, acl: node.acl, parentAcl: parent.acl });
  }

  private mustBe(path: string, zxid: number): ModelNode {
    const node = this.at(path, zxid);
    if (node === null) throw new Violation(`zxid ${zxid} is about ${path}, which does not exist`);
    return node;
  }

  private put(path: string, zxid: number, node: ModelNode | null): void {
    const versions = this.nodes.get(path);
    if (versions === undefined) this.nodes.set(path, [{ zxid, node }]);
    else if (versions.at(-1)?.zxid === zxid) versions[versions.length - 1] = { zxid, node };
    else versions.push({ zxid, node });
  }
}

function isFirstOfLaterEpoch(zxid: number, lastZxid: number): boolean {
  return zxid === firstZxidOf(epochOf(zxid)) && epochOf(zxid) > epochOf(lastZxid);
}

function newNode(zxid: number, data: Uint8Array | null): ModelNode {
  const zxids = { czxid: zxid, mzxid: zxid, pzxid: zxid };
  const numbers = { version: 0, cversion: 0, created: 0, owner: 0n, mtimeMs: 0, ttlMs: 0, aversion: 0 };
  return { ...zxids, ...numbers, data, kind: 'plain', children: [], acl: OPEN_ACL };
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === 0 ? '/' : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

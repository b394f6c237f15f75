/**
 * Start-up: fills a replica from a snapshot and the log behind it. The snapshot may be fuzzy (written by Apache:
 * it then contains effects of transactions that are replayed once more), so every rule here is idempotent; they
 * are those of disk.md §6. Nothing is staged: what is in the log counts.
 *
 *     beginSnapshot → session* → acl* → node* → digest?  → endSnapshot → txn* → finish
 *        ▲ once more if the file turned out to be broken: everything is forgotten
 */
import { CorruptionFailure } from '../base/failure.ts';
import { joinHalves } from '../base/int64.ts';
import type { Zxid } from '../base/zxid.ts';
import { zxidHex } from '../base/zxid.ts';
import { StringCursor } from '../wire/cursors.ts';
import { OpCode } from '../wire/opcodes.ts';
import { StatOffset } from '../wire/stat.ts';
import { SubTxnCursor, TXN_DIGEST_VERSION, TxnReader, type TxnRecord } from '../wire/txn-records.ts';
import { READ_ONLY_ACL } from './acl/acl.ts';
import { OPEN_ACL_ID } from './acl/acl-table.ts';
import { asciiBytes, parentLength, pathText } from './path/path.ts';
import type { ReplicaParts } from './replica-parts.ts';
import { CONTAINER_OWNER_HIGH, ownerKind, readZxid, ttlOwnerHigh, type ZnodeCursor } from './tree/record.ts';
import { EMPTY_PATH } from './tree/tree.ts';

const SYSTEM_PATHS = ['/zookeeper', '/zookeeper/quota', '/zookeeper/config'].map(asciiBytes);
const CONFIG_PATH = SYSTEM_PATHS[2]!;

export class Loader {
  lastZxid: Zxid = 0;
  txnCount = 0;
  digestMismatches = 0;
  /** The first mismatch, for the log line. */
  firstMismatchZxid: Zxid = 0;
  private readonly parts: ReplicaParts;
  private readonly txn = new TxnReader();
  private readonly sub = new SubTxnCursor();
  private readonly paths = new StringCursor();
  private readonly node: ZnodeCursor;
  private readonly parent: ZnodeCursor;
  /** Up to here the snapshot may already contain what is replayed: digests mean nothing yet. */
  private fuzzyUntil: Zxid = 0;
  /** Ephemerals met before the createSession of their owner: a fuzzy snapshot. */
  private unowned = new Map<bigint, number[]>();

  constructor(parts: ReplicaParts) {
    this.parts = parts;
    this.node = parts.tree.cursor();
    this.parent = parts.tree.cursor();
  }

  /** An empty data directory: the tree every server begins with. */
  createEmpty(): void {
    this.insertRoot();
    for (const path of SYSTEM_PATHS) this.insertSystemNode(path);
  }

  // ---- snapshot ------------------------------------------------------------------------------------------

  beginSnapshot(zxid: Zxid): void {
    const { tree, acls, sessions, ephemerals } = this.parts;
    tree.clear();
    acls.clear();
    for (let slot = sessions.next(0); slot >= 0; slot = sessions.next(slot + 1)) {
      for (const id of [...(ephemerals.of(slot) ?? [])]) ephemerals.remove(slot, id);
      sessions.remove(slot);
    }
    this.unowned = new Map();
    this.lastZxid = zxid;
    this.fuzzyUntil = 0;
  }

  session(idHigh: number, idLow: number, timeoutMs: number): void {
    const { sessions } = this.parts;
    const known = sessions.find(idHigh, idLow);
    if (known >= 0) sessions.timeoutMs[known] = timeoutMs;
    else this.adopt(sessions.create(idHigh, idLow, timeoutMs, 0), idHigh, idLow);
  }

  acl(fileId: number, bytes: Uint8Array, start: number, end: number): void {
    this.parts.acls.load(fileId, bytes, start, end);
  }

  /** Parents come before their children. `statStart`: StatPersisted. @throws CorruptionFailure */
  loadNode(
    bytes: Uint8Array,
    view: DataView,
    pathStart: number,
    pathLength: number,
    dataStart: number,
    dataLength: number,
    fileAclId: number,
    statStart: number,
  ): void {
    const { tree, acls, effects } = this.parts;
    let parentId = 0;
    if (pathLength > 0) {
      parentId = this.findParent(bytes, pathStart, pathLength);
      if (parentId === 0) {
        const path = pathText(bytes, pathStart, pathLength);
        throw new CorruptionFailure(`snapshot names znode ${path} before its parent`);
      }
    }
    const hash = tree.hash.of(bytes, pathStart, pathLength);
    if (tree.find(bytes, pathStart, pathLength, hash) !== 0) {
      throw new CorruptionFailure(`snapshot names znode ${pathText(bytes, pathStart, pathLength)} twice`);
    }
    const id = tree.nodes.allocate();
    const aclId = acls.loadedId(fileAclId);
    acls.addReference(aclId);
    // biome-ignore format: one slice per line
    const record = tree.build.load(id, hash, bytes, view,
      pathStart, pathLength,
      dataStart, dataLength,
      aclId, statStart);
    tree.insertCommitted(id, record, parentId);
    if (parentId !== 0) tree.countLoadedChild(parentId);
    this.node.moveTo(record);
    this.own(id, this.node);
    effects.onLoaded(id, this.node);
  }

  /** The digest section: which zxid the file's content belongs to, and the digest it has there. */
  digest(zxid: Zxid, version: number, high: number, low: number): void {
    if (version !== TXN_DIGEST_VERSION || zxid === 0) return;
    if (zxid > this.lastZxid) this.fuzzyUntil = zxid;
    else this.compareDigest(zxid, high, low);
  }

  /** @returns how many nodes named an ACL that the file does not have. */
  endSnapshot(): number {
    if (
      this.parts.tree.find(
        CONFIG_PATH,
        0,
        CONFIG_PATH.length,
        this.parts.tree.hash.of(CONFIG_PATH, 0, CONFIG_PATH.length),
      ) === 0
    ) {
      this.insertSystemNode(CONFIG_PATH);
    }
    return this.parts.acls.finishLoad();
  }

  // ---- log -----------------------------------------------------------------------------------------------

  /** @throws CorruptionFailure when the payload is no transaction. */
  applyTxn(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const { txn } = this;
    if (!txn.wrap(bytes, view, start, end)) {
      throw new CorruptionFailure(`log record behind zxid 0x${zxidHex(this.lastZxid)} is no transaction`);
    }
    this.apply(txn);
    this.lastZxid = Math.max(this.lastZxid, txn.zxid);
    this.txnCount++;
    if (txn.hasDigest && txn.digestVersion === TXN_DIGEST_VERSION && txn.zxid >= this.fuzzyUntil) {
      this.compareDigest(txn.zxid, txn.digestHigh, txn.digestLow);
    }
    this.parts.acls.dropUnreferenced();
    this.parts.tree.reclaim();
  }

  /** Everything has been replayed. Ephemerals whose session nobody knows go, without a transaction. */
  finish(): number {
    const { tree, effects } = this.parts;
    let removed = 0;
    for (const ids of this.unowned.values()) {
      for (const id of ids) {
        if (tree.committedOf(id) === 0) continue;
        this.remove(id, this.lastZxid, false);
        removed++;
      }
    }
    this.unowned = new Map();
    effects.finishLoad();
    tree.proposed.set(tree.committed.high, tree.committed.low);
    return removed;
  }

  private apply(txn: TxnReader): void {
    switch (txn.type) {
      case OpCode.createSession:
        this.session(txn.clientIdHigh, txn.clientIdLow, txn.timeoutMs);
        return;
      case OpCode.closeSession:
        this.closeSession(txn);
        return;
      case OpCode.multi:
        this.applyMulti(txn);
        return;
      default:
        this.applyRecord(txn, txn);
    }
  }

  // A multi that contains an error changed nothing.
  private applyMulti(txn: TxnReader): void {
    const { sub } = this;
    for (sub.wrap(txn); sub.next(); ) if (sub.type === OpCode.error) return;
    for (sub.wrap(txn); sub.next(); ) this.applyRecord(sub, txn);
  }

  private applyRecord(record: TxnRecord, txn: TxnReader): void {
    switch (record.type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        this.create(record, txn);
        return;
      case OpCode.delete:
      case OpCode.deleteContainer:
        this.deletePath(record.bytes, record.pathStart, record.pathLength, txn.zxid);
        return;
      case OpCode.setData:
      case OpCode.reconfig:
        this.setData(record, txn);
        return;
      case OpCode.setAcl:
        this.setAcl(record);
        return;
      default:
      // error, check: nothing changes
    }
  }

  private create(record: TxnRecord, txn: TxnReader): void {
    const { tree, acls, effects } = this.parts;
    const { bytes, pathStart, pathLength } = record;
    const parentId = this.findParent(bytes, pathStart, pathLength);
    if (parentId === 0) return;
    const hash = tree.hash.of(bytes, pathStart, pathLength);
    const known = tree.find(bytes, pathStart, pathLength, hash);
    const aclId = acls.internBytes(bytes, record.aclStart, record.aclStart + record.aclLength);
    const { parent } = this;
    parent.moveTo(tree.committedOf(parentId));
    const cversion = record.parentCVersion === -1 ? parent.cversion + 1 : record.parentCVersion;
    if (known !== 0) {
      this.replaceAcl(known, aclId, -1);
      if (record.type === OpCode.create) this.raiseParent(parentId, cversion, txn.zxid, 0);
      return;
    }
    const id = tree.nodes.allocate();
    const [ownerHigh, ownerLow] = ownerOf(record, txn);
    acls.addReference(aclId);
    // biome-ignore format: one slice per line
    const created = tree.build.create(id, hash,
      bytes, pathStart, pathLength,
      record.bytes, record.dataStart, record.dataLength,
      aclId, ownerHigh, ownerLow, txn.zxid, txn.timeMs);
    tree.insertCommitted(id, created, parentId);
    this.raiseParent(parentId, cversion, txn.zxid, 1);
    this.node.moveTo(created);
    this.own(id, this.node);
    effects.onCreated(id, this.node);
  }

  // cversion and pzxid move only forwards: the parent may be ahead of the transaction being replayed.
  private raiseParent(parentId: number, cversion: number, zxid: Zxid, childDelta: number): void {
    const { tree } = this.parts;
    const { parent } = this;
    parent.moveTo(tree.committedOf(parentId));
    const isNewer = cversion > parent.cversion;
    if (!isNewer && childDelta === 0) return;
    const pzxid = readZxid(parent, StatOffset.pzxid);
    tree.changeCommittedChildren(
      parentId,
      isNewer ? cversion : parent.cversion,
      parent.numChildren + childDelta,
      isNewer ? zxid : pzxid,
    );
  }

  private deletePath(bytes: Uint8Array, start: number, length: number, zxid: Zxid): void {
    const { tree } = this.parts;
    const id = tree.find(bytes, start, length, tree.hash.of(bytes, start, length));
    if (id !== 0) {
      this.removeBelow(id, zxid);
      this.remove(id, zxid, true);
      return;
    }
    const parentId = this.findParent(bytes, start, length);
    if (parentId !== 0) this.touchParent(parentId, zxid, 0);
  }

  // Who was deleted had no children then. Those that a fuzzy snapshot shows below it belong to a later node of the
  // same path and will be created once more.
  private removeBelow(id: number, zxid: Zxid): void {
    const { tree } = this.parts;
    let at = id;
    for (;;) {
      const count = tree.children.count(at);
      if (count > 0) {
        at = tree.children.at(at, count - 1);
      } else {
        if (at === id) return;
        const parentId = tree.parentOf(at);
        this.remove(at, zxid, true);
        at = parentId;
      }
    }
  }

  private remove(id: number, zxid: Zxid, touch: boolean): void {
    const { tree, acls, effects, sessions, ephemerals } = this.parts;
    const { node } = this;
    node.moveTo(tree.committedOf(id));
    const parentId = tree.parentOf(id);
    effects.onDeleted(id, node);
    acls.release(node.aclId);
    if (ownerKind(node.ownerHigh, node.ownerLow, tree.extendedTypes) === 'ephemeral') {
      const slot = sessions.find(node.ownerHigh, node.ownerLow);
      if (slot >= 0) ephemerals.remove(slot, id);
    }
    tree.removeCommitted(id, parentId);
    this.touchParent(parentId, touch ? zxid : 0, -1);
  }

  private touchParent(parentId: number, zxid: Zxid, childDelta: number): void {
    const { tree } = this.parts;
    const { parent } = this;
    parent.moveTo(tree.committedOf(parentId));
    const pzxid = Math.max(readZxid(parent, StatOffset.pzxid), zxid);
    tree.changeCommittedChildren(parentId, parent.cversion, parent.numChildren + childDelta, pzxid);
  }

  private setData(record: TxnRecord, txn: TxnReader): void {
    const { tree, effects } = this.parts;
    const { bytes, pathStart, pathLength } = record;
    const id = this.findNode(bytes, pathStart, pathLength);
    if (id === 0) return;
    const before = tree.committedOf(id);
    this.node.moveTo(before);
    const bytesBefore = this.node.dataBytes;
    const { dataStart, dataLength, version } = record;
    const after = tree.build.withData(before, bytes, dataStart, dataLength, version, txn.zxid, txn.timeMs);
    tree.publish(id, after);
    this.node.moveTo(after);
    effects.onDataChanged(this.node, bytesBefore);
  }

  private setAcl(record: TxnRecord): void {
    const { bytes, pathStart, pathLength, aclStart, aclLength } = record;
    const id = this.findNode(bytes, pathStart, pathLength);
    if (id === 0) return;
    this.replaceAcl(id, this.parts.acls.internBytes(bytes, aclStart, aclStart + aclLength), record.version);
  }

  // `aversion` −1 leaves it as it is.
  private replaceAcl(id: number, aclId: number, aversion: number): void {
    const { tree, acls } = this.parts;
    const { node } = this;
    const before = tree.committedOf(id);
    node.moveTo(before);
    const old = node.aclId;
    const after = tree.build.withAcl(before, aclId, aversion === -1 ? node.aversion : aversion);
    acls.addReference(aclId);
    tree.publish(id, after);
    acls.release(old);
  }

  private closeSession(txn: TxnReader): void {
    const { sessions, ephemerals } = this.parts;
    if (txn.pathsCount > 0) {
      const { paths } = this;
      for (paths.wrap(txn.view, txn.pathsStart); paths.next(); ) {
        this.deletePath(txn.bytes, paths.start, paths.length, txn.zxid);
      }
    }
    const slot = sessions.find(txn.clientIdHigh, txn.clientIdLow);
    if (slot < 0) return;
    for (const id of [...(ephemerals.of(slot) ?? [])]) this.remove(id, txn.zxid, true);
    sessions.remove(slot);
  }

  // ---- ephemerals ----------------------------------------------------------------------------------------

  private own(id: number, node: ZnodeCursor): void {
    const { ownerHigh, ownerLow } = node;
    if (ownerKind(ownerHigh, ownerLow, this.parts.tree.extendedTypes) !== 'ephemeral') return;
    const slot = this.parts.sessions.find(ownerHigh, ownerLow);
    if (slot >= 0) {
      this.parts.ephemerals.add(slot, id);
      return;
    }
    const owner = joinHalves(ownerHigh, ownerLow);
    const waiting = this.unowned.get(owner);
    if (waiting === undefined) this.unowned.set(owner, [id]);
    else waiting.push(id);
  }

  private adopt(slot: number, idHigh: number, idLow: number): void {
    if (this.unowned.size === 0) return;
    const owner = joinHalves(idHigh, idLow);
    const { tree, ephemerals } = this.parts;
    for (const id of this.unowned.get(owner) ?? []) {
      const record = tree.committedOf(id);
      if (record === 0) continue;
      this.node.moveTo(record);
      if (this.node.ownerHigh === idHigh && this.node.ownerLow === idLow) ephemerals.add(slot, id);
    }
    this.unowned.delete(owner);
  }

  // ---- inside --------------------------------------------------------------------------------------------

  private findNode(bytes: Uint8Array, start: number, length: number): number {
    // A setData on the root names it "/".
    const stored = length === 1 ? 0 : length;
    return this.parts.tree.find(bytes, start, stored, this.parts.tree.hash.of(bytes, start, stored));
  }

  private findParent(bytes: Uint8Array, start: number, length: number): number {
    const parent = parentLength(bytes, start, length);
    if (parent < 0) return 0;
    return this.parts.tree.find(bytes, start, parent, this.parts.tree.hash.of(bytes, start, parent));
  }

  private compareDigest(zxid: Zxid, high: number, low: number): void {
    const { committed } = this.parts.tree;
    if (committed.high === high >>> 0 && committed.low === low >>> 0) return;
    this.digestMismatches++;
    if (this.digestMismatches === 1) this.firstMismatchZxid = zxid;
  }

  private insertRoot(): void {
    const { tree } = this.parts;
    const id = tree.nodes.allocate();
    const hash = tree.hash.of(EMPTY_PATH, 0, 0);
    // biome-ignore format: one slice per line
    const record = tree.build.create(id, hash,
      EMPTY_PATH, 0, 0,
      EMPTY_PATH, 0, 0,
      OPEN_ACL_ID, 0, 0, 0, 0);
    tree.insertCommitted(id, record, 0);
  }

  private insertSystemNode(path: Uint8Array): void {
    const { tree, acls } = this.parts;
    const id = tree.nodes.allocate();
    const hash = tree.hash.of(path, 0, path.length);
    const isConfig = path === CONFIG_PATH;
    const aclId = isConfig ? acls.intern(READ_ONLY_ACL) : OPEN_ACL_ID;
    acls.addReference(aclId);
    // biome-ignore format: one slice per line
    const record = tree.build.create(id, hash,
      path, 0, path.length,
      EMPTY_PATH, 0, 0,
      aclId, 0, 0, 0, 0);
    const parentId = this.findParent(path, 0, path.length);
    tree.insertCommitted(id, record, parentId);
    tree.countLoadedChild(parentId);
    if (isConfig) tree.publish(id, tree.build.withAcl(record, aclId, -1));
  }
}

function ownerOf(record: TxnRecord, txn: TxnReader): readonly [high: number, low: number] {
  if (record.type === OpCode.createContainer) return [CONTAINER_OWNER_HIGH, 0];
  if (record.type === OpCode.createTtl) return [ttlOwnerHigh(record.ttl), record.ttl | 0];
  return record.ephemeral ? [txn.clientIdHigh, txn.clientIdLow] : [0, 0];
}

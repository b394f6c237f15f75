/**
 * The transactions of the log onto the loaded state, directly into the committed tree: what is in the log counts. The
 * snapshot may be fuzzy (written by Apache: it then contains effects of transactions that are replayed once more), so
 * every rule here is idempotent; they are those of disk.md §6.
 */
import { CorruptionFailure } from '../../base/failure.ts';
import type { Zxid } from '../../base/zxid.ts';
import { zxidHex } from '../../base/zxid.ts';
import { StringCursor } from '../../wire/cursors.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { StatOffset } from '../../wire/stat.ts';
import { SubTxnCursor, TXN_DIGEST_VERSION, TxnReader, type TxnRecord } from '../../wire/txn-records.ts';
import type { BulkLoad } from '../tree/bulk-load.ts';
import { CONTAINER_OWNER_HIGH, ownerKind, readZxid, ttlOwnerHigh, type ZnodeCursor } from '../tree/record.ts';
import type { LoadState, LoadTarget } from './load-state.ts';

export class TxnReplay {
  txnCount = 0;
  private readonly state: LoadState;
  private readonly parts: LoadTarget;
  private readonly bulk: BulkLoad;
  private readonly txn = new TxnReader();
  private readonly sub = new SubTxnCursor();
  private readonly paths = new StringCursor();
  private readonly node: ZnodeCursor;
  private readonly parent: ZnodeCursor;

  constructor(state: LoadState) {
    this.state = state;
    this.parts = state.target;
    this.bulk = state.bulk;
    this.node = this.parts.tree.cursor();
    this.parent = this.parts.tree.cursor();
  }

  /**
   * True when its digest proves that the tree is now what it was when the record was written.
   * @throws CorruptionFailure when the payload is no transaction.
   */
  apply(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const { txn } = this;
    if (!txn.wrap(bytes, view, start, end)) {
      throw new CorruptionFailure(
        `log record behind zxid 0x${zxidHex(this.state.lastZxid.value)} is no transaction`,
      );
    }
    this.dispatch(txn);
    this.state.lastZxid.value = Math.max(this.state.lastZxid.value, txn.zxid);
    this.txnCount++;
    const comparable =
      txn.hasDigest && txn.digestVersion === TXN_DIGEST_VERSION && txn.zxid >= this.state.fuzzyUntil.value;
    const proven = comparable && this.state.compareDigest(txn.zxid, txn.digestHigh, txn.digestLow);
    this.parts.acls.dropUnreferenced();
    this.parts.tree.reclaim();
    return proven;
  }

  /** All is replayed. Ephemerals whose session nobody knows go, without a transaction; returns how many. */
  finish(): number {
    const { tree, effects } = this.parts;
    let removed = 0;
    for (const id of this.state.takeUnowned()) {
      if (tree.committedOf(id) === 0) continue;
      this.remove(id, this.state.lastZxid.value, false);
      removed++;
    }
    effects.finishLoad();
    tree.staging.digest.copy(tree.committed);
    return removed;
  }

  private dispatch(txn: TxnReader): void {
    switch (txn.type) {
      case OpCode.createSession:
        this.state.session(txn.clientIdHigh, txn.clientIdLow, txn.timeoutMs);
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
    const parentId = this.state.findParent(bytes, pathStart, pathLength);
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
    this.bulk.insert(id, created, parentId);
    this.raiseParent(parentId, cversion, txn.zxid, 1);
    this.node.moveTo(created);
    this.state.own(id, this.node);
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
    this.bulk.changeChildren(
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
    const parentId = this.state.findParent(bytes, start, length);
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
    this.bulk.remove(id, parentId);
    this.touchParent(parentId, touch ? zxid : 0, -1);
  }

  private touchParent(parentId: number, zxid: Zxid, childDelta: number): void {
    const { tree } = this.parts;
    const { parent } = this;
    parent.moveTo(tree.committedOf(parentId));
    const pzxid = Math.max(readZxid(parent, StatOffset.pzxid), zxid);
    this.bulk.changeChildren(parentId, parent.cversion, parent.numChildren + childDelta, pzxid);
  }

  private setData(record: TxnRecord, txn: TxnReader): void {
    const { tree, effects } = this.parts;
    const { bytes, pathStart, pathLength } = record;
    const id = this.state.findNode(bytes, pathStart, pathLength);
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
    const id = this.state.findNode(bytes, pathStart, pathLength);
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
    for (const id of [...(ephemerals.of(slot)?.values() ?? [])]) this.remove(id, txn.zxid, true);
    sessions.remove(slot);
  }
}

function ownerOf(record: TxnRecord, txn: TxnReader): readonly [high: number, low: number] {
  if (record.type === OpCode.createContainer) return [CONTAINER_OWNER_HIGH, 0];
  if (record.type === OpCode.createTtl) return [ttlOwnerHigh(record.ttl), record.ttl | 0];
  return record.ephemeral ? [txn.clientIdHigh, txn.clientIdLow] : [0, 0];
}

/**
 * A snapshot's parts into an empty replica, in the order of the file; and the tree of a server that has none.
 *
 *     begin → session* → acl* → node* → digest? → end
 *
 * A file that turns out to be broken leaves a replica that nobody uses: the next one is loaded into a new one.
 */
import { CorruptionFailure } from '../../base/failure.ts';
import type { Zxid } from '../../base/zxid.ts';
import { TXN_DIGEST_VERSION } from '../../wire/txn-records.ts';
import { READ_ONLY_ACL } from '../acl/acl.ts';
import { OPEN_ACL_ID } from '../acl/acl-table.ts';
import { asciiBytes, pathText } from '../path/path.ts';
import type { BulkLoad } from '../tree/bulk-load.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import { EMPTY_PATH } from '../tree/tree.ts';
import type { LoadState, LoadTarget } from './load-state.ts';

const SYSTEM_PATHS = ['/zookeeper', '/zookeeper/quota', '/zookeeper/config'].map(asciiBytes);
const CONFIG_PATH = SYSTEM_PATHS[2]!;

export class SnapshotLoader {
  private readonly state: LoadState;
  private readonly parts: LoadTarget;
  private readonly bulk: BulkLoad;
  private readonly cursor: ZnodeCursor;

  constructor(state: LoadState) {
    this.state = state;
    this.parts = state.target;
    this.bulk = state.bulk;
    this.cursor = this.parts.tree.cursor();
  }

  /** An empty data directory: the tree every server begins with. */
  createEmpty(): void {
    this.insertRoot();
    for (const path of SYSTEM_PATHS) this.insertSystemNode(path);
  }

  begin(zxid: Zxid): void {
    this.state.lastZxid.value = zxid;
  }

  session(idHigh: number, idLow: number, timeoutMs: number): void {
    this.state.session(idHigh, idLow, timeoutMs);
  }

  acl(fileId: number, bytes: Uint8Array, start: number, end: number): void {
    this.parts.acls.load(fileId, bytes, start, end);
  }

  /** Parents come before their children. `statStart`: StatPersisted. @throws CorruptionFailure */
  node(
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
      parentId = this.state.findParent(bytes, pathStart, pathLength);
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
    this.bulk.insert(id, record, parentId);
    if (parentId !== 0) this.bulk.countChild(parentId);
    this.cursor.moveTo(record);
    this.state.own(id, this.cursor);
    effects.onLoaded(id, this.cursor);
  }

  /** The digest section: which zxid the file's content belongs to, and the digest it has there. */
  digest(zxid: Zxid, version: number, high: number, low: number): void {
    if (version !== TXN_DIGEST_VERSION || zxid === 0) return;
    if (zxid > this.state.lastZxid.value) this.state.fuzzyUntil.value = zxid;
    else this.state.compareDigest(zxid, high, low);
  }

  /** @returns how many nodes named an ACL that the file does not have. */
  end(): number {
    if (this.state.findNode(CONFIG_PATH, 0, CONFIG_PATH.length) === 0) {
      this.insertSystemNode(CONFIG_PATH);
    }
    return this.parts.acls.finishLoad();
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
    this.bulk.insert(id, record, 0);
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
    const parentId = this.state.findParent(path, 0, path.length);
    this.bulk.insert(id, record, parentId);
    this.bulk.countChild(parentId);
    if (isConfig) tree.publish(id, tree.build.withAcl(record, aclId, -1));
  }
}

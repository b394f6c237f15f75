/**
 * Start-up only: nodes into and out of the committed tree without staging, when nobody else reads the store yet. What
 * the parents' counters say is the caller's matter (a snapshot and a log record say it in different ways).
 */
import { StatOffset } from '../../wire/stat.ts';
import type { Offset, ZnodeCursor } from './record.ts';
import type { Tree } from './tree.ts';

export class BulkLoad {
  private readonly tree: Tree;
  private readonly a: ZnodeCursor;

  constructor(tree: Tree) {
    this.tree = tree;
    this.a = tree.cursor();
  }

  /** Publishes a new node without staging. The parent's counters are the caller's matter. */
  insert(nodeId: number, record: Offset, parentId: number): void {
    this.a.moveTo(record);
    this.tree.index.insert(this.a.pathHash, nodeId);
    this.tree.publish(nodeId, record);
    if (parentId !== 0) this.tree.children.add(parentId, nodeId);
  }

  /** Removes a node without staging. */
  remove(nodeId: number, parentId: number): void {
    const tombstone = this.tree.build.tombstone(this.tree.committedOf(nodeId));
    this.tree.nodes.setPending(nodeId, tombstone);
    this.tree.publishDelete(nodeId, tombstone, parentId);
    this.tree.arena.free(tombstone);
  }

  /** A child has come or gone. */
  changeChildren(nodeId: number, cversion: number, numChildren: number, pzxid: number): void {
    const cursor = this.a;
    const record = this.tree.committedOf(nodeId);
    cursor.moveTo(record);
    this.tree.committed.subtract(cursor.nodeDigest);
    this.tree.build.changeChildren(record, cversion, numChildren, pzxid);
    this.tree.committed.add(cursor.nodeDigest);
  }

  /** One more child under a loaded node. */
  countChild(parentId: number): void {
    const cursor = this.a;
    cursor.moveTo(this.tree.committedOf(parentId));
    const stat = cursor.statStart;
    cursor.view.setInt32(
      stat + StatOffset.numChildren,
      cursor.view.getInt32(stat + StatOffset.numChildren) + 1,
    );
    cursor.view.setInt32(
      stat + StatOffset.cversion,
      (cursor.view.getInt32(stat + StatOffset.cversion) - 1) | 0,
    );
  }
}

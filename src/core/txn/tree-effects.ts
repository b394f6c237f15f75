/**
 * What committed changes mean beyond the tree itself: quotas are accounted, containers and TTL nodes are kept
 * track of for the sweep, ephemerals found at start-up get their owners. The same for replayed and for fresh
 * transactions; only while serving a long count of a subtree is cut into slices.
 */
import { StatOffset } from '../../wire/stat.ts';
import { encodeUtf8 } from '../../wire/utf8.ts';
import { IdSet } from '../collections/id-set.ts';
import type { SweepCandidate, SweepSource } from '../container/container-sweep.ts';
import type { Statistics } from '../progress/statistics.ts';
import { type QuotaEntry, QuotaTable, type SubtreeSize } from '../quota/quota-table.ts';
import { SubtreeCount } from '../quota/subtree-count.ts';
import { ownerKind, readZxid, ttlOfOwner, type ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';

/** A stats node's record without its path. */
const STATS_RECORD_BYTES_MAX = 512;
/** Steps of a subtree's count that are no reason to wait. */
const COUNTED_AT_ONCE = 1024;

/** Hears of every node that comes or goes. */
export interface NodeListener {
  onNode(id: number, node: ZnodeCursor, delta: number): void;
}

export class TreeEffects implements SweepSource {
  readonly quotas: QuotaTable;
  listener: NodeListener | null = null;
  /** Serving has begun: from now on a long count waits for `goOnCounting`. */
  countsInSlices = false;
  /** Its subtree is being counted: nothing else may be published. */
  counting: QuotaEntry | null = null;
  private readonly subtree: SubtreeCount;
  private readonly tree: Tree;
  private readonly mortal = new IdSet();
  private readonly node: ZnodeCursor;

  constructor(tree: Tree, statistics: Statistics) {
    this.tree = tree;
    this.node = tree.cursor();
    this.subtree = new SubtreeCount(tree);
    this.quotas = new QuotaTable(tree.hash, {
      countSubtree: (quota) => this.countSubtree(quota),
      overSoftLimit: () => {
        statistics.softLimitWarnings++;
      },
    });
  }

  /** `node` stands on the new committed record. */
  onCreated(id: number, node: ZnodeCursor): void {
    if (this.listener !== null) this.listener.onNode(id, node, 1);
    const kind = ownerKind(node.ownerHigh, node.ownerLow, this.tree.extendedTypes);
    if (kind === 'container' || kind === 'ttl') this.mortal.add(id);
    const { bytes, pathStart, pathLength, dataStart, dataBytes } = node;
    const counted = this.quotas.account(bytes, pathStart, pathLength, 1, dataBytes);
    if (counted !== null) this.rewriteStats(counted);
    const created = this.quotas.onCreated(bytes, pathStart, pathLength, bytes, dataStart, dataBytes);
    if (created !== null) this.rewriteStats(created);
  }

  /** `node` stands on the record that is about to go. */
  onDeleted(id: number, node: ZnodeCursor): void {
    if (this.listener !== null) this.listener.onNode(id, node, -1);
    this.mortal.delete(id);
    const { bytes, pathStart, pathLength, dataBytes } = node;
    this.quotas.onDeleted(bytes, pathStart, pathLength);
    const counted = this.quotas.account(bytes, pathStart, pathLength, -1, -dataBytes);
    if (counted !== null) this.rewriteStats(counted);
  }

  /** `node` stands on the new committed record; `bytesBefore` = length of the data it replaced. */
  onDataChanged(node: ZnodeCursor, bytesBefore: number): void {
    const { bytes, pathStart, pathLength, dataStart, dataBytes } = node;
    this.quotas.onContent(bytes, pathStart, pathLength, bytes, dataStart, dataBytes);
    const counted = this.quotas.account(bytes, pathStart, pathLength, 0, dataBytes - bytesBefore);
    if (counted !== null) this.rewriteStats(counted);
  }

  /** A slice of the count that is under way. */
  goOnCounting(stepsMax: number): void {
    const { counting, subtree } = this;
    if (counting === null || !subtree.goOn(stepsMax)) return;
    this.counting = null;
    this.quotas.counted(counting, subtree);
    this.rewriteStats(counting);
  }

  /** Start-up: a node has been loaded from a snapshot. */
  onLoaded(id: number, node: ZnodeCursor): void {
    const kind = ownerKind(node.ownerHigh, node.ownerLow, this.tree.extendedTypes);
    if (kind === 'container' || kind === 'ttl') this.mortal.add(id);
    const { bytes, pathStart, pathLength, dataStart, dataBytes } = node;
    this.quotas.onContent(bytes, pathStart, pathLength, bytes, dataStart, dataBytes);
  }

  /** Start-up is complete: usage is counted afresh. */
  finishLoad(): void {
    for (const quota of this.quotas.recountAll()) this.rewriteStats(quota);
  }

  // ---- for the container sweep ---------------------------------------------------------------------------

  candidates(): Iterator<number> {
    return this.mortal.values();
  }

  describe(nodeId: number, out: SweepCandidate): boolean {
    const record = this.tree.committedOf(nodeId);
    if (record === 0) return false;
    const { node } = this;
    node.moveTo(record);
    const kind = ownerKind(node.ownerHigh, node.ownerLow, this.tree.extendedTypes);
    if (kind !== 'container' && kind !== 'ttl') return false;
    out.ttlMs = kind === 'ttl' ? ttlOfOwner(node.ownerHigh, node.ownerLow) : 0;
    out.childCount = node.numChildren;
    out.createCount = node.cversion;
    out.mtimeMs = readZxid(node, StatOffset.mtime);
    return true;
  }

  // ---- inside --------------------------------------------------------------------------------------------

  // The stats node's data changes in place of a transaction: no zxid, no version, no watch, not in the digest.
  private rewriteStats(quota: QuotaEntry): void {
    const { statsPath } = quota;
    const id = this.tree.find(
      statsPath,
      0,
      statsPath.length,
      this.tree.hash.of(statsPath, 0, statsPath.length),
    );
    if (id === 0 || this.tree.committedOf(id) === 0) return;
    // Full to the last: the count is right all the same, and the text again with the next change.
    if (!this.tree.arena.hasRoom(statsPath.length + STATS_RECORD_BYTES_MAX, 0)) return;
    this.tree.replaceData(id, encodeUtf8(this.quotas.statsText(quota)));
  }

  // While nothing is served all of it at once: the next transaction is read when this one has been applied.
  private countSubtree(quota: QuotaEntry): SubtreeSize | null {
    const { subtree } = this;
    subtree.begin(quota.path, 0, quota.path.length);
    if (!this.countsInSlices) subtree.goOn(Number.POSITIVE_INFINITY);
    else if (!subtree.goOn(COUNTED_AT_ONCE)) {
      this.counting = quota;
      return null;
    }
    return { count: subtree.count, bytes: subtree.bytes };
  }
}

/**
 * Writes the snapshot that a request describes: walks the pinned tree, parents before children, and encodes each
 * node straight from its record into the writer's buffer. Runs on the thread of jobs while the core goes on, or
 * on the core's own thread for an empty database at start.
 *
 *     entry: ustring path | buffer data | int64 aclId | StatPersisted (60 bytes)
 */

import { writeInt64 } from '../../base/int64.ts';
import type { SnapshotRequest } from '../../core/ports/ports.ts';
import { PointInTimeReader } from '../../core/tree/point-in-time.ts';
import type { ZnodeCursor } from '../../core/tree/record.ts';
import { Segments } from '../../shm/segments.ts';
import type { SnapshotCompression } from '../../storage/data-files.ts';
import type { Disk } from '../../storage/disk.ts';
import { type SnapshotSummary, SnapshotWriter } from '../../storage/snapshot-writer.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { STAT_PERSISTED_BYTES, StatOffset, StatPersistedOffset } from '../../wire/stat.ts';

/** How many nodes are copied out before retired records may be reclaimed. */
const NODES_PER_EPOCH = 256;
const ENTRY_FIXED_BYTES = 4 + 4 + 8 + STAT_PERSISTED_BYTES;

export interface SnapshotJob {
  readonly request: SnapshotRequest;
  readonly directory: string;
  readonly compression: SnapshotCompression;
  readonly digestEnabled: boolean;
}

/** Between the writer of a snapshot and whoever supervises it. */
export interface SnapshotControl {
  /** Something has been done. */
  advance(): void;
  /** The tree must not be looked at any more. */
  readonly mustGiveUp: boolean;
}

/** Nobody supervises it: it is written by the thread that would. */
const UNSUPERVISED: SnapshotControl = { advance: () => {}, mustGiveUp: false };

/** Thrown when the supervisor has given the snapshot up. */
export class SnapshotGivenUp extends Error {
  override readonly name = 'SnapshotGivenUp';
}

/**
 * No call to the disk is made inside an epoch: it may take for ever, and nothing of the tree may be held by then.
 * @throws StorageFailure, SnapshotGivenUp; the half-written file has been removed then.
 */
export function writeSnapshot(
  disk: Disk,
  job: SnapshotJob,
  control: SnapshotControl = UNSUPERVISED,
): SnapshotSummary & { readonly nodes: number } {
  const { request } = job;
  const reader = new PointInTimeReader(request.tree, new Segments(request.tree.segments));
  const writer = new SnapshotWriter(disk, job.directory, request.zxid[0]!, job.compression);
  try {
    writer.block(request.sessions);
    writer.block(request.acls);
    control.advance();
    const nodes = writeNodes(writer, reader, control);
    const [zxid] = request.zxid;
    const [high, low] = request.digest;
    const digest = { zxid: zxid!, high: high!, low: low! };
    const summary = writer.finish(job.digestEnabled ? digest : null);
    return { ...summary, nodes };
  } catch (error) {
    reader.epoch.leave();
    writer.abort();
    throw error;
  }
}

function writeNodes(writer: SnapshotWriter, reader: PointInTimeReader, control: SnapshotControl): number {
  const order = reader.order(() => checkGivenUp(control));
  try {
    for (let id = order.join(); id !== 0; ) {
      enter(reader, control);
      for (let count = 0; id !== 0 && count < NODES_PER_EPOCH; count++) {
        reader.moveTo(id);
        const bytes = entryBytes(reader.cursor);
        if (!writer.hasRoom(bytes)) {
          reader.epoch.leave();
          writer.makeRoom(bytes);
          enter(reader, control);
          // The same record, which may have been replaced meanwhile and held for this snapshot.
          reader.moveTo(id);
        }
        writeNode(writer, reader.cursor);
        reader.markVisited(id);
        id = order.after(id);
      }
      reader.epoch.leave();
    }
    return order.length;
  } finally {
    order.release();
  }
}

function enter(reader: PointInTimeReader, control: SnapshotControl): void {
  reader.epoch.enter();
  checkGivenUp(control);
}

/** Inside the epoch and before anything is read: see the rule in `snapshot-link.ts`. */
function checkGivenUp(control: SnapshotControl): void {
  if (control.mustGiveUp) throw new SnapshotGivenUp();
  control.advance();
}

function entryBytes({ pathLength, dataBytes }: ZnodeCursor): number {
  return ENTRY_FIXED_BYTES + pathLength + dataBytes;
}

function writeNode(writer: SnapshotWriter, node: ZnodeCursor): void {
  const { pathLength, dataBytes } = node;
  const at = writer.claim(entryBytes(node));
  const { bytes, view } = writer;
  view.setInt32(at, pathLength);
  copyBytes(node.bytes, node.pathStart, pathLength, bytes, at + 4);
  // The record's body begins with the data as a jute buffer, null included.
  const data = at + 4 + pathLength;
  copyBytes(node.bytes, node.bodyStart, 4 + dataBytes, bytes, data);
  const acl = data + 4 + dataBytes;
  writeInt64(view, acl, node.aclId);
  writeStat(view, acl + 8, node);
  writer.commit(entryBytes(node));
}

function writeStat(view: DataView, at: number, node: ZnodeCursor): void {
  const stat = node.statStart;
  // czxid mzxid ctime mtime version: as in the Stat.
  for (let i = StatOffset.czxid; i < StatOffset.cversion; i += 4)
    view.setInt32(at + i, node.view.getInt32(stat + i));
  view.setInt32(at + StatPersistedOffset.cversion, node.cversion);
  view.setInt32(at + StatPersistedOffset.aversion, node.aversion);
  view.setInt32(at + StatPersistedOffset.ephemeralOwner, node.ownerHigh);
  view.setInt32(at + StatPersistedOffset.ephemeralOwner + 4, node.ownerLow);
  view.setInt32(at + StatPersistedOffset.pzxid, node.view.getInt32(stat + StatOffset.pzxid));
  view.setInt32(at + StatPersistedOffset.pzxid + 4, node.view.getInt32(stat + StatOffset.pzxid + 4));
}

/** What a snapshot of this moment needs: the core's private tables are copied, the tree is pinned. */
import type { SnapshotRequest } from './ports/ports.ts';
import type { ReplicaParts } from './replica-parts.ts';

export function beginSnapshot(parts: ReplicaParts): SnapshotRequest {
  const { tree, acls } = parts;
  const aclBytes = new Uint8Array(acls.encodedLength());
  acls.encodeAll(aclBytes, 0);
  return {
    zxid: Float64Array.of(parts.progress.committed),
    digest: tree.committed.slice(),
    sessions: encodeSessions(parts),
    acls: aclBytes,
    tree: tree.pointInTime.begin(),
  };
}

/** `int32 count | count × { int64 id | int32 timeoutMs }` */
function encodeSessions({ sessions }: ReplicaParts): Uint8Array {
  const bytes = new Uint8Array(4 + sessions.size * 12);
  const view = new DataView(bytes.buffer);
  let at = 4;
  for (let slot = sessions.next(0); slot >= 0; slot = sessions.next(slot + 1)) {
    if (!sessions.isCommitted(slot)) continue;
    view.setInt32(at, sessions.idHigh[slot]!);
    view.setInt32(at + 4, sessions.idLow[slot]!);
    view.setInt32(at + 8, sessions.timeoutMs[slot]!);
    at += 12;
  }
  view.setInt32(0, (at - 4) / 12);
  return bytes.subarray(0, at);
}

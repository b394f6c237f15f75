/**
 * A thread that writes one snapshot for real, on a disk whose syncs stand still while a shared word says so. It counts in
 * `gate[1]` how many syncs are waiting.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { SnapshotLink, type SnapshotLinkHandle } from '../../../../src/server/snapshot/snapshot-link.ts';
import {
  SnapshotGivenUp,
  type SnapshotJob,
  writeSnapshot,
} from '../../../../src/server/snapshot/write-snapshot.ts';
import type { Disk, DiskFile } from '../../../../src/storage/disk.ts';
import { NodeDisk } from '../../../../src/storage/node-disk.ts';

export interface StuckThreadSetup {
  readonly link: SnapshotLinkHandle;
  /** `[closed, waiting]`: a sync waits while `closed` is 1. */
  readonly gate: SharedArrayBuffer;
}

const { link: handle, gate } = workerData as StuckThreadSetup;
const words = new Int32Array(gate);
const link = new SnapshotLink(handle);

function stuckFile(file: DiskFile): DiskFile {
  return new Proxy(file, {
    get(target, name) {
      if (name === 'syncData') {
        return () => {
          Atomics.add(words, 1, 1);
          Atomics.notify(words, 1);
          Atomics.wait(words, 0, 1);
          Atomics.sub(words, 1, 1);
          target.syncData();
        };
      }
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

class StuckDisk extends NodeDisk implements Disk {
  override create(path: string, direct = false): DiskFile {
    return stuckFile(super.create(path, direct));
  }
}

parentPort!.on('message', (job: SnapshotJob) => {
  try {
    writeSnapshot(new StuckDisk(), job, link);
    link.setEnded('written');
  } catch (error) {
    if (!(error instanceof SnapshotGivenUp)) throw error;
    link.setEnded('given-up');
  }
});

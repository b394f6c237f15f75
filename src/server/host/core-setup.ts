/** What a core is made from: plain values that a worker can be posted, and what it asks of its machine and of other threads. */
import type { DataDirs } from '../../storage/data-dir.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { LogLinkHandle } from '../log/log-link.ts';
import type { IoMeterHandle } from '../monitor/io-meter.ts';
import type { ThreadMeterHandle } from '../monitor/thread-meter.ts';
import type { BlockingPlatform } from '../platform/platform.ts';
import type { SnapshotLinkHandle } from '../snapshot/snapshot-link.ts';
import type { SnapshotJob } from '../snapshot/write-snapshot.ts';

export interface CoreSetup {
  readonly config: ServerConfig;
  readonly dirs: DataDirs;
  readonly logLink: LogLinkHandle;
  readonly snapshotLink: SnapshotLinkHandle;
  /** Of `createFileFacts`. */
  readonly fileFacts: SharedArrayBuffer;
  /** One int32: the bound client port, written by the supervisor once known. */
  readonly clientPort: SharedArrayBuffer;
  readonly threading: string;
  /** Of each io thread. */
  readonly ioMeters: readonly IoMeterHandle[];
  /** Null where the core shares the thread of the io side. */
  readonly coreThread: ThreadMeterHandle | null;
}

/** What the core needs of the machine, on whichever thread it is. */
export type HostPlatform = Pick<BlockingPlatform, 'clock' | 'disk' | 'digestBase64' | 'entropy'>;

/** What the core has others do, on other threads; it does not wait for them. */
export interface HostErrands {
  /** Writes a snapshot, and reports through the snapshot link. */
  snapshot(job: SnapshotJob): void;
  /** Looks up the file facts. */
  surveyFiles(): void;
}

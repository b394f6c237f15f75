/**
 * When the core's snapshots are written and where they go: the first one of a directory in line, all others by
 * the thread of jobs, when the log has grown enough. Core thread.
 */
import type { Incarnations } from '../../core/incarnations.ts';
import type { SnapshotRequest } from '../../core/ports/ports.ts';
import type { RingLogPort } from '../log/log-port.ts';
import type { Log } from '../logging/logging.ts';
import type { CoreMeter } from '../monitor/core-meter.ts';
import { SnapshotMeter } from '../monitor/snapshot-meter.ts';
import { SnapshotKeeper } from '../snapshot/snapshot-keeper.ts';
import { SnapshotLink } from '../snapshot/snapshot-link.ts';
import { type SnapshotJob, writeSnapshot } from '../snapshot/write-snapshot.ts';
import type { CoreSetup, HostErrands, HostPlatform } from './core-setup.ts';

const COMPRESSIONS = { none: '', gz: '.gz', snappy: '.snappy' } as const;

export class CoreSnapshots {
  readonly keeper: SnapshotKeeper;
  private readonly incarnations: Incarnations;
  private readonly logPort: RingLogPort;
  private readonly setup: CoreSetup;
  private readonly platform: HostPlatform;
  private seenDue = 0;

  constructor(
    parts: {
      readonly incarnations: Incarnations;
      readonly logPort: RingLogPort;
      readonly meter: CoreMeter;
      readonly log: Log;
    },
    setup: CoreSetup,
    platform: HostPlatform,
    errands: HostErrands,
  ) {
    this.incarnations = parts.incarnations;
    this.logPort = parts.logPort;
    this.setup = setup;
    this.platform = platform;
    this.keeper = new SnapshotKeeper({
      incarnations: parts.incarnations,
      link: new SnapshotLink(setup.snapshotLink),
      meter: parts.meter,
      log: parts.log,
      stallMs: setup.config.snapshotStallMs,
      begin: (request) => errands.snapshot(this.jobOf(request)),
    });
  }

  /** Each round. */
  poll(): void {
    this.hear();
    const { replica } = this.incarnations;
    const due = this.logPort.snapshotsDue;
    // In the middle of a transaction there is nothing to take a snapshot of; its next slice comes at once.
    if (due === this.seenDue || replica.isPublishing) return;
    this.seenDue = due;
    this.keeper.onDue(replica.clock.nowMs);
  }

  hear(): void {
    if (this.keeper.hasEnded) this.keeper.onEnded(this.incarnations.replica.clock.nowMs);
  }

  onTick(nowMs: number): void {
    if (!this.incarnations.replica.isPublishing) this.keeper.onTick(nowMs);
  }

  /** Before the log has a record. @throws StorageFailure */
  writeFirst(): void {
    const { replica } = this.incarnations;
    const startMs = this.platform.clock.monotonicMs();
    const { nodes, fileBytes } = writeSnapshot(this.platform.disk, this.jobOf(replica.beginSnapshot()));
    replica.endSnapshot();
    const meter = new SnapshotMeter(this.setup.snapshotLink.meter);
    meter.onWritten(nodes, fileBytes, this.platform.clock.monotonicMs() - startMs);
  }

  private jobOf(request: SnapshotRequest): SnapshotJob {
    const { config, dirs } = this.setup;
    return {
      request,
      directory: dirs.snapshotDirectory,
      compression: COMPRESSIONS[config.snapshotCompression],
      digestEnabled: config.digestEnabled,
    };
  }
}

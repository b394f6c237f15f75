/**
 * The background jobs of a server: what is too long for the thread that asks. They run one at a time on the thread of
 * jobs (`platform/job-worker.ts`), or in line where a server is driven by hand. Each reports; none throws.
 *
 *     supervisor → jobs   a job: plain values and shared buffers
 *     jobs → supervisor   its report, or why it failed
 *     jobs → core         the snapshot link: progress, and the end
 *
 * A failed snapshot is fatal for the server: a disk that takes no snapshot will soon take no log either, and must not be
 * filled up quietly. A failed purge is not: it is tried again at its next time.
 */
import type { Clock } from '../../base/clock.ts';
import { StorageFailure } from '../../base/failure.ts';
import type { BellChannel } from '../../shm/bell.ts';
import type { DataDirs } from '../../storage/data-dir.ts';
import type { Disk } from '../../storage/disk.ts';
import { purge } from '../../storage/purge.ts';
import { describeFailure, type WorkerFailure } from '../logging/worker-failure.ts';
import { SnapshotMeter } from '../monitor/snapshot-meter.ts';
import { ThreadMeter } from '../monitor/thread-meter.ts';
import type { ThreadUsage } from '../monitor/thread-usage.ts';
import { SnapshotLink, type SnapshotLinkHandle } from '../snapshot/snapshot-link.ts';
import { SnapshotGivenUp, type SnapshotJob, writeSnapshot } from '../snapshot/write-snapshot.ts';

export interface JobSetup {
  readonly link: SnapshotLinkHandle;
  /** As for the log worker: the core's bell is rung by message. */
  readonly wakeByMessage: boolean;
}

export interface PurgeJob {
  readonly dirs: DataDirs;
  readonly retainCount: number;
}

export type JobReport =
  | { readonly type: 'loaded' }
  | {
      readonly type: 'written';
      readonly name: string;
      readonly nodes: number;
      readonly fileBytes: number;
      readonly elapsedMs: number;
    }
  | { readonly type: 'givenUp' }
  | { readonly type: 'purged'; readonly files: number }
  | { readonly type: 'notPurged'; readonly message: string }
  | WorkerFailure;

export type JobName = 'load' | 'snapshot' | 'purge';
export type JobArgument<N extends JobName> = Parameters<Jobs[N]>[0];

/** What the jobs need of the machine they run on. */
export interface JobPlatform {
  readonly clock: Clock;
  readonly disk: Disk;
  threadUsage(): ThreadUsage;
}

export class Jobs {
  private readonly clock: Clock;
  private readonly disk: Disk;
  private readonly link: SnapshotLink;
  private readonly meter: SnapshotMeter;
  private readonly thread: ThreadMeter;
  private busyMs = 0;

  /** `toCore`: how the core is woken. */
  constructor({ link }: JobSetup, platform: JobPlatform, toCore: BellChannel = {}) {
    this.clock = platform.clock;
    this.disk = platform.disk;
    this.link = new SnapshotLink(link, toCore);
    this.meter = new SnapshotMeter(link.meter);
    const { gc, cpuMicros } = platform.threadUsage();
    this.thread = new ThreadMeter(link.meter.thread, gc, () => this.busyMs, cpuMicros);
  }

  /** Answers once everything that jobs need has been loaded. */
  load(_: null): JobReport {
    return { type: 'loaded' };
  }

  snapshot(job: SnapshotJob): JobReport {
    const startMs = this.clock.monotonicMs();
    try {
      const { name, nodes, fileBytes } = writeSnapshot(this.disk, job, this.link);
      const elapsedMs = this.clock.monotonicMs() - startMs;
      this.meter.onWritten(nodes, fileBytes, elapsedMs);
      this.onEnded(startMs);
      this.link.setEnded('written');
      return { type: 'written', name, nodes, fileBytes, elapsedMs };
    } catch (error) {
      this.onEnded(startMs);
      if (!(error instanceof SnapshotGivenUp)) return describeFailure('snapshot', error);
      this.link.setEnded('given-up');
      return { type: 'givenUp' };
    }
  }

  purge({ dirs, retainCount }: PurgeJob): JobReport {
    const startMs = this.clock.monotonicMs();
    try {
      const plan = purge(this.disk, dirs, retainCount);
      return { type: 'purged', files: plan.snapshots.length + plan.logs.length };
    } catch (error) {
      if (!(error instanceof StorageFailure)) return describeFailure('purge', error);
      return { type: 'notPurged', message: error.message };
    } finally {
      this.onEnded(startMs);
    }
  }

  private onEnded(startMs: number): void {
    const nowMs = this.clock.monotonicMs();
    this.busyMs += nowMs - startMs;
    this.thread.publish(nowMs, true);
  }
}

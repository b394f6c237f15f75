/**
 * The supervisor's side of the background jobs: hands them to their thread, says in the log what came of them, and ends
 * the server when one fails or the thread is lost. A job that does not end is given up by whoever asked for it
 * (`snapshot/snapshot-supervision.ts`), and the thread lives on. Main thread.
 */
import type { EventLoop } from '../../base/event-loop.ts';
import type { JobArgument, JobName, JobReport, JobSetup, PurgeJob } from '../jobs/jobs.ts';
import type { Log } from '../logging/logging.ts';
import type { JobThread, Platform } from '../platform/platform.ts';
import { SnapshotLink } from '../snapshot/snapshot-link.ts';
import type { SnapshotJob } from '../snapshot/write-snapshot.ts';
import { LOST_WORKER_STATUS, type Supervisor } from './supervisor.ts';

/** How long a stop waits for a job that was told to give up. */
const LEAVE_MS_MAX = 5000;

export class BackgroundJobs {
  private readonly supervisor: Supervisor;
  private readonly loop: EventLoop;
  private readonly link: SnapshotLink;
  private readonly log: Log;
  private readonly thread: JobThread;
  private readonly loaded: Promise<void>;
  private last: Promise<void>;
  private isPurging = false;
  private isClosing = false;

  /** Starts the thread. */
  constructor(
    supervisor: Supervisor,
    platform: Pick<Platform, 'startJobs' | 'loop'>,
    setup: JobSetup,
    log: Log,
  ) {
    this.supervisor = supervisor;
    this.loop = platform.loop;
    this.link = new SnapshotLink(setup.link);
    this.log = log;
    this.thread = platform.startJobs(
      setup,
      () => supervisor.onWake(),
      (error) => this.onLost(error),
    );
    this.loaded = this.run('load', null);
    this.last = this.loaded;
  }

  /** Everything a job will ever load has been loaded. */
  async ready(): Promise<void> {
    await this.loaded;
  }

  /** Writes a snapshot in the background; its end reaches the core through the link. */
  snapshot(job: SnapshotJob): void {
    this.last = this.run('snapshot', job);
  }

  /** Removes old files in the background, unless that is being done. */
  purge(job: PurgeJob): void {
    if (this.isPurging) return;
    this.isPurging = true;
    this.last = this.run('purge', job).finally(() => {
      this.isPurging = false;
    });
  }

  /** Ends the thread. A snapshot under way is given up, and its file removed; at the next start at the latest. */
  async close(): Promise<void> {
    this.isClosing = true;
    this.link.giveUp();
    await this.within(LEAVE_MS_MAX, this.last);
    await this.within(LEAVE_MS_MAX, this.thread.close());
  }

  private async run<N extends JobName>(name: N, job: JobArgument<N>): Promise<void> {
    try {
      this.onReport(await this.thread.run(name, job));
    } catch (error) {
      this.onLost(error as Error);
    }
  }

  private onReport(report: JobReport): void {
    switch (report.type) {
      case 'written':
        this.log.info(`snapshot ${report.name} written`, {
          znodes: report.nodes,
          bytes: report.fileBytes,
          ms: Math.round(report.elapsedMs),
        });
        break;
      case 'purged':
        if (report.files > 0) this.log.info(`purged ${report.files} old data files`);
        break;
      case 'notPurged':
        this.log.error(`old data files were not purged, tried again at the next time: ${report.message}`);
        break;
      case 'failed':
        this.supervisor.fail(report);
        break;
      case 'loaded':
      case 'givenUp':
        break;
    }
  }

  private onLost(error: Error): void {
    if (this.isClosing) return;
    const message = error.stack ?? error.message;
    this.supervisor.fail({ role: 'jobs', message, exitStatus: LOST_WORKER_STATUS });
  }

  /** Waits for `promise`, but no longer than that: a thread in a call that does not return cannot even be ended. */
  private async within(ms: number, promise: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.loop.after(ms, late.resolve);
    await Promise.race([promise, late.promise]);
    timer.cancel();
  }
}

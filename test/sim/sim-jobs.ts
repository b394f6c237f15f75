/** The thread of background jobs: each job is one event at a later time, one after the other. */
import {
  type JobArgument,
  type JobName,
  type JobReport,
  type JobSetup,
  Jobs,
} from '../../src/server/jobs/jobs.ts';
import type { BlockingPlatform, JobThread } from '../../src/server/platform/platform.ts';
import type { SimLoop } from './sim-loop.ts';
import type { World } from './world.ts';

const JOB_MS_MAX = 40;

export class SimJobs implements JobThread {
  isGone = false;
  stoppedUntilMs = 0;
  private readonly world: World;
  private readonly loop: SimLoop;
  private readonly jobs: Jobs;
  private readonly waiting: (() => void)[] = [];
  private isBusy = false;

  constructor(world: World, loop: SimLoop, platform: BlockingPlatform, setup: JobSetup, onWake: () => void) {
    this.world = world;
    this.loop = loop;
    const port = { postMessage: () => loop.message(onWake) };
    this.jobs = new Jobs(setup, platform, setup.wakeByMessage ? { port } : {});
  }

  run<N extends JobName>(name: N, job: JobArgument<N>): Promise<JobReport> {
    const { promise, resolve } = Promise.withResolvers<JobReport>();
    this.waiting.push(() => {
      const run = this.jobs[name] as (argument: JobArgument<N>) => JobReport;
      const report = run.call(this.jobs, job);
      this.loop.message(() => resolve(report));
    });
    this.next();
    return promise;
  }

  async close(): Promise<void> {
    this.isGone = true;
  }

  private next(): void {
    if (this.isBusy || this.waiting.length === 0) return;
    this.isBusy = true;
    this.world.after(this.world.span(0.1, JOB_MS_MAX), () => this.work());
  }

  private work(): void {
    if (this.isGone) return;
    const stoppedMs = this.stoppedUntilMs - this.world.nowMs;
    if (stoppedMs > 0) {
      this.world.after(stoppedMs, () => this.work());
      return;
    }
    this.waiting.shift()!();
    this.isBusy = false;
    this.next();
  }
}

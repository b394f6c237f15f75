/**
 * The supervisor's side of the snapshot thread: started with the first snapshot, kept while snapshots follow each
 * other, let go after a while of rest (its memory is worth more then).
 */
import type { Log } from '../logging.ts';
import type { SupervisedWorker, Supervisor } from '../supervisor.ts';
import type { SnapshotLinkHandle } from './snapshot-link.ts';
import type { SnapshotWorkerMessage, SnapshotWorkerSetup } from './snapshot-worker.ts';
import type { SnapshotJob } from './write-snapshot.ts';

const REST_MS = 60_000;

export class SnapshotThread {
  private readonly supervisor: Supervisor;
  private readonly link: SnapshotLinkHandle;
  private readonly log: Log;
  private readonly wakeByMessage: boolean;
  private worker: SupervisedWorker | null = null;
  private restTimer: NodeJS.Timeout | null = null;

  constructor(supervisor: Supervisor, link: SnapshotLinkHandle, log: Log, wakeByMessage: boolean) {
    this.wakeByMessage = wakeByMessage;
    this.supervisor = supervisor;
    this.link = link;
    this.log = log;
  }

  /** Writes a snapshot in the background; its end reaches the core through the link. */
  write(job: SnapshotJob): void {
    if (this.restTimer !== null) clearTimeout(this.restTimer);
    this.restTimer = null;
    this.worker ??= this.spawn();
    this.worker.thread.postMessage(job);
  }

  /** Ends the thread, in the middle of a snapshot too: the unfinished file is removed at the next start. */
  async close(): Promise<void> {
    if (this.restTimer !== null) clearTimeout(this.restTimer);
    const { worker } = this;
    if (worker === null) return;
    this.worker = null;
    worker.mayExit = true;
    await worker.thread.terminate();
  }

  private spawn(): SupervisedWorker {
    const setup: SnapshotWorkerSetup = { link: this.link, wakeByMessage: this.wakeByMessage };
    return this.supervisor.spawn(
      'snapshot',
      './snapshot/snapshot-worker',
      setup,
      (message: SnapshotWorkerMessage) => {
        if (message.type === 'written') this.onWritten(message);
      },
    );
  }

  private onWritten(message: SnapshotWorkerMessage & { readonly type: 'written' }): void {
    this.log.info(`snapshot ${message.name} written`, {
      znodes: message.nodes,
      bytes: message.fileBytes,
      ms: Math.round(message.elapsedMs),
    });
    this.restTimer = setTimeout(() => void this.close(), REST_MS);
    this.restTimer.unref();
  }
}

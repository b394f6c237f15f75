/**
 * Spawns the workers and watches them. There is no half-alive server: a worker that reports a failure, throws, or
 * ends when it should not, settles `failed` with one line and an exit status, and the process ends.
 */
import type { Log, LogLine, MainLog } from '../logging/logging.ts';
import type { WorkerFailure } from '../logging/worker-failure.ts';
import type { Platform, Thread } from '../platform/platform.ts';

export interface ServerFailure {
  readonly message: string;
  readonly exitStatus: number;
}

/** The exit status of a server that has lost a thread. */
export const LOST_WORKER_STATUS = 1;

export class Supervisor {
  readonly failed: Promise<ServerFailure>;
  /** Called for every empty message: a worker rings the bell of an agent on this thread. */
  onWake: () => void = () => {};
  private readonly log: Log;
  private readonly platform: Pick<Platform, 'startThread'>;
  private readonly settleFailed: (failure: ServerFailure) => void;
  private readonly running = new Set<SupervisedWorker>();

  constructor(log: Log, platform: Pick<Platform, 'startThread'>) {
    this.log = log;
    this.platform = platform;
    const { promise, resolve } = Promise.withResolvers<ServerFailure>();
    this.failed = promise;
    this.settleFailed = resolve;
  }

  /** `entry` is the worker's file without extension, relative to src/server. */
  spawn(
    role: string,
    entry: string,
    workerData: object,
    onMessage: (message: never) => void,
  ): SupervisedWorker {
    const worker = new SupervisedWorker(role, this.platform.startThread(entry, role, workerData));
    this.running.add(worker);
    worker.thread.on('message', (value) => {
      const message = value as LogLine | WorkerFailure | null;
      if (message === null) this.onWake();
      else if (message.type === 'failed') this.fail(message);
      else if (message.type === 'log') (this.log as MainLog).write(message);
      else onMessage(message as never);
    });
    worker.thread.on('error', (error) => {
      this.fail({
        role,
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
        exitStatus: LOST_WORKER_STATUS,
      });
    });
    worker.thread.on('exit', (code) => {
      this.running.delete(worker);
      worker.onExit();
      if (!worker.mayExit) {
        this.fail({
          role,
          message: `thread ended unexpectedly with code ${code}`,
          exitStatus: code || LOST_WORKER_STATUS,
        });
      }
    });
    return worker;
  }

  /** The first failure counts; what it drags along is not news. */
  fail(failure: { readonly role: string; readonly message: string; readonly exitStatus: number }): void {
    const { role, message, exitStatus } = failure;
    for (const worker of this.running) worker.mayExit = true;
    this.settleFailed({ message: `fatal in ${role}: ${message}`, exitStatus });
  }
}

export class SupervisedWorker {
  readonly role: string;
  readonly thread: Thread;
  /** Set when its end is expected. */
  mayExit = false;
  readonly exited: Promise<void>;
  readonly onExit: () => void;

  constructor(role: string, thread: Thread) {
    this.role = role;
    this.thread = thread;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.exited = promise;
    this.onExit = resolve;
  }
}

/**
 * What a server asks of the machine it runs on. `startServer` and the bodies of its threads get a platform and touch
 * nothing else of the world: production hands them Node (node-platform.ts), the simulator (test/sim) virtual time, a
 * simulated disk and network, and threads that it calls itself.
 *
 *     BlockingPlatform   core and log in a thread of their own: time, disk, hashes; they wait on their bell
 *     LoopPlatform       threads with sockets: besides, an event loop and the network
 *     Platform           the supervisor: besides, threads, the lock of the data directory, what the machine has
 */
import type { Clock } from '../../base/clock.ts';
import type { EventLoop } from '../../base/event-loop.ts';
import type { Transport } from '../../net/transport.ts';
import type { Disk } from '../../storage/disk.ts';
import type { JobArgument, JobName, JobReport, JobSetup } from '../jobs/jobs.ts';
import type { FileFigures } from '../monitor/file-facts.ts';
import type { LoopUsage, ThreadUsage } from '../monitor/thread-usage.ts';

export interface BlockingPlatform {
  readonly clock: Clock;
  readonly disk: Disk;
  /** 32 bits of chance: for what must not be the same on two servers or in two runs. */
  entropy(): number;
  digestBase64(algorithm: string, bytes: Uint8Array): string;
  /** Of the calling thread, which blocks. */
  threadUsage(): ThreadUsage;
}

export interface LoopPlatform {
  readonly clock: Clock;
  readonly loop: EventLoop;
  readonly transport: Transport;
  /** `Atomics.waitAsync` does not wake this event loop: whoever rings its bell sends a message. */
  readonly isWokenByMessage: boolean;
  /** Of the calling thread, which runs an event loop. */
  loopUsage(): LoopUsage;
}

export interface Platform extends BlockingPlatform, LoopPlatform {
  /** Cores the process may use. */
  readonly coreCount: number;
  /** Null where the system does not say. */
  readonly openFileCountMax: number | null;
  /** What directories and descriptors amount to; never rejects. */
  surveyFiles(dataDir: string, dataLogDir: string): Promise<FileFigures>;
  /** Starts a thread at `entry`, a file of src/server without its extension; it gets `data`. */
  startThread(entry: string, role: string, data: object): Thread;
  /** Starts the thread of background jobs. `onWake`: a job has rung the core's bell by message. */
  startJobs(setup: JobSetup, onWake: () => void, onLost: (error: Error) => void): JobThread;
  /** @throws DataDirFailure when another server has it. */
  lockDirectories(dataDir: string, dataLogDir: string): DirectoryLock;
  /** What callbacks of the event loop throw, until the returned function is called. */
  onUncaught(handler: (error: unknown) => void): () => void;
}

/** The supervisor's end of a thread. A Worker of Node is one. */
export interface Thread {
  postMessage(message: unknown): void;
  on(event: 'message' | 'error', listener: (value: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  terminate(): Promise<unknown>;
}

/**
 * The supervisor's end of the thread of background jobs: one at a time, in the order of the calls. A simulation runs them
 * in line (`jobs/jobs.ts`).
 */
export interface JobThread {
  run<N extends JobName>(name: N, job: JobArgument<N>): Promise<JobReport>;
  /** Resolves when the thread has ended. */
  close(): Promise<void>;
}

export interface DirectoryLock {
  release(): void;
}

/**
 * Puts a server together from a configuration and takes it apart again. Main thread.
 *
 *     start   lock → data directory → recovery (core) → log worker → listen
 *     stop    no new requests → in flight committed and answered → log synced → sockets closed → unlock
 */
import type { LoopTimer } from '../base/event-loop.ts';
import { createAcceptLimits } from '../net/accept-limits.ts';
import { createReplyMemory } from '../net/reply-memory.ts';
import type { ListenOptions } from '../net/transport.ts';
import { Bell, createBell } from '../shm/bell.ts';
import { type DataDirs, openDataDir, provideDirectory } from '../storage/data-dir.ts';
import type { ServerConfig } from './config/server-config.ts';
import { Ensemble } from './ensemble/ensemble.ts';
import { CoreHost } from './host/core-host.ts';
import type { CoreSetup } from './host/core-setup.ts';
import type { CoreWorkerMessage, CoreWorkerSetup } from './host/core-thread.ts';
import { SharedCore } from './host/shared-core.ts';
import { createIoLink, type IoLinkHandle } from './io/io-link.ts';
import type { IoWorkerMessage, IoWorkerSetup } from './io/io-thread.ts';
import { RingIo, type RingIoOptions } from './io/ring-io.ts';
import type { JobSetup } from './jobs/jobs.ts';
import { createLogLink, type LogLinkHandle } from './log/log-link.ts';
import type { LogWorkerMessage, LogWorkerSetup } from './log/log-thread.ts';
import type { Log } from './logging/logging.ts';
import { describeFailure } from './logging/worker-failure.ts';
import { paceFields, paceText } from './monitor/batch-pace.ts';
import { createFileFacts, FileSurvey } from './monitor/file-facts.ts';
import { createIoMeter, type IoMeterHandle } from './monitor/io-meter.ts';
import { createThreadMeter, type ThreadMeterHandle } from './monitor/thread-meter.ts';
import { createNodePlatform } from './platform/node-platform.ts';
import type { Platform } from './platform/platform.ts';
import { createSnapshotLink, type SnapshotLinkHandle } from './snapshot/snapshot-link.ts';
import { BackgroundJobs } from './threads/background-jobs.ts';
import { StartFailure } from './threads/start-failure.ts';
import { type ServerFailure, type SupervisedWorker, Supervisor } from './threads/supervisor.ts';
import { chooseTopology, connectionsMax, type Topology } from './topology.ts';

export interface RunningServer {
  /** The bound client port. */
  readonly port: number;
  /** The threading mode it runs in. */
  readonly mode: string;
  /** One of several; else alone. */
  readonly isMember: boolean;
  /** Everything acknowledged is on disk when it resolves. */
  stop(): Promise<void>;
  /** Settles only when the server cannot go on. */
  readonly failed: Promise<ServerFailure>;
}

/** Connections an io thread can hold; ids have room for a million. */
const CONNECTION_SLOTS = 65536;
/** A connection with this much unsent is closed: more than the largest single reply. */
const REPLY_BACKLOG_HARD_MAX = 256 * 1024 * 1024;

/** The way to whichever threads serve the sockets. */
interface Front {
  listen(options: ListenOptions): Promise<number>;
  /** No further connections and requests. */
  quiesce(): Promise<void> | void;
  close(): Promise<void>;
}

/** @throws Failure: bad data directory, corrupt files, port in use */
export async function startServer(
  config: ServerConfig,
  log: Log,
  platform: Platform = createNodePlatform(),
): Promise<RunningServer> {
  const { disk } = platform;
  provideDirectory(disk, config.dataDir, config.datadirAutocreate);
  provideDirectory(disk, config.dataLogDir, config.datadirAutocreate);
  const lock = platform.lockDirectories(config.dataDir, config.dataLogDir);
  try {
    const dirs = openDataDir(disk, {
      dataDir: config.dataDir,
      dataLogDir: config.dataLogDir,
      autocreate: config.datadirAutocreate,
    });
    const assembly = new Assembly(config, dirs, log, platform);
    const port = await assembly.start();
    return {
      port,
      mode: assembly.topology.mode,
      isMember: config.ensemble !== null,
      failed: assembly.supervisor.failed,
      stop: async () => {
        await assembly.stop();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

class Assembly {
  readonly topology: Topology;
  readonly supervisor: Supervisor;
  private readonly config: ServerConfig;
  private readonly dirs: DataDirs;
  private readonly log: Log;
  private readonly platform: Platform;
  private readonly coreBell = createBell();
  private readonly logLink: LogLinkHandle;
  private readonly snapshotLink: SnapshotLinkHandle;
  private readonly clientPort = new SharedArrayBuffer(4);
  private readonly ringIoOptions: RingIoOptions;
  private readonly jobs: BackgroundJobs;
  private readonly fileFacts = createFileFacts();
  private readonly files: FileSurvey;
  private front!: Front;
  private logWorker!: SupervisedWorker;
  private readonly logStarted = Promise.withResolvers<void>();
  private drainCore!: () => Promise<void>;
  private purgeTimer: LoopTimer | null = null;
  private ensemble: Ensemble | null = null;

  constructor(config: ServerConfig, dirs: DataDirs, log: Log, platform: Platform) {
    this.platform = platform;
    this.config = config;
    this.dirs = dirs;
    this.log = log;
    this.topology = chooseTopology(config, platform.coreCount);
    this.supervisor = new Supervisor(log, platform);
    this.logLink = createLogLink({
      proposalRingBytes: config.proposalRingBytes,
      coreBell: this.coreBell,
      lastZxid: 0,
    });
    this.snapshotLink = createSnapshotLink(this.coreBell);
    const setup: JobSetup = { link: this.snapshotLink, wakeByMessage: this.wakeByMessage };
    this.jobs = new BackgroundJobs(this.supervisor, platform, setup, log);
    const core = new Bell(this.coreBell, undefined, {
      port: { postMessage: () => this.supervisor.onWake() },
    });
    this.files = new FileSurvey(
      this.fileFacts,
      () => platform.surveyFiles(config.dataDir, config.dataLogDir),
      () => core.ring(),
    );
    this.ringIoOptions = {
      limits: {
        frameBytesMax: config.frameBytesMax,
        windowRequests: config.connectionWindowRequests,
        windowBytes: config.connectionWindowBytes,
        outstandingMax: config.globalOutstandingLimit,
        replyBacklogBytesMax: config.replyBacklogBytesMax,
        replyBacklogBytesHardMax: REPLY_BACKLOG_HARD_MAX,
        sessionlessTimeoutMs: config.sessionlessTimeoutMs,
      },
      memory: createReplyMemory(config.unreadBytesMax, this.topology.ioThreads),
      accept: createAcceptLimits(
        connectionsMax(config.maxCnxns, platform.openFileCountMax, this.topology),
        config.maxClientCnxns,
        { low: platform.entropy(), high: platform.entropy() },
      ),
    };
  }

  /** Resolves with the client port when clients are accepted. */
  async start(): Promise<number> {
    const { config } = this;
    if (this.topology.mode === 'shared') this.startShared();
    else await this.startCoreWorker();
    // Every thread has loaded its program: from here on another version may take its place on the disk.
    await this.orFailed(Promise.all([this.logStarted.promise, this.jobs.ready()]));
    const port = await this.front.listen({
      address: config.clientPortAddress,
      port: config.clientPort,
      backlog: config.clientPortListenBacklog,
      reusePort: this.topology.mode === 'dedicated',
      keepAlive: config.clientTcpKeepAlive,
    });
    Atomics.store(new Int32Array(this.clientPort), 0, port);
    await this.ensemble?.start();
    this.startPurging();
    return port;
  }

  async stop(): Promise<void> {
    if (this.purgeTimer !== null) this.purgeTimer.cancel();
    this.ensemble?.stop();
    await this.front.quiesce();
    this.logWorker.mayExit = true;
    await this.drainCore();
    await this.logWorker.exited;
    await this.front.close();
    await this.jobs.close();
  }

  // ---- threading modes -----------------------------------------------------------------------------------

  private startShared(): void {
    const meter = createIoMeter('io_core');
    const setup = this.coreSetup([meter], null);
    const host = new CoreHost(setup, this.log, this.platform, {
      snapshot: (job) => this.jobs.snapshot(job),
      surveyFiles: () => this.files.run(),
    });
    const recovery = host.recover();
    this.startLog(recovery.lastZxid);
    const core = new SharedCore(
      host,
      { ...this.ringIoOptions, io: 0, slotCount: CONNECTION_SLOTS, meter },
      this.coreBell,
      this.platform,
      this.log,
      (error) => this.supervisor.fail(describeFailure('core', error)),
    );
    host.start(recovery, core.sockets);
    this.supervisor.onWake = core.onBell;
    if (this.config.ensemble !== null) {
      this.ensemble = new Ensemble(this.config, core.openDesks(), this.dirs, this.platform, this.log);
      host.words.showEnsemble(this.ensemble.figures);
    }
    this.front = {
      listen: (options) => core.io.listen(options),
      quiesce: () => core.io.quiesce(),
      close: async () => {
        await core.io.close();
        core.close();
      },
    };
    this.drainCore = async () => {
      await core.drain();
      host.stopServing();
      host.closeLog();
    };
  }

  private async startCoreWorker(): Promise<void> {
    const links: IoLinkHandle[] = [];
    for (let io = 0; io < this.topology.ioThreads; io++) links.push(this.createLink(io));
    const setup: CoreWorkerSetup = {
      core: {
        ...this.coreSetup(
          links.map((link) => link.meter),
          null,
        ),
        coreThread: createThreadMeter('core'),
      },
      ioLinks: links,
      coreBell: this.coreBell,
    };
    const recovered = Promise.withResolvers<void>();
    const onMessage = (message: CoreWorkerMessage): void => {
      if (message.type === 'snapshot') {
        this.jobs.snapshot(message.job);
      } else if (message.type === 'surveyFiles') {
        this.files.run();
      } else if (message.type === 'recovered') {
        this.startLog(message.lastZxid);
        recovered.resolve();
      }
    };
    const worker = this.supervisor.spawn('core', './host/core-worker', setup, onMessage);
    await this.orFailed(recovered.promise);
    this.drainCore = () => {
      worker.mayExit = true;
      new Bell(this.coreBell).close();
      return worker.exited;
    };
    this.front = this.topology.mode === 'pipeline' ? this.ringFront(links[0]!) : this.workerFront(links);
  }

  private ringFront(link: IoLinkHandle): Front {
    const io = new RingIo(link, this.ringIoOptions, this.platform, this.log);
    this.supervisor.onWake = io.onBell;
    return {
      listen: (options) => io.agent.listen(options),
      quiesce: () => io.agent.quiesce(),
      close: () => io.close(),
    };
  }

  private workerFront(links: readonly IoLinkHandle[]): Front {
    const workers: SupervisedWorker[] = [];
    const listenOne = async (link: IoLinkHandle, listen: ListenOptions): Promise<number> => {
      const bound = Promise.withResolvers<number>();
      const setup: IoWorkerSetup = {
        link,
        options: this.ringIoOptions,
        listen,
        logLevel: this.config.logLevel,
      };
      const onMessage = (message: IoWorkerMessage): void => {
        if (message.type === 'listening') bound.resolve(message.port);
      };
      workers.push(this.supervisor.spawn(`io-${link.io}`, './io/io-worker', setup, onMessage));
      return this.orFailed(bound.promise);
    };
    return {
      // The first thread may choose the port; the others share it.
      listen: async (options) => {
        const port = await listenOne(links[0]!, options);
        for (const link of links.slice(1)) await listenOne(link, { ...options, port });
        return port;
      },
      quiesce: () => {
        for (const worker of workers) worker.thread.postMessage('quiesce');
      },
      close: async () => {
        for (const worker of workers) {
          worker.mayExit = true;
          worker.thread.postMessage('close');
        }
        await Promise.all(workers.map((worker) => worker.exited));
      },
    };
  }

  private createLink(io: number): IoLinkHandle {
    return createIoLink({
      io,
      slotCount: CONNECTION_SLOTS,
      requestRingBytes: this.config.requestRingBytes,
      replyRingBytes: this.config.replyRingBytes,
      coreBell: this.coreBell,
    });
  }

  private get wakeByMessage(): boolean {
    return this.topology.mode === 'shared';
  }

  private coreSetup(ioMeters: readonly IoMeterHandle[], coreThread: ThreadMeterHandle | null): CoreSetup {
    return {
      config: this.config,
      dirs: this.dirs,
      logLink: this.logLink,
      snapshotLink: this.snapshotLink,
      fileFacts: this.fileFacts,
      clientPort: this.clientPort,
      threading: this.topology.mode,
      ioMeters,
      coreThread,
    };
  }

  // ---- workers -------------------------------------------------------------------------------------------

  private startLog(lastZxid: number): void {
    const { config } = this;
    const setup: LogWorkerSetup = {
      link: this.logLink,
      directory: this.dirs.logDirectory,
      epochDirectory: this.dirs.snapshotDirectory,
      lastZxid,
      txnlog: {
        preallocBytes: config.preAllocBytes,
        fileBytesMax: config.txnLogSizeLimitBytes,
        // Without syncs the page cache is the point.
        direct: config.directIo && config.forceSync,
        forceSync: config.forceSync,
        slowSyncMs: config.fsyncWarningMs,
      },
      snapshots: { snapCount: config.snapCount, snapBytesMax: config.snapSizeLimitBytes },
      seed: this.platform.entropy(),
      batching: {
        recordsMax: config.maxBatchSize,
        flushDelayMs: config.flushDelayMs,
        pollTimeMs: config.maxWriteQueuePollTimeMs,
      },
      wakeByMessage: this.wakeByMessage,
    };
    this.logWorker = this.supervisor.spawn('log', './log/log-worker', setup, (message: LogWorkerMessage) => {
      if (message.type === 'started') this.logStarted.resolve();
      else if (message.type === 'slowSync') {
        const text = `fsync-ing the write ahead log took ${Math.round(message.elapsedMs)} ms`;
        this.log.warn(text, { file: message.path, adverse: 'latency of every write' });
      } else if (message.type === 'pace') this.log.info(paceText(message.report), paceFields(message.report));
    });
  }

  private startPurging(): void {
    const { autopurgePurgeIntervalMs, autopurgeSnapRetainCount } = this.config;
    if (autopurgePurgeIntervalMs === 0) return;
    const run = (): void => this.jobs.purge({ dirs: this.dirs, retainCount: autopurgeSnapRetainCount });
    run();
    this.purgeTimer = this.platform.loop.every(autopurgePurgeIntervalMs, run);
  }

  /** What a worker promises, or an error when it failed instead. */
  private orFailed<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([
      promise,
      this.supervisor.failed.then((failure) => {
        throw new StartFailure(failure);
      }),
    ]);
  }
}

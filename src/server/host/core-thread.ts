/**
 * What a core thread runs (modes `pipeline` and `dedicated`), apart from the thread: the host between the request and
 * reply rings of its io threads, and what wakes it. The core worker runs it in a blocking loop of its own, the simulator
 * turn by turn.
 */
import type { Agent, AgentLoopOptions } from '../../shm/agent.ts';
import { Bell, type BellChannel } from '../../shm/bell.ts';
import { type IoLinkHandle, TURNS_ASKED, TURNS_DONE, waitWords } from '../io/io-link.ts';
import { ReplyRingSink } from '../io/reply-ring.ts';
import { RequestRingReader } from '../io/request-ring.ts';
import { type LogLine, ThreadLog } from '../logging/logging.ts';
import type { WorkerFailure } from '../logging/worker-failure.ts';
import { type ThreadMeterHandle, TurnMeter } from '../monitor/thread-meter.ts';
import type { BlockingPlatform } from '../platform/platform.ts';
import type { SnapshotJob } from '../snapshot/write-snapshot.ts';
import { CoreHost } from './core-host.ts';
import type { CoreSetup } from './core-setup.ts';
import type { SocketTurns } from './hearing.ts';
import { TICK_MS } from './tick.ts';

export interface CoreWorkerSetup {
  readonly core: CoreSetup & { readonly coreThread: ThreadMeterHandle };
  readonly ioLinks: readonly IoLinkHandle[];
  readonly coreBell: SharedArrayBuffer;
}

export type CoreWorkerMessage =
  | { readonly type: 'recovered'; readonly lastZxid: number }
  | { readonly type: 'snapshot'; readonly job: SnapshotJob }
  | { readonly type: 'surveyFiles' }
  | LogLine
  | WorkerFailure;

export interface CoreThreadOptions {
  readonly platform: BlockingPlatform;
  readonly post: (message: CoreWorkerMessage) => void;
  /** How the io threads are rung. */
  readonly toIo?: BellChannel;
}

/** Recovers, tells the supervisor, and is then ready to run. @throws what recovery throws */
export function createCoreLoop(setup: CoreWorkerSetup, options: CoreThreadOptions): AgentLoopOptions {
  const { platform, post } = options;
  const { core } = setup;
  const log = new ThreadLog('core', core.config.logLevel, post);
  const host = new CoreHost(core, log, platform, {
    snapshot: (job) => post({ type: 'snapshot', job }),
    surveyFiles: () => post({ type: 'surveyFiles' }),
  });
  const bell = new Bell(setup.coreBell);
  const agent = new CoreAgent(setup, host, bell, options);
  const recovery = host.recover();
  post({ type: 'recovered', lastZxid: recovery.lastZxid });
  host.start(recovery, agent.sockets);
  return {
    agent,
    bell,
    hasWork: agent.hasWork,
    nowMs: platform.clock.monotonicMs,
    parkMsMax: TICK_MS,
  };
}

/** Requests taken from one io thread before the next has its turn. */
const REQUESTS_PER_TURN = 1024;

class CoreAgent implements Agent {
  readonly role = 'core';
  readonly sockets: RingSocketTurns;
  private readonly host: CoreHost;
  private readonly readers: RequestRingReader[] = [];
  private readonly sinks: ReplyRingSink[] = [];
  private readonly bell: Bell;
  private readonly meter: TurnMeter;
  private readonly nowMs: () => number;

  constructor(setup: CoreWorkerSetup, host: CoreHost, bell: Bell, options: CoreThreadOptions) {
    const { platform, toIo } = options;
    this.host = host;
    this.bell = bell;
    this.nowMs = platform.clock.monotonicMs;
    this.meter = new TurnMeter(setup.core.coreThread, platform.threadUsage());
    host.words.onWord = () => this.meter.publish(this.nowMs());
    for (const link of setup.ioLinks) {
      const sink = new ReplyRingSink(link, setup.core.config.replyBacklogBytesMax, toIo);
      host.addSink(sink);
      this.sinks.push(sink);
      const reader = new RequestRingReader(link, host, sink, toIo);
      this.readers.push(reader);
      host.queues.core.push(reader.queue);
      host.queues.io.push(sink.queue);
    }
    this.sockets = new RingSocketTurns(setup.ioLinks, this.readers, toIo);
  }

  readonly hasWork = (): boolean => {
    for (const reader of this.readers) if (!reader.isEmpty) return true;
    for (const sink of this.sinks) if (sink.roomCame) return true;
    return this.host.hasWork();
  };

  doWork(startMs: number): number {
    if (this.bell.isClosed) this.host.beginStop();
    let work = 0;
    for (const reader of this.readers) work += reader.poll(REQUESTS_PER_TURN);
    if (this.host.poll()) work++;
    this.host.close();
    this.meter.onTurn(startMs, this.nowMs());
    // Stopping: what has been proposed still gets its answer, and the answer its place in the ring.
    if (work === 0 && this.bell.isClosed && !(this.host.isQuiet && this.hasHandedOver)) return 1;
    return work;
  }

  private get hasHandedOver(): boolean {
    return this.sinks.every((sink) => !sink.congested);
  }

  onClose(): void {
    this.host.stopServing();
    this.host.closeLog();
  }
}

/** All io threads behind their rings. Each rings the core when it is done, and the core looks at each tick besides. */
class RingSocketTurns implements SocketTurns {
  private readonly words: readonly Int32Array[];
  private readonly bells: readonly Bell[];
  private readonly readers: readonly RequestRingReader[];
  /** The io threads have done their part; what they have read lies in front of the readers' marks. */
  private isMarked = false;

  constructor(links: readonly IoLinkHandle[], readers: readonly RequestRingReader[], toIo: BellChannel = {}) {
    this.words = links.map(waitWords);
    this.bells = links.map((link) => new Bell(link.ioBell, undefined, toIo));
    this.readers = readers;
  }

  ask(): void {
    this.isMarked = false;
    for (const words of this.words) Atomics.add(words, TURNS_ASKED, 1);
    for (const bell of this.bells) bell.ring();
  }

  get isDone(): boolean {
    if (!this.isMarked) {
      for (const words of this.words) {
        if (Atomics.load(words, TURNS_DONE) !== Atomics.load(words, TURNS_ASKED)) return false;
      }
      for (const reader of this.readers) reader.mark();
      this.isMarked = true;
    }
    return this.readers.every((reader) => reader.isPastMark);
  }
}

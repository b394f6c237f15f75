/**
 * Entry of the core worker (modes `pipeline` and `dedicated`): recovers, then runs the duty cycle over the request
 * rings and the log's counter, sleeping in a blocking wait when there is nothing to do.
 *
 *     worker → supervisor   recovered   lastZxid; the log worker may start
 *                           snapshot    start a snapshot thread with this job
 *                           log         a line for the log
 *                           failed      then the worker ends with the exit status
 *     supervisor → worker   the core's bell, closed: finish what is in flight, close the log, end
 */
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { type Agent, AgentLoop } from '../../shm/agent.ts';
import { Bell } from '../../shm/bell.ts';
import type { IoLinkHandle } from '../io/io-link.ts';
import { ReplyRingSink } from '../io/reply-ring.ts';
import { RequestRingReader } from '../io/request-ring.ts';
import { type LogLine, ThreadLog } from '../logging.ts';
import { TurnMeter } from '../monitor/thread-meter.ts';
import type { SnapshotJob } from '../snapshot/write-snapshot.ts';
import { describeFailure, type WorkerFailure } from '../worker-failure.ts';
import { CoreHost, type CoreSetup, TICK_MS } from './core-host.ts';

export interface CoreWorkerSetup {
  readonly core: CoreSetup;
  readonly ioLinks: readonly IoLinkHandle[];
  readonly coreBell: SharedArrayBuffer;
  readonly idleTurnsMax: number;
}

export type CoreWorkerMessage =
  | { readonly type: 'recovered'; readonly lastZxid: number }
  | { readonly type: 'snapshot'; readonly job: SnapshotJob }
  | LogLine
  | WorkerFailure;

/** Requests taken from one io thread before the next has its turn. */
const REQUESTS_PER_TURN = 1024;

class CoreAgent implements Agent {
  readonly role = 'core';
  private readonly host: CoreHost;
  private readonly readers: RequestRingReader[] = [];
  private readonly sinks: ReplyRingSink[] = [];
  private readonly bell: Bell;
  private readonly meter: TurnMeter;

  constructor(setup: CoreWorkerSetup, host: CoreHost, bell: Bell, meter: TurnMeter) {
    this.host = host;
    this.bell = bell;
    this.meter = meter;
    host.onWord = () => meter.publish(performance.now());
    for (const link of setup.ioLinks) {
      const sink = new ReplyRingSink(link, setup.core.config.replyBacklogBytesMax);
      host.replica.addSink(sink);
      this.sinks.push(sink);
      const reader = new RequestRingReader(link, host, sink);
      this.readers.push(reader);
      host.queues.core.push(reader.queue);
      host.queues.io.push(sink.queue);
    }
  }

  readonly hasWork = (): boolean => {
    for (const reader of this.readers) if (!reader.isEmpty) return true;
    for (const sink of this.sinks) if (sink.roomCame) return true;
    return this.host.hasWork();
  };

  doWork(startMs: number): number {
    let work = 0;
    for (const reader of this.readers) work += reader.poll(REQUESTS_PER_TURN);
    if (this.host.poll()) work++;
    this.host.close();
    this.meter.onTurn(startMs, performance.now());
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

function run(setup: CoreWorkerSetup): void {
  const port = parentPort;
  assert(port !== null, 'core-worker.ts runs in a worker');
  const post = (message: CoreWorkerMessage): void => port.postMessage(message);
  const { config } = setup.core;
  try {
    const log = new ThreadLog('core', config.logLevel, post);
    const host = new CoreHost(setup.core, log, (job) => post({ type: 'snapshot', job }));
    const bell = new Bell(setup.coreBell);
    const { coreThread } = setup.core;
    assert(coreThread !== null, 'a core worker has a thread of its own');
    const agent = new CoreAgent(setup, host, bell, new TurnMeter(coreThread));
    const recovery = host.recover();
    post({ type: 'recovered', lastZxid: recovery.lastZxid });
    host.start(recovery);
    new AgentLoop({
      agent,
      bell,
      hasWork: agent.hasWork,
      nowMs: () => performance.now(),
      parkMsMax: TICK_MS,
      idleTurnsMax: setup.idleTurnsMax,
    }).run();
  } catch (error) {
    const failure = describeFailure('core', error);
    post(failure);
    process.exit(failure.exitStatus);
  }
}

run(workerData as CoreWorkerSetup);

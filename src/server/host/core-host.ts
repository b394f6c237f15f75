/**
 * The core with everything that ties it to a thread: recovery, the clock, the log's durable counter, snapshots,
 * four-letter words. Whoever runs the thread (the main thread's event loop, or a core worker's duty cycle) calls
 *
 *     recover → start → (open · CorePort calls and `poll` · close)*
 */
import { assert } from '../../base/assert.ts';
import { type Zxid, ZxidCell } from '../../base/zxid.ts';
import { ClientState } from '../../core/client/client.ts';
import { Incarnations } from '../../core/incarnations.ts';
import type { CorePort } from '../../core/ports/core-port.ts';
import type { ConnId, ReplySink } from '../../core/ports/ports.ts';
import type { Replica } from '../../core/replica.ts';
import { fieldBytesMax } from '../../wire/limits.ts';
import { RingLogPort } from '../log/log-port.ts';
import { TappedLogPort } from '../log/tapped-log-port.ts';
import type { Log } from '../logging/logging.ts';
import { CoreMeter } from '../monitor/core-meter.ts';
import { CoreMetrics } from '../monitor/core-metrics.ts';
import { type StageQueues, Stages } from '../monitor/stages.ts';
import { ClientLines } from '../reports/client-lines.ts';
import { RepeatedLines } from '../reports/repeated-lines.ts';
import type { CoreSetup, HostErrands, HostPlatform } from './core-setup.ts';
import { CoreSnapshots } from './core-snapshots.ts';
import { CoreWords } from './core-words.ts';
import { Desks } from './desks.ts';
import { Hearing, type SocketTurns } from './hearing.ts';
import { recoverMember } from './member-recovery.ts';
import { OperatorLines } from './operator-lines.ts';
import type { Recovery } from './recovery.ts';
import { TICK_MS, Tick } from './tick.ts';

/** A turn that takes this long has stood still, and read on with a time that was over. */
const LATE_TURN_MS = 2 * TICK_MS;

export class CoreHost implements CorePort {
  /** Rings to and from other threads; who builds their ends adds them. */
  readonly queues: StageQueues;
  readonly words: CoreWords;
  private readonly incarnations: Incarnations;
  private readonly meter: CoreMeter;
  private readonly metrics: CoreMetrics;
  private readonly setup: CoreSetup;
  private readonly log: Log;
  private readonly platform: HostPlatform;
  private readonly logPort: RingLogPort;
  private readonly snapshots: CoreSnapshots;
  private isOpen = false;
  private tick: Tick | null = null;
  private hearing: Hearing | null = null;
  private isStopping = false;
  private desks: Desks | null = null;
  /** The log has every transaction behind this. */
  private readonly historyFloor = new ZxidCell();
  /** The present replica is not whole yet. */
  private isLoading = false;
  private readonly lines: OperatorLines;

  constructor(setup: CoreSetup, log: Log, platform: HostPlatform, errands: HostErrands) {
    const { config } = setup;
    this.setup = setup;
    this.log = log;
    this.platform = platform;
    const clientLines = new RepeatedLines(log, () => platform.clock.monotonicMs());
    const recordBytesMax = fieldBytesMax(config.frameBytesMax, config.juteExtraBytes);
    const Log = config.ensemble === null ? RingLogPort : TappedLogPort;
    this.logPort = new Log(setup.logLink, recordBytesMax);
    this.incarnations = new Incarnations(config, {
      log: this.logPort,
      crypto: {
        digestBase64: (bytes) => platform.digestBase64(config.digestAlg, bytes),
      },
      reports: new ClientLines(clientLines),
      admin: { answer: (word, argument) => this.words.answer(word, argument) },
      hashKey: { low: platform.entropy(), high: platform.entropy() },
    });
    this.lines = new OperatorLines(clientLines, this.incarnations, config, log);
    const startMs = platform.clock.monotonicMs();
    this.meter = new CoreMeter(this.incarnations);
    const { incarnations, logPort, meter } = this;
    this.snapshots = new CoreSnapshots({ incarnations, logPort, meter, log }, setup, platform, errands);
    this.queues = { core: [], log: [this.logPort.queue], io: [] };
    const meters = {
      threading: setup.threading,
      io: setup.ioMeters,
      log: setup.logLink.meter,
      snapshot: setup.snapshotLink.meter,
      coreThread: setup.coreThread,
    };
    this.metrics = new CoreMetrics(this.incarnations, new Stages(meters, this.meter, this.queues), startMs);
    this.words = new CoreWords(incarnations, this.metrics, setup, errands, log, startMs);
  }

  /** The present one; another after a tree was taken over, or history cut. */
  get replica(): Replica {
    return this.incarnations.replica;
  }

  /** One per io thread, before its first connection. */
  addSink(sink: ReplySink): void {
    this.incarnations.surroundings.clients.addSink(sink);
  }

  /** Fills the replica from the data directory. @throws CorruptionFailure, DataDirFailure, StorageFailure */
  recover(): Recovery {
    const { clock, disk } = this.platform;
    const { config, dirs } = this.setup;
    const recovery = recoverMember(this.incarnations, disk, dirs, config, this.log, clock);
    this.replica.start(recovery.lastZxid, clock.monotonicMs(), clock.wallMs());
    this.metrics.onRecovered(recovery);
    this.historyFloor.value = recovery.snapshotZxid;
    if (recovery.isFirstStart) this.snapshots.writeFirst();
    return recovery;
  }

  /** This server is one of an ensemble. `wake` has a turn come soon. */
  openDesks(wake: () => void): Desks {
    const { incarnations, logPort, historyFloor } = this;
    assert(logPort instanceof TappedLogPort, 'the configuration is of an ensemble');
    const enter = (): void => {
      this.open();
      wake();
    };
    const owner = {
      incarnations,
      logPort,
      historyFloor,
      snapshots: this.snapshots.keeper,
      enter,
      hearThrough: (others: SocketTurns | null) => {
        this.hearing!.others = others;
      },
      beginAnew: () => this.beginAnew(),
      startAnew: (zxid: Zxid) => this.startAnew(zxid),
    };
    this.desks = new Desks(owner, this.setup, this.platform, this.log);
    return this.desks;
  }

  /**
   * The state machine begins anew: from a snapshot that a leader has sent, or from what a truncated log leaves. Who calls
   * fills the new replica up to a zxid that is durable by then, and calls `startAnew`. Connections are let go; sessions are
   * those that have been loaded.
   */
  private beginAnew(): Replica {
    this.endRequests();
    this.snapshots.keeper.letGo();
    this.isLoading = true;
    return this.incarnations.begin();
  }

  private startAnew(zxid: Zxid): void {
    const { clock } = this.platform;
    this.replica.start(zxid, clock.monotonicMs(), clock.wallMs());
    this.isLoading = false;
    this.meter.onRenewed();
  }

  /** The log thread runs: serving may begin. `sockets`: who reads them. */
  start(recovery: Recovery, sockets: SocketTurns): void {
    const nowMs = this.platform.clock.monotonicMs();
    this.tick = new Tick(nowMs);
    this.hearing = new Hearing(sockets, nowMs);
    if (!recovery.isSnapshotCurrent && !recovery.isFirstStart) this.snapshots.keeper.start(this.nowMs());
    this.words.view.isUp = true;
  }

  /**
   * No timers from now on: a stopping server takes no frames, so it does not hear that a session lives. What is in flight
   * is still committed and answered.
   */
  beginStop(): void {
    this.isStopping = true;
  }

  /** A clean stop: the words answer that nothing is served, and what has only been counted is said. */
  stopServing(): void {
    this.words.view.isUp = false;
    this.lines.end();
  }

  /** Nothing is in flight any more: every proposal is committed and no snapshot runs. */
  get isQuiet(): boolean {
    return this.replica.isQuiet;
  }

  /** Lets the log thread sync and end. */
  closeLog(): void {
    this.logPort.close();
  }

  // ---- turns ---------------------------------------------------------------------------------------------

  /** Whether `poll` would find something; also the check before the thread sleeps. */
  readonly hasWork = (): boolean =>
    this.logPort.durableZxid > this.replica.progress.durable ||
    this.snapshots.keeper.hasEnded ||
    this.replica.hasBackgroundWork ||
    this.desks?.hasWork === true;

  /** One round: commits what has become durable, timers, large replies. True = more to do at once. */
  poll(): boolean {
    this.endRequests();
    const wasOpen = this.isOpen;
    this.open();
    if (this.isLoading) {
      // Half a tree: nothing can be committed, but what others have finished is heard.
      this.snapshots.hear();
      this.desks?.poll();
      return false;
    }
    const durable = this.logPort.durableZxid;
    const hasCommits = durable > this.replica.progress.durable || this.replica.hasBackgroundWork;
    if (hasCommits) this.meter.beginCommits(wasOpen ? this.nowMs() : this.replica.clock.nowMs);
    if (durable > this.replica.progress.durable) {
      this.replica.onDurable(durable);
    }
    const more = this.replica.doBackgroundWork();
    if (hasCommits) this.meter.endCommits(this.nowMs());
    this.snapshots.poll();
    if (!this.isStopping) this.lookAtTime(this.replica.clock.nowMs);
    this.desks?.poll();
    return more;
  }

  private lookAtTime(nowMs: number): void {
    if (this.hearing!.hasHeard()) this.replica.onHeard(this.hearing!.heardMs);
    if (this.replica.isExpiryDue) this.hearing!.ask(nowMs);
    if (!this.tick!.isDue(nowMs)) return;
    this.replica.onTick();
    this.snapshots.onTick(nowMs);
    this.lines.onTick(nowMs);
    this.meter.endTick(this.nowMs());
  }

  /** End of the round: everything produced becomes visible to log and io. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.meter.endTurn();
    this.replica.endTurn();
  }

  /**
   * In mode `shared`, after each chunk of requests: reads have been answered into their connection, so a chunk of
   * reads alone ends here, without a turn of the event loop for it.
   */
  endChunk(): boolean {
    this.endRequests();
    if (this.replica.needsTurn) return false;
    this.isOpen = false;
    this.meter.endTurn();
    return true;
  }

  // The first call of a round reads the clock; all that follow share its time.
  private open(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    const { clock } = this.platform;
    this.replica.beginTurn(clock.monotonicMs(), clock.wallMs());
  }

  private nowMs(): number {
    return this.platform.clock.monotonicMs();
  }

  // ---- batches of requests -------------------------------------------------------------------------------

  private beginRequests(): void {
    const wasOpen = this.isOpen;
    this.open();
    this.meter.beginRequests(wasOpen ? this.nowMs() : this.replica.clock.nowMs);
  }

  private endRequests(): void {
    if (!this.meter.isInBatch) return;
    const nowMs = this.nowMs();
    this.meter.endRequests(nowMs);
    if (nowMs - this.replica.clock.nowMs > LATE_TURN_MS) {
      this.meter.endTurn();
      this.replica.onLateTurn(nowMs, this.platform.clock.wallMs());
    }
  }

  // ---- CorePort ------------------------------------------------------------------------------------------

  onConnect(conn: ConnId, address: string, port: number): void {
    this.open();
    this.replica.onConnect(conn, address, port);
  }

  onFrame(conn: ConnId, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    if (!this.meter.isInBatch) this.beginRequests();
    this.meter.onRequest(end - start);
    this.replica.onFrame(conn, bytes, view, start, end);
  }

  onDisconnect(conn: ConnId): void {
    this.open();
    const client = this.replica.parts.clients.get(conn);
    if (client !== undefined && client.state < ClientState.closing) this.meter.droppedConnections++;
    this.replica.onDisconnect(conn);
  }

  onDrained(conn: ConnId): void {
    this.open();
    this.replica.onDrained(conn);
  }

  onFourLetterWord(conn: ConnId, word: number, argument: bigint | null): void {
    this.open();
    this.replica.onFourLetterWord(conn, word, argument);
  }
}

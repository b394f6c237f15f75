/**
 * One term as a follower or observer: the connection to the leader, the machine that speaks on it (core/zab/learner.ts), and
 * the desk that carries out what the leader says. Begins when the leader is known, ends with that connection. On the
 * thread of the core.
 *
 *     dial ··fails, a few times··▶ over
 *      │ open
 *      ▼
 *     socket ─bytes─▶ PacketSplitter ─▶ Learner ─▶ LearnerDesk (stage, decide, tree, epochs)
 *        ▲                                 │            │ durable, saved, cut, loaded
 *        └──────── packets, gathered ◀─────┴────────────┘
 *
 *     clients here ─▶ LeaderLink: REQUEST, REVALIDATE ─▶ packets, one write a turn
 *
 * A stream that the learner cannot take now is not read on, so a leader that is faster than this disk is held by TCP.
 */
import type { LoopTimer } from '../../base/event-loop.ts';
import { CorruptionFailure } from '../../base/failure.ts';
import type { Zxid } from '../../base/zxid.ts';
import type { LookingVoter } from '../../core/election/election-step.ts';
import type { LeaderLink } from '../../core/ports/leader-link.ts';
import type { Sid } from '../../core/quorum/member.ts';
import { type EpochKind, Learner, type LearnerPort } from '../../core/zab/learner.ts';
import { type DialHandler, ReadBuffer, type SocketPort } from '../../net/transport.ts';
import { EpochKind as EpochFile } from '../../storage/epoch-files.ts';
import type { HostPort } from '../../wire/host-port.ts';
import { PacketSplitter, PacketStatus } from '../../wire/quorum/packet-splitter.ts';
import { NO_ZXID, PacketType } from '../../wire/quorum/packet-types.ts';
import { OUR_INFO_BYTES, TOUCH_BYTES, writeOurInfo, writeTouch } from '../../wire/quorum/payloads.ts';
import type { QuorumPacket } from '../../wire/quorum/quorum-packet.ts';
import type { LearnerDesk } from '../host/learner-desk.ts';
import type { Log } from '../logging/logging.ts';
import type { Epochs, LearnerTermOptions, TermPlatform } from './learner-term-parts.ts';
import { PacketOutbox } from './packet-outbox.ts';
import type { RunningTerm, Term, TermControl } from './role-runner.ts';
import { type Departure, ToldMembership } from './told-membership.ts';

/**
 * Between tries. Who leads opens its port when it has decided, which one of ours does at nearly the same time, and one of Apache's
 * up to 200 ms later: at first often, then as patient as Apache's learners are (five tries, about 100 ms apart).
 */
const DIAL_PAUSES_MS = [5, 10, 20, 20, 20, 20, 30, 50, 80, 100, 100, 100];

export class LearnerTerm implements RunningTerm, LearnerPort, LeaderLink, DialHandler {
  private readonly options: LearnerTermOptions;
  private readonly term: Term;
  private readonly control: TermControl;
  private readonly desk: LearnerDesk;
  private readonly epochs: Epochs;
  private readonly told: ToldMembership;
  private readonly platform: TermPlatform;
  private readonly log: Log;
  private readonly learner: Learner;
  private readonly splitter: PacketSplitter;
  private readonly buffer = new ReadBuffer();
  private readonly outbox = new PacketOutbox();
  /** That the kernel has not taken whole. */
  private writes = 0;
  private readonly onWritten = (): void => {
    this.writes--;
  };
  private readonly timer: LoopTimer;
  private socket: SocketPort | null = null;
  private isOpen = false;
  private isPaused = false;
  private isOver = false;
  private tries = 0;
  private silentTicks = 0;
  private treeZxid = 0;

  constructor(
    options: LearnerTermOptions,
    term: Term,
    control: TermControl,
    desk: LearnerDesk,
    epochs: Epochs,
    platform: TermPlatform,
    log: Log,
  ) {
    this.options = options;
    this.term = term;
    this.control = control;
    this.desk = desk;
    this.epochs = epochs;
    this.told = new ToldMembership(options.membership, options.sid, term, control);
    this.platform = platform;
    this.log = log;
    this.learner = new Learner(
      {
        isObserver: term.role === 'observing',
        acceptedEpoch: epochs.accepted,
        currentEpoch: epochs.current,
        lastZxid: desk.lastZxid,
      },
      this,
    );
    this.splitter = new PacketSplitter(options.packetBytesMax, {
      onPacket: (packet) => this.isTimely(packet) && this.learner.onPacket(packet),
      onRaw: (bytes, _view, start, end) => this.onRaw(bytes, start, end),
    });
    desk.beginLearning(term.role === 'observing' ? 'observer' : 'follower');
    desk.onDurable = (zxid) => this.answer(() => this.learner.onDurable(zxid));
    desk.onRoom = () => this.answer(() => {});
    desk.onTurn = () => this.flush();
    this.timer = platform.loop.every(options.tickMs, () => this.onTick());
    if (term.role !== 'observing' || options.observerDelayMs === 0) this.dial();
    else
      platform.loop.after((options.observerDelayMs * platform.entropy()) / 2 ** 32, () =>
        this.dialUnlessOver(),
      );
  }

  // ---- RunningTerm ---------------------------------------------------------------------------------------

  onLookingVoter({ hasLeft }: LookingVoter): void {
    if (hasLeft) this.leave('the leader looks for one itself');
  }

  end(reason: string): void {
    this.leave(reason, null, false);
  }

  // ---- connection ----------------------------------------------------------------------------------------

  private dial(): void {
    const { addresses } = this.term;
    const address: HostPort | undefined = addresses[this.tries % Math.max(1, addresses.length)];
    if (address === undefined) {
      this.leaveSoon(`server ${this.term.leader} has no quorum address`);
      return;
    }
    this.tries++;
    const timeoutMs = this.options.connectLimit * this.options.tickMs;
    this.socket = this.platform.transport.dial(
      { host: address.host, port: address.port, timeoutMs, keepAlive: true },
      this.buffer,
      this,
    );
  }

  private dialUnlessOver(): void {
    if (!this.isOver) this.dial();
  }

  onOpen(): void {
    this.isOpen = true;
    this.silentTicks = 0;
    this.learner.start();
    this.flush();
  }

  onDialFailed(why: string): void {
    if (this.isOver) return;
    const pauseMs = DIAL_PAUSES_MS[this.tries - 1];
    if (pauseMs === undefined) {
      this.leave(`the leader cannot be reached: ${why}`);
      return;
    }
    this.platform.loop.after(pauseMs, () => {
      if (!this.isOver) this.dial();
    });
  }

  onBytes(buffer: ReadBuffer, length: number): void {
    if (this.isOver) return;
    this.silentTicks = 0;
    this.take(() => this.splitter.pushFirst(buffer.bytes, buffer.view, length));
  }

  onEnd(): void {
    this.leave('the leader has closed the connection');
  }

  onClose(): void {
    this.leave('the connection to the leader has ended');
  }

  /** A leader that says nothing for so long is none: it pings twice a tick. */
  private onTick(): void {
    const { initLimit, syncLimit } = this.options;
    const limit = this.learner.isFollowing ? syncLimit : initLimit;
    if (++this.silentTicks > limit) this.leave(`nothing heard of the leader for ${limit} ticks`);
  }

  /** What was asked for has been done: the stream may go on. */
  private answer(tell: () => void): void {
    if (this.isOver) return;
    tell();
    this.take(() => this.splitter.resume());
  }

  private take(read: () => PacketStatus): void {
    try {
      this.onStatus(read());
    } catch (error) {
      // Of the tree that it sends: nothing of this server's own is read here.
      if (!(error instanceof CorruptionFailure)) throw error;
      this.leave(error.message);
    }
    this.flush();
  }

  private onStatus(status: PacketStatus): void {
    if (this.isOver) return;
    if (status === PacketStatus.malformed) {
      this.leave('it sends a packet of impossible length');
      return;
    }
    const isPaused = status === PacketStatus.stopped;
    if (isPaused === this.isPaused) return;
    this.isPaused = isPaused;
    if (isPaused) this.socket?.pause();
    else this.socket?.resume();
  }

  private flush(): void {
    if (this.isOver || !this.isOpen || this.socket === null) return;
    if (this.outbox.flushTo(this.socket, this.writes === 0, this.onWritten)) this.writes++;
  }

  private onRaw(bytes: Uint8Array, start: number, end: number): number {
    const taken = this.desk.take(bytes, start, end);
    if (!this.desk.isTreeWhole) return taken;
    this.splitter.endRaw();
    // Nothing of what follows may be logged before the tree is on the disk and the log behind it cut: that would be cut too. The
    // answer comes on a stack of its own, as the stream is inside this call.
    this.desk.persist(() => this.answer(() => this.learner.onLoaded(this.treeZxid)));
    return taken;
  }

  // ---- LearnerPort: to the leader ------------------------------------------------------------------------

  sendInfo(type: PacketType, zxid: Zxid): void {
    const data = new Uint8Array(OUR_INFO_BYTES);
    writeOurInfo(viewOf(data), 0, this.options.sid, this.options.membership.committed.version);
    this.outbox.add(type, zxid, data);
  }

  sendAckEpoch(lastZxid: Zxid, currentEpoch: number): void {
    this.options.meter.onSynchronizing(this.platform.clock.monotonicMs());
    const data = new Uint8Array(4);
    viewOf(data).setInt32(0, currentEpoch);
    this.outbox.add(PacketType.ackEpoch, lastZxid, data);
  }

  sendAck(zxid: Zxid): void {
    this.outbox.add(PacketType.ack, zxid, null);
  }

  sendTouches(zxid: Zxid): void {
    for (const touches of this.desk.touches()) this.outbox.add(PacketType.ping, zxid, touches);
  }

  // ---- LeaderLink ------------------------------------------------------------------------------------------

  forward(
    idHigh: number,
    idLow: number,
    cxid: number,
    op: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    ids: Uint8Array | null,
  ): void {
    this.outbox.addRequest(idHigh, idLow, cxid, op, bytes, start, end, ids);
    this.desk.askTurn();
  }

  revalidate(idHigh: number, idLow: number, timeoutMs: number): void {
    const data = new Uint8Array(TOUCH_BYTES);
    writeTouch(viewOf(data), 0, idHigh, idLow, timeoutMs);
    this.outbox.add(PacketType.revalidate, NO_ZXID, data);
    this.desk.askTurn();
  }

  /** What answers clients here waits until they can see everything that was decided before it. */
  private isTimely({ type }: QuorumPacket): boolean {
    if (type !== PacketType.sync && type !== PacketType.revalidate) return true;
    return this.desk.isPublished;
  }

  // ---- LearnerPort: to disk and replica --------------------------------------------------------------------

  saveEpoch(kind: EpochKind, epoch: number): void {
    this.desk.saveEpoch(kind === 'accepted' ? EpochFile.accepted : EpochFile.current, epoch, () => {
      this.epochs[kind] = epoch;
      this.answer(() => this.learner.onEpochSaved(kind));
    });
  }

  truncate(zxid: Zxid): void {
    this.log.info('the leader cuts this history', { zxid: zxid.toString(16) });
    this.desk.truncate(zxid, () => this.answer(() => this.learner.onTruncated(zxid)));
  }

  persist(): void {
    this.desk.persist(() => this.answer(() => this.learner.onPersisted()));
  }

  beginSnapshot(zxid: Zxid): void {
    this.log.info('the leader sends its whole tree', { zxid: zxid.toString(16) });
    this.treeZxid = zxid;
    this.desk.beginTree(zxid);
    this.splitter.beginRaw();
  }

  propose(_zxid: Zxid, bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.options.meter.proposalsReceived++;
    const fault = this.told.onProposal(bytes, view, start, end);
    if (fault !== null) {
      this.leaveSoon(fault);
      return true;
    }
    const staged = this.desk.stage(bytes, view, start, end);
    if (staged === null) this.leaveSoon('it proposes what is no transaction');
    return staged !== false;
  }

  commit(zxid: Zxid): void {
    this.options.meter.commitsReceived++;
    this.desk.decide(zxid);
  }

  activate(_zxid: Zxid, designated: number): void {
    this.departSoon(this.told.onActivated(designated));
  }

  onConfig(bytes: Uint8Array, start: number, end: number): void {
    const fault = this.told.onNewLeader(bytes, start, end);
    if (fault !== null) this.leaveSoon(fault);
  }

  onSynced(): void {
    this.desk.synced();
  }

  onRevalidated(sessionHigh: number, sessionLow: number, isValid: boolean): void {
    this.desk.revalidated(sessionHigh, sessionLow, isValid);
  }

  serve(epoch: number): void {
    if (this.departSoon(this.told.onUpToDate())) return;
    this.log.info('in step with the leader', { epoch });
    this.desk.serve(epoch, this.options.membership.committed, this);
    this.control.serving(epoch);
  }

  private leaveSoon(reason: string): void {
    this.platform.loop.soon(() => this.leave(reason));
  }

  private departSoon(departure: Departure | null): boolean {
    if (departure === null) return false;
    this.platform.loop.soon(() => this.leave(departure.reason, departure.designated));
    return true;
  }

  /** `designated`: who leads now; null = an election tells. `keepsClients`: for that leader, because there is to be one. */
  leave(reason: string, designated: Sid | null = null, keepsClients = true): void {
    if (this.isOver) return;
    this.isOver = true;
    this.learner.end();
    this.timer.cancel();
    this.socket?.destroy();
    this.desk.onDurable = () => {};
    this.desk.onRoom = () => {};
    this.desk.onTurn = () => {};
    this.desk.settle(keepsClients, () =>
      this.control.over({
        reason,
        standing: { zxid: this.desk.electionZxid, currentEpoch: this.epochs.current },
        designated,
      }),
    );
    const { keptClients } = this.desk;
    if (keptClients > 0) this.log.info('clients are kept for the next leader', { clients: keptClients });
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * One term as leader: the quorum port, a connection to each learner, the machine that speaks on them (core/zab/leader.ts), and the desk
 * that has the core propose and publish. Begins with the election, ends when a quorum is lost or the server stops. On
 * the thread of the core.
 *
 *     QuorumListener ─▶ LearnerLink* ─packets─▶ Leader ─────▶ LeaderDesk (epochs, lead, decide)
 *                           ▲                    ▲   │              │ proposed, durable, end of turn
 *                           │                    └───┼──────────────┘
 *                           └── HistorySender until in step, then the proposal log ◀┘
 *
 * Sockets are read as they come, and what that brings is decided at the end of the core's turn, with all that has come together.
 */
import type { LoopTimer } from '../../base/event-loop.ts';
import { CorruptionFailure, StorageFailure } from '../../base/failure.ts';
import type { Zxid } from '../../base/zxid.ts';
import type { LookingVoter } from '../../core/election/election-step.ts';
import { TakenRequest } from '../../core/leading/forwarded-requests.ts';
import type { Sid } from '../../core/quorum/member.ts';
import { Backing } from '../../core/zab/backing.ts';
import { Leader } from '../../core/zab/leader.ts';
import type { LeaderPort, LearnerFault } from '../../core/zab/leader-port.ts';
import type { EpochKind } from '../../core/zab/learner.ts';
import { learnerFigures } from '../../core/zab/learner-figures.ts';
import type { LinkId } from '../../core/zab/learner-record.ts';
import { STREAM_BEHIND } from '../../core/zab/learner-stream.ts';
import type { SyncPlan } from '../../core/zab/sync-plan.ts';
import { type AcceptedSocket, ReadBuffer } from '../../net/transport.ts';
import { EpochKind as EpochFile } from '../../storage/epoch-files.ts';
import { NO_ZXID, PacketType } from '../../wire/quorum/packet-types.ts';
import {
  LEADER_INFO_BYTES,
  OUR_LEADER_INFO_BYTES,
  REVALIDATE_ANSWER_BYTES,
  TOUCH_BYTES,
  TOUCHES_MAX,
  writeLeaderInfo,
  writeOurLeaderInfo,
  writeRevalidateAnswer,
} from '../../wire/quorum/payloads.ts';
import type { QuorumPacket } from '../../wire/quorum/quorum-packet.ts';
import type { Leading } from '../host/leader-desk.ts';
import { RepeatedLines } from '../reports/repeated-lines.ts';
import { HistorySender } from './history-sender.ts';
import { LeaderMembership } from './leader-membership.ts';
import type { LeaderTermParts, Learner } from './leader-term-parts.ts';
import { type LeadingFigures, ProposalSizes } from './leading-figures.ts';
import type { LinkFault } from './learner-faults.ts';
import { LearnerLink, type LinkOwner } from './learner-link.ts';
import type { LearnerTermOptions } from './learner-term-parts.ts';
import { LearnerTurns } from './learner-turns.ts';
import { QuorumListener } from './quorum-listener.ts';
import type { RunningTerm, Term, TermControl } from './role-runner.ts';

/** Connections that have not said who they are; the oldest goes. */
const STRANGERS_MAX = 64;
/** Of a learner's stream, what is written at a time; one packet may be longer. */
const CHUNK_BYTES = 256 * 1024;
const CHUNKS_PER_TURN = 4;

export class LeaderTerm implements RunningTerm, LeaderPort, LinkOwner, Leading {
  private readonly options: LearnerTermOptions;
  private readonly control: TermControl;
  private readonly parts: LeaderTermParts;
  private readonly leader: Leader;
  private readonly membership: LeaderMembership;
  private readonly listener: QuorumListener;
  private readonly timer: LoopTimer;
  private readonly buffer = new ReadBuffer();
  private readonly chunk: Buffer;
  private readonly chunkView: DataView;
  /** By id, the oldest first. */
  private readonly learners = new Map<LinkId, Learner>();
  private nextLink = 1;
  private isOver = false;
  private readonly backing: Backing;
  private readonly sources = { readsLog: true, trusts: false };
  private readonly sizes = new ProposalSizes();
  readonly turns: LearnerTurns;
  /** Whoever reaches the port can cause them. */
  private readonly lines: RepeatedLines;

  constructor(options: LearnerTermOptions, term: Term, control: TermControl, parts: LeaderTermParts) {
    const { desk, epochs, proposals, platform } = parts;
    this.options = options;
    this.control = control;
    this.parts = parts;
    this.backing = new Backing(options.sid, term, this.nowMs());
    this.lines = new RepeatedLines(parts.log, this.nowMs);
    this.chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES + options.packetBytesMax);
    this.chunkView = new DataView(this.chunk.buffer, this.chunk.byteOffset, this.chunk.length);
    this.turns = new LearnerTurns(this.nowMs, () => this.pingAll());
    desk.begin(this);
    proposals.restart(desk.lastZxid);
    this.leader = new Leader(
      {
        sid: options.sid,
        committed: term.committed,
        lastSeen: term.lastSeen,
        acceptedEpoch: epochs.accepted,
        currentEpoch: epochs.current,
        lastZxid: desk.lastZxid,
        initLimit: options.initLimit,
        syncLimit: options.syncLimit,
        rules: this.sources,
      },
      proposals,
      this,
    );
    this.membership = new LeaderMembership(options.membership, parts.standaloneEnabled, this.leader, control);
    this.listener = new QuorumListener(platform, (socket) => this.onSocket(socket));
    const addresses = { addresses: term.addresses, listenOnAllIps: parts.listenOnAllIps };
    this.listener.open(addresses).catch((error: Error) => this.leave(error.message));
    this.timer = platform.loop.every(options.tickMs / 2, () => this.onHalfTick());
    this.leader.start();
    desk.wake();
  }

  // ---- RunningTerm ---------------------------------------------------------------------------------------

  onLookingVoter({ sid, hasLeft }: LookingVoter): void {
    const { epochWaitMs } = this.parts;
    const isPatient = epochWaitMs < 0 || this.options.meter.phase !== 'discovery';
    if (!isPatient && this.backing.waitedMs(this.nowMs()) > epochWaitMs)
      this.leave(`server ${sid} looks again, and no quorum has come for ${epochWaitMs} ms`);
    this.backing.onLooking(sid, hasLeft, this.nextLink);
    this.checkBacking();
  }

  private checkBacking(): void {
    if (this.isOver || this.options.meter.phase === 'broadcast') return;
    if (this.backing.isLost(this.leader.learners.values(), this.nowMs()))
      this.leave('others look for a leader, and no quorum comes to this one');
  }

  end(reason: string): void {
    this.leave(reason);
  }

  /** As operators see this term. */
  figures(): LeadingFigures {
    const { leader, sizes, parts, membership } = this;
    const { voters } = membership.committed.verifier;
    return { learners: learnerFigures(leader, parts.desk.lastZxid), voters, sizes, faults: parts.faults };
  }

  // ---- Leading: the core's turns -------------------------------------------------------------------------

  readonly onProposed = (zxid: Zxid, bytes: Uint8Array, start: number, end: number): void => {
    this.sizes.add(end - start);
    this.leader.onProposed(zxid, bytes, start, end);
  };

  onDurable(zxid: Zxid): void {
    this.leader.onDurable(zxid);
  }

  onRound(): void {
    if (this.isOver) return;
    this.leader.endTurn();
    for (const { link, source, sender } of this.learners.values()) {
      // Who is brought up is sent what is read from files meanwhile, and clients wait for that.
      const chunks = sender === null ? CHUNKS_PER_TURN : 1;
      if (link.flush(this.chunk, source, chunks)) this.parts.desk.wake();
    }
  }

  onSync(id: LinkId): void {
    this.leader.onSyncRequest(id);
  }

  onEpochUsedUp(): void {
    this.leave('the epoch has no zxids left');
  }

  // ---- connections ---------------------------------------------------------------------------------------

  private onSocket(socket: AcceptedSocket): void {
    const strangers = [...this.learners.values()].filter(({ isKnown }) => !isKnown);
    if (strangers.length >= STRANGERS_MAX) {
      strangers[0]!.link.close('crowded', `${STRANGERS_MAX} others have not said who they are either`);
    }
    const remote = `${socket.remoteAddress}:${socket.remotePort}`;
    const link = new LearnerLink(this.nextLink++, remote, this.options.packetBytesMax, this);
    const source = (): number => this.fill(learner);
    const learner: Learner = { link, source, sender: null, isKnown: false, stuckTicks: 0 };
    this.learners.set(link.id, learner);
    this.leader.onConnect(link.id);
    link.attach(socket.open(this.buffer, link));
  }

  onPacket(link: LearnerLink, packet: QuorumPacket): boolean {
    const learner = this.learners.get(link.id);
    if (learner === undefined || this.isOver) return true;
    learner.isKnown = true;
    return this.leader.onPacket(link.id, packet);
  }

  onRead(): void {
    this.parts.desk.wake();
  }

  onWritten(): void {
    this.parts.desk.wake();
  }

  onGone(link: LearnerLink, fault: LinkFault | null, reason: string): void {
    const learner = this.learners.get(link.id);
    this.learners.delete(link.id);
    this.turns.onGone(link.id);
    learner?.sender?.close();
    if (fault !== null) {
      this.parts.faults[fault]++;
      const text = `connection of a learner closed: ${reason}`;
      this.lines.say(fault, 'warn', text, { remote: link.remote });
    }
    if (this.isOver) return;
    this.leader.onDisconnect(link.id);
    this.checkBacking();
    this.parts.desk.wake();
  }

  /** Into the chunk; returns the length. */
  private fill(learner: Learner): number {
    const { chunk, chunkView, leader } = this;
    const { link, sender } = learner;
    if (sender !== null) return this.fillHistory(learner, sender);
    // A packet may be longer than what is written at a time.
    let end = leader.fillStream(link.id, chunk, chunkView, 0, CHUNK_BYTES);
    if (end === 0) end = leader.fillStream(link.id, chunk, chunkView, 0, chunk.length);
    if (end !== STREAM_BEHIND) return end;
    link.close('behind', 'it has fallen too far behind and is to be brought up again');
    return 0;
  }

  private fillHistory(learner: Learner, sender: HistorySender): number {
    const { chunk, chunkView } = this;
    const { link } = learner;
    try {
      let end = sender.fill(chunk, chunkView, 0, CHUNK_BYTES);
      if (end === 0 && !sender.isDone) end = sender.fill(chunk, chunkView, 0, chunk.length);
      if (end === STREAM_BEHIND) {
        link.close('behind', 'it took too long to be brought up');
        return 0;
      }
      if (sender.isDone) {
        sender.close();
        learner.sender = null;
        this.parts.log.info(`brought up a learner by ${sender.kind}`, { remote: link.remote });
        this.options.meter.onBroughtUp(sender.kind);
        this.leader.onSynced(link.id, sender.zxid);
      }
      return end;
    } catch (error) {
      if (!(error instanceof CorruptionFailure || error instanceof StorageFailure)) throw error;
      // Others are sent a whole tree from now on.
      this.sources.readsLog = false;
      link.close('history', error.message);
    }
    return 0;
  }

  // ---- time ----------------------------------------------------------------------------------------------

  private onHalfTick(): void {
    const { syncLimit } = this.options;
    for (const learner of [...this.learners.values()]) {
      learner.stuckTicks = learner.link.isStuck() ? learner.stuckTicks + 1 : 0;
      if (learner.stuckTicks > 2 * syncLimit) {
        learner.link.close('not reading', `it has taken nothing for ${syncLimit} ticks`);
      }
    }
    this.lines.flush();
    this.leader.onHalfTick();
    this.checkBacking();
    this.parts.desk.wake();
  }

  // ---- LeaderPort: to a learner --------------------------------------------------------------------------

  sendLeaderInfo(id: LinkId, zxid: Zxid, isOurs: boolean): void {
    const data = new Uint8Array(isOurs ? OUR_LEADER_INFO_BYTES : LEADER_INFO_BYTES);
    const write = isOurs ? writeOurLeaderInfo : writeLeaderInfo;
    write(new DataView(data.buffer), 0);
    this.send(id, PacketType.leaderInfo, zxid, data);
  }

  private pingAll(): void {
    for (const { phase, link } of this.leader.learners.values()) {
      if (phase === 'active') this.sendBare(link, PacketType.ping, this.parts.desk.lastZxid);
    }
    this.parts.desk.wake();
  }

  sendBare(id: LinkId, type: PacketType, zxid: Zxid): void {
    // Before UPTODATE nobody answers.
    const isInStep = this.leader.learners.get(id)?.phase === 'active';
    if (type === PacketType.ping && isInStep) this.turns.onPing(id);
    this.send(id, type, zxid, null);
  }

  sendNewLeader(id: LinkId, zxid: Zxid): void {
    this.send(id, PacketType.newLeader, zxid, this.membership.toldBytes);
  }

  synchronise(id: LinkId, peer: Zxid, plan: SyncPlan): void {
    const { history, proposals } = this.parts;
    const learner = this.learners.get(id);
    if (learner !== undefined) learner.sender = new HistorySender(history, proposals, peer, plan);
  }

  streamReady(): void {}

  close(id: LinkId, fault: LearnerFault, reason: string): void {
    this.learners.get(id)?.link.close(fault, reason);
  }

  private send(id: LinkId, type: PacketType, zxid: Zxid, data: Uint8Array | null): void {
    this.learners.get(id)?.link.send(type, zxid, data);
  }

  // ---- LeaderPort: to disk and replica -------------------------------------------------------------------

  saveEpoch(kind: EpochKind, epoch: number): void {
    const { desk, epochs } = this.parts;
    if (kind === 'current') {
      this.options.meter.onSynchronizing(this.nowMs());
      this.parts.log.debug('a quorum has promised', { epoch });
      this.membership.onEpoch(epoch);
    }
    desk.saveEpoch(kind === 'accepted' ? EpochFile.accepted : EpochFile.current, epoch, () => {
      epochs[kind] = epoch;
      if (!this.isOver) this.leader.onEpochSaved(kind);
    });
  }

  lead(zxid: Zxid): void {
    this.membership.onLead();
    this.parts.desk.lead(zxid, this.membership);
    this.parts.desk.serve(this.parts.servesClients);
    this.control.serving(this.parts.epochs.current);
    this.parts.log.info('leading', { epoch: this.parts.epochs.current });
  }

  decide(zxid: Zxid): void {
    this.parts.desk.decide(zxid);
  }

  onRequest(id: LinkId, packet: QuorumPacket): boolean {
    const taken = this.parts.desk.request(id, packet);
    if (taken === TakenRequest.ok) return true;
    const link = this.learners.get(id)?.link;
    if (taken === TakenRequest.malformed) link?.close('protocol', 'the ids of its REQUEST cannot be read');
    else link?.close('too many requests', 'it asks for more than can wait here');
    return true;
  }

  onRevalidate(id: LinkId, packet: QuorumPacket): void {
    const isValid = this.parts.desk.revalidate(id, packet);
    const { view, dataStart } = packet;
    const data = new Uint8Array(REVALIDATE_ANSWER_BYTES);
    const answer = new DataView(data.buffer);
    writeRevalidateAnswer(answer, 0, view.getInt32(dataStart), view.getInt32(dataStart + 4), isValid);
    this.send(id, PacketType.revalidate, NO_ZXID, data);
  }

  onTouches(id: LinkId, packet: QuorumPacket): void {
    this.parts.desk.touches(packet);
    // A longest list is followed by another one.
    if (packet.dataLength !== TOUCHES_MAX * TOUCH_BYTES) this.turns.onAnswer(id);
  }

  onLearnerGone(id: LinkId): void {
    this.parts.desk.forgetLearner(id);
  }

  activate(): void {
    this.membership.onActivated();
  }

  resign(reason: string, designated: Sid | null): void {
    this.leave(reason, designated);
  }

  private readonly nowMs = (): number => this.parts.platform.clock.monotonicMs();

  private leave(reason: string, designated: Sid | null = null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.leader.end();
    this.timer.cancel();
    this.lines.end();
    this.listener.close();
    for (const { link } of [...this.learners.values()]) link.close(null, reason);
    const { desk, epochs } = this.parts;
    desk.settle(() => {
      const standing = { zxid: desk.lastZxid, currentEpoch: epochs.current };
      this.control.over({ reason, standing, designated });
    });
  }
}

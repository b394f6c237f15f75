/**
 * A leader, from its election to the end of its leadership; pure. It takes its learners' packets, tells each what comes next, and
 * counts votes; whatever takes time is only ordered, and answered by an `on…` call. One instance per leadership; core thread.
 *
 *     gathering ──a quorum has said its epoch──▶ promising ──accepted epoch saved, LEADERINFO to all──▶ electing
 *                                                                                        │ a quorum has answered
 *                                                                                        ▼
 *     leading ◀──a quorum has acknowledged NEWLEADER── synchronising ◀──current epoch saved── saving
 *
 * The order that keeps history (zab.md 3): no epoch is given out before it is saved here; nobody whose history is newer is
 * accepted; nothing is committed before a quorum has the whole earlier history on its disks and says so of this epoch.
 *
 * Nothing of the new epoch is sent before UPTODATE, so no learner's fault with early proposals is met.
 */
import { assert } from '../../base/assert.ts';
import { epochOf, makeZxid, type Zxid, ZxidCell, zxidHex } from '../../base/zxid.ts';
import { PacketType, packetTypeName } from '../../wire/quorum/packet-types.ts';
import { LearnerInfo } from '../../wire/quorum/payloads.ts';
import type { QuorumPacket } from '../../wire/quorum/quorum-packet.ts';
import type { Sid } from '../quorum/member.ts';
import { Electors } from './electors.ts';
import { greetingRefusal, historyRefusal } from './greeting.ts';
import type { LeaderOptions, LeaderPort, LearnerFault } from './leader-port.ts';
import type { EpochKind } from './learner.ts';
import { dataBytesMin, type LearnerRecord, type LinkId } from './learner-record.ts';
import { LearnerStream } from './learner-stream.ts';
import { LearnerTable } from './learner-table.ts';
import type { ProposalLog } from './proposal-log.ts';
import { planSync } from './sync-plan.ts';

/** A voter that promised up to so much more cannot join: another election, once. Beyond, it is a broken file. */
const EPOCHS_AHEAD_MAX = 1000;
type State = 'gathering' | 'promising' | 'electing' | 'saving' | 'synchronising' | 'leading' | 'resigned';

export class Leader {
  private readonly port: LeaderPort;
  private readonly options: LeaderOptions;
  private readonly log: ProposalLog;
  readonly learners = new LearnerTable();
  private readonly info = new LearnerInfo();
  readonly electors: Electors;
  private state: State = 'gathering';
  /** To be proposed, then in force. */
  private epoch: number;
  /** Voters that have said their epoch, answered LEADERINFO, acknowledged NEWLEADER; this server among them. */
  private readonly informed = new Set<Sid>();
  private readonly answered = new Set<Sid>();
  private readonly acknowledged = new Set<Sid>();
  private tick = 0;
  private isHalfTick = false;
  private readonly decided: ZxidCell;
  private readonly proposed: ZxidCell;

  /** `log` reaches as far back as it does; its end is `options.lastZxid`. */
  constructor(options: LeaderOptions, log: ProposalLog, port: LeaderPort) {
    this.options = options;
    this.port = port;
    this.log = log;
    this.electors = new Electors(options.sid, options.committed, options.lastSeen, log);
    this.epoch = options.acceptedEpoch + 1;
    this.decided = new ZxidCell(options.lastZxid);
    this.proposed = new ZxidCell(options.lastZxid);
  }

  /** Elected, and listening. */
  start(): void {
    this.informed.add(this.options.sid);
    this.checkGathered();
  }

  /** This server has another plan. */
  end(): void {
    this.state = 'resigned';
  }

  // ---- connections ---------------------------------------------------------------------------------------

  onConnect(link: LinkId): void {
    this.learners.add(link, this.tick + this.options.initLimit);
  }

  onDisconnect(link: LinkId): void {
    const learner = this.learners.get(link);
    if (learner === undefined) return;
    // Who has left may be another leader's by now.
    if (learner.phase === 'acknowledged') this.acknowledged.delete(learner.sid);
    learner.phase = 'gone';
    this.learners.remove(link);
    if (learner.stream !== null) this.port.onLearnerGone(link);
    if (this.electors.hasSuccessor && this.learners.followers().size === 0)
      this.resign(...this.electors.farewell);
  }

  /** False: not now; the stream of this connection stops there until the log has room again. */
  onPacket(link: LinkId, packet: QuorumPacket): boolean {
    const learner = this.learners.get(link);
    if (learner === undefined || this.state === 'resigned') return true;
    if (learner.phase === 'active') learner.expectBy(this.tick + this.options.syncLimit);
    switch (learner.phase) {
      case 'greeting':
        this.onInfo(learner, packet);
        return true;
      case 'asked':
        this.onAckEpoch(learner, packet);
        return true;
      case 'told':
      case 'acknowledged':
      case 'active':
        return this.onLive(learner, packet);
      default:
        this.close(learner, 'protocol', `it sends ${packetTypeName(packet.type)} while nothing was asked`);
        return true;
    }
  }

  // ---- answers -------------------------------------------------------------------------------------------

  onEpochSaved(kind: EpochKind): void {
    if (this.state === 'promising' && kind === 'accepted') {
      this.state = 'electing';
      for (const learner of this.learners.values()) if (learner.phase === 'informed') this.ask(learner);
      this.answered.add(this.options.sid);
      this.checkAnswered();
    } else if (this.state === 'saving' && kind === 'current') {
      this.state = 'synchronising';
      this.acknowledged.add(this.options.sid);
      this.electors.acks.onAck(this.options.sid, this.proposed.value);
      for (const learner of this.learners.values())
        if (learner.phase === 'answered') this.synchronise(learner);
      this.checkAcknowledged();
    }
  }

  /** The learner has been sent everything up to `zxid`, all of it committed. */
  onSynced(link: LinkId, zxid: Zxid): void {
    const learner = this.learners.get(link);
    if (learner?.phase !== 'syncing') return;
    learner.syncedZxid = zxid;
    learner.phase = 'told';
    learner.expectBy(this.tick + this.options.initLimit);
    this.port.sendNewLeader(link, makeZxid(this.epoch, 0));
  }

  // ---- proposals -----------------------------------------------------------------------------------------

  /** The replica has proposed: `source[start, end)` is the transaction. */
  onProposed(zxid: Zxid, source: Uint8Array, start: number, end: number): void {
    assert(this.state === 'leading' && epochOf(zxid) === this.epoch, 'only a leader proposes, in its epoch');
    this.proposed.value = zxid;
    this.log.append(zxid, source, start, end);
  }

  /** This server's log has everything up to `zxid`. */
  onDurable(zxid: Zxid): void {
    if (this.state !== 'leading') return;
    this.electors.acks.onAck(this.options.sid, zxid);
  }

  /** End of the turn: what has come together is decided, and streams are told that there is more. */
  endTurn(): void {
    if (this.state !== 'leading') return;
    this.decideReached();
    if (this.electors.isReached(this.decided.value)) {
      this.electors.activate(this.learners.followers());
      this.port.activate();
      this.decideReached();
    }
    for (const { stream, link } of this.learners.values()) {
      if (stream?.hasMore(this.proposed.value, this.decided.value) === true) this.port.streamReady(link);
    }
  }

  private decideReached(): void {
    const decided = this.electors.decided(this.proposed.value);
    if (decided <= this.decided.value) return;
    this.decided.value = decided;
    this.port.decide(decided);
  }

  /** Writes what a learner is to be sent next; see LearnerStream.fill. */
  fillStream(link: LinkId, bytes: Uint8Array, view: DataView, at: number, end: number): number {
    const stream = this.learners.get(link)?.stream ?? null;
    return stream === null ? at : stream.fill(bytes, view, at, end, this.proposed.value, this.decided.value);
  }

  // ---- time ----------------------------------------------------------------------------------------------

  /** Twice a tick: PINGs; once: who is still in step. */
  onHalfTick(): void {
    if (this.state === 'resigned') return;
    for (const { phase, link } of this.learners.values()) {
      if (phase === 'told' || phase === 'acknowledged' || phase === 'active') {
        this.port.sendBare(link, PacketType.ping, this.proposed.value);
      }
    }
    this.isHalfTick = !this.isHalfTick;
    if (!this.isHalfTick) this.onTick();
    if (this.electors.hasSuccessor && this.electors.wasKnownBefore()) this.resign(...this.electors.farewell);
  }

  private onTick(): void {
    this.tick++;
    const { syncLimit } = this.options;
    for (const learner of [...this.learners.values()]) {
      const reason = learner.lateness(this.electors.acks.ackedBy(learner.sid), this.tick, syncLimit);
      if (reason === null) continue;
      this.close(learner, learner.phase === 'greeting' ? 'silent' : 'late', reason);
    }
    if (this.state !== 'leading') {
      if (this.tick > this.options.initLimit) this.resign(`no quorum within ${this.options.initLimit} ticks`);
      return;
    }
    const { electors } = this;
    if (!electors.hasSuccessor && !electors.contain(this.inStep()))
      this.resign('a quorum is no longer in step');
  }

  // ---- discovery -----------------------------------------------------------------------------------------

  private onInfo(learner: LearnerRecord, packet: QuorumPacket): void {
    const { info, options, electors } = this;
    const refusal = greetingRefusal(packet, info, options.sid, electors.committed.version);
    if (refusal !== null) {
      this.close(learner, refusal.fault, refusal.reason);
      return;
    }
    const promised = epochOf(packet.zxid);
    this.learners.name(learner, info, packet.type === PacketType.observerInfo);
    for (const other of this.learners.olderOf(learner))
      this.close(other, 'replaced', `server ${learner.sid} has connected again`);
    learner.phase = 'informed';
    const crowd = electors.isMember(learner.sid) ? null : this.learners.crowdOfStrangers(electors);
    if (crowd !== null) {
      this.close(learner, 'stranger', crowd);
      return;
    }
    if (this.state !== 'gathering') {
      const ahead = promised - this.epoch;
      if (ahead > 0 && ahead <= EPOCHS_AHEAD_MAX && electors.count(learner)) {
        this.resign(
          `server ${learner.sid} has promised epoch ${promised} and cannot join epoch ${this.epoch}`,
        );
      } else if (this.state !== 'promising') this.ask(learner);
      return;
    }
    this.epoch = Math.max(this.epoch, promised + 1);
    if (this.electors.count(learner)) this.informed.add(learner.sid);
    this.checkGathered();
  }

  private checkGathered(): void {
    if (this.state !== 'gathering' || !this.electors.discover(this.informed)) return;
    this.state = 'promising';
    this.port.saveEpoch('accepted', this.epoch);
  }

  private ask(learner: LearnerRecord): void {
    learner.phase = 'asked';
    this.port.sendLeaderInfo(learner.link, makeZxid(this.epoch, 0), learner.isOurs);
  }

  private onAckEpoch(learner: LearnerRecord, packet: QuorumPacket): void {
    if (packet.type !== PacketType.ackEpoch || packet.dataLength < 4) {
      this.close(learner, 'protocol', `it sends ${packetTypeName(packet.type)} where ACKEPOCH belongs`);
      return;
    }
    const epoch = packet.view.getInt32(packet.dataStart);
    learner.lastZxid = packet.zxid;
    this.electors.acks.onReturn(learner.sid);
    learner.phase = 'answered';
    if (this.state === 'electing' && epoch !== -1) {
      const refusal = historyRefusal(epoch, packet.zxid, this.options);
      if (refusal !== null) {
        this.close(learner, refusal.fault, refusal.reason);
        return;
      }
      if (this.electors.count(learner)) this.answered.add(learner.sid);
      this.checkAnswered();
    }
    if (this.state === 'synchronising' || this.state === 'leading') this.synchronise(learner);
  }

  private checkAnswered(): void {
    if (this.state !== 'electing' || !this.electors.discover(this.answered)) return;
    this.state = 'saving';
    this.port.saveEpoch('current', this.epoch);
  }

  // ---- synchronisation -----------------------------------------------------------------------------------

  private synchronise(learner: LearnerRecord): void {
    learner.phase = 'syncing';
    const rules = learner.syncRules(this.options.rules);
    const plan = planSync(learner.lastZxid, this.committedTransaction, this.log, rules);
    this.port.synchronise(learner.link, learner.lastZxid, plan);
  }

  /** The beginning of the epoch is decided too, and is no transaction. */
  private get committedTransaction(): Zxid {
    const decided = this.decided.value;
    return decided === makeZxid(this.epoch, 0) ? this.options.lastZxid : decided;
  }

  private checkAcknowledged(): void {
    if (this.state !== 'synchronising' || !this.electors.contain(this.acknowledged)) return;
    this.state = 'leading';
    const zxid = makeZxid(this.epoch, 0);
    this.decided.value = zxid;
    this.proposed.value = zxid;
    this.electors.establish(zxid);
    this.port.lead(zxid);
    for (const learner of this.learners.values())
      if (learner.phase === 'acknowledged') this.activate(learner);
  }

  private onNewLeaderAck(learner: LearnerRecord): void {
    learner.phase = 'acknowledged';
    this.electors.acks.onAck(learner.sid, Math.max(learner.syncedZxid, makeZxid(this.epoch, 0)));
    if (this.state === 'leading') this.activate(learner);
    else if (!learner.isObserver) this.acknowledged.add(learner.sid);
    this.checkAcknowledged();
  }

  private activate(learner: LearnerRecord): void {
    const { initLimit, syncLimit } = this.options;
    this.port.sendBare(learner.link, PacketType.upToDate, -1);
    const from = Math.max(learner.syncedZxid, makeZxid(this.epoch, 0));
    const { isObserver, isOurs } = learner;
    learner.activate(
      new LearnerStream(this.log, from, isObserver, isOurs, this.electors.activations),
      this.tick,
    );
    learner.expectBy(this.tick + initLimit + syncLimit);
  }

  // ---- broadcast -----------------------------------------------------------------------------------------

  private onLive(learner: LearnerRecord, packet: QuorumPacket): boolean {
    const { port } = this;
    const { link } = learner;
    if (packet.dataLength < dataBytesMin(packet.type)) {
      this.close(learner, 'protocol', `its ${packetTypeName(packet.type)} is too short`);
      return true;
    }
    switch (packet.type) {
      case PacketType.ack:
        this.onAck(learner, packet.zxid);
        return true;
      case PacketType.ping:
        port.onTouches(link, packet);
        return true;
      case PacketType.revalidate:
        port.onRevalidate(link, packet);
        return true;
      case PacketType.request:
        // Its server does not run before UPTODATE.
        return learner.stream === null || port.onRequest(link, packet);
      default:
        return true;
    }
  }

  private onAck(learner: LearnerRecord, zxid: Zxid): void {
    if (zxid === makeZxid(this.epoch, 0)) {
      if (learner.phase === 'told') this.onNewLeaderAck(learner);
      return;
    }
    if (zxid > this.proposed.value) {
      this.close(learner, 'protocol', `it acknowledges 0x${zxidHex(zxid)}, which was never proposed`);
      return;
    }
    // Those of the synchronisation may come before that of NEWLEADER and say nothing that is not known.
    if (learner.stream !== null && !learner.isObserver) this.electors.acks.onAck(learner.sid, zxid);
  }

  /** A client of the learner has asked for a `sync`: it is answered behind everything proposed so far. */
  onSyncRequest(link: LinkId): void {
    this.learners.get(link)?.stream?.sync(this.proposed.value);
  }

  // ---- ends ----------------------------------------------------------------------------------------------

  /** Followers in step, and this server. */
  inStep(): Set<Sid> {
    return this.learners.followers().add(this.options.sid);
  }

  private close(learner: LearnerRecord, fault: LearnerFault, reason: string): void {
    this.onDisconnect(learner.link);
    this.port.close(learner.link, fault, reason);
  }

  private resign(reason: string, designated: Sid | null = null): void {
    this.state = 'resigned';
    this.port.resign(reason, designated);
  }
}

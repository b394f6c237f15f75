/**
 * A follower or an observer, from its first packet to the end of its connection; pure. It takes its master's packets in their
 * order and says what is to be done; each order is only enqueued, and what takes time is answered by an `on…` call. One instance
 * per connection; core thread.
 *
 *     joining ──LEADERINFO──▶ promising ──epoch saved, ACKEPOCH──▶ choosing
 *                                  (or at once: it was promised before)   │ DIFF            SNAP            TRUNC
 *                                                                         │              loading         cutting
 *                                                                         ▼                 │               │
 *                                                                     catchingUp ◀──────────┴───────────────┘
 *                                                                         │ NEWLEADER
 *                                                                         ▼
 *                              following ◀──UPTODATE, ACK── waiting ◀── persisting ──▶ savingEpoch, ACK
 *
 * The order of what is durable, which keeps history (zab.md 3): the accepted epoch before ACKEPOCH; all transactions of the
 * synchronisation, or the snapshot that replaces them, before the current epoch; that before ACK(NEWLEADER). A crash in
 * between leaves transactions of an epoch that `currentEpoch` does not know yet: such a member votes with the older epoch, which is
 * safe, for a quorum has neither. Each proposal is durable before its ACK, and ACKs go in the order of zxids.
 *
 * Whatever the master does against these rules ends the connection with a reason, never the process.
 */
import { assert } from '../../base/assert.ts';
import { EPOCH_MAX, epochOf, makeZxid, type Zxid, ZxidCell, zxidHex } from '../../base/zxid.ts';
import { PacketType, packetTypeName } from '../../wire/quorum/packet-types.ts';
import { isOurLeader } from '../../wire/quorum/payloads.ts';
import type { QuorumPacket } from '../../wire/quorum/quorum-packet.ts';
import { ZxidFifo } from './zxid-fifo.ts';

export type EpochKind = 'accepted' | 'current';

/** What a learner has others do. Nothing here waits. */
export interface LearnerPort {
  // ---- to the master
  /** FOLLOWERINFO or OBSERVERINFO with this server's LearnerInfo. */
  sendInfo(type: PacketType, zxid: Zxid): void;
  /** `currentEpoch` -1: the new epoch had been promised before. */
  sendAckEpoch(lastZxid: Zxid, currentEpoch: number): void;
  sendAck(zxid: Zxid): void;
  /** Answers a PING with the sessions heard of since the last. */
  sendTouches(zxid: Zxid): void;

  // ---- to the disk
  /** Answered by `onEpochSaved` once it, and everything logged before it, is on the disk. */
  saveEpoch(kind: EpochKind, epoch: number): void;
  /** Cuts log and tree behind `zxid`; answered by `onTruncated`. */
  truncate(zxid: Zxid): void;
  /** Everything that was proposed, and after SNAP or TRUNC the tree itself, is to become durable; answered by `onPersisted`. */
  persist(withSnapshot: boolean): void;

  // ---- to the replica
  /** Bytes of a tree as of `zxid` follow, by `onRaw` of whoever reads the stream; answered by `onLoaded`. */
  beginSnapshot(zxid: Zxid): void;
  /** Stages and logs a transaction; `onDurable` tells when it is on the disk. False: no room, ask again later. */
  propose(zxid: Zxid, bytes: Uint8Array, view: DataView, start: number, end: number): boolean;
  /** All proposals up to `zxid` are decided. */
  commit(zxid: Zxid): void;
  /** The configuration that the proposal of `zxid` holds is in force; sid -1: no leader is designated. */
  activate(zxid: Zxid, designated: number): void;
  /** The leader's last-seen configuration as text, in force from `serve` on. */
  onConfig(bytes: Uint8Array, start: number, end: number): void;
  /** The oldest `sync` that waits here may be answered. */
  onSynced(): void;
  onRevalidated(sessionHigh: number, sessionLow: number, isValid: boolean): void;
  /** In step with the leader of `epoch`: clients may be served. */
  serve(epoch: number): void;
  /** The end of this connection. Nothing follows. */
  leave(reason: string): void;
}

export interface LearnerOptions {
  readonly isObserver: boolean;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  /** The last zxid that is logged here. */
  readonly lastZxid: Zxid;
}

type State =
  | 'joining'
  | 'promising'
  | 'choosing'
  | 'loading'
  | 'cutting'
  | 'catchingUp'
  | 'persisting'
  | 'savingEpoch'
  | 'waiting'
  | 'following'
  | 'left';

export class Learner {
  private readonly port: LearnerPort;
  private readonly options: LearnerOptions;
  private state: State = 'joining';
  /** Of LEADERINFO; -1 before. */
  private epoch = -1;
  private isReplaced = false;
  /** The leader is one of ours: an ACK and a COMMIT stand for all up to their zxid. */
  private isCumulative = false;
  /** Proposed and not committed. */
  private readonly pending = new ZxidFifo();
  /** Proposed and not acknowledged. */
  private readonly unacknowledged = new ZxidFifo();
  private readonly proposed: ZxidCell;
  private readonly durable: ZxidCell;

  constructor(options: LearnerOptions, port: LearnerPort) {
    this.options = options;
    this.port = port;
    this.proposed = new ZxidCell(options.lastZxid);
    this.durable = new ZxidCell(options.lastZxid);
  }

  get isFollowing(): boolean {
    return this.state === 'following';
  }

  /** Connected. */
  start(): void {
    const { isObserver, acceptedEpoch } = this.options;
    this.port.sendInfo(
      isObserver ? PacketType.observerInfo : PacketType.followerInfo,
      makeZxid(acceptedEpoch, 0),
    );
  }

  /** The connection has ended, or this server has another plan. */
  end(): void {
    this.state = 'left';
  }

  /** False: not now. The stream stops there, and is to go on after the next `on…` call. */
  onPacket(packet: QuorumPacket): boolean {
    switch (this.state) {
      case 'joining':
        this.onLeaderInfo(packet);
        return true;
      case 'choosing':
        this.onPlan(packet);
        return true;
      case 'catchingUp':
        return packet.type === PacketType.newLeader ? this.onNewLeader(packet) : this.onTransaction(packet);
      case 'waiting':
        return packet.type === PacketType.upToDate ? this.onUpToDate() : this.onTransaction(packet);
      case 'following':
        return this.onLive(packet);
      case 'left':
        return true;
      default:
        return false;
    }
  }

  // ---- answers -------------------------------------------------------------------------------------------

  onEpochSaved(kind: EpochKind): void {
    if (this.state === 'promising' && kind === 'accepted') {
      this.state = 'choosing';
      this.port.sendAckEpoch(this.options.lastZxid, this.options.currentEpoch);
    } else if (this.state === 'savingEpoch' && kind === 'current') {
      this.state = 'waiting';
      this.port.sendAck(makeZxid(this.epoch, 0));
      this.acknowledge();
    }
  }

  /** The whole tree of SNAP has arrived; it is as of `zxid`. */
  onLoaded(zxid: Zxid): void {
    if (this.state === 'loading') this.beginAnew(zxid);
  }

  onTruncated(zxid: Zxid): void {
    if (this.state === 'cutting') this.beginAnew(zxid);
  }

  onPersisted(): void {
    if (this.state !== 'persisting') return;
    this.state = 'savingEpoch';
    this.port.saveEpoch('current', this.epoch);
  }

  /** Everything up to `zxid` is in the log. */
  onDurable(zxid: Zxid): void {
    if (zxid > this.durable.value) this.durable.value = zxid;
    if (this.state === 'waiting' || this.state === 'following') this.acknowledge();
  }

  private beginAnew(zxid: Zxid): void {
    this.isReplaced = true;
    this.proposed.value = zxid;
    this.durable.value = zxid;
    this.state = 'catchingUp';
  }

  // ---- discovery -----------------------------------------------------------------------------------------

  private onLeaderInfo(packet: QuorumPacket): void {
    if (packet.type !== PacketType.leaderInfo) {
      this.leave(`it begins with ${packetTypeName(packet.type)} instead of LEADERINFO`);
      return;
    }
    const { acceptedEpoch, isObserver } = this.options;
    this.isCumulative = isOurLeader(packet.view, packet.dataStart, packet.dataEnd);
    this.epoch = epochOf(packet.zxid);
    if (this.epoch < 0 || this.epoch > EPOCH_MAX) {
      this.leave(`it says to lead epoch ${this.epoch}`);
      return;
    }
    // Nobody counts an observer's promise.
    if (this.epoch < acceptedEpoch && !isObserver) {
      this.leave(`it leads epoch ${this.epoch}, and this server has promised epoch ${acceptedEpoch}`);
    } else if (this.epoch > acceptedEpoch) {
      this.state = 'promising';
      this.port.saveEpoch('accepted', this.epoch);
    } else {
      // Promised before: what this server says of its history must not be counted twice.
      this.state = 'choosing';
      this.port.sendAckEpoch(this.options.lastZxid, -1);
    }
  }

  private onPlan(packet: QuorumPacket): void {
    switch (packet.type) {
      case PacketType.diff:
        this.state = 'catchingUp';
        return;
      case PacketType.snap:
        this.state = 'loading';
        this.port.beginSnapshot(packet.zxid);
        return;
      case PacketType.trunc:
        this.state = 'cutting';
        this.port.truncate(packet.zxid);
        return;
      default:
        this.leave(`it sends ${packetTypeName(packet.type)} where DIFF, SNAP or TRUNC belongs`);
    }
  }

  // ---- synchronisation and broadcast ---------------------------------------------------------------------

  private onNewLeader(packet: QuorumPacket): boolean {
    if (packet.zxid !== makeZxid(this.epoch, 0)) {
      this.leave(`its NEWLEADER is of 0x${zxidHex(packet.zxid)}, and it leads epoch ${this.epoch}`);
      return true;
    }
    // One byte and none are an empty text of older leaders.
    if (packet.dataLength > 1) this.port.onConfig(packet.bytes, packet.dataStart, packet.dataEnd);
    // What is committed is a quorum's already and needs no vote of this server.
    this.skipCommitted();
    this.state = 'persisting';
    this.port.persist(this.isReplaced);
    return true;
  }

  private onUpToDate(): boolean {
    this.state = 'following';
    this.port.sendAck(makeZxid(this.epoch, 0));
    this.port.serve(this.epoch);
    return true;
  }

  private onLive(packet: QuorumPacket): boolean {
    const { port } = this;
    switch (packet.type) {
      case PacketType.ping:
        port.sendTouches(packet.zxid);
        return true;
      case PacketType.sync:
        port.onSynced();
        return true;
      case PacketType.revalidate: {
        const { view, dataStart, dataLength } = packet;
        if (dataLength < 9) this.leave('its REVALIDATE is too short');
        else {
          const isValid = view.getUint8(dataStart + 8) !== 0;
          port.onRevalidated(view.getInt32(dataStart), view.getInt32(dataStart + 4), isValid);
        }
        return true;
      }
      default:
        return this.onTransaction(packet);
    }
  }

  /** What has nothing to say here is passed over, as Apache's learners do. */
  private onTransaction(packet: QuorumPacket): boolean {
    switch (packet.type) {
      case PacketType.proposal:
        return this.onProposal(packet, packet.dataStart);
      case PacketType.commit:
        this.onCommit(packet.zxid);
        return true;
      case PacketType.commitAndActivate:
        if (packet.dataLength < 8) this.leave('its COMMITANDACTIVATE names no leader');
        else if (this.onCommit(packet.zxid)) this.activate(packet);
        return true;
      case PacketType.inform:
        if (!this.onProposal(packet, packet.dataStart)) return false;
        this.onCommit(packet.zxid);
        return true;
      case PacketType.informAndActivate:
        if (packet.dataLength < 8) this.leave('its INFORMANDACTIVATE names no leader');
        else if (!this.onProposal(packet, packet.dataStart + 8)) return false;
        else if (this.onCommit(packet.zxid)) this.activate(packet);
        return true;
      default:
        return true;
    }
  }

  private onProposal(packet: QuorumPacket, start: number): boolean {
    const { zxid } = packet;
    if (!(zxid > this.proposed.value) || epochOf(zxid) > this.epoch) {
      this.leave(
        `it proposes 0x${zxidHex(zxid)} behind 0x${zxidHex(this.proposed.value)} in epoch ${this.epoch}`,
      );
      return true;
    }
    if (!this.port.propose(zxid, packet.bytes, packet.view, start, packet.dataEnd)) return false;
    this.proposed.value = zxid;
    this.pending.push(zxid);
    if (!this.options.isObserver) this.unacknowledged.push(zxid);
    return true;
  }

  /** True: it was the next, and is decided. */
  private onCommit(zxid: Zxid): boolean {
    const { pending } = this;
    // Apache's leaders may repeat a commit that the synchronisation has brought.
    if (pending.length === 0 && zxid <= this.proposed.value) return false;
    if (this.isCumulative) while (pending.length > 0 && pending.first < zxid) pending.shift();
    if (pending.length === 0 || pending.first !== zxid) {
      const next = pending.length === 0 ? 'nothing' : `0x${zxidHex(pending.first)}`;
      this.leave(`it commits 0x${zxidHex(zxid)} where ${next} is next`);
      return false;
    }
    pending.shift();
    this.port.commit(zxid);
    return true;
  }

  private activate(packet: QuorumPacket): void {
    const { view, dataStart, zxid } = packet;
    const designated = view.getInt32(dataStart) * 2 ** 32 + view.getUint32(dataStart + 4);
    this.port.activate(zxid, designated);
  }

  private skipCommitted(): void {
    const { unacknowledged, pending } = this;
    while (unacknowledged.length > pending.length) unacknowledged.shift();
  }

  /** Each, in order; to a leader of ours the last stands for all. */
  private acknowledge(): void {
    const { unacknowledged } = this;
    while (unacknowledged.length > 0 && unacknowledged.first <= this.durable.value) {
      const zxid = unacknowledged.shift();
      const isLast = unacknowledged.length === 0 || unacknowledged.first > this.durable.value;
      if (isLast || !this.isCumulative) this.port.sendAck(zxid);
    }
  }

  private leave(reason: string): void {
    assert(this.state !== 'left', 'a connection ends once');
    this.state = 'left';
    this.port.leave(reason);
  }
}

/** A member while it learns: the real `Learner` over the simulated disk and its link to a leader. */
import { type Zxid, zxidHex } from '../../../src/base/zxid.ts';
import { type EpochKind, Learner, type LearnerPort } from '../../../src/core/zab/learner.ts';
import { PacketSplitter, PacketStatus } from '../../../src/wire/quorum/packet-splitter.ts';
import { PacketType } from '../../../src/wire/quorum/packet-types.ts';
import {
  LEARNER_INFO_BYTES,
  OUR_INFO_BYTES,
  writeLearnerInfo,
  writeOurInfo,
} from '../../../src/wire/quorum/payloads.ts';
import { viewOf } from '../../wire/bytes.ts';
import { packetBytes } from '../../wire/quorum/packets.ts';
import type { Link } from './link.ts';
import type { Server } from './surroundings.ts';
import { TreeReader, txnAt } from './txn-bytes.ts';

export class Learning implements LearnerPort {
  readonly learner: Learner;
  private readonly member: Server;
  private readonly link: Link;
  private readonly splitter: PacketSplitter;
  private tree = new TreeReader();
  private treeZxid = 0;
  /** Loaded, and not on the disk before `persist`. */
  private isTreeNew = false;
  private heardMs: number;
  isOver = false;

  constructor(member: Server, link: Link) {
    this.member = member;
    this.link = link;
    this.heardMs = member.cluster.world.nowMs;
    const { acceptedEpoch, currentEpoch, lastZxid } = member.disk;
    this.learner = new Learner(
      {
        isObserver: member.isObserver && member.variant !== 'observerVotes',
        acceptedEpoch,
        currentEpoch,
        lastZxid,
      },
      this,
    );
    this.splitter = new PacketSplitter(1 << 16, {
      onPacket: (packet) => this.isOver || this.learner.onPacket(packet),
      onRaw: (bytes, _view, start, end) => this.onRaw(bytes, start, end),
    });
    link.attach(0, {
      onBytes: (bytes) => {
        if (this.isOver) return;
        this.heardMs = member.cluster.world.nowMs;
        if (this.splitter.push(bytes) === PacketStatus.malformed) this.leave('malformed');
      },
      onClosed: () => {
        if (!this.isOver) this.leave('the connection has ended');
      },
    });
    this.learner.start();
  }

  /** The silence that a follower bears. */
  onHalfTick(): void {
    const limitMs = (this.learner.isFollowing ? 5 : 10) * this.member.cluster.tickMs;
    if (this.member.cluster.world.nowMs - this.heardMs > limitMs) this.leave('nothing heard');
  }

  end(): void {
    this.isOver = true;
    this.learner.end();
    this.link.close(0);
  }

  /** An answer may have made room. */
  private answered(answer: () => void): void {
    if (this.isOver) return;
    answer();
    if (this.splitter.resume() === PacketStatus.malformed) this.leave('malformed');
  }

  private onRaw(bytes: Uint8Array, start: number, end: number): number {
    const taken = this.tree.take(bytes, start, end);
    if (this.tree.txns === null) return taken;
    this.splitter.endRaw();
    this.isTreeNew = true;
    this.member.loaded = this.tree.txns;
    this.member.after(0, 20, () => this.answered(() => this.learner.onLoaded(this.treeZxid)));
    return taken;
  }

  // ---- LearnerPort
  sendInfo(type: PacketType, zxid: Zxid): void {
    const { isOurs } = this.member.cluster;
    const data = new Uint8Array(isOurs ? OUR_INFO_BYTES : LEARNER_INFO_BYTES);
    (isOurs ? writeOurInfo : writeLearnerInfo)(viewOf(data), 0, this.member.sid, 0);
    this.link.send(0, packetBytes(type, zxid, data));
  }

  sendAckEpoch(lastZxid: Zxid, currentEpoch: number): void {
    const data = new Uint8Array(4);
    viewOf(data).setInt32(0, currentEpoch);
    this.link.send(0, packetBytes(PacketType.ackEpoch, lastZxid, data));
  }

  sendAck(zxid: Zxid): void {
    this.link.send(0, packetBytes(PacketType.ack, zxid));
  }

  sendTouches(zxid: Zxid): void {
    this.link.send(0, packetBytes(PacketType.ping, zxid, new Uint8Array(0)));
  }

  saveEpoch(kind: EpochKind, epoch: number): void {
    const { variant } = this.member;
    const isEarly =
      (kind === 'current' && variant === 'epochAfterAck') ||
      (kind === 'accepted' && variant === 'promiseNotSaved');
    this.member.saveEpoch(kind, epoch, () => {
      if (!isEarly) this.answered(() => this.learner.onEpochSaved(kind));
    });
    if (isEarly) this.member.after(0, 0, () => this.answered(() => this.learner.onEpochSaved(kind)));
  }

  truncate(zxid: Zxid): void {
    this.member.after(0, 20, () => {
      if (this.isOver) return;
      const { disk, variant } = this.member;
      const next = disk.records.find((txn) => txn.zxid > zxid)?.zxid ?? zxid;
      disk.truncate(variant === 'truncOneTooFew' ? next : zxid);
      this.member.onDiskReplaced();
      this.answered(() => this.learner.onTruncated(zxid));
    });
  }

  persist(): void {
    const done = () => this.answered(() => this.learner.onPersisted());
    if (this.member.variant === 'syncNotDurable') {
      this.member.after(0, 1, done);
      if (this.isTreeNew) this.member.installLoaded(() => {});
    } else if (this.isTreeNew) this.member.installLoaded(() => !this.isOver && done());
    else this.member.synced(done);
    this.isTreeNew = false;
  }

  beginSnapshot(zxid: Zxid): void {
    this.tree = new TreeReader();
    this.treeZxid = zxid;
    this.splitter.beginRaw();
  }

  propose(zxid: Zxid, _bytes: Uint8Array, view: DataView, start: number): boolean {
    if (this.member.prng.chance(0.02)) {
      this.member.after(1, 5, () => this.answered(() => {}));
      return false;
    }
    const txn = txnAt(view, start);
    this.member.cluster.check(
      txn.zxid === zxid,
      () => `a proposal of 0x${zxidHex(zxid)} holds 0x${zxidHex(txn.zxid)}`,
    );
    this.member.log(txn, () => this.answered(() => this.learner.onDurable(zxid)));
    if (this.member.variant === 'ackBeforeSync')
      this.member.after(0, 0, () => this.answered(() => this.learner.onDurable(zxid)));
    return true;
  }

  commit(zxid: Zxid): void {
    this.member.onCommit(zxid);
  }

  activate(): void {}
  onConfig(): void {}
  onSynced(): void {}
  onRevalidated(): void {}

  serve(): void {
    this.member.serve();
  }

  leave(reason: string): void {
    this.member.trace(`leaves its leader: ${reason}`);
    this.member.look();
  }
}

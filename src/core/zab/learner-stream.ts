/**
 * What one learner is sent while it is in step: two positions in the proposal log, and what has to stand at a certain place between.
 * Nothing is queued per learner, so a slow one costs nothing and gates nobody; one that falls behind the log's window is told so.
 * Pure; core thread.
 *
 *     follower   PROPOSAL … PROPOSAL  COMMIT … COMMIT  SYNC  PROPOSAL …      proposals as far as they go, then what is decided
 *     observer   INFORM … INFORM  SYNC  INFORM …                              decided ones only
 *
 * To a learner of ours one COMMIT stands for all that was proposed up to it: it has asked for that (cumulative).
 *
 * A change of members that is in force has COMMITANDACTIVATE in place of its COMMIT, INFORMANDACTIVATE of its INFORM.
 *
 * A COMMIT follows its PROPOSAL; a SYNC follows the COMMITs of all that was proposed when it was asked for.
 */

import { writeInt64 } from '../../base/int64.ts';
import type { Zxid } from '../../base/zxid.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { PacketType } from '../../wire/quorum/packet-types.ts';
import {
  PACKET_BYTES_MIN,
  packetLength,
  writeBarePacket,
  writeNoAuth,
  writePacketHead,
} from '../../wire/quorum/quorum-packet.ts';
import type { Activations } from './activations.ts';
import type { ProposalLog, ProposalRange } from './proposal-log.ts';
import { ZxidFifo } from './zxid-fifo.ts';

const SENT = 0;
const COMMITTED = 1;

/** Of an activation: an int64 that names the leader. */
const DESIGNATED_BYTES = 8;
/** Behind each packet: a vector of ids that is none. */
const NO_AUTH_BYTES = 4;

/** Answers of `fill` that are no length. */
export const STREAM_BEHIND = -1;

export class LearnerStream {
  private readonly isObserver: boolean;
  private readonly isCumulative: boolean;
  private readonly log: ProposalLog;
  /** Null: members do not change. */
  private readonly activations: Activations | null;
  private readonly zxids = new Float64Array(2);
  /** Each stands behind the COMMIT of its zxid. */
  private readonly syncs = new ZxidFifo();
  private readonly range: ProposalRange = { start: 0, end: 0, lastZxid: new Float64Array(1) };

  /** The learner has, or has been sent, everything up to `zxid`, committed. */
  constructor(
    log: ProposalLog,
    zxid: Zxid,
    isObserver: boolean,
    isCumulative = false,
    activations: Activations | null = null,
  ) {
    this.log = log;
    this.activations = activations;
    this.isObserver = isObserver;
    this.isCumulative = isCumulative;
    this.zxids.fill(zxid);
  }

  /** The last proposal sent. */
  get sentZxid(): Zxid {
    return this.zxids[SENT]!;
  }

  /** Everything up to there has been sent, and told to be decided. */
  get confirmedZxid(): Zxid {
    return this.zxids[COMMITTED]!;
  }

  /** A SYNC is to follow the commit of everything up to `zxid`. */
  sync(zxid: Zxid): void {
    this.syncs.push(zxid);
  }

  hasMore(proposed: Zxid, decided: Zxid): boolean {
    const sendable = this.isObserver ? decided : proposed;
    return (
      this.zxids[SENT]! < sendable ||
      (!this.isObserver && this.zxids[COMMITTED]! < Math.min(decided, this.zxids[SENT]!)) ||
      (this.syncs.length > 0 && this.syncs.first <= this.confirmed(decided))
    );
  }

  /**
   * Writes what comes next into `bytes[at, end)` and returns the offset behind it; STREAM_BEHIND when the log no longer reaches
   * back to where this learner is. A packet that does not fit into what is left waits; one that can never fit is the
   * caller's to prevent: the room is at least one packet and a SYNC.
   */
  fill(bytes: Uint8Array, view: DataView, at: number, end: number, proposed: Zxid, decided: Zxid): number {
    const sendable = this.isObserver ? decided : proposed;
    for (;;) {
      const before = at;
      const oldest = this.zxids[COMMITTED]!;
      if (oldest < sendable && !this.log.reachesBackTo(oldest)) return STREAM_BEHIND;
      at = this.fillSyncs(view, at, end, decided);
      if (!this.isObserver) at = this.fillCommits(view, at, end, decided);
      if (this.zxids[SENT]! < sendable) at = this.fillProposals(bytes, view, at, end, sendable);
      if (at === before) return at;
    }
  }

  private fillProposals(bytes: Uint8Array, view: DataView, at: number, end: number, limit: Zxid): number {
    const { log, range } = this;
    const sent = this.zxids[SENT]!;
    const activation = this.isObserver ? this.activationBehind(sent) : Number.POSITIVE_INFINITY;
    if (activation <= limit && log.nextZxid(sent) === activation)
      return this.fillInformAndActivate(bytes, view, at, end, activation);
    log.rangeBehind(sent, Math.min(limit, activation - 1), end - at, range);
    const length = range.end - range.start;
    if (length === 0 || length > end - at) return at;
    copyBytes(log.bytes, range.start, length, bytes, at);
    this.zxids[SENT] = range.lastZxid[0]!;
    if (this.isObserver) {
      this.zxids[COMMITTED] = this.zxids[SENT]!;
      for (let packet = at; packet < at + length; packet += packetLength(view, packet, at + length, length)) {
        view.setInt32(packet, PacketType.inform);
      }
    }
    return at + length;
  }

  private fillCommits(view: DataView, at: number, end: number, decided: Zxid): number {
    const { zxids, log } = this;
    const limit = Math.min(decided, zxids[SENT]!);
    const activation = this.activationBehind(zxids[COMMITTED]!);
    while (zxids[COMMITTED]! < limit && end - at >= PACKET_BYTES_MIN) {
      const next = log.nextZxid(zxids[COMMITTED]!);
      if (next === activation && end - at < PACKET_BYTES_MIN + DESIGNATED_BYTES) return at;
      const plain = activation <= limit ? log.floorOf(activation - 1) : limit;
      const zxid = this.isCumulative && next < activation ? this.lastCommit(plain) : next;
      if (zxid === activation) at = this.writeActivation(view, at, activation);
      else at = writeBarePacket(view, at, PacketType.commit, zxid);
      zxids[COMMITTED] = zxid;
      // Whatever comes next counts on other members.
      if (zxid === activation) return at;
      // A SYNC may have its place here.
      if (this.syncs.length > 0 && this.syncs.first <= zxid) return at;
    }
    return at;
  }

  private activationBehind(zxid: Zxid): Zxid {
    return this.activations?.nextBehind(zxid) ?? Number.POSITIVE_INFINITY;
  }

  private writeActivation(view: DataView, at: number, zxid: Zxid): number {
    const data = writePacketHead(view, at, PacketType.commitAndActivate, zxid, DESIGNATED_BYTES);
    writeInt64(view, data, this.activations!.designatedBy(zxid));
    return writeNoAuth(view, data + DESIGNATED_BYTES);
  }

  /** The proposal's transaction, behind whom it names. */
  private fillInformAndActivate(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    end: number,
    zxid: Zxid,
  ): number {
    const { log, range, zxids } = this;
    log.rangeBehind(zxids[SENT]!, zxid, 0, range);
    const txnBytes = range.end - range.start - PACKET_BYTES_MIN;
    if (txnBytes + DESIGNATED_BYTES + PACKET_BYTES_MIN > end - at) return at;
    const length = DESIGNATED_BYTES + txnBytes;
    const data = writePacketHead(view, at, PacketType.informAndActivate, zxid, length);
    writeInt64(view, data, this.activations!.designatedBy(zxid));
    const txn = range.end - txnBytes - NO_AUTH_BYTES;
    copyBytes(log.bytes, txn, txnBytes, bytes, data + DESIGNATED_BYTES);
    zxids[SENT] = zxid;
    zxids[COMMITTED] = zxid;
    return writeNoAuth(view, data + length);
  }

  /** As far as one COMMIT may go: a SYNC may have its place before `limit`. */
  private lastCommit(limit: Zxid): Zxid {
    const sync = this.syncs.length > 0 ? this.syncs.first : limit;
    return sync > this.zxids[COMMITTED]! ? Math.min(sync, limit) : limit;
  }

  private fillSyncs(view: DataView, at: number, end: number, decided: Zxid): number {
    while (
      this.syncs.length > 0 &&
      this.syncs.first <= this.confirmed(decided) &&
      end - at >= PACKET_BYTES_MIN
    ) {
      this.syncs.shift();
      at = writeBarePacket(view, at, PacketType.sync, 0);
    }
    return at;
  }

  /** Everything up to there has been told to the learner as decided, or needs no telling. */
  private confirmed(decided: Zxid): Zxid {
    return Math.min(this.zxids[COMMITTED]!, decided);
  }
}

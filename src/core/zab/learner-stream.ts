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
 * A COMMIT follows its PROPOSAL; a SYNC follows the COMMITs of all that was proposed when it was asked for.
 */
import type { Zxid } from '../../base/zxid.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { PacketType } from '../../wire/quorum/packet-types.ts';
import { PACKET_BYTES_MIN, packetLength, writeBarePacket } from '../../wire/quorum/quorum-packet.ts';
import type { ProposalLog, ProposalRange } from './proposal-log.ts';
import { ZxidFifo } from './zxid-fifo.ts';

const SENT = 0;
const COMMITTED = 1;

/** Answers of `fill` that are no length. */
export const STREAM_BEHIND = -1;

export class LearnerStream {
  private readonly isObserver: boolean;
  private readonly isCumulative: boolean;
  private readonly log: ProposalLog;
  private readonly zxids = new Float64Array(2);
  /** Each stands behind the COMMIT of its zxid. */
  private readonly syncs = new ZxidFifo();
  private readonly range: ProposalRange = { start: 0, end: 0, lastZxid: new Float64Array(1) };

  /** The learner has, or has been sent, everything up to `zxid`, committed. */
  constructor(log: ProposalLog, zxid: Zxid, isObserver: boolean, isCumulative = false) {
    this.log = log;
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
    log.rangeBehind(this.zxids[SENT]!, limit, end - at, range);
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
    while (zxids[COMMITTED]! < limit && end - at >= PACKET_BYTES_MIN) {
      const zxid = this.isCumulative ? this.lastCommit(limit) : log.nextZxid(zxids[COMMITTED]!);
      at = writeBarePacket(view, at, PacketType.commit, zxid);
      zxids[COMMITTED] = zxid;
      // A SYNC may have its place here.
      if (this.syncs.length > 0 && this.syncs.first <= zxid) return at;
    }
    return at;
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

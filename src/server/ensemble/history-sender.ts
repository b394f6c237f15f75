/**
 * Brings one learner to the leader's history, in chunks as its socket takes them: what the plan says (core/zab/sync-plan.ts), then
 * whatever has been decided in the meantime, until it stands where the proposal log in memory goes on. Nothing is pinned
 * and nothing queued, so a learner that is slow, or one of many, costs an open file. Core thread; each chunk may read a piece of a file.
 *
 *     DIFF, TRUNC ──────────────────────────▶ ┌ from the log on the disk: PROPOSAL, COMMIT …  ┐
 *     SNAP, snapshot file, "BenWasHere" ─────▶ └ from the proposal log:   PROPOSAL …, COMMIT … ┘ ─▶ done
 *
 * A tree that is older than what the learner has is not sent: another snapshot is written first. The log on the disk counts from `historyFloor` on only: before it there may be a gap, where this server was once sent a tree. A
 * tree is the newest snapshot's; the log reaches from it to now, or this server could not start again.
 */
import { CorruptionFailure } from '../../base/failure.ts';
import { epochOf, type Zxid, ZxidCell, zxidHex } from '../../base/zxid.ts';
import { LearnerStream, STREAM_BEHIND } from '../../core/zab/learner-stream.ts';
import type { ProposalLog } from '../../core/zab/proposal-log.ts';
import { planFromLog, type SyncPlan } from '../../core/zab/sync-plan.ts';
import type { DataDirs } from '../../storage/data-dir.ts';
import { listLogs, listSnapshots } from '../../storage/data-files.ts';
import type { Disk } from '../../storage/disk.ts';
import { SnapshotBody } from '../../storage/snapshot-body.ts';
import { looksWhole } from '../../storage/snapshot-reader.ts';
import { TxnlogRange } from '../../storage/txnlog-range.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { PacketType } from '../../wire/quorum/packet-types.ts';
import {
  PACKET_BYTES_MIN,
  writeBarePacket,
  writeNoAuth,
  writePacketHead,
} from '../../wire/quorum/quorum-packet.ts';

/** Where a leader's history is, besides the proposal log. */
export interface History {
  readonly disk: Disk;
  readonly dirs: DataDirs;
  readonly reach: {
    /** The log on the disk has every transaction behind this. */
    readonly historyFloor: Zxid;
    /** Everything up to there is decided: the last transaction of that. */
    readonly decided: Zxid;
    /** Everything up to there is in the log. */
    readonly durable: Zxid;
    /** Has a snapshot of what is committed written, if none is under way. */
    startSnapshot(): void;
  };
}

/** More of the log than this is not read for one learner that a snapshot could serve; files may be longer than what they hold. */
const LOG_BYTES_MAX = 256 * 1024 * 1024;
/** A piece of a snapshot at the least. */
const PIECE_BYTES_MIN = 16 * 1024;

export class HistorySender {
  /** What was sent first, for the operator. */
  kind: 'DIFF' | 'TRUNC' | 'SNAP' = 'DIFF';
  private readonly history: History;
  private readonly log: ProposalLog;
  private readonly plan: SyncPlan;
  private readonly peer: ZxidCell;
  /** The learner has been sent everything up to there. */
  private readonly position = new ZxidCell();
  private hasBegun = false;
  private body: SnapshotBody | null = null;
  private range: TxnlogRange | null = null;
  /** The record that the range stands at has not been sent. */
  private hasRecord = false;
  /** What the range holds follows where it begins, with nothing between. */
  private follows = false;
  private stream: LearnerStream | null = null;

  constructor(history: History, log: ProposalLog, peer: Zxid, plan: SyncPlan) {
    this.history = history;
    this.log = log;
    this.plan = plan;
    this.peer = new ZxidCell(peer);
  }

  get zxid(): Zxid {
    return this.position.value;
  }

  /** All that is decided has been sent, and what follows is in the proposal log. */
  get isDone(): boolean {
    if (!this.hasBegun || this.body !== null || this.hasRecord) return false;
    return this.position.value >= this.history.reach.decided && this.log.reachesBackTo(this.position.value);
  }

  /**
   * Writes what comes next into `bytes[at, end)` and returns the offset behind; `at` when it is done, or when a larger room is needed;
   * STREAM_BEHIND when the proposal log has gone on without it.
   * @throws CorruptionFailure, StorageFailure: nothing more can be sent
   */
  fill(bytes: Uint8Array, view: DataView, at: number, end: number): number {
    if (!this.hasBegun) at = this.begin(view, at);
    if (!this.hasBegun) return at;
    while (!this.isDone) {
      const before = at;
      if (this.body !== null) at = this.fillBody(bytes, at, end);
      else if (this.range !== null || !this.log.reachesBackTo(this.position.value)) {
        at = this.fillFromDisk(bytes, view, at, end);
      } else at = this.fillFromMemory(bytes, view, at, end);
      if (at < 0 || at === before || end - at < PIECE_BYTES_MIN) return at;
    }
    return at;
  }

  close(): void {
    this.body?.close();
    this.range?.close();
    this.body = null;
    this.range = null;
    this.hasRecord = false;
  }

  // ---- the beginning -------------------------------------------------------------------------------------

  private begin(view: DataView, at: number): number {
    const { plan } = this;
    const { decided } = this.history.reach;
    this.hasBegun = true;
    if (plan.kind === 'snap') return this.beginSnap(view, at);
    if (plan.kind === 'log') {
      if (this.planFromDisk().kind !== 'diff') {
        this.close();
        return this.beginSnap(view, at);
      }
      this.position.value = this.peer.value;
      return writeBarePacket(view, at, PacketType.diff, decided);
    }
    if (plan.kind === 'trunc') {
      this.kind = 'TRUNC';
      this.position.value = plan.to;
      return writeBarePacket(view, at, PacketType.trunc, plan.to);
    }
    this.position.value = plan.from;
    return writeBarePacket(view, at, PacketType.diff, decided);
  }

  private beginSnap(view: DataView, at: number): number {
    const { disk, dirs, reach } = this.history;
    const directory = dirs.snapshotDirectory;
    this.kind = 'SNAP';
    const file = listSnapshots(disk, directory).findLast((each) => looksWhole(disk, directory, each));
    if (file === undefined) throw new CorruptionFailure(`${directory} has no whole snapshot to send`);
    if (file.zxid < Math.min(this.peer.value, reach.decided)) {
      // For a moment the learner would have less on its disk than it has acknowledged.
      reach.startSnapshot();
      this.hasBegun = false;
      return at;
    }
    this.body = new SnapshotBody(disk, directory, file);
    this.position.value = file.zxid;
    return writeBarePacket(view, at, PacketType.snap, file.zxid);
  }

  private fillBody(bytes: Uint8Array, at: number, end: number): number {
    while (end - at >= PIECE_BYTES_MIN) {
      const next = this.body!.read(bytes, at, end);
      if (next < 0) {
        this.body!.close();
        this.body = null;
        return at;
      }
      at = next;
    }
    return at;
  }

  // ---- from the disk -------------------------------------------------------------------------------------

  /** The range stands open behind the learner's last zxid, if that is ours. */
  private planFromDisk(): SyncPlan {
    const peer = this.peer.value;
    const reaches = this.isWorthReading() && this.openRange(peer, false);
    const history = {
      reachesBackTo: () => reaches,
      // Only whether it is the same is looked at: where else to cut is not known without reading all that is before.
      floorOf: () => (this.follows ? peer : -1),
      nextZxid: () => (this.hasRecord ? this.range!.record.zxid : -1),
    };
    return planFromLog(peer, history, { trusts: false, readsLog: true });
  }

  private isWorthReading(): boolean {
    const { disk, dirs, reach } = this.history;
    const from = this.peer.value;
    if (from < reach.historyFloor) return false;
    const files = listLogs(disk, dirs.logDirectory);
    const first = files.findLastIndex(({ zxid }) => zxid <= from);
    let bytes = 0;
    for (const { name } of files.slice(Math.max(0, first))) {
      bytes += disk.stat(`${dirs.logDirectory}/${name}`)?.bytes ?? 0;
    }
    const snapshot = listSnapshots(disk, dirs.snapshotDirectory).at(-1);
    const path = `${dirs.snapshotDirectory}/${snapshot?.name}`;
    const snapshotBytes = snapshot === undefined ? Number.POSITIVE_INFINITY : (disk.stat(path)?.bytes ?? 0);
    return bytes <= Math.max(LOG_BYTES_MAX, snapshotBytes);
  }

  /**
   * `isComplete`: nothing behind `from` has been purged. False: the log may not begin behind `from`.
   */
  private openRange(from: Zxid, isComplete: boolean): boolean {
    const { disk, dirs, reach } = this.history;
    if (from < reach.historyFloor) return false;
    const to = Math.min(reach.decided, reach.durable);
    if (to <= from) return true;
    const range = new TxnlogRange(disk, dirs.logDirectory, from, to);
    this.range = range;
    this.hasRecord = range.next();
    const isShared = this.hasRecord && range.record.zxid === from;
    this.follows = isShared || (this.hasRecord && range.record.zxid === from + 1);
    if (isShared) this.hasRecord = range.next();
    if (this.follows || isComplete || !this.hasRecord) return true;
    this.close();
    return false;
  }

  private fillFromDisk(bytes: Uint8Array, view: DataView, at: number, end: number): number {
    // A proposal that has been sent must not be sent again.
    if (this.stream !== null && this.stream.sentZxid > this.position.value) return STREAM_BEHIND;
    this.stream = null;
    // What was sent so far has been read from the same files, or is the newest snapshot.
    if (this.range === null && !this.openRange(this.position.value, true)) {
      throw new CorruptionFailure(
        `the log in ${this.history.dirs.logDirectory} does not go on behind 0x${zxidHex(this.position.value)}`,
      );
    }
    const { range } = this;
    if (range === null) return at;
    while (this.hasRecord) {
      const { record } = range;
      const length = record.end - record.start;
      if (at + length + 2 * PACKET_BYTES_MIN > end) return at;
      const { zxid } = record;
      this.checkFollows(zxid);
      const data = writePacketHead(view, at, PacketType.proposal, zxid, length);
      copyBytes(record.bytes, record.start, length, bytes, data);
      at = writeBarePacket(view, writeNoAuth(view, data + length), PacketType.commit, zxid);
      this.position.value = zxid;
      this.hasRecord = range.next();
    }
    range.close();
    this.range = null;
    return at;
  }

  private checkFollows(zxid: Zxid): void {
    const last = this.position.value;
    if (zxid === last + 1 || (epochOf(zxid) > epochOf(last) && zxid % 2 ** 32 === 1)) return;
    throw new CorruptionFailure(
      `the log in ${this.history.dirs.logDirectory} has 0x${zxidHex(zxid)} behind 0x${zxidHex(last)}`,
    );
  }

  // ---- from memory ---------------------------------------------------------------------------------------

  private fillFromMemory(bytes: Uint8Array, view: DataView, at: number, end: number): number {
    const { decided } = this.history.reach;
    this.stream ??= new LearnerStream(this.log, this.position.value, false);
    at = this.stream.fill(bytes, view, at, end, decided, decided);
    if (at >= 0) this.position.value = this.stream.confirmedZxid;
    return at;
  }
}

/** A member while it leads: the real `Leader` over the simulated disk and links. */
import { type Zxid, zxidHex } from '../../../src/base/zxid.ts';
import { parseMember } from '../../../src/core/quorum/member.ts';
import type { QuorumVerifier } from '../../../src/core/quorum/quorum-verifier.ts';
import { Leader } from '../../../src/core/zab/leader.ts';
import type { LeaderPort, LearnerFault } from '../../../src/core/zab/leader-port.ts';
import type { EpochKind } from '../../../src/core/zab/learner.ts';
import type { LinkId } from '../../../src/core/zab/learner-record.ts';
import { STREAM_BEHIND } from '../../../src/core/zab/learner-stream.ts';
import { ProposalLog } from '../../../src/core/zab/proposal-log.ts';
import { type HistoryView, planFromLog, type SyncPlan } from '../../../src/core/zab/sync-plan.ts';
import { PacketSplitter, PacketStatus } from '../../../src/wire/quorum/packet-splitter.ts';
import { PacketType } from '../../../src/wire/quorum/packet-types.ts';
import {
  LEADER_INFO_BYTES,
  OUR_LEADER_INFO_BYTES,
  writeLeaderInfo,
  writeOurLeaderInfo,
} from '../../../src/wire/quorum/payloads.ts';
import { viewOf } from '../../wire/bytes.ts';
import { packetBytes } from '../../wire/quorum/packets.ts';
import type { Link } from './link.ts';
import type { Txn } from './member-disk.ts';
import type { Server } from './surroundings.ts';
import { treeBytes, txnBytes } from './txn-bytes.ts';

const STREAM_BYTES = 400;
const RULES = { trusts: true, readsLog: true };

const SOMEBODY = parseMember(1, 'host:1:2');

export class Leading implements LeaderPort {
  readonly leader: Leader;
  private readonly member: Server;
  private readonly links = new Map<LinkId, Link>();
  private readonly splitters = new Map<LinkId, PacketSplitter>();
  private nextLink = 1;
  /** Links whose stream is being written. */
  private readonly streaming = new Set<LinkId>();
  /** What is written at once, copied when it is sent. */
  private readonly piece = new Uint8Array(STREAM_BYTES);
  private readonly pieceView = viewOf(this.piece);
  private readonly logFloor: Zxid;
  /** -1 before `lead`. */
  lastProposed = -1;
  isOver = false;

  constructor(member: Server, verifier: QuorumVerifier) {
    this.member = member;
    const { disk, variant, prng } = member;
    const log = new ProposalLog(prng.pick([400, 4000, 40000]), 64);
    // As much of its history as fits is at hand.
    const from = Math.max(0, disk.records.length - prng.below(20));
    log.restart(disk.records[from - 1]?.zxid ?? 0);
    this.logFloor = prng.chance(0.5) ? 0 : (disk.records[prng.below(from + 1) - 1]?.zxid ?? 0);
    for (const txn of disk.records.slice(from)) {
      const bytes = txnBytes(txn);
      log.append(txn.zxid, bytes, 0, bytes.length);
    }
    const acceptedEpoch =
      variant === 'epochReused' ? Math.max(0, disk.acceptedEpoch - 1) : disk.acceptedEpoch;
    const members = { version: 0, verifier, member: () => SOMEBODY };
    this.leader = new Leader(
      {
        sid: member.sid,
        committed: members,
        lastSeen: members,
        acceptedEpoch,
        currentEpoch: variant === 'newerLearnerAccepted' ? 1e6 : disk.currentEpoch,
        lastZxid: disk.lastZxid,
        initLimit: 10,
        syncLimit: 5,
        rules: RULES,
      },
      log,
      this,
    );
    this.leader.start();
  }

  accept(link: Link): void {
    const id = this.nextLink++;
    this.links.set(id, link);
    this.leader.onConnect(id);
    const splitter = new PacketSplitter(1 << 16, {
      onPacket: (packet) => this.leader.onPacket(id, packet),
      onRaw: () => 0,
    });
    this.splitters.set(id, splitter);
    link.attach(1, {
      onBytes: (bytes) => {
        if (this.isOver || !this.links.has(id)) return;
        if (splitter.push(bytes) === PacketStatus.malformed) this.close(id, null, 'malformed');
        this.leader.endTurn();
      },
      onClosed: () => {
        if (this.links.delete(id) && !this.isOver) this.leader.onDisconnect(id);
      },
    });
  }

  /** False: it may not yet, or not any more. */
  propose(value: number): boolean {
    if (this.isOver || this.lastProposed < 0) return false;
    const txn: Txn = { zxid: this.lastProposed + 1, value };
    this.lastProposed = txn.zxid;
    const bytes = txnBytes(txn);
    this.member.log(txn, () => {
      if (this.isOver) return;
      this.leader.onDurable(txn.zxid);
      this.leader.endTurn();
    });
    this.leader.onProposed(txn.zxid, bytes, 0, bytes.length);
    if (this.member.variant === 'leaderSkipsOwnSync') this.leader.onDurable(txn.zxid);
    this.leader.endTurn();
    return true;
  }

  onHalfTick(): void {
    this.leader.onHalfTick();
    if (!this.isOver) this.leader.endTurn();
  }

  end(): void {
    this.isOver = true;
    this.leader.end();
    for (const link of this.links.values()) link.close(1);
    this.links.clear();
  }

  private send(link: LinkId, type: number, zxid: Zxid, data: Uint8Array | null = null): void {
    this.links.get(link)?.send(1, packetBytes(type, zxid, data));
  }

  // ---- LeaderPort
  sendLeaderInfo(link: LinkId, zxid: Zxid, isOurs: boolean): void {
    const data = new Uint8Array(isOurs ? OUR_LEADER_INFO_BYTES : LEADER_INFO_BYTES);
    (isOurs ? writeOurLeaderInfo : writeLeaderInfo)(viewOf(data), 0);
    this.send(link, PacketType.leaderInfo, zxid, data);
  }

  sendBare(link: LinkId, type: PacketType, zxid: Zxid): void {
    this.send(link, type, zxid);
  }

  sendNewLeader(link: LinkId, zxid: Zxid): void {
    this.send(link, PacketType.newLeader, zxid);
  }

  synchronise(link: LinkId, peer: Zxid, plan: SyncPlan): void {
    const { member } = this;
    member.cluster.count(`plan ${plan.kind}`);
    member.after(0, 30, () => {
      if (this.isOver || !this.links.has(link)) return;
      const committed = Math.max(this.committed, ...(this.lastProposed < 0 ? [member.disk.lastZxid] : []));
      const records = member.disk.records.filter((txn) => txn.zxid <= committed);
      const chosen = plan.kind === 'log' ? planFromLog(peer, logView(records, this.logFloor), RULES) : plan;
      this.carryOut(link, peer, chosen, records);
      this.leader.onSynced(link, records.at(-1)?.zxid ?? 0);
      this.leader.endTurn();
    });
  }

  /** The last committed transaction. */
  private get committed(): Zxid {
    return this.member.committedZxid;
  }

  private carryOut(link: LinkId, peer: Zxid, plan: SyncPlan, records: readonly Txn[]): void {
    const last = records.at(-1)?.zxid ?? 0;
    if (plan.kind === 'snap' || plan.kind === 'log') {
      this.send(link, PacketType.snap, last);
      this.links.get(link)?.send(1, treeBytes(records));
      return;
    }
    let from = plan.kind === 'trunc' ? plan.to : plan.from;
    if (plan.kind === 'trunc' && this.member.variant === 'diffFromLast') {
      this.send(link, PacketType.diff, last);
      from = peer;
    } else if (plan.kind === 'trunc') this.send(link, PacketType.trunc, plan.to);
    else this.send(link, PacketType.diff, last);
    for (const txn of records) {
      if (txn.zxid <= from) continue;
      this.send(link, PacketType.proposal, txn.zxid, txnBytes(txn));
      this.send(link, PacketType.commit, txn.zxid);
    }
  }

  /** Written in small pieces with pauses, as to a socket that takes little. */
  streamReady(link: LinkId): void {
    if (this.streaming.has(link)) return;
    this.streaming.add(link);
    this.member.after(0, 3, () => {
      this.streaming.delete(link);
      const to = this.links.get(link);
      if (this.isOver || to === undefined) return;
      const bytes = this.piece;
      const end = this.leader.fillStream(link, bytes, this.pieceView, 0, bytes.length);
      if (end === STREAM_BEHIND) {
        this.member.cluster.count('stream behind');
        this.close(link, null, 'behind');
        this.leader.onDisconnect(link);
        return;
      }
      to.send(1, bytes.slice(0, end));
      this.leader.endTurn();
    });
  }

  close(link: LinkId, _fault: LearnerFault | null, reason: string): void {
    this.member.trace(`closes link ${link}: ${reason}`);
    this.links.get(link)?.close(1);
    this.links.delete(link);
  }

  saveEpoch(kind: EpochKind, epoch: number): void {
    if (kind === 'current') this.member.onPromised(epoch);
    this.member.saveEpoch(kind, epoch, () => {
      if (!this.isOver) this.leader.onEpochSaved(kind);
    });
  }

  lead(zxid: Zxid): void {
    this.lastProposed = zxid;
    this.member.trace(`leads from 0x${zxidHex(zxid)} with ${this.member.disk.records.length} transactions`);
    this.member.onLead();
  }

  decide(zxid: Zxid): void {
    this.member.onDecided(zxid);
  }

  onRequest(): boolean {
    return true;
  }
  onRevalidate(): void {}
  onTouches(): void {}
  onLearnerGone(): void {}
  activate(): void {}

  resign(reason: string): void {
    this.member.trace(`resigns: ${reason}`);
    this.member.look();
  }
}

/** A log on the disk that has been purged up to `floor`. */
function logView(records: readonly Txn[], floor: Zxid): HistoryView {
  return {
    reachesBackTo: (zxid) => zxid >= floor,
    floorOf: (zxid) => records.findLast((txn) => txn.zxid <= zxid)?.zxid ?? floor,
    nextZxid: (zxid) => records.find((txn) => txn.zxid > zxid)?.zxid ?? -1,
  };
}

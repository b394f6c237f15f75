/** A leader whose surroundings write down what was asked of them, and learners that are packets made by hand. */
import { makeZxid, type Zxid, zxidHex } from '../../../src/base/zxid.ts';
import { parseQuorumConfig, type QuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { Leader } from '../../../src/core/zab/leader.ts';
import type { LeaderOptions, LeaderPort, LearnerFault } from '../../../src/core/zab/leader-port.ts';
import type { EpochKind } from '../../../src/core/zab/learner.ts';
import { ProposalLog } from '../../../src/core/zab/proposal-log.ts';
import type { SyncPlan } from '../../../src/core/zab/sync-plan.ts';
import { PacketSplitter } from '../../../src/wire/quorum/packet-splitter.ts';
import { PacketType, packetTypeName } from '../../../src/wire/quorum/packet-types.ts';
import {
  LEARNER_INFO_BYTES,
  OUR_INFO_BYTES,
  writeLearnerInfo,
  writeOurInfo,
} from '../../../src/wire/quorum/payloads.ts';
import { QuorumPacket } from '../../../src/wire/quorum/quorum-packet.ts';
import { viewOf } from '../../wire/bytes.ts';
import { packetBytes } from '../../wire/quorum/packets.ts';

export const LAST = makeZxid(4, 7);

/** Servers of these ids, in version `version`. */
export function members(
  voters: readonly number[],
  observers: readonly number[] = [],
  version = 0,
): QuorumConfig {
  const line = (role: string) => (sid: number) => `server.${sid}=s${sid}:1:2:${role}`;
  const lines = [...voters.map(line('participant')), ...observers.map(line('observer'))];
  return parseQuorumConfig([...lines, `version=${version.toString(16)}`].join('\n'));
}

const MEMBERS = members([1, 2, 3], [4, 5, 6, 7, 8, 9]);

export class LeadingPort implements LeaderPort {
  readonly leader: Leader;
  readonly log = new ProposalLog(1 << 16, 256);
  readonly asked: string[] = [];
  roomForRequests = true;

  constructor(options: Partial<LeaderOptions> = {}) {
    this.log.restart(options.lastZxid ?? LAST);
    this.leader = new Leader(
      {
        sid: 1,
        committed: MEMBERS,
        lastSeen: MEMBERS,
        acceptedEpoch: 4,
        currentEpoch: 4,
        lastZxid: LAST,
        initLimit: 10,
        syncLimit: 5,
        rules: { trusts: true, readsLog: true },
        ...options,
      },
      this.log,
      this,
    );
    this.leader.start();
  }

  /** What was asked since the last call. */
  taken(): string[] {
    return this.asked.splice(0);
  }

  packet(link: number, type: number, zxid: Zxid, data: Uint8Array | null = null): boolean {
    const bytes = packetBytes(type, zxid, data);
    const packet = new QuorumPacket();
    packet.wrap(bytes, viewOf(bytes), 0, bytes.length);
    return this.leader.onPacket(link, packet);
  }

  info(
    link: number,
    sid: number,
    acceptedEpoch: number,
    type: number = PacketType.followerInfo,
    config = 0,
  ): void {
    this.leader.onConnect(link);
    const data = new Uint8Array(LEARNER_INFO_BYTES);
    writeLearnerInfo(viewOf(data), 0, sid, config);
    this.packet(link, type, makeZxid(acceptedEpoch, 0), data);
  }

  /** The same of a server of ours. */
  infoOfOurs(link: number, sid: number, acceptedEpoch: number): void {
    this.leader.onConnect(link);
    const data = new Uint8Array(OUR_INFO_BYTES);
    writeOurInfo(viewOf(data), 0, sid, 0);
    this.packet(link, PacketType.followerInfo, makeZxid(acceptedEpoch, 0), data);
  }

  ackEpoch(link: number, currentEpoch: number, lastZxid: Zxid): void {
    const data = new Uint8Array(4);
    viewOf(data).setInt32(0, currentEpoch);
    this.packet(link, PacketType.ackEpoch, lastZxid, data);
  }

  /** Server 2 on link 2 has come up to NEWLEADER, and the leader leads epoch 5. */
  reachLeading(): void {
    this.info(2, 2, 4);
    this.leader.onEpochSaved('accepted');
    this.ackEpoch(2, 4, LAST);
    this.leader.onEpochSaved('current');
    this.leader.onSynced(2, LAST);
    this.packet(2, PacketType.ack, makeZxid(5, 0));
  }

  propose(counter: number): void {
    this.leader.onProposed(makeZxid(5, counter), new Uint8Array(8), 0, 8);
  }

  /** What the stream of a learner holds just now: `PROPOSAL 5:1`. */
  stream(link: number, room = 10_000): string[] {
    const bytes = new Uint8Array(room);
    const end = this.leader.fillStream(link, bytes, viewOf(bytes), 0, room);
    if (end < 0) return ['behind'];
    const found: string[] = [];
    const splitter = new PacketSplitter(1 << 16, {
      onPacket: ({ type, zxid }) => {
        found.push(`${packetTypeName(type)} ${zxidHex(zxid)}`);
        return true;
      },
      onRaw: () => 0,
    });
    splitter.push(bytes.slice(0, end));
    return found;
  }

  /** Whom the COMMITANDACTIVATE in the stream of a follower names. */
  designated(link: number): number | null {
    const bytes = new Uint8Array(10_000);
    const end = this.leader.fillStream(link, bytes, viewOf(bytes), 0, bytes.length);
    let named: number | null = null;
    const splitter = new PacketSplitter(1 << 16, {
      onPacket: ({ type, view, dataStart }) => {
        if (type === PacketType.commitAndActivate) named = Number(view.getBigInt64(dataStart));
        return true;
      },
      onRaw: () => 0,
    });
    splitter.push(bytes.slice(0, end));
    return named;
  }

  sendLeaderInfo(link: number, zxid: Zxid): void {
    this.asked.push(`${link} LEADERINFO ${zxidHex(zxid)}`);
  }
  sendBare(link: number, type: PacketType, zxid: Zxid): void {
    this.asked.push(`${link} ${packetTypeName(type)} ${zxid < 0 ? zxid : zxidHex(zxid)}`);
  }
  sendNewLeader(link: number, zxid: Zxid): void {
    this.asked.push(`${link} NEWLEADER ${zxidHex(zxid)}`);
  }
  synchronise(link: number, peer: Zxid, plan: SyncPlan): void {
    this.asked.push(`${link} synchronise ${zxidHex(peer)} ${plan.kind}`);
  }
  streamReady(link: number): void {
    this.asked.push(`${link} stream`);
  }
  close(link: number, _fault: LearnerFault, reason: string): void {
    this.asked.push(`${link} close: ${reason}`);
  }
  saveEpoch(kind: EpochKind, epoch: number): void {
    this.asked.push(`save ${kind} ${epoch}`);
  }
  lead(zxid: Zxid): void {
    this.asked.push(`lead ${zxidHex(zxid)}`);
  }
  decide(zxid: Zxid): void {
    this.asked.push(`decide ${zxidHex(zxid)}`);
  }
  onRequest(link: number): boolean {
    this.asked.push(`${link} request`);
    return this.roomForRequests;
  }
  onRevalidate(link: number): void {
    this.asked.push(`${link} revalidate`);
  }
  onTouches(link: number): void {
    this.asked.push(`${link} touches`);
  }
  onLearnerGone(link: number): void {
    this.asked.push(`${link} gone`);
  }
  activate(): void {
    this.asked.push('activate');
  }
  resign(reason: string, designated: number | null): void {
    this.asked.push(`resign: ${reason}${designated === null ? '' : `, to ${designated}`}`);
  }
}

/** What a leader needs of its surroundings: orders that are only enqueued, and what it is told at its beginning. */
import type { Zxid } from '../../base/zxid.ts';
import type { PacketType } from '../../wire/quorum/packet-types.ts';
import type { QuorumPacket } from '../../wire/quorum/quorum-packet.ts';
import type { Sid } from '../quorum/member.ts';
import type { Constituency } from './electors.ts';
import type { EpochKind } from './learner.ts';
import type { LinkId } from './learner-record.ts';
import type { SyncPlan, SyncRules } from './sync-plan.ts';

/** Why a leader ends a learner's connection, as it is counted. */
export const LEARNER_FAULTS = [
  'silent',
  'late',
  'protocol',
  'newer configuration',
  'newer history',
  'own sid',
  'stranger',
  'replaced',
] as const;
export type LearnerFault = (typeof LEARNER_FAULTS)[number];

/** What a leader has others do. Nothing here waits. */
export interface LeaderPort {
  // ---- to a learner
  /** `isOurs`: the learner is one of ours, and is told that its leader is. */
  sendLeaderInfo(link: LinkId, zxid: Zxid, isOurs: boolean): void;
  sendBare(link: LinkId, type: PacketType, zxid: Zxid): void;
  /** NEWLEADER with the last-seen configuration; of a leader that leads already, with the one in force. */
  sendNewLeader(link: LinkId, zxid: Zxid): void;
  /**
   * Brings the learner as far as `plan` says and then on to what is committed, from memory, disk or the tree itself; answered by
   * `onSynced`, or by the end of the connection.
   */
  synchronise(link: LinkId, peer: Zxid, plan: SyncPlan): void;
  /** There is something for `fillStream` to write. */
  streamReady(link: LinkId): void;
  close(link: LinkId, fault: LearnerFault, reason: string): void;

  // ---- to the disk
  /** Answered by `onEpochSaved` once it, and everything logged before it, is on the disk. */
  saveEpoch(kind: EpochKind, epoch: number): void;

  // ---- to the replica
  /** A quorum follows: clients may be served, and the first transaction is the one behind `zxid`. */
  lead(zxid: Zxid): void;
  /** A quorum has everything up to `zxid`. */
  decide(zxid: Zxid): void;
  /** A write of a learner's client, or of the learner itself. `packet` is a REQUEST; false: no room now. */
  onRequest(link: LinkId, packet: QuorumPacket): boolean;
  onRevalidate(link: LinkId, packet: QuorumPacket): void;
  onTouches(link: LinkId, packet: QuorumPacket): void;
  onLearnerGone(link: LinkId): void;
  /** The membership that was proposed last is in force. */
  activate(): void;
  /** The end of this leadership. Nothing follows. `designated`: who leads now; null = an election tells. */
  resign(reason: string, designated: Sid | null): void;
}

export interface LeaderOptions {
  readonly sid: Sid;
  /** In force: a learner that knows a newer one is refused. */
  readonly committed: Constituency;
  /** Proposed by an earlier leader, and perhaps in force somewhere; otherwise the same. */
  readonly lastSeen: Constituency;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  /** Everything up to here is committed by this leadership. */
  readonly lastZxid: Zxid;
  readonly initLimit: number;
  readonly syncLimit: number;
  readonly rules: SyncRules;
}

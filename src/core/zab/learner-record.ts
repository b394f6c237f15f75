/**
 * A learner as its leader sees it: one connection from its first packet to its end. Core thread.
 *
 *     greeting ──INFO──▶ informed ──the epoch is fixed, LEADERINFO──▶ asked ──ACKEPOCH──▶ answered
 *                                                                                        │ a quorum has answered
 *                                                                                        ▼
 *     active ◀──a quorum has acknowledged, UPTODATE── acknowledged ◀──ACK── told ◀──NEWLEADER── syncing
 */
import { type Zxid, zxidHex } from '../../base/zxid.ts';
import { PacketType } from '../../wire/quorum/packet-types.ts';
import type { Sid } from '../quorum/member.ts';
import type { LearnerStream } from './learner-stream.ts';
import type { SyncRules } from './sync-plan.ts';

export type LearnerPhase =
  | 'greeting'
  | 'informed'
  | 'asked'
  | 'answered'
  | 'syncing'
  | 'told'
  | 'acknowledged'
  | 'active'
  | 'gone';

/** What the caller knows a connection by. */
export type LinkId = number;

const LAST = 0;
const SYNCED = 1;
const LAG = 2;

export class LearnerRecord {
  readonly link: LinkId;
  phase: LearnerPhase = 'greeting';
  sid: Sid = 0;
  isObserver = false;
  /** It is one of ours. */
  isOurs = false;
  /** In force from UPTODATE on. */
  stream: LearnerStream | null = null;
  /** Ticks of the leader: heard of at the latest then, or it is not in step. */
  private deadlineTick: number;
  /** Of the leader: since then `lagZxid` has been waited for. */
  private lagTick = 0;
  private readonly zxids = new Float64Array(3);

  constructor(link: LinkId, deadlineTick: number) {
    this.link = link;
    this.deadlineTick = deadlineTick;
  }

  /** The last zxid it had logged when it joined. */
  get lastZxid(): Zxid {
    return this.zxids[LAST]!;
  }

  set lastZxid(zxid: Zxid) {
    this.zxids[LAST] = zxid;
  }

  /** It has been sent everything up to there, all of it committed. */
  get syncedZxid(): Zxid {
    return this.zxids[SYNCED]!;
  }

  set syncedZxid(zxid: Zxid) {
    this.zxids[SYNCED] = zxid;
  }

  /** How it may be brought up; one of ours can be cut anywhere. */
  syncRules({ readsLog, trusts }: SyncRules): SyncRules {
    return { readsLog, trusts: trusts || this.isOurs };
  }

  /** Something is heard of it until then at the latest. */
  expectBy(deadlineTick: number): void {
    if (deadlineTick > this.deadlineTick) this.deadlineTick = deadlineTick;
  }

  activate(stream: LearnerStream, tick: number): void {
    this.phase = 'active';
    this.stream = stream;
    this.lagTick = tick;
  }

  /**
   * Each tick: why it is no longer in step, or null: nothing heard of it in time, or a proposal that it was sent without its
   * acknowledgement for more than `limit` ticks.
   */
  lateness(acked: Zxid, tick: number, limit: number): string | null {
    if (this.isAwaited && tick > this.deadlineTick) return 'it has not been heard of in time';
    if (this.stream === null || this.isObserver) return null;
    const { zxids } = this;
    if (acked >= zxids[LAG]!) {
      zxids[LAG] = this.stream.sentZxid;
      this.lagTick = tick;
    }
    if (tick - this.lagTick <= limit) return null;
    return `it has not acknowledged 0x${zxidHex(zxids[LAG]!)} in time`;
  }

  /** Its next packet is due; else others wait for this server, or it is being sent what it lacks, as long as that takes. */
  private get isAwaited(): boolean {
    const { phase } = this;
    return phase === 'greeting' || phase === 'asked' || phase === 'told' || phase === 'active';
  }
}

/** With fewer bytes a packet of this type says nothing; -1 is no data at all. */
export function dataBytesMin(type: number): number {
  return type === PacketType.request ? 16 : type === PacketType.revalidate ? 12 : -1;
}

/** The ports of the machines in zab-world.ts: each order is told, and those to a disk wait for `disk`. */
import { makeZxid, type Zxid } from '../../src/base/zxid.ts';
import type { LeaderPort } from '../../src/core/zab/leader-port.ts';
import type { EpochKind, Learner, LearnerPort } from '../../src/core/zab/learner.ts';
import type { LinkId } from '../../src/core/zab/learner-record.ts';
import type { SyncPlan } from '../../src/core/zab/sync-plan.ts';
import { PacketType } from '../../src/wire/quorum/packet-types.ts';
import {
  LEADER_INFO_BYTES,
  LEARNER_INFO_BYTES,
  OUR_INFO_BYTES,
  OUR_LEADER_INFO_BYTES,
  writeLeaderInfo,
  writeLearnerInfo,
  writeOurInfo,
  writeOurLeaderInfo,
} from '../../src/wire/quorum/payloads.ts';
import { viewOf } from '../wire/bytes.ts';

/** Where orders go. */
export interface OrdersWorld {
  say(line: string): void;
  toLeader(id: LinkId, type: PacketType, zxid: Zxid, data: Uint8Array | null, note?: string): void;
  toLearner(id: LinkId, type: PacketType, zxid: Zxid, data: Uint8Array | null): void;
  synchronise(id: LinkId, peer: Zxid, plan: SyncPlan): void;
  stream(id: LinkId): void;
  close(id: LinkId): void;
  sidOf(id: LinkId): number;
  beginTree(id: LinkId): void;
  leaderSaved(kind: EpochKind): void;
  onLead(zxid: Zxid): void;
  onDecided(zxid: Zxid): void;
  /** Tells the learner of that connection, if it is still there. */
  done(id: LinkId, tell: (learner: Learner) => void): void;
}

/** What a server has on its disk, and what it has ordered of it. */
export class Host {
  readonly sid: number;
  readonly isObserver: boolean;
  history: Zxid[] = [];
  epochs = { accepted: 0, current: 0 };
  isOurs = false;
  /** In order; each is done by `disk`. */
  orders: (() => void)[] = [];

  constructor(sid: number, isObserver: boolean) {
    this.sid = sid;
    this.isObserver = isObserver;
  }

  get lastZxid(): Zxid {
    return this.history.at(-1) ?? 0;
  }
}

export class LeaderOrders implements LeaderPort {
  private readonly world: OrdersWorld;
  private readonly host: Host;

  constructor(world: OrdersWorld, host: Host) {
    this.world = world;
    this.host = host;
  }

  sendLeaderInfo(link: LinkId, zxid: Zxid, isOurs: boolean): void {
    const data = new Uint8Array(isOurs ? OUR_LEADER_INFO_BYTES : LEADER_INFO_BYTES);
    (isOurs ? writeOurLeaderInfo : writeLeaderInfo)(viewOf(data), 0);
    this.world.toLearner(link, PacketType.leaderInfo, zxid, data);
  }
  sendBare(link: LinkId, type: PacketType, zxid: Zxid): void {
    this.world.toLearner(link, type, zxid, null);
  }
  sendNewLeader(link: LinkId, zxid: Zxid): void {
    this.world.toLearner(link, PacketType.newLeader, zxid, null);
  }
  synchronise(link: LinkId, peer: Zxid, plan: SyncPlan): void {
    this.host.orders.push(() => this.world.synchronise(link, peer, plan));
  }
  streamReady(link: LinkId): void {
    this.world.stream(link);
  }
  close(link: LinkId, fault: string, reason: string): void {
    this.world.say(
      `${this.host.sid} closes the connection of ${this.world.sidOf(link)} (${fault}): ${reason}`,
    );
    this.world.close(link);
  }
  saveEpoch(kind: EpochKind, epoch: number): void {
    saveEpoch(this.world, this.host, kind, epoch, () => this.world.leaderSaved(kind));
  }
  lead(zxid: Zxid): void {
    this.world.say(`${this.host.sid} leads from ${text(zxid)}`);
    this.world.onLead(zxid);
  }
  decide(zxid: Zxid): void {
    this.world.say(`${this.host.sid} commits up to ${text(zxid)}`);
    this.world.onDecided(zxid);
  }
  onRequest(): boolean {
    return true;
  }
  onRevalidate(): void {}
  onTouches(): void {}
  onLearnerGone(): void {}
  activate(): void {}
  resign(reason: string): void {
    this.world.say(`${this.host.sid} leads no more: ${reason}`);
  }
}

export class LearnerOrders implements LearnerPort {
  private readonly world: OrdersWorld;
  private readonly host: Host;
  private readonly link: LinkId;

  constructor(world: OrdersWorld, host: Host, link: LinkId) {
    this.world = world;
    this.host = host;
    this.link = link;
  }

  sendInfo(type: PacketType, zxid: Zxid): void {
    const { sid, isOurs } = this.host;
    const data = new Uint8Array(isOurs ? OUR_INFO_BYTES : LEARNER_INFO_BYTES);
    (isOurs ? writeOurInfo : writeLearnerInfo)(viewOf(data), 0, sid, 0);
    this.world.toLeader(this.link, type, zxid, data);
  }
  sendAckEpoch(lastZxid: Zxid, currentEpoch: number): void {
    const data = new Uint8Array(4);
    viewOf(data).setInt32(0, currentEpoch);
    this.world.toLeader(this.link, PacketType.ackEpoch, lastZxid, data, `, current epoch ${currentEpoch}`);
  }
  sendAck(zxid: Zxid): void {
    this.world.toLeader(this.link, PacketType.ack, zxid, null);
  }
  sendTouches(zxid: Zxid): void {
    this.world.toLeader(this.link, PacketType.ping, zxid, new Uint8Array(0));
  }
  saveEpoch(kind: EpochKind, epoch: number): void {
    saveEpoch(this.world, this.host, kind, epoch, () =>
      this.world.done(this.link, (learner) => learner.onEpochSaved(kind)),
    );
  }
  truncate(zxid: Zxid): void {
    this.order(`cuts behind ${text(zxid)}`, (learner) => {
      this.host.history = this.host.history.filter((one) => one <= zxid);
      learner.onTruncated(zxid);
    });
  }
  persist(): void {
    this.order('is to have all of it on the disk', (learner) => learner.onPersisted());
  }
  beginSnapshot(): void {
    this.world.beginTree(this.link);
  }
  propose(zxid: Zxid): boolean {
    this.order(`logs ${text(zxid)}`, () => this.host.history.push(zxid));
    return true;
  }
  commit(zxid: Zxid): void {
    this.world.say(`${this.host.sid} commits up to ${text(zxid)}`);
  }
  activate(): void {}
  onConfig(): void {}
  onSynced(): void {}
  onRevalidated(): void {}
  serve(epoch: number): void {
    this.world.say(`${this.host.sid} serves, epoch ${epoch}`);
  }
  leave(reason: string): void {
    this.world.say(`${this.host.sid} leaves its leader: ${reason}`);
  }

  private order(what: string, done: (learner: Learner) => void): void {
    this.world.say(`${this.host.sid} ${what}`);
    this.host.orders.push(() => this.world.done(this.link, done));
  }
}

function saveEpoch(world: OrdersWorld, host: Host, kind: EpochKind, epoch: number, done: () => void): void {
  world.say(`${host.sid} saves ${kind} epoch ${epoch}`);
  host.orders.push(() => {
    host.epochs[kind] = epoch;
    done();
  });
}

export function zxidOf(word: string): Zxid {
  const [epoch, counter] = word.split('.').map(Number);
  return makeZxid(epoch!, counter!);
}

export function text(zxid: Zxid): string {
  return `${Math.floor(zxid / 2 ** 32)}.${zxid % 2 ** 32}`;
}

/**
 * What a leader has the core and its log do: makes epochs durable, lets the core propose in its own epoch, publishes what a quorum
 * has. Every call only enqueues; what takes time calls back from `poll`, in the core's turn. Core thread.
 *
 *     requests ─▶ proposals ─▶ proposal ring ─┬─▶ onProposed (the leader's machine: to its followers)
 *                                             └─▶ log ··durable··▶ onDurable (its own vote)
 *     decide ◀── a quorum's votes ── onRound
 */
import { epochOf, lastZxidOf, type Zxid, type ZxidCell } from '../../base/zxid.ts';
import type { Incarnations } from '../../core/incarnations.ts';
import type { TakenRequest } from '../../core/leading/forwarded-requests.ts';
import type { ServerRole } from '../../core/progress/commit-point.ts';
import type { MembershipPort } from '../../core/quorum/membership-port.ts';
import type { Replica } from '../../core/replica.ts';
import { writeConfigNode } from '../../core/tree/config-node.ts';
import type { EpochKind } from '../../storage/epoch-files.ts';
import type { QuorumPacket } from '../../wire/quorum/quorum-packet.ts';
import type { ProposalTap, TappedLogPort } from '../log/tapped-log-port.ts';
import type { SnapshotKeeper } from '../snapshot/snapshot-keeper.ts';
import { DeskOrders } from './desk-orders.ts';
import type { SocketTurns } from './hearing.ts';

/** What the desk needs of its host. */
export interface LeaderDeskHost {
  readonly incarnations: Incarnations;
  readonly logPort: TappedLogPort;
  readonly snapshots: SnapshotKeeper;
  /** The log has every transaction behind this; before, a tree may have taken the place of some. */
  readonly historyFloor: ZxidCell;
  /** Opens the core's turn, if it is not, and has one end soon. */
  enter(): void;
  /** Who has to be asked, besides the sockets, before a client is taken for silent. */
  hearThrough(others: SocketTurns | null): void;
}

/** Who leads, in the core's turns. */
export interface Leading {
  readonly onProposed: ProposalTap;
  /** Its learners hear clients, too. */
  readonly turns: SocketTurns;
  /** This server's log has everything up to there. */
  onDurable(zxid: Zxid): void;
  /** The end of a turn: what has come together may be decided, what is new may be sent. */
  onRound(): void;
  /** A learner's `sync`: everything that it has asked for before has been proposed. */
  onSync(link: number): void;
  /** The epoch has given out its last zxid: another must begin. */
  onEpochUsedUp(): void;
}

export class LeaderDesk {
  private readonly host: LeaderDeskHost;
  private readonly orders: DeskOrders;
  private leading: Leading | null = null;
  private toldDurable = -1;
  private isUsedUpTold = false;

  constructor(host: LeaderDeskHost) {
    this.host = host;
    this.orders = new DeskOrders(host.logPort, () => host.enter());
  }

  get lastZxid(): Zxid {
    return this.replica.progress.proposed;
  }

  /** The log has every transaction behind this. */
  get historyFloor(): Zxid {
    return this.host.historyFloor.value;
  }

  /** The last transaction that is decided. */
  get decided(): Zxid {
    return this.replica.progress.decided;
  }

  /** What was there at the start is, too; the log's own counter knows only of what came after. */
  get durable(): Zxid {
    return this.replica.progress.durable;
  }

  /** A snapshot of what is committed is to be written, if none is under way. */
  startSnapshot(): void {
    const { snapshots } = this.host;
    if (!snapshots.isBusy) snapshots.start(this.replica.clock.nowMs);
  }

  /** Elected. Nothing is proposed before `lead`. */
  begin(leading: Leading): void {
    this.role.join('leader');
    this.leading = leading;
    this.toldDurable = -1;
    this.isUsedUpTold = false;
  }

  saveEpoch(kind: EpochKind, epoch: number, done: () => void): void {
    this.orders.command((log) => log.saveEpoch(kind, epoch), done);
  }

  /** A quorum follows: the next transaction is the one behind `zxid`, and clients are served. */
  lead(zxid: Zxid, membership: MembershipPort): void {
    const { host, replica } = this;
    host.enter();
    const { tree, clock } = replica.parts;
    const { committed } = membership;
    writeConfigNode(tree, committed.bytes, committed.version, clock.wallMs);
    replica.leadership.begin(zxid, membership);
    this.role.lead(zxid);
    const leading = this.leading!;
    host.logPort.open(leading.onProposed, lastZxidOf(epochOf(zxid)));
    host.hearThrough(leading.turns);
    replica.leadership.requests.onSync = (link) => leading.onSync(link);
  }

  /** This server's own clients, who may have been kept for this; or none: it leads only. */
  serve(hasClients: boolean): void {
    const { learner } = this.replica;
    if (hasClients) learner.goOn(this.role.epochZxid);
    else {
      this.role.isInStep = false;
      learner.letGo();
    }
  }

  /** A quorum has everything up to `zxid`. Only within a turn. */
  decide(zxid: Zxid): void {
    this.replica.onDecided(zxid);
  }

  // ---- for learners --------------------------------------------------------------------------------------

  /** A write of a learner's client; it becomes a proposal as soon as there is room. */
  request(link: number, packet: QuorumPacket): TakenRequest {
    this.host.enter();
    return this.replica.leadership.requests.take(link, packet);
  }

  /** A learner's client wants to go on with its session. */
  revalidate(link: number, { view, dataStart }: QuorumPacket): boolean {
    this.host.enter();
    const high = view.getInt32(dataStart);
    const low = view.getInt32(dataStart + 4);
    return this.replica.leadership.sessions.revalidate(link, high, low, view.getInt32(dataStart + 8));
  }

  /** A learner has heard of these sessions. */
  touches({ view, dataStart, dataEnd }: QuorumPacket): void {
    this.host.enter();
    this.replica.leadership.sessions.touch(view, dataStart, dataEnd);
  }

  forgetLearner(link: number): void {
    this.replica.leadership.requests.forget(link);
  }

  // ---- the term ------------------------------------------------------------------------------------------

  /** Has a turn come soon, at whose end `onRound` is called. */
  wake(): void {
    this.host.enter();
  }

  /**
   * This server leads no more: its clients go, without an answer to what is in flight. What is logged is all that it knows, and
   * its tree becomes that. For the time between two leaders.
   */
  settle(done: () => void): void {
    const { host, role } = this;
    host.enter();
    this.leading = null;
    host.logPort.untap();
    host.hearThrough(null);
    const hasLed = !role.isLearner;
    role.join('leader');
    if (hasLed) this.replica.leadership.end();
    const { lastZxid } = this;
    this.orders.forget();
    this.orders.when(
      () => this.replica.progress.durable >= lastZxid,
      () => {
        this.decide(lastZxid);
        done();
      },
    );
  }

  // ---- turns ---------------------------------------------------------------------------------------------

  /** At the end of the core's turn. */
  poll(): void {
    const { leading, host } = this;
    this.orders.poll();
    if (leading === null) return;
    const durable = host.logPort.durableZxid;
    if (durable !== this.toldDurable) {
      this.toldDurable = durable;
      leading.onDurable(durable);
    }
    if (host.logPort.isShut && !this.isUsedUpTold) {
      this.isUsedUpTold = true;
      leading.onEpochUsedUp();
    }
    // The log's thread works while what is new goes to the others.
    host.logPort.flush();
    leading.onRound();
  }

  /** Whether `poll` may find something. */
  get hasWork(): boolean {
    const isNews = this.leading !== null && this.host.logPort.durableZxid !== this.toldDurable;
    return isNews || this.orders.hasWork;
  }

  private get role(): ServerRole {
    return this.host.incarnations.surroundings.role;
  }

  private get replica(): Replica {
    return this.host.incarnations.replica;
  }
}

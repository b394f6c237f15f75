/**
 * What a learner has the core and its log do: stages what its leader proposes, publishes what is decided, takes over a tree
 * (SNAP), cuts history (TRUNC), makes epochs durable. Every call only enqueues; what takes time calls back from `poll`, in the
 * core's turn. One at a time is under way for each kind, because the learner waits for each. Core thread.
 *
 *     stage ─▶ proposal queue, log ··durable··▶ onDurable      decide ─▶ committer
 *     synced, revalidated ─▶ clients here    touches ◀─ sessions heard of here
 *     saveEpoch, truncate ─▶ log command ··done··▶ done
 *     beginTree · take* ─▶ a new replica      persist ─▶ everything durable; a snapshot, then the log cut behind it ─▶ done
 */
import { assert } from '../../base/assert.ts';
import { makeZxid, type Zxid, type ZxidCell } from '../../base/zxid.ts';
import type { Incarnations } from '../../core/incarnations.ts';
import { Loader } from '../../core/loading/loader.ts';
import type { LeaderLink } from '../../core/ports/leader-link.ts';
import type { RoleName, ServerRole } from '../../core/progress/commit-point.ts';
import type { QuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { Replica } from '../../core/replica.ts';
import { writeConfigNode } from '../../core/tree/config-node.ts';
import { ByteWindow, ChunkSource } from '../../storage/byte-window.ts';
import type { EpochKind } from '../../storage/epoch-files.ts';
import { SnapshotParser } from '../../storage/snapshot-parser.ts';
import type { RingLogPort } from '../log/log-port.ts';
import type { SnapshotKeeper } from '../snapshot/snapshot-keeper.ts';
import { DeskOrders } from './desk-orders.ts';

/** What the desk needs of its host. */
export interface DeskHost {
  readonly incarnations: Incarnations;
  readonly logPort: RingLogPort;
  readonly snapshots: SnapshotKeeper;
  /** Opens the core's turn, if it is not, and has one end soon. */
  enter(): void;
  /** Another, empty replica takes the present one's place; nothing is asked of it before `startAnew`. */
  beginAnew(): Replica;
  /** It has been filled up to `zxid`. */
  startAnew(zxid: Zxid): void;
  /** The log has every transaction behind this; before, a tree may have taken the place of some. */
  readonly historyFloor: ZxidCell;
  /** Removes the snapshots behind `zxid`. */
  discardSnapshots(zxid: Zxid): void;
  /** Fills the present replica from the disk, and returns its last zxid. */
  reload(): Zxid;
  readonly completeness: Completeness;
}

/** Whether this server has all that it ever acknowledged. */
export interface Completeness {
  readonly isComplete: boolean;
  /** A leader has brought it up, durably. */
  onInStep(): void;
}

const TREE_WINDOW_BYTES = 1 << 20;

export class LearnerDesk {
  /** Everything up to there is in the log; at the end of each turn in which that has grown. */
  onDurable: (zxid: Zxid) => void = () => {};
  /** `stage` has found no room before, and may find some now; or `isPublished` was false. */
  onRoom: () => void = () => {};
  /** In each turn of the core. */
  onTurn: () => void = () => {};
  private readonly host: DeskHost;
  /** Taken over, or being taken over, and not on the disk yet. */
  private tree: TreeFeed | null = null;
  private readonly orders: DeskOrders;
  /** What follows the cut that is under way. */
  private afterCut: (() => void) | null = null;
  private toldDurable = -1;
  private isRefused = false;

  constructor(host: DeskHost) {
    this.host = host;
    this.orders = new DeskOrders(host.logPort, () => host.enter());
  }

  get lastZxid(): Zxid {
    return this.replica.progress.proposed;
  }

  /** From now on this server proposes and decides nothing by itself, and serves nobody before `serve`. */
  beginLearning(name: RoleName): void {
    this.role.join(name);
    this.toldDurable = -1;
  }

  /** What this server goes into an election with. -1: it may lack what it has acknowledged, and has no vote (storage/set-aside.ts). */
  get electionZxid(): Zxid {
    return this.host.completeness.isComplete ? this.lastZxid : -1;
  }

  /**
   * In step with the leader of `epoch` under `config`: clients are served, and what they want of it goes to `leader`.
   */
  serve(epoch: number, config: QuorumConfig, leader: LeaderLink): void {
    const { role, replica } = this;
    this.host.enter();
    this.host.completeness.onInStep();
    role.leader = leader;
    role.epochZxid = makeZxid(epoch, 0);
    role.isInStep = true;
    const { tree, clock } = replica.parts;
    writeConfigNode(tree, config.bytes, config.version, clock.wallMs);
    replica.learner.beginTerm(role.epochZxid);
  }

  /** Clients that wait for the next leader. */
  get keptClients(): number {
    return this.replica.learner.keptCount;
  }

  /** Nobody leads, for long: clients that have asked for it are served what is here, until `endReadOnly`. Between two terms only. */
  beginReadOnly(): void {
    this.host.enter();
    this.role.isReadOnly = true;
  }

  /** They are let go, and have to begin anew with whoever serves then. */
  endReadOnly(): void {
    this.host.enter();
    this.role.isReadOnly = false;
    this.replica.parts.locals.endAll();
  }

  /** Whether clients see everything that is decided; else `onRoom` tells when to ask again. */
  get isPublished(): boolean {
    const { isPublished } = this.replica.learner;
    if (!isPublished) this.isRefused = true;
    return isPublished;
  }

  /** The leader has answered the oldest sync; only while `isPublished`. */
  synced(): void {
    this.host.enter();
    this.replica.learner.onSynced();
  }

  /** The leader has said whether a session lives; only while `isPublished`. */
  revalidated(idHigh: number, idLow: number, isValid: boolean): void {
    this.host.enter();
    this.replica.learner.onRevalidated(idHigh, idLow, isValid);
  }

  /** Sessions heard of here since the last time, as PINGs carry them; at least one list. */
  touches(): Uint8Array[] {
    this.host.enter();
    return this.replica.learner.touches();
  }

  /** `onTurn` is to be called soon. */
  askTurn(): void {
    this.host.enter();
  }

  /** False: no room now. @throws Failure when the bytes are no transaction */
  stage(bytes: Uint8Array, view: DataView, start: number, end: number): boolean | null {
    this.host.enter();
    const staged = this.replica.onProposal(bytes, view, start, end);
    this.isRefused = staged === false;
    return staged;
  }

  decide(zxid: Zxid): void {
    this.host.enter();
    this.replica.onDecided(zxid);
  }

  saveEpoch(kind: EpochKind, epoch: number, done: () => void): void {
    this.orders.command((log) => log.saveEpoch(kind, epoch), done);
  }

  /** Tree and log end at `zxid` then, or at the last transaction before it. */
  truncate(zxid: Zxid, done: () => void): void {
    this.afterCut = done;
    this.alone(() => {
      // A snapshot that stayed would bring the transactions back.
      this.host.discardSnapshots(zxid);
      this.orders.command(
        (log) => log.truncate(zxid),
        () => {
          this.reload();
          const then = this.afterCut!;
          this.afterCut = null;
          then();
        },
      );
    });
  }

  /** A tree as of `zxid` follows, in pieces. */
  beginTree(zxid: Zxid): void {
    this.host.enter();
    this.tree = new TreeFeed(this.host.beginAnew(), zxid);
  }

  /** Takes what of `bytes[start, end)` belongs to the tree and returns how much; `isTreeWhole` tells the end. @throws CorruptionFailure */
  take(bytes: Uint8Array, start: number, end: number): number {
    assert(this.tree !== null, 'a tree has begun');
    this.host.enter();
    const taken = this.tree.take(bytes, start, end);
    if (!this.tree.isWhole) return taken;
    this.host.historyFloor.value = this.tree.zxid;
    this.host.startAnew(this.tree.zxid);
    return taken;
  }

  get isTreeWhole(): boolean {
    return this.tree?.isWhole === true;
  }

  /**
   * Everything staged is durable. Behind a tree that has just been taken over: a snapshot of it too, and nothing of an older
   * history is left behind it: neither snapshots, of which the newest would be recovered, nor records; nothing may be staged meanwhile, for it would be cut with the rest. A crash in between
   * leaves a history that the leader cuts again.
   */
  persist(done: () => void): void {
    const { lastZxid, tree } = this;
    if (tree === null) {
      this.orders.when(() => this.replica.progress.durable >= lastZxid, done);
      return;
    }
    const { snapshots } = this.host;
    let isStarted = false;
    this.orders.when(
      () => {
        if (!isStarted && !snapshots.isBusy) {
          isStarted = true;
          snapshots.start(this.replica.clock.nowMs);
        }
        return isStarted && snapshots.writtenZxid >= tree.zxid;
      },
      () => {
        this.host.discardSnapshots(tree.zxid);
        this.orders.command(
          (log) => log.truncate(tree.zxid),
          () => {
            this.tree = null;
            done();
          },
        );
      },
    );
  }

  /**
   * The term is over: what is on the disk is all that this server knows, and its tree becomes that. A cut is carried through; a
   * tree that is not on the disk as a whole is forgotten, for its history was never acknowledged and must not be. `keepsClients`: there
   * is to be another leader, and this server may keep its clients for that.
   */
  settle(keepsClients: boolean, done: () => void): void {
    const { role } = this;
    const { epochZxid } = role;
    role.isInStep = false;
    role.leader = null;
    role.epochZxid = 0;
    this.host.enter();
    if (this.afterCut !== null) {
      this.afterCut = () => this.settle(keepsClients, done);
      return;
    }
    this.orders.forget();
    if (this.tree === null) {
      // Before anything more is decided: what nobody has decided yet must not be answered.
      const { learner } = this.replica;
      if (keepsClients) learner.endTerm(epochZxid);
      else learner.letGo();
      this.decideLogged(done);
      return;
    }
    this.tree = null;
    this.alone(() => {
      this.reload();
      this.decideLogged(done);
    });
  }

  private decideLogged(done: () => void): void {
    const { lastZxid } = this;
    this.orders.when(
      () => this.replica.progress.durable >= lastZxid,
      () => {
        this.decide(lastZxid);
        done();
      },
    );
  }

  // ---- turns ---------------------------------------------------------------------------------------------

  /** Within the core's turn. */
  poll(): void {
    const durable = this.host.logPort.durableZxid;
    if (durable !== this.toldDurable) {
      this.toldDurable = durable;
      this.onDurable(durable);
    }
    if (this.isRefused) {
      this.isRefused = false;
      this.onRoom();
    }
    this.onTurn();
    this.orders.poll();
  }

  /** Whether `poll` may find something. */
  get hasWork(): boolean {
    return this.host.logPort.durableZxid !== this.toldDurable || this.orders.hasWork;
  }

  /** Once nobody else is at the files; until `reload`. */
  private alone(then: () => void): void {
    const { snapshots, logPort } = this.host;
    snapshots.hold();
    this.orders.when(() => !snapshots.isBusy && logPort.commandsDone >= logPort.commandsGiven, then);
  }

  private reload(): void {
    this.host.beginAnew();
    this.host.startAnew(this.host.reload());
    this.host.snapshots.release();
  }

  private get role(): ServerRole {
    return this.host.incarnations.surroundings.role;
  }

  private get replica(): Replica {
    return this.host.incarnations.replica;
  }
}

/** A tree as it comes from a leader's socket, into a replica that is new. */
class TreeFeed {
  readonly zxid: Zxid;
  isWhole = false;
  private readonly chunks = new ChunkSource();
  private readonly window = new ByteWindow(this.chunks, TREE_WINDOW_BYTES);
  private readonly parser: SnapshotParser;
  private readonly loader: Loader;
  private received = 0;

  constructor(replica: Replica, zxid: Zxid) {
    this.zxid = zxid;
    const loader = new Loader(replica.parts);
    this.loader = loader;
    loader.snapshot.begin(zxid);
    this.parser = new SnapshotParser(this.window, 'the tree that the leader sends', 'stream', {
      onSession: (high, low, timeoutMs) => loader.snapshot.session(high, low, timeoutMs),
      onAcl: (id, bytes, _view, start, end) => loader.snapshot.acl(id, bytes, start, end),
      onNode: (bytes, view, path, pathLength, data, dataLength, acl, stat) =>
        loader.snapshot.node(bytes, view, path, pathLength, data, dataLength, acl, stat),
      onDigest: (at, version, high, low) => loader.snapshot.digest(at, version, high, low),
    });
  }

  take(bytes: Uint8Array, start: number, end: number): number {
    this.received += end - start;
    this.chunks.push(bytes.slice(start, end));
    this.isWhole = this.parser.advance();
    if (!this.isWhole) return end - start;
    this.loader.snapshot.end();
    this.loader.replay.finish();
    return end - start - (this.received - this.window.offset);
  }
}

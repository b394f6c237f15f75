/** One server of the simulated ensemble: its disk, what it is just now, and how it dies and comes back. */
import type { Prng } from '../../../src/base/prng.ts';
import type { EpochKind } from '../../../src/core/zab/learner.ts';
import { Leading } from './leading.ts';
import { Learning } from './learning.ts';
import type { Link } from './link.ts';
import { MemberDisk, type Txn } from './member-disk.ts';
import type { Judge, Server } from './surroundings.ts';
import type { ZabVariant } from './variants.ts';

export class Member implements Server {
  readonly sid: number;
  readonly isObserver: boolean;
  readonly cluster: Judge<Member>;
  readonly prng: Prng;
  readonly disk = new MemberDisk();
  isUp = true;
  role: Leading | Learning | null = null;
  /** Clients may be served: what is committed here is visible. */
  isServing = false;
  /** The tree of a SNAP before it is on the disk; null: the tree is what the disk's records make. */
  loaded: Txn[] | null = null;
  committedZxid = 0;
  /** So many of its records were seen to be the committed ones since it began to serve. */
  checkedCount = 0;
  private incarnation = 0;
  private isSyncing = false;
  private waiters: { readonly count: number; readonly done: () => void }[] = [];

  constructor(cluster: Judge<Member>, sid: number, isObserver: boolean) {
    this.cluster = cluster;
    this.sid = sid;
    this.isObserver = isObserver;
    this.prng = cluster.world.prng;
    this.schedule();
  }

  get variant(): ZabVariant {
    return this.cluster.variant;
  }

  get isLooking(): boolean {
    return this.isUp && this.role === null;
  }

  trace(what: string): void {
    this.cluster.world.trace(`server ${this.sid}`, what);
  }

  /** Within this life of the process. */
  after(minMs: number, maxMs: number, run: () => void): void {
    const { incarnation } = this;
    this.cluster.world.after(this.cluster.world.span(minMs, maxMs), () => {
      if (incarnation === this.incarnation && this.isUp) run();
    });
  }

  private schedule(): void {
    this.after(50, 150, () => {
      this.schedule();
      this.role?.onHalfTick();
      if (this.isLooking) this.cluster.elect(this);
    });
  }

  // ---- roles ---------------------------------------------------------------------------------------------

  look(): void {
    this.role?.end();
    this.role = null;
    this.isServing = false;
    this.checkedCount = 0;
    this.loaded = null;
  }

  lead(): void {
    this.look();
    if (this.variant === 'forgetsOutstanding') this.forget();
    this.trace(`is elected with 0x${this.disk.lastZxid.toString(16)} of epoch ${this.disk.currentEpoch}`);
    this.role = new Leading(this, this.cluster.verifierFor(this));
  }

  follow(leader: Member, link: Link): void {
    this.look();
    this.role = new Learning(this, link);
    if (leader.role instanceof Leading) leader.role.accept(link);
    else link.close(1);
  }

  onPromised(epoch: number): void {
    this.cluster.onPromised(this, epoch);
  }

  onLead(): void {
    this.cluster.onLead(this);
  }

  onDecided(zxid: number): void {
    this.cluster.onDecided(this, zxid);
  }

  serve(): void {
    this.isServing = true;
    this.trace(`serves with ${this.disk.records.length} transactions`);
    this.cluster.onServing(this);
  }

  onCommit(zxid: number): void {
    this.committedZxid = Math.max(this.committedZxid, zxid);
    if (this.isServing) this.cluster.onServing(this);
  }

  crash(): void {
    this.trace('crashes');
    this.isUp = false;
    this.incarnation++;
    this.look();
    this.disk.crash(this.prng);
    this.waiters = [];
    this.isSyncing = false;
  }

  restart(): void {
    this.trace(`starts with 0x${this.disk.lastZxid.toString(16)} of epoch ${this.disk.currentEpoch}`);
    this.isUp = true;
    this.committedZxid = 0;
    this.schedule();
  }

  private forget(): void {
    if (this.committedZxid > 0) this.disk.truncate(this.committedZxid);
  }

  // ---- disk ----------------------------------------------------------------------------------------------

  /** `done` once it is on the disk. */
  log(txn: Txn, done: () => void): void {
    if (this.loaded !== null) {
      // The tree is not on the disk yet: what follows it goes there with it.
      this.loaded.push(txn);
      this.waiters.push({ count: Number.POSITIVE_INFINITY, done });
      return;
    }
    this.disk.append(txn);
    this.waiters.push({ count: this.disk.records.length, done });
    this.sync();
  }

  /** `done` once everything logged is on the disk. */
  synced(done: () => void): void {
    this.waiters.push({ count: this.disk.records.length, done });
    this.sync();
  }

  /** The tree that was loaded becomes the disk's, at once. */
  installLoaded(done: () => void): void {
    this.after(1, 40, () => {
      if (this.loaded === null) return;
      this.disk.replace(this.loaded);
      this.loaded = null;
      this.waiters = this.waiters.map(({ done: then }) => ({ count: 0, done: then }));
      done();
      this.sync();
    });
  }

  onDiskReplaced(): void {
    this.waiters = [];
    this.committedZxid = Math.min(this.committedZxid, this.disk.lastZxid);
  }

  private sync(): void {
    if (this.isSyncing) return;
    this.isSyncing = true;
    const count = this.disk.records.length;
    this.after(0.1, this.cluster.syncMsMax, () => {
      this.isSyncing = false;
      this.disk.onSynced(count);
      const ready = this.waiters.filter((waiter) => waiter.count <= count);
      this.waiters = this.waiters.filter((waiter) => waiter.count > count);
      for (const { done } of ready) done();
      if (this.waiters.some((waiter) => waiter.count !== Number.POSITIVE_INFINITY)) this.sync();
    });
  }

  /** Behind everything that was logged before. */
  saveEpoch(kind: EpochKind, epoch: number, done: () => void): void {
    const save = (): void =>
      this.after(0.5, 30, () => {
        if (kind === 'accepted') this.disk.acceptedEpoch = Math.max(epoch, this.disk.acceptedEpoch);
        else this.disk.currentEpoch = Math.max(epoch, this.disk.currentEpoch);
        done();
      });
    if (this.variant === 'epochBesideLog' || this.variant === 'syncNotDurable') save();
    else this.synced(save);
  }
}
